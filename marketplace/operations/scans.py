"""Scans: ask for one, carry it out, and what its end means for the source."""

import logging
import math
import tempfile
from datetime import datetime
from typing import IO, Any

from django.conf import settings
from django.db import IntegrityError, OperationalError, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from marketplace import scanner
from marketplace.content.store import ContentStore
from marketplace.models import ScanStatus, Source
from marketplace.models.source import SCAN
from marketplace.operations import catalogue, readers, snapshots
from marketplace.repository import MAX_TOPICS, Commit, Description, NotModified, RateLimited
from marketplace.search import index
from skillmeat_site.accounts.models import User
from skillmeat_site.audit.recording import record
from skillmeat_site.errors import DomainError, Kind
from skillmeat_site.jobs import operations as jobs
from skillmeat_site.jobs.errors import JobConflict, JobFinished, NotYet
from skillmeat_site.jobs.models import Job, JobStatus, Trigger
from skillmeat_site.jobs.runner import JobRun

DUE_AT_ONCE = 60
logger = logging.getLogger(__name__)


class SourceGone(DomainError):
    """The source was deleted while something was done with it."""

    code = "source_gone"
    kind = Kind.NOT_FOUND
    title = "The source is gone"
    hint = "Add it again if it is still wanted."


class DuplicateSource(DomainError):
    """The scan found that this source is the same as another one of the project.

    That happens when the default branch was not known at first and turns out to be one that another source
    follows, or when the repository was renamed to one that is already there.
    """

    code = "duplicate_source"
    kind = Kind.CONFLICT
    title = "Two sources are the same"
    hint = "Delete one of the two."


class RescanTooSoon(DomainError):
    """The source was scanned a moment ago, and scans cost quota at its host.

    The limit does not apply when ref, root_hint, manual_map or enable_frontmatter_detection have changed
    since, nor to failed scans, schedules, commands and superusers.
    """

    code = "rescan_too_soon"
    kind = Kind.THROTTLED
    title = "Scanned a moment ago"
    hint = "Wait as long as Retry-After says, or let a schedule do it."


def request(*, source: Source, by: User | None, at: datetime, trigger: Trigger, force: bool = False) -> Job:
    """Queue a scan. Raises JobConflict while one is queued or running, RescanTooSoon where people hurry."""
    with transaction.atomic():
        job = enqueue(source=source, by=by, at=at, trigger=trigger, force=force)
        if trigger == Trigger.MANUAL and by and not by.is_superuser:
            _require_patience(source, at=at)
        record("scan.requested", source, project=source.project, by=by, at=at, job=job.public_id, force=force)
        return job


def enqueue(*, source: Source, by: User | None, at: datetime, trigger: Trigger, force: bool = False) -> Job:
    """A queued scan, for whoever tells of it in the same transaction. Raises JobConflict."""
    return jobs.enqueue(
        kind=SCAN,
        subject_id=source.pk,
        project=source.project,
        trigger=trigger,
        by=by,
        at=at,
        force=force,
    )


def _require_patience(source: Source, *, at: datetime) -> None:
    finished = Job.objects.filter(kind=SCAN, subject_id=source.pk, status=JobStatus.SUCCEEDED)
    counted = finished.filter(trigger=Trigger.MANUAL).exclude(started_by__is_superuser=True)
    last = counted.order_by("-finished_at").first()
    if last is None or last.finished_at is None or last.started_at is None:
        return
    if source.settings_changed_at and source.settings_changed_at > last.started_at:
        return
    passed = max(0.0, (at - last.finished_at).total_seconds())  # it may have ended after this request came
    wait = settings.SKILLMEAT_RESCAN_MIN_INTERVAL - passed
    if wait > 0:
        seconds = math.ceil(wait)
        raise RescanTooSoon(f"It can be scanned again in {seconds} seconds.", retry_after=seconds)


def request_due(*, at: datetime, force: bool = False, at_most: int | None = None) -> list[Job]:
    """Queue a scan of the sources whose time has come and that have none queued or running, longest due first."""
    live = Job.objects.live().filter(kind=SCAN, subject_id=OuterRef("pk"))
    found = []
    for source in Source.objects.due(at).exclude(Exists(live)).select_related("project")[:at_most]:
        try:
            job = _request_due(source, at=at, force=force)
        except (JobConflict, OperationalError):  # somebody else was quicker; the next round looks again
            logger.info("A due source was passed over", exc_info=True)
        else:
            found += [job] if job else []
    return found


def _request_due(source: Source, *, at: datetime, force: bool) -> Job | None:
    with transaction.atomic():
        # Moving the time on first makes this safe to run twice at once: only one of them moves it.
        moved = Source.objects.filter(pk=source.pk, next_rescan_at=source.next_rescan_at)
        if not moved.update(next_rescan_at=source.next_rescan_after(at)):
            return None
        return request(source=source, by=None, at=at, trigger=Trigger.SCHEDULE, force=force)


