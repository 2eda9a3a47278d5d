"""What sets stand for: their rows read in a constant number of queries, then `resolution` on plain values."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Q, QuerySet

from collections_app.models import Artifact, Group, GroupMember
from deployment_sets.layout import Layout, PathConflict
from deployment_sets.models import DeploymentSet, SetMember
from deployment_sets.operations import deployables
from deployment_sets.operations.deployables import COLUMNS, Taken
from deployment_sets.resolution import (
    Container,
    Kind,
    Member,
    Nesting,
    Path,
    Unresolved,
    reached,
    resolve as resolve_values,
)
from skillmeat_site.prepared import Prepared

Rows = Iterable[tuple[UUID, Member]]


class Placed(NamedTuple):
    """An artifact, and the way to where it was met first."""

    artifact: Taken
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedSet:
    """What a set stands for, in order; `rows` gives those of its artifacts."""

    set_id: UUID
    depth: int
    artifacts: tuple[Placed, ...]
    unresolved: tuple[Unresolved, ...]
    rows: Callable[[], QuerySet[Artifact]]

    @property
    def resolved_count(self) -> int:
        return len(self.artifacts)

    def conflicts(self) -> tuple[PathConflict, ...]:
        """Where two of them would land on one path, in three queries at most."""
        return deployables.conflicts([each.artifact for each in self.artifacts], self.rows)

    def laid_out(self) -> Layout:
        """Where all their files land, in two queries."""
        return deployables.laid_out([each.artifact for each in self.artifacts], self.rows)


def resolve(deployment_set: DeploymentSet) -> ResolvedSet:
    """All that the set stands for, in six queries at most."""
    reach = _Reach([deployment_set])
    taken = reach.taken()
    found = resolve_values(deployment_set.pk, reach.containers(), taken)
    return ResolvedSet(
        set_id=deployment_set.pk,
        depth=found.depth,
        artifacts=tuple(Placed(taken[uuid], path) for uuid, path in found.artifacts.items()),
        unresolved=found.unresolved,
        rows=reach.artifacts,
    )


def contents(deployment_set: DeploymentSet) -> tuple[dict[UUID, Container], dict[UUID, Taken]]:
    """The sets and groups in it, itself included, and the artifacts that exist, in six queries at most."""
    reach = _Reach([deployment_set])
    return reach.containers(), reach.taken()


def measure(deployment_sets: Collection[DeploymentSet]) -> None:
    """Give each its `resolved_count` and `depth`, in six queries for all of them."""
    reach = _Reach(deployment_sets)
    containers, existing = reach.containers(), set(reach.artifacts().values_list("pk", flat=True))
    for deployment_set in deployment_sets:
        resolution = resolve_values(deployment_set.pk, containers, existing)
        deployment_set.resolved_count = len(resolution.artifacts)
        deployment_set.depth = resolution.depth


def nesting(projects: Iterable[UUID]) -> Nesting:
    """Which set lies in which, in these projects."""
    found: dict[UUID, list[UUID]] = {}
    for outer, inner in _NESTED.rows(*projects):
        found.setdefault(outer, []).append(inner)
    return found


class _Reach:
    """Everything at or below these sets."""

    def __init__(self, deployment_sets: Collection[DeploymentSet]) -> None:
        nested = nesting({each.project_id for each in deployment_sets})
        self._sets = sorted(reached((each.pk for each in deployment_sets), nested))

    def artifacts(self) -> QuerySet[Artifact]:
        """Those that exist among the members, directly or through groups."""
        return _artifacts(self._sets, self._sets)

    def taken(self) -> dict[UUID, Taken]:
        return {row[0]: Taken._make(row) for row in _TAKEN.rows(*self._sets, *self._sets)}

    def containers(self) -> dict[UUID, Container]:
        rows = [_member(row) for row in _MEMBERS.rows(*self._sets)]
        sets = _contain(Kind.SET, _NAMES.rows(*self._sets), rows)
        return sets | self._groups() if any(member.kind is Kind.GROUP for _, member in rows) else sets

    def _groups(self) -> dict[UUID, Container]:
        ids = _groups_in(self._sets)
        names = Group.objects.filter(pk__in=ids).values_list("pk", "name")
        rows = GroupMember.objects.filter(group__in=ids).order_by("position", "id")
        held = rows.values_list("group", "artifact")
        return _contain(Kind.GROUP, names, ((owner, Member(Kind.ARTIFACT, each)) for owner, each in held))


def _members_of(sets: Iterable[UUID]) -> QuerySet[SetMember]:
    return SetMember.objects.filter(parent__in=sets)


def _groups_in(sets: Iterable[UUID]) -> QuerySet[SetMember, Any]:
    return _members_of(sets).exclude(group_id=None).values("group_id")


def _artifacts(sets: Iterable[UUID], same_sets: Iterable[UUID]) -> QuerySet[Artifact]:
    """In no order; the sets are named twice, once for each way to be in one."""
    direct = _members_of(sets).exclude(artifact_uuid=None).values("artifact_uuid")
    grouped = GroupMember.objects.filter(group__in=_groups_in(same_sets)).values("artifact")
    return Artifact.objects.filter(Q(pk__in=direct) | Q(pk__in=grouped)).order_by()


def _member(row: Sequence[Any]) -> tuple[UUID, Member]:
    parent, artifact, group, inner = row
    kind = Kind.ARTIFACT if artifact else Kind.GROUP if group else Kind.SET
    return parent, Member(kind, artifact or group or inner)


_NESTED = Prepared(
    lambda *projects: (
        SetMember.objects.filter(parent__project__in=projects)
        .exclude(member_set=None)
        .order_by()
        .values_list("parent", "member_set")
    )
)
_TAKEN = Prepared(
    lambda *twice: _artifacts(twice[: len(twice) // 2], twice[len(twice) // 2 :]).values_list(*COLUMNS)
)
_NAMES = Prepared(
    lambda *sets: DeploymentSet.objects.filter(pk__in=sets).order_by().values_list("pk", "name")
)
_MEMBERS = Prepared(
    lambda *sets: (
        _members_of(sets)
        .order_by("position")
        .values_list("parent", "artifact_uuid", "group_id", "member_set")
    )
)


def _contain(kind: Kind, names: Iterable[Sequence[Any]], rows: Rows) -> dict[UUID, Container]:
    members: dict[UUID, list[Member]] = {}
    for owner, member in rows:
        members.setdefault(owner, []).append(member)
    return {
        id_: Container(kind=kind, id=id_, name=name, members=tuple(members.get(id_, ())))
        for id_, name in names
    }
