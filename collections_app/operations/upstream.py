"""What artifacts are upstream now: which questions that takes, and what the answers mean for each artifact."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from uuid import UUID

from collections_app.drift import Metadata, Options
from collections_app.models import Artifact
from collections_app.operations import asking
from collections_app.operations.asking import Asked, Look, Question, Seen, Wanted
from marketplace.content.store import ContentStore
from marketplace.detection.artifacts import DetectionSettings
from marketplace.detection.vocabulary import ArtifactType
from marketplace.diff import KnownArtifact
from marketplace.keeping import KeepingLimits
from marketplace.models import Source
from marketplace.operations import readers, snapshots
from marketplace.repository import Commit, NotModified, RepositoryReader, Usage
from marketplace.scanner import fingerprint
from skillmeat_site.errors import DomainError

NOT_ASKED_FOR = "Its content was not asked for, as nothing was new. Refresh again."
NOT_REACHED = "The time of this refresh was over before its repository had answered. Ask again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An artifact as it is upstream at a commit."""

    seen: Seen
    commit: Commit


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """Why nothing is known of an artifact; asking again may help."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """The artifact is not in the repository any more."""

    commit: Commit


Finding = Found | Gone | Missed | DomainError
# What is remembered of an artifact that is gone.
NOTHING = Seen(metadata=Metadata(), digest="", title="", locator="", path="")


@dataclass(slots=True, kw_only=True)
class _View:
    """The artifacts that one look is for: those of one source, or those read alike whose source is gone."""

    source: Source | None
    settings: DetectionSettings
    artifacts: list[Artifact] = field(default_factory=list)
    is_level: bool = False


@dataclass(slots=True, kw_only=True)
class _Repository:
    """A repository at a ref, which is asked once."""

    ref: str
    open: Callable[[Callable[[], None]], RepositoryReader]
    views: dict[tuple[UUID | None, str], _View] = field(default_factory=dict)


def look(
    artifacts: Sequence[Artifact],
    options: Options,
    *,
    at: datetime,
    seconds: float,
    usage: Usage,
    tick: Callable[[int, int], None],
) -> dict[UUID, Finding]:
    """What each artifact is upstream, or why that is not known; for at most so many seconds.

    The artifacts come with `current`, `entry` and `source`. One request for each repository and ref where
    nothing changed since a scan, an import or a refresh last looked.
    """
    findings: dict[UUID, Finding] = {}
    repositories = _repositories(artifacts, findings)
    questions = [_question(repository, options) for repository in repositories]
    asked = asking.ask(
        questions,
        limits=_limits(options),
        into=ContentStore(at=at) if options.takes_content else asking.Nowhere(),
        seconds=seconds,
        usage=usage,
        tick=lambda done: tick(done, len(questions)),
    )
    for number, repository in enumerate(repositories):
        findings |= _understood(repository, number, asked)
    return findings


def _wanted(artifact: Artifact) -> Wanted:
    """The catalogue knows best where it is; it may be behind what a refresh has seen."""
    locator = artifact.entry.locator if artifact.entry else artifact.origin_locator
    return Wanted(
        type=ArtifactType(artifact.type),
        locators=tuple(dict.fromkeys([locator, artifact.upstream_locator or locator])),
        digest=artifact.upstream_digest,
    )


def _settings(artifact: Artifact) -> DetectionSettings:
    """How its repository is read: as its source says, or as it was when the source was deleted."""
    if artifact.source:
        return artifact.source.detection_settings
    values = dict(artifact.origin_settings)
    types = {path: kind and ArtifactType(kind) for path, kind in values.pop("manual_map", {}).items()}
    return DetectionSettings(manual_map=types, **values)


def _catalogue(source: Source) -> list[KnownArtifact]:
    rows = source.entries.present().values_list("type", "locator", "content_digest")
    return [
        KnownArtifact(type=ArtifactType(kind), locator=locator, content_digest=digest)
        for kind, locator, digest in rows
    ]


def _repositories(artifacts: Iterable[Artifact], findings: dict[UUID, Finding]) -> list[_Repository]:
    """Those to be asked. An address that is no longer allowed is an error of its artifacts."""
    found: dict[tuple[str, str], _Repository] = {}
    for artifact in artifacts:
        try:
            key, repository = _repository(artifact)
        except DomainError as error:
            findings[artifact.pk] = error
            continue
        repository = found.setdefault(key, repository)
        settings = _settings(artifact)
        reading = artifact.source_id, fingerprint(settings)
        view = repository.views.setdefault(reading, _View(source=artifact.source, settings=settings))
        view.artifacts.append(artifact)
    return list(found.values())


def _repository(artifact: Artifact) -> tuple[tuple[str, str], _Repository]:
    source = artifact.source
    if source:
        key = source.repo_key, source.ref
        return key, _Repository(ref=source.ref, open=lambda pulse: readers.for_source(source, pulse=pulse))
    location = readers.locate(artifact.origin_url)
    key = location.key, artifact.origin_ref
    return key, _Repository(
        ref=artifact.origin_ref, open=lambda pulse: readers.for_location(location, pulse=pulse)
    )


def _limits(options: Options) -> KeepingLimits:
    """Files are only fetched where they will be kept."""
    limits = readers.keeping_limits()
    if options.takes_content:
        return limits
    return KeepingLimits(file=limits.file, artifact=limits.artifact, source=0)


def _question(repository: _Repository, options: Options) -> Question:
    looks = tuple(_look(view, options) for view in repository.views.values())
    return Question(ref=repository.ref, open=repository.open, looks=looks)


def _look(view: _View, options: Options) -> Look:
    """What is remembered is what looked last: a refresh, where that says enough, or the source's last scan."""
    source, first = view.source, view.artifacts[0]
    is_current = source is None or source.fingerprint == fingerprint(view.settings)
    view.is_level = is_current and _is_level(view, options)
    known = None
    if view.is_level:
        known = Commit(sha=first.upstream_sha, etag=first.upstream_etag)
    elif source and source.resolved_sha:
        known = Commit(sha=source.resolved_sha, etag=source.etag)
    look = Look(
        settings=view.settings,
        wanted=frozenset(map(_wanted, view.artifacts)),
        known=known,
        is_current=is_current,
    )
    if source is None:
        return look
    return replace(look, recall=partial(snapshots.recall, source), catalogue=partial(_catalogue, source))


