"""Artifacts as the values that are laid out: rows of their present versions, and their stored content."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import QuerySet

from collections_app.models import Artifact, ArtifactVersion
from deployment_sets.deployable import ArtifactUnusable, DeployableArtifact, DeployableFile, Member
from deployment_sets.layout import (
    Layout,
    PathConflict,
    conflicts_of,
    lay_out,
    place,
    satisfied_by,
    skill_names,
)
from deployment_sets.names import folded, safe_name
from marketplace.content import store
from marketplace.content.store import ContentDamaged
from marketplace.detection.vocabulary import ArtifactType
from marketplace.manifest import ContentKind
from skillmeat_site.prepared import AsStored

MAX_REMEMBERED = 50_000
Rows = Callable[[], QuerySet[Artifact]]
Landing = tuple[str, str, str, str, object, bool]


class Taken(NamedTuple):
    """An artifact as its row has it, in the order of COLUMNS; `content` is the key of its present version."""

    uuid: UUID
    type: str
    namespace: str
    name: str
    description: str
    version: str
    repository: str
    locator: str
    content: object

    def __str__(self) -> str:
        return f"{self.type} {self.name}"


COLUMNS = (
    "pk", "type", "namespace", "name", "description", "version", "origin_url", "origin_locator",
    AsStored("current"),
)  # fmt: skip
# What was claimed, by all that decides it: versions never change, so nothing here is ever out of date.
_remembered: dict[Landing, tuple[str, ...]] = {}


def laid_out(artifacts: Sequence[Taken], rows: Rows) -> Layout:
    """Where they land with all their files, in two queries; `rows` gives theirs."""
    return lay_out(list(_deployables(artifacts, rows)), read=read)


def conflicts(artifacts: Sequence[Taken], rows: Rows) -> tuple[PathConflict, ...]:
    """Those of `laid_out`, in three queries at most; files are listed only where claims are not remembered."""
    satisfied, skills = satisfied_by(_members(artifacts, rows), artifacts), skill_names(artifacts)
    landed = [each for each in artifacts if not satisfied or each.uuid not in satisfied]
    landings = [_landing(each, skills) for each in landed]
    claims = [_remembered.get(each) for each in landings]
    unknown = [number for number, found in enumerate(claims) if found is None]
    found_now = _deployables([landed[number] for number in unknown], rows) if unknown else ()
    for number, artifact in zip(unknown, found_now, strict=True):
        claims[number] = _claims(artifact, skills, landings[number])
    claimed = zip(claims, landed, strict=True)
    return tuple(conflicts_of((path, each.uuid) for paths, each in claimed for path in paths or ()))


def _landing(artifact: Taken, skills: Collection[str]) -> Landing:
    is_beside_skill = artifact.type == ArtifactType.PLUGIN and folded(safe_name(artifact.name)) in skills
    return (
        artifact.type, artifact.namespace, artifact.name, artifact.locator, artifact.content, is_beside_skill,
    )  # fmt: skip


def _claims(artifact: DeployableArtifact, skills: Collection[str], landing: Landing) -> tuple[str, ...]:
    try:
        found = tuple(path for path, _ in place(artifact, read, skills).claims)
    except ArtifactUnusable:
        return ()  # not for ever: lost content can come back
    if len(_remembered) >= MAX_REMEMBERED:
        _remembered.clear()
    _remembered[landing] = found
    return found


def read(digest: str) -> bytes:
    """The stored bytes. Raises ArtifactUnusable when they are lost."""
    try:
        return store.read(digest)
    except ContentDamaged as error:
        raise ArtifactUnusable(f"{error.detail} {error.hint}") from None


def _deployables(artifacts: Sequence[Taken], rows: Rows) -> Iterator[DeployableArtifact]:
    members = _members(artifacts, rows)
    versions = ArtifactVersion.objects.filter(pk__in=rows().values("current"))
    columns = versions.values_list(AsStored("pk"), "content_digest", "manifest__files")
    contents = {pk: (digest, files) for pk, digest, files in columns}
    for artifact in artifacts:
        digest, files = contents.get(artifact.content, ("", ()))
        yield DeployableArtifact(
            uuid=artifact.uuid,
            type=ArtifactType(artifact.type),
            name=artifact.name,
            namespace=artifact.namespace,
            version=artifact.version,
            digest=digest,
            repository=artifact.repository,
            locator=artifact.locator,
            files=tuple(_file(row) for row in files),
            members=members.get(artifact.uuid, ()),
        )


def _members(artifacts: Sequence[Taken], rows: Rows) -> dict[UUID, tuple[Member, ...]]:
    """What each plugin among them loads."""
    if all(each.type != ArtifactType.PLUGIN for each in artifacts):
        return {}
    plugins = rows().filter(type=ArtifactType.PLUGIN).values_list("pk", "members")
    return {uuid: tuple(chain.from_iterable(map(_member, members))) for uuid, members in plugins}


def _file(row: Mapping[str, Any]) -> DeployableFile:
    return DeployableFile(
        path=row["path"],
        kind=ContentKind(row["kind"]),
        mode=row["mode"],
        size=row["size"],
        digest=row["digest"],
    )


def _member(row: Mapping[str, str]) -> tuple[Member, Member]:
    """By both locators that it can have: its path, and with the name where a file declares several."""
    type_ = ArtifactType(row["type"])
    return Member(type=type_, locator=row["path"]), Member(type=type_, locator=f"{row['path']}#{row['name']}")
