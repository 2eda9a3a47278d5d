"""Refreshes: compare a collection with upstream and take over what the mode allows; the catalogue is not written."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Prefetch, QuerySet
from django.utils import timezone

from collections_app import drift
from collections_app.drift import METADATA_FIELDS, Change, Drift, Local, Metadata, Options, Outcome, Upstream
from collections_app.models import (
    BATCH,
    REFRESH,
    Artifact,
    ArtifactVersion,
    Collection,
    Reason,
    RefreshRun,
    RefreshStatus,
)
from collections_app.operations import upstream
from collections_app.operations.asking import Seen
from collections_app.operations.imports import EntryIncomplete
from collections_app.operations.upstream import GONE, Finding, Found, Gone, Missed
from marketplace.models import Entry
from marketplace.repository import Commit, Usage
from skillmeat_site import logs
from skillmeat_site.accounts.models import User
from skillmeat_site.audit.recording import record
from skillmeat_site.errors import DomainError, Kind
from skillmeat_site.jobs import operations as jobs
from skillmeat_site.jobs.errors import JobConflict
from skillmeat_site.jobs.models import Job, Trigger
from skillmeat_site.jobs.runner import JobRun

logger = logging.getLogger(__name__)
# A request has 25 seconds; what is left of them is for reading and writing rows.
REQUEST_SECONDS = 22.0
UNHURRIED_SECONDS = 600.0
LEASE = timedelta(seconds=60)
RENEW_AFTER_SECONDS = 10.0
NOT_NEEDED = ("entry__search_text", "entry__frontmatter", "entry__signals", "entry__findings")
WRITTEN = (
    *METADATA_FIELDS,
    *("title", "members", "edited_fields", "current", "origin_url", "origin_ref", "origin_locator"),
    *("origin_path", "upstream_sha", "upstream_etag", "upstream_digest", "upstream_metadata", "updated_at"),
)


class RefreshRunning(DomainError):
    """Another refresh of this collection is running; there is never more than one."""

    code = "refresh_running"
    kind = Kind.CONFLICT
    title = "Already being refreshed"
    hint = "Wait for the refresh named in existing_id; one whose process died is forgotten after a minute."


class RefreshLost(DomainError):
    """The refresh took so long to be heard of that it counted as dead; nothing was saved."""

    code = "refresh_lost"
    kind = Kind.CONFLICT
    title = "The refresh was given up"
    hint = "Refresh again."


class CollectionGone(DomainError):
    """The collection was deleted while its refresh was waiting or running."""

    code = "collection_gone"
    kind = Kind.NOT_FOUND
    title = "The collection is gone"


def refresh(
    *,
    collection: Collection,
    options: Options,
    by: User | None,
    at: datetime,
    seconds: float = REQUEST_SECONDS,
) -> RefreshRun:
    """Refresh now, asking upstream for at most so many seconds; what was not reached is skipped and says so.

    Faults of the other side are errors of single entries. Raises RefreshRunning.
    """
    run = _begin(collection, options, by=by, at=at, alive_until=at + LEASE)
    with _given_up_on_failure(run):
        pulse = _Pulse(run)
        return _carry_out(run, options, seconds=seconds, usage=Usage(), tick=lambda *_: pulse())


def request(
    *, collection: Collection, options: Options, by: User | None, at: datetime, trigger: Trigger
) -> Job:
    """Queue a refresh for a worker. Raises JobConflict or RefreshRunning while there is another one."""
    with transaction.atomic():
        job = jobs.enqueue(
            kind=REFRESH,
            subject_id=collection.pk,
            project=collection.project,
            trigger=trigger,
            by=by,
            at=at,
            force=options.force,
        )
        _begin(collection, options, by=by, at=at, job=job)
        return job


def request_due(*, at: datetime) -> list[Job]:
    """Queue a refresh of every collection whose time has come and that is not being refreshed already."""
    found = []
    for collection in due(at=at):
        with suppress(JobConflict, RefreshRunning):
            found.append(
                request(collection=collection, options=Options(), by=None, at=at, trigger=Trigger.SCHEDULE)
            )
    return found


def due(*, at: datetime) -> Iterator[Collection]:
    """The collections whose time has come, each to one caller only, with the time of its next refresh set."""
    for collection in Collection.objects.due(at).select_related("project"):
        moved = Collection.objects.filter(pk=collection.pk, next_refresh_at=collection.next_refresh_at)
        if moved.update(next_refresh_at=collection.next_refresh_after(at)):
            yield collection


def execute(job_run: JobRun) -> None:
    """Carry out a queued refresh in a worker; its result is that of a request."""
    runs = RefreshRun.objects.running().select_related("collection__project", "started_by")
    run = runs.filter(job=job_run.job).first()
    if run is None:
        raise CollectionGone("The collection was deleted before its refresh began.")
    usage = Usage()
    job_run.meter = usage

    def tick(done: int, total: int) -> None:
        job_run.progress("asking upstream", done, total)

    def succeed(run: RefreshRun) -> None:
        job_run.lock()
        job_run.succeed(as_json(run))

    options = Options.from_json(run.options)
    _carry_out(run, options, seconds=UNHURRIED_SECONDS, usage=usage, tick=tick, on_end=succeed)


def ended(job: Job, *, at: datetime) -> None:
    """The job of a refresh failed or was cancelled: so was its run, and nothing was changed."""
    _give_up(RefreshRun.objects.running().filter(job=job), at=at)


def as_json(run: RefreshRun) -> dict[str, Any]:
    """The answer to a request for a refresh, and the result of its job."""
    return {
        "status": run.status,
        "timestamp": run.started_at.isoformat().replace("+00:00", "Z"),
        "request_id": run.request_id,
        "result": {**run.counts, "entries": run.entries, "duration_ms": run.duration_ms},
        "took_ms": run.duration_ms,
    }


def _begin(
    collection: Collection,
    options: Options,
    *,
    by: User | None,
    at: datetime,
    alive_until: datetime | None = None,
    job: Job | None = None,
) -> RefreshRun:
    """The row that keeps others out until it is finished, or until its process has been silent for too long."""
    running = collection.refreshes.running()
    try:
        with transaction.atomic():
            _give_up(running.filter(alive_until__lt=at), at=at)
            run = RefreshRun.objects.create(
                collection=collection,
                job=job,
                options=options.as_json(),
                request_id=logs.current("request_id"),
                started_by=by,
                started_at=at,
                alive_until=alive_until,
            )
            record(
                "refresh.requested",
                collection,
                project=collection.project,
                by=by,
                at=at,
                refresh=run.public_id,
                mode=options.mode,
                dry_run=options.dry_run,
                force=options.force,
            )
            return run
    except IntegrityError:
        other = running.first()
        if other is None:
            raise
        raise RefreshRunning(
            f"{collection} is being refreshed since {other.started_at:%H:%M:%S} UTC.",
            existing_id=other.public_id,
        ) from None


def _give_up(runs: QuerySet[RefreshRun], *, at: datetime) -> None:
    runs.update(status=RefreshStatus.ERROR, counts=_counts([]), finished_at=at)


class _Pulse:
    """Keeps a run that has no job from counting as dead. Raises RefreshLost when it did."""

    def __init__(self, run: RefreshRun) -> None:
        self._run = run
        self._beaten_at = time.monotonic()

    def __call__(self) -> None:
        if time.monotonic() - self._beaten_at < RENEW_AFTER_SECONDS:
            return
        self._beaten_at = time.monotonic()
        alive_until = timezone.now() + LEASE
        if not RefreshRun.objects.running().filter(pk=self._run.pk).update(alive_until=alive_until):
            raise RefreshLost


@contextmanager
def _given_up_on_failure(run: RefreshRun) -> Iterator[None]:
    """Whatever goes wrong on our side, the next refresh need not wait for this one."""
    try:
        yield
    except BaseException:
        _give_up(RefreshRun.objects.running().filter(pk=run.pk), at=_end_of(run))
        raise


def _carry_out(
    run: RefreshRun,
    options: Options,
    *,
    seconds: float,
    usage: Usage,
    tick: Callable[[int, int], None],
    on_end: Callable[[RefreshRun], None] = lambda _: None,
) -> RefreshRun:
    began = time.monotonic()
    artifacts = _chosen(run.collection, options)
    findings = upstream.look(artifacts, options, at=run.started_at, seconds=seconds, usage=usage, tick=tick)
    with transaction.atomic():
        refresher = _Refresher(run, options, findings, at=timezone.now())
        run.entries = refresher.apply()
        run.counts = _counts(run.entries)
        run.status = _status(refresher)
        run.duration_ms = round((time.monotonic() - began) * 1000)
        run.finished_at = _end_of(run)
        _finish(run, options)
        on_end(run)
    logger.info(
        "Collection refreshed",
        extra={
            "collection_id": run.collection.public_id,
            "duration_ms": run.duration_ms,
            "mode": options.mode.value,
            "outcome": run.status,
            "github_requests": usage.requests,
        },
    )
    return run


def _chosen(collection: Collection, options: Options) -> list[Artifact]:
    members = Prefetch("entry__members", Entry.objects.present().only("type", "name", "path", "parent"))
    artifacts = collection.artifacts.select_related("current", "entry").prefetch_related("source", members)
    if options.type:
        artifacts = artifacts.filter(type=options.type)
    return [
        artifact
        for artifact in artifacts.defer(*NOT_NEEDED).order_by("id")
        if options.matches(artifact.type, artifact.name)
    ]


def _finish(run: RefreshRun, options: Options) -> None:
    values = {
        name: getattr(run, name) for name in ("status", "counts", "entries", "duration_ms", "finished_at")
    }
    if not RefreshRun.objects.running().filter(pk=run.pk).update(**values):
        raise RefreshLost
    record(
        "collection.refreshed",
        run.collection,
        project=run.collection.project,
        by=run.started_by,
        at=run.finished_at or run.started_at,
        refresh=run.public_id,
        mode=options.mode,
        status=run.status,
        **run.counts,
    )


def _counts(entries: list[dict[str, Any]]) -> dict[str, int]:
    outcomes = Counter(entry["outcome"] for entry in entries)
    return {
        "refreshed_count": outcomes[Outcome.REFRESHED],
        "unchanged_count": outcomes[Outcome.UNCHANGED],
        "skipped_count": outcomes[Outcome.SKIPPED] + outcomes[Outcome.CONFLICT],
        "error_count": outcomes[Outcome.ERROR],
    }


def _end_of(run: RefreshRun) -> datetime:
    """Now, or what passes for it when the clock was set back."""
    return max(timezone.now(), run.started_at)


def _status(refresher: "_Refresher") -> RefreshStatus:
    if refresher.looked_at == refresher.total:
        return RefreshStatus.SUCCESS
    return RefreshStatus.PARTIAL if refresher.looked_at else RefreshStatus.ERROR


class _Refresher:
    """One refresh's writes, in bulk; has to run in the transaction that ends the run."""

    def __init__(
        self, run: RefreshRun, options: Options, findings: Mapping[UUID, Finding], *, at: datetime
    ) -> None:
        self.run, self.options, self.findings, self.at = run, options, findings, at
        self.versions: list[ArtifactVersion] = []
        self.touched: list[Artifact] = []
        self.seen: list[UUID] = []
        self.looked_at = self.total = 0

    def apply(self) -> list[dict[str, Any]]:
        """Compare each artifact as it is by now with what was found, and save; what became of each."""
        artifacts = self._locked()
        self.imported = self._imported(artifacts)
        self.total = len(artifacts)
        entries = [self._entry(artifact) for artifact in artifacts]
        if self.options.writes:
            self._number_versions()
            ArtifactVersion.objects.bulk_create(self.versions, batch_size=BATCH)
            Artifact.objects.write(self.touched, WRITTEN)
            for start in range(0, len(self.seen), BATCH):
                some = Artifact.objects.filter(pk__in=self.seen[start : start + BATCH])
                some.update(upstream_seen_at=self.at)
        return entries

    def _locked(self) -> list[Artifact]:
        """People may have changed or deleted some since they were chosen."""
        artifacts = self.run.collection.artifacts.select_related("current").prefetch_related("source")
        locked = artifacts.select_for_update(of=("self",)) if self.options.writes else artifacts
        return [artifact for artifact in locked.order_by("id") if artifact.pk in self.findings]

    @staticmethod
    def _imported(artifacts: list[Artifact]) -> dict[UUID, str]:
        """Of those that were rolled back, the content that was last taken from upstream."""
        rolled_back = [each.pk for each in artifacts if each.current.reason == Reason.ROLLBACK]
        versions = ArtifactVersion.objects.filter(artifact__in=rolled_back).exclude(reason=Reason.ROLLBACK)
        return dict(versions.order_by("number").values_list("artifact", "content_digest"))

    def _entry(self, artifact: Artifact) -> dict[str, Any]:
        finding = self.findings[artifact.pk]
        self.looked_at += isinstance(finding, Found | Gone)
        if isinstance(finding, Found):
            return self._compared(artifact, finding)
        if isinstance(finding, Gone):
            self._set(artifact, _as_seen(finding.commit, upstream.NOTHING))
            return _reported(artifact, Outcome.SKIPPED, reason=GONE, upstream_sha=finding.commit.sha)
        if isinstance(finding, Missed):
            return _reported(artifact, Outcome.SKIPPED, reason=finding.reason)
        return _reported(artifact, Outcome.ERROR, reason=finding.detail, error=finding)

    def _compared(self, artifact: Artifact, found: Found) -> dict[str, Any]:
        local = Local(
            metadata=Metadata.of(artifact),
            edited=frozenset(artifact.edited_fields) & frozenset(METADATA_FIELDS),
            imported=self.imported.get(artifact.pk, artifact.current.content_digest),
            digest=artifact.current.content_digest,
        )
        said = drift.compare(
            local, Upstream(metadata=found.seen.metadata, digest=found.seen.digest), self.options
        )
        if said.takes_content and self.options.takes_content and found.seen.incomplete:
            error = EntryIncomplete(found.seen.incomplete)
            return _reported(artifact, Outcome.ERROR, reason=error.detail, error=error)
        self._take_over(artifact, found, said)
        return _reported(
            artifact,
            said.outcome,
            reason=said.reason,
            changes=said.changes,
            upstream_sha=found.commit.sha,
            digest=found.seen.digest,
        )

    def _take_over(self, artifact: Artifact, found: Found, said: Drift) -> None:
        values = _as_seen(found.commit, found.seen)
        if said.changes:
            edited = said.edited | (set(artifact.edited_fields) - set(METADATA_FIELDS))
            values |= said.metadata.as_json() | {"edited_fields": sorted(edited), "updated_at": self.at}
        if said.takes_content and self.options.takes_content:
            values |= self._content(artifact, found)
        self._set(artifact, values)

    def _set(self, artifact: Artifact, values: Mapping[str, Any]) -> None:
        if not self.options.writes:
            return
        if any(getattr(artifact, name) != value for name, value in values.items()):
            self.touched.append(artifact)
        for name, value in values.items():
            setattr(artifact, name, value)
        self.seen.append(artifact.pk)

    def _content(self, artifact: Artifact, found: Found) -> dict[str, Any]:
        """A new version, and where it is from by now."""
        seen, source = found.seen, artifact.source
        version = ArtifactVersion(
            artifact=artifact,
            number=0,
            commit=found.commit.sha,
            content_digest=seen.digest,
            manifest_id=seen.manifest,
            reason=Reason.SYNC,
            created_by=self.run.started_by,
            created_at=self.at,
        )
        self.versions.append(version)
        values = {
            "current": version,
            "title": seen.title,
            "members": list(seen.members),
            "origin_path": seen.path,
        }
        if source:
            values |= {"origin_url": source.repo_url, "origin_ref": source.ref}
        return values

    def _number_versions(self) -> None:
        last = ArtifactVersion.objects.last_numbers(version.artifact_id for version in self.versions)
        for version in self.versions:
            version.number = last[version.artifact_id] + 1


def _as_seen(commit: Commit, seen: Seen) -> dict[str, Any]:
    """What is remembered of it for the next refresh."""
    return {
        "upstream_sha": commit.sha,
        "upstream_etag": commit.etag,
        "upstream_digest": seen.digest,
        "upstream_metadata": seen.metadata.as_json(),
    }


def _reported(
    artifact: Artifact,
    outcome: Outcome,
    *,
    reason: str,
    error: DomainError | None = None,
    changes: Iterable[Change] = (),
    upstream_sha: str | None = None,
    digest: str = "",
) -> dict[str, Any]:
    """An entry of the result. `digest`: of the content upstream, if there is any and it is known."""
    return {
        "artifact_uuid": artifact.public_id,
        "type": artifact.type,
        "name": artifact.name,
        "outcome": outcome.value,
        "changes": [asdict(change) for change in changes],
        "reason": reason or None,
        "error": error.as_problem() if error else None,
        "current_sha": artifact.current.commit,
        "upstream_sha": upstream_sha,
        "update_available": bool(digest) and digest != artifact.current.content_digest,
    }