def _is_level(view: _View, options: Options) -> bool:
    """Whether all were last seen at one commit, after the source's last scan, and no content is still to come."""
    synced = view.source.last_sync_at if view.source else None
    commits = {(artifact.upstream_sha, artifact.upstream_etag) for artifact in view.artifacts}
    return len(commits) == 1 and all(
        (synced is None or artifact.upstream_seen_at > synced)
        and (
            not options.takes_content
            or artifact.upstream_digest in {artifact.current.content_digest, NOTHING.digest}
        )
        for artifact in view.artifacts
    )


def _understood(repository: _Repository, number: int, asked: Asked) -> dict[UUID, Finding]:
    views = list(repository.views.values())
    if number in asked.answers:
        answers = asked.answers[number]
        return {
            artifact.pk: _finding(artifact, view, answer)
            for view, answer in zip(views, answers, strict=True)
            for artifact in view.artifacts
        }
    missed: Finding = Missed(reason=NOT_REACHED)
    if number in asked.errors:
        missed = asked.errors[number]
    elif asked.limit:
        missed = Missed(reason=f"{asked.limit.detail} {asked.limit.hint}")
    return {artifact.pk: missed for view in views for artifact in view.artifacts}


def _finding(artifact: Artifact, view: _View, answer: asking.Sight | NotModified) -> Finding:
    if isinstance(answer, NotModified):
        if view.source and not view.is_level:
            return _as_scanned(artifact, view.source)
        return _as_last_seen(artifact)
    seen = answer.artifacts.get(_wanted(artifact))
    return Found(seen=seen, commit=answer.commit) if seen else Gone(commit=answer.commit)


def _as_last_seen(artifact: Artifact) -> Finding:
    commit = Commit(sha=artifact.upstream_sha, etag=artifact.upstream_etag)
    if artifact.upstream_digest == NOTHING.digest:
        return Gone(commit=commit)
    seen = Seen(
        metadata=Metadata.from_json(artifact.upstream_metadata),
        digest=artifact.upstream_digest,
        title=artifact.title,
        locator=artifact.upstream_locator,
        path=artifact.origin_path,
        incomplete=NOT_ASKED_FOR,
    )
    return Found(seen=seen, commit=commit)


def _as_scanned(artifact: Artifact, source: Source) -> Finding:
    """What the catalogue says, which is what is upstream when nothing changed since the scan."""
    entry = artifact.entry
    commit = Commit(sha=source.resolved_sha, etag=source.etag)
    if entry is None or entry.removed_at:
        return Gone(commit=commit)
    seen = Seen(
        metadata=Metadata.of(entry),
        digest=entry.content_digest,
        title=entry.title,
        locator=entry.locator,
        path=entry.path,
        manifest=entry.manifest_id,
        incomplete=entry.incomplete,
        members=tuple(
            {"type": member.type, "name": member.name, "path": member.path}
            for member in sorted(
                entry.members.all(), key=lambda member: (member.type, member.path, member.name)
            )
        ),
    )
    return Found(seen=seen, commit=commit)