def execute(run: JobRun) -> None:
    """Carry out a scan in a worker: read and detect without a transaction, then save everything in one.

    Raises DomainError (the job fails, the catalogue stays as it was) and NotYet (the host's quota is used up).
    """
    source = Source.objects.select_related("project").filter(pk=run.job.subject_id).first()
    if source is None:
        raise SourceGone("The source was deleted before its scan began.")
    reader = readers.for_source(
        source, pulse=lambda: run.progress(run.job.phase, run.job.done, run.job.total)
    )
    run.meter = reader.usage
    try:
        said = None if source.is_described else reader.describe()
        seen = scanner.scan(
            reader=reader,
            ref=said.default_branch if said and source.ref_assumed else source.ref,
            settings=source.detection_settings,
            memory=None if run.job.force else _memory(source),
            limits=readers.keeping_limits(),
            into=ContentStore(at=timezone.now(), anew=run.job.force),
            with_readme=source.import_repo_readme,
            progress=run.progress,
        )
        if reader.moved and said is None:
            said = reader.describe()
    except RateLimited as limit:
        raise NotYet(limit.reset_at, limit) from limit
    run.progress("saving")
    with tempfile.TemporaryFile() as packed:
        if not isinstance(seen, NotModified):
            seen.snapshot.pack(packed)
        _save(run, source, seen, said, packed, at=timezone.now())


def _memory(source: Source) -> scanner.Memory | None:
    """What an earlier scan left; the commit is current unless it would be judged differently now."""
    if not source.resolved_sha:
        return None
    return scanner.Memory(
        commit=Commit(sha=source.resolved_sha, etag=source.etag),
        is_current=source.fingerprint == scanner.fingerprint(source.detection_settings),
        recall=lambda: snapshots.recall(source),
    )


def _save(
    run: JobRun,
    source: Source,
    seen: scanner.Scanned | NotModified,
    said: Description | None,
    packed: IO[bytes],
    *,
    at: datetime,
) -> None:
    """Everything or nothing. What people changed during the scan stays as they want it."""
    locked = None
    try:
        with transaction.atomic():
            run.lock()
            locked = Source.objects.select_for_update(of=("self",)).filter(pk=source.pk).first()
            if locked is None:
                raise SourceGone("The source was deleted during its scan.")
            was = locked.repo_key
            if said:
                _describe(locked, said)
            run.succeed(_apply(locked, seen, at=at))
            if locked.repo_key != was:
                index.rename(locked)
            if not isinstance(seen, NotModified):
                snapshots.remember(locked, packed)
    except IntegrityError as error:
        raise _duplicate(locked or source) from error


def _describe(source: Source, said: Description) -> None:
    """What the host says of the repository, its present name and default branch among it."""
    if not source.repo_url.startswith("file:"):
        for name, value in readers.address_of(said).items():
            setattr(source, name, value)
    if source.ref_assumed:
        source.ref, source.ref_assumed = said.default_branch, False
    source.is_described = True
    source.private_upstream = said.private
    source.suggested_tags = list(said.topics[:MAX_TOPICS])
    if source.import_repo_description:
        source.repo_description = said.description


def _apply(source: Source, seen: scanner.Scanned | NotModified, *, at: datetime) -> dict[str, Any]:
    """What the job reports: how many entries are new, updated, removed and unchanged."""
    if isinstance(seen, NotModified):
        counts = {"new": 0, "updated": 0, "removed": 0, "unchanged": source.entries.present().count()}
    else:
        counts = catalogue.apply(source=source, seen=seen, at=at)
    source.outcome, source.last_error, source.last_sync_at = ScanStatus.SUCCESS, "", at
    _close(source, at=at)
    return counts | {"not_modified": isinstance(seen, NotModified)}


def _close(source: Source, *, at: datetime) -> None:
    """What the end of any scan does: forget the token, set the time of the next."""
    source.access_token = ""
    source.next_rescan_at = source.next_rescan_after(at)
    source.save()


def _duplicate(source: Source) -> DomainError:
    twin = Source.objects.same_as(source).exclude(pk=source.pk).first()
    if twin is None:
        return DomainError("The catalogue could not be saved.")
    return DuplicateSource(f"{twin} is already in the project.", existing_id=twin.public_id)


def ended(job: Job, *, at: datetime) -> None:
    """A scan failed or was cancelled: the catalogue stays, a failure is written on the source."""
    source = Source.objects.select_for_update(of=("self",)).filter(pk=job.subject_id).first()
    if source is None:
        return
    if job.status == JobStatus.FAILED:
        problem = job.error or {}
        source.outcome = ScanStatus.ERROR
        source.last_error = " ".join(filter(None, [problem.get("detail"), problem.get("hint")]))
    _close(source, at=at)


def abandon(job: Job, *, at: datetime) -> None:
    """End the scan of a source that is being deleted."""
    try:
        jobs.stop(job, at=at)
    except JobFinished:
        return
