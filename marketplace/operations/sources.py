"""Sources: create, change and delete."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from marketplace.models import Source, TrustLevel
from marketplace.models.source import SCAN
from marketplace.operations import readers, scans, snapshots
from marketplace.operations.credentials import seal
from marketplace.repository import (
    MAX_TOPICS,
    Description,
    RepositoryError,
    RepositoryNotFound,
    RepositoryReader,
)
from marketplace.search import index
from skillmeat_site.accounts.models import Project, User
from skillmeat_site.audit.recording import record
from skillmeat_site.errors import DomainError, Kind
from skillmeat_site.jobs.models import Job, Trigger

logger = logging.getLogger(__name__)
ASSUMED_BRANCH = "main"
DESCRIBE_SECONDS = 5.0
MIN_SECONDS = 0.1
# What decides about a scan's result: a change of these lifts the limit of rescans.
DECISIVE = {"ref", "root_hint", "manual_map", "enable_frontmatter_detection"}


def _readme(reader: RepositoryReader, ref: str, seconds: float) -> str | None:
    """None where there is none; that the repository itself is gone is an error."""
    text = reader.readme(ref, seconds=seconds)
    if text is None:
        reader.describe(seconds=seconds)
    return text


IMPORTS: dict[str, Callable[[RepositoryReader, str, float], str | None]] = {
    "import_repo_description": lambda reader, _, seconds: reader.describe(seconds=seconds).description,
    "import_repo_readme": _readme,
}


class SourceExists(DomainError):
    """The project already has this repository with this ref and root, however its address is spelled."""

    code = "source_exists"
    kind = Kind.CONFLICT
    title = "This source is already there"
    hint = "Use the source named in existing_id, or give another ref or root_hint."


class UnknownDirectories(DomainError):
    """`manual_map` names directories that the repository does not have; `errors` lists them."""

    code = "unknown_directories"
    kind = Kind.INVALID
    title = "Unknown directories"
    hint = "Directories are relative to the repository's root. After a push, scan first."


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSource:
    """What a source is created from, already checked for shape."""

    location: readers.Location
    ref: str = ""
    root_hint: str = ""
    access_token: str = field(default="", repr=False)
    manual_map: Mapping[str, str | None] = field(default_factory=dict)
    trust_level: str = TrustLevel.BASIC
    visibility: str = ""
    description: str = ""
    notes: str = ""
    enable_frontmatter_detection: bool = False
    indexing_enabled: bool = True
    import_repo_description: bool = False
    import_repo_readme: bool = False
    rescan_interval: int | None = None
    tags: tuple[str, ...] = ()


def create(
    *, new: NewSource, project: Project, by: User | None, at: datetime, trigger: Trigger = Trigger.CREATE
) -> Source:
    """A source with its first scan queued.

    The host is asked once, before anything is written: "no such repository" raises RepositoryNotFound, while
    a host that is slow or down is no error here; then the branch is assumed and the job will tell.
    Raises SourceExists, naming the other, when the project has the same repository, ref and root.
    """
    said = describe(new.location, token=new.access_token)
    source = _build(new, said, project=project, at=at)
    try:
        with transaction.atomic():
            source.save(force_insert=True)
            job = scans.enqueue(source=source, by=by, at=at, trigger=trigger)
            told = {"repo_url": source.repo_url, "job": job.public_id}
            record("source.created", source, project=project, by=by, at=at, **told)
    except IntegrityError:
        twin = Source.objects.same_as(source).first()
        if twin is None:
            raise
        raise SourceExists(f"{twin} is already in {project}.", existing_id=twin.public_id) from None
    return source


def describe(location: readers.Location, *, token: str = "") -> Description | None:
    """What the host says of a repository, in one request; None when it is slow or down.

    Raises RepositoryNotFound when it definitely says that there is none.
    """
    reader = readers.for_location(location, token=token)
    try:
        return reader.describe(seconds=DESCRIBE_SECONDS)
    except RepositoryNotFound:
        raise
    except RepositoryError as error:
        logger.warning(
            "The repository could not be described; its scan will tell", extra={"why": error.detail}
        )
        return None


def _build(new: NewSource, said: Description | None, *, project: Project, at: datetime) -> Source:
    ref = new.ref or new.location.ref or (said.default_branch if said else "")
    described = said.description if said and new.import_repo_description else ""
    source = Source(
        project=project,
        repo_url=new.location.url,
        repo_key=new.location.key,
        owner=new.location.owner,
        repo_name=new.location.name,
        ref=ref or ASSUMED_BRANCH,
        ref_assumed=not ref,
        root_hint=new.root_hint or new.location.root,
        trust_level=new.trust_level,
        visibility_set=new.visibility,
        is_described=said is not None,
        private_upstream=bool(said and said.private),
        description=new.description,
        notes=new.notes,
        enable_frontmatter_detection=new.enable_frontmatter_detection,
        indexing_enabled=new.indexing_enabled,
        import_repo_description=new.import_repo_description,
        import_repo_readme=new.import_repo_readme,
        manual_map=dict(new.manual_map),
        rescan_interval=new.rescan_interval,
        tags=list(new.tags),
        repo_description=described,
        suggested_tags=list(said.topics[:MAX_TOPICS]) if said else [],
        access_token=seal(new.access_token),
        created_at=at,
        updated_at=at,
    )
    source.next_rescan_at = source.next_rescan_after(at)
    return source


def change(*, source: Source, changes: Mapping[str, Any], by: User, at: datetime) -> Source:
    """Set fields that belong to people; what scans write meanwhile is left alone, and no scan is started.

    `import_repo_description` and `import_repo_readme` fetch again when they are true; where that fails, the
    old text stays and `last_error` says why. Raises SourceExists when ref and root are now another source's,
    UnknownDirectories when `manual_map` names some that the tree of the last scan does not have, SourceGone.
    """
    changes = {
        name: value for name, value in changes.items() if name in IMPORTS or getattr(source, name) != value
    }
    if not any(name not in IMPORTS or value for name, value in changes.items()):
        return source
    if "manual_map" in changes and changes.get("ref", source.ref) == source.ref:
        _require_directories(source, changes["manual_map"])
    fetched = _fetched_again(source, changes)
    texts = index.stored_texts(source) if changes.get("indexing_enabled") else {}
    try:
        with transaction.atomic():
            # A scan may have saved it since it was read: what is searched by follows from both.
            source.refresh_from_db(from_queryset=Source.objects.select_for_update(of=("self",)))
            _write(source, {**changes, **fetched}, texts=texts, at=at)
            record("source.changed", source, project=source.project, by=by, at=at, fields=sorted(changes))
    except Source.DoesNotExist:
        raise scans.SourceGone(f"{source} was deleted meanwhile.") from None
    except IntegrityError:
        twin = Source.objects.same_as(source).exclude(pk=source.pk).first()
        if twin is None:
            raise
        raise SourceExists(f"{twin} is already in {source.project}.", existing_id=twin.public_id) from None
    return source


def _write(source: Source, changes: dict[str, Any], *, texts: index.Texts, at: datetime) -> None:
    decisive = any(getattr(source, name) != changes[name] for name in DECISIVE & changes.keys())
    changes |= {"updated_at": at}
    if decisive:
        changes |= {"settings_changed_at": at}
    if "ref" in changes:
        changes |= {"ref_assumed": False}
    for name, value in changes.items():
        setattr(source, name, value)
    if "rescan_interval" in changes:
        source.next_rescan_at = changes["next_rescan_at"] = source.next_rescan_after(at)
    source.save(update_fields=changes.keys())
    if "indexing_enabled" in changes:
        index.refresh(source, texts=texts, at=at)
        Source.objects.filter(pk=source.pk).update(last_indexed_at=source.last_indexed_at)
    if "trust_level" in changes:
        index.weigh(source)


def _require_directories(source: Source, manual_map: Mapping[str, Any]) -> None:
    tree = snapshots.recall_tree(source)
    if tree is None:
        return
    if unknown := sorted(set(manual_map) - tree.directories().keys() - {""}):
        raise UnknownDirectories(
            f"{', '.join(unknown[:5])}: not in the tree of the last scan.",
            errors=[
                {
                    "pointer": f"/manual_map/{directory.replace('~', '~0').replace('/', '~1')}",
                    "code": "unknown_directory",
                    "detail": "There is no such directory.",
                }
                for directory in unknown
            ],
        )


def _fetched_again(source: Source, changes: Mapping[str, Any]) -> dict[str, str]:
    """The texts that are to be imported again, or why that failed; asked in one time limit for both."""
    wanted = [name for name in IMPORTS if changes.get(name)]
    if not wanted:
        return {}
    deadline = time.monotonic() + DESCRIBE_SECONDS
    found: dict[str, str] = {}
    try:
        reader = readers.for_source(source)
        for name in wanted:
            seconds = max(deadline - time.monotonic(), MIN_SECONDS)
            text = IMPORTS[name](reader, changes.get("ref", source.ref), seconds)
            if text is not None:
                found[name.removeprefix("import_")] = text
    except DomainError as error:
        found["last_error"] = f"What was to be imported again was not: {error.detail} {error.hint}"
    return found


def delete(*, source: Source, by: User, at: datetime) -> None:
    """The source and its catalogue go; the scan that may be running is cancelled."""
    with transaction.atomic():
        # Whatever ends a scan locks its job first and then the source; so does this.
        job = (
            Job.objects.live().filter(kind=SCAN, subject_id=source.pk).select_for_update(of=("self",)).first()
        )
        told = {"repo_url": source.repo_url} | ({"cancelled": job.public_id} if job else {})
        record("source.deleted", source, project=source.project, by=by, at=at, **told)
        source.delete()
        if job:
            scans.abandon(job, at=at)
