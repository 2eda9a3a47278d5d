"""Where artifacts land in a project: files below .claude/, and entries of settings.json and .mcp.json. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from deployment_sets.configs import Read
from deployment_sets.deployable import ArtifactUnusable, DeployableArtifact, Member
from deployment_sets.names import folded, parents, safe_name
from deployment_sets.places import PLACES, SERVERS, Gathered, Merge, Remark, TargetFile
from marketplace.detection.vocabulary import ArtifactType


class Named(Protocol):
    """An artifact without its files."""

    @property
    def uuid(self) -> UUID: ...
    @property
    def type(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def repository(self) -> str: ...
    @property
    def locator(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PathConflict:
    """Artifacts that would land on one path, in their order, also where only case tells their paths apart."""

    path: str
    owners: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What a project gets. Files sorted by path, merges in the artifacts' order.

    With `conflicts` nothing may be deployed. `satisfied`: members that come with a plugin, by that plugin.
    `unusable`: why an artifact gives nothing. `needs`: names of environment variables, sorted.
    """

    artifacts: tuple[DeployableArtifact, ...] = ()
    files: tuple[TargetFile, ...] = ()
    merges: tuple[Merge, ...] = ()
    conflicts: tuple[PathConflict, ...] = ()
    needs: tuple[str, ...] = ()
    remarks: tuple[Remark, ...] = ()
    satisfied: dict[UUID, UUID] = field(default_factory=dict)
    unusable: dict[UUID, str] = field(default_factory=dict)


def lay_out(artifacts: Sequence[DeployableArtifact], *, read: Read) -> Layout:
    """Where all of them land, in any order of files; `read` gives the content of a digest, for hooks and servers.

    Names are made safe (`safe_name`); paths inside of artifacts stay, or are left out with a remark. Two artifacts
    that claim one directory, file or server are a conflict, and so are paths that differ only in case. An artifact
    without usable content is `unusable` and does not keep the others from landing.
    """
    satisfied = satisfied_by({each.uuid: each.members for each in artifacts}, artifacts)
    skills = skill_names(artifacts)
    gathered, unusable = Gathered(), {}
    landed = []
    for artifact in artifacts:
        if artifact.uuid in satisfied:
            continue
        try:
            gathered.add(place(artifact, read, skills))
            landed.append(artifact)
        except ArtifactUnusable as error:
            unusable[artifact.uuid] = error.detail
    return Layout(
        artifacts=tuple(landed),
        files=tuple(sorted(gathered.files, key=lambda file: file.path)),
        merges=tuple(gathered.merges),
        conflicts=tuple(conflicts_of(gathered.claims)),
        needs=tuple(sorted(gathered.needs)),
        remarks=tuple(gathered.remarks),
        satisfied=satisfied,
        unusable=unusable,
    )


def place(artifact: DeployableArtifact, read: Read, skills: Collection[str]) -> Gathered:
    """What one artifact gives, beside skills of these names. Raises ArtifactUnusable."""
    own = Gathered()
    PLACES[artifact.type](artifact, own, read, skills)
    return own


def skill_names(artifacts: Iterable[Named]) -> set[str]:
    """The directories that skills take; a plugin of that name goes beside them."""
    return {folded(safe_name(each.name)) for each in artifacts if each.type == ArtifactType.SKILL}


def satisfied_by(members: Mapping[UUID, Iterable[Member]], artifacts: Sequence[Named]) -> dict[UUID, UUID]:
    """The artifacts that come with a plugin among them, by that plugin; `members` of plugins by their uuid."""
    loaded: dict[tuple[str, str, str], UUID] = {
        (plugin.repository, member.type, member.locator): plugin.uuid
        for plugin in artifacts
        if plugin.type == ArtifactType.PLUGIN
        for member in members.get(plugin.uuid, ())
    }
    if not loaded:
        return {}
    return {
        each.uuid: loaded[each.repository, each.type, each.locator]
        for each in artifacts
        if each.type != ArtifactType.PLUGIN and (each.repository, each.type, each.locator) in loaded
    }


def conflicts_of(claims: Iterable[tuple[str, UUID]]) -> Iterator[PathConflict]:
    """Claims of one path, and of a file where another needs a directory."""
    by_path: dict[str, list[tuple[str, UUID]]] = {}
    for path, owner in claims:
        by_path.setdefault(path if path.startswith(SERVERS) else folded(path), []).append((path, owner))
    for key, claimed in by_path.items():
        outer = [claim for path in parents(key) for claim in by_path.get(path, ())]
        if len(claimed) > 1 or outer:
            owners = dict.fromkeys(owner for _, owner in [*outer, *claimed])
            yield PathConflict(path=claimed[0][0], owners=tuple(owners))
