"""Refreshes: compare a collection with upstream and take over what the mode allows; the catalogue is not written."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Prefetch, QuerySet
from django.utils import timezone

from collections_app.drift import Options, Outcome
from collections_app.models import (
    REFRESH,
    Artifact,
    Collection,
    RefreshRun,
    RefreshStatus,
)
from collections_app.operations import upstream
from collections_app.operations.takeover import TakingOver
from marketplace.models import Entry
from marketplace.repository import Usage
from skillmeat_site import logs
from skillmeat_site.accounts.models import User
from skillmeat_site.audit.recording import record
from skillmeat_site.errors import DomainError, Kind
from skillmeat_site.jobs import operations as jobs
from skillmeat_site.jobs.errors import JobConflict
from skillmeat_site.jobs.models import Job, Trigger
from skillmeat_site.jobs.runner import JobRun
from skillmeat_site.rows import remove

logger = logging.getLogger(__name__)
# A request has 25 seconds; what is left of them is for reading and writing rows.
REQUEST_SECONDS = 22.0
UNHURRIED_SECONDS = 600.0
LEASE = timedelta(seconds=60)
RENEW_AFTER_SECONDS = 10.0
NOT_NEEDED = ("entry__search_text", "entry__frontmatter", "entry__signals", "entry__findings")


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
    hint = "Nothing is left to do."


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


def prune(*, before: datetime, dry_run: bool = False) -> int:
    """Forget the refreshes that ended before then, but the last of each collection; how many."""
    return remove(RefreshRun.objects.outlived(before), dry_run=dry_run)


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

    options = Options.from_json(run.options)
    _carry_out(run, options, seconds=UNHURRIED_SECONDS, usage=usage, tick=tick, job_run=job_run)


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
    job_run: JobRun | None = None,
) -> RefreshRun:
    began = time.monotonic()
    artifacts = _chosen(run.collection, options)
    findings = upstream.look(artifacts, options, at=run.started_at, seconds=seconds, usage=usage, tick=tick)
    with transaction.atomic():
        if job_run:
            job_run.lock()
        taking = TakingOver(run, options, artifacts, findings, at=timezone.now())
        run.entries = taking.apply()
        run.counts, run.status = _counts(run.entries), taking.status
        run.duration_ms = round((time.monotonic() - began) * 1000)
        run.finished_at = _end_of(run)
        _finish(run, options)
        if job_run:
            job_run.succeed(as_json(run))
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
