"""Which artifacts a set stands for, and how sets lie in each other. Pure: it knows ids and names, no rows."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

OPEN = -1
Nesting = Mapping[UUID, Collection[UUID]]  # the sets that lie directly in a set


class Kind(StrEnum):
    """What a member can be."""

    ARTIFACT = "artifact"
    GROUP = "group"
    SET = "set"


class Member(NamedTuple):
    kind: Kind
    target: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A set or a group with its members in order."""

    kind: Kind
    id: UUID
    name: str
    members: tuple[Member, ...]


Path = tuple[Container, ...]  # from the root to what holds the member


@dataclass(frozen=True, slots=True, kw_only=True)
class Unresolved:
    """A member whose artifact or group is gone."""

    member: Member
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """Artifacts in order, each with the way to where it was seen first.

    `depth` counts the sets on the longest path, the root included.
    """

    artifacts: Mapping[UUID, Path]
    unresolved: tuple[Unresolved, ...]
    depth: int


class CycleFound(ValueError):
    """A set lies in itself; `path` starts and ends with it."""

    def __init__(self, path: Path) -> None:
        super().__init__(" -> ".join(container.name for container in path))
        self.path = path


def resolve(root: UUID, containers: Mapping[UUID, Container], artifacts: Collection[UUID]) -> Resolution:
    """Depth-first in member order, each artifact where it is seen first; linear in the members.

    `containers` holds every set and group that can be reached, `artifacts` (a set or a mapping) those that
    exist; a member found in neither is unresolved, once for each place. Raises CycleFound.
    """
    walk = _Walk(containers, artifacts)
    depth = walk.enter(containers[root], ())
    return Resolution(artifacts=walk.found, unresolved=tuple(walk.unresolved), depth=depth)


class _Walk:
    """A container that was left is not entered again: all it holds has been seen."""

    def __init__(self, containers: Mapping[UUID, Container], artifacts: Collection[UUID]) -> None:
        self._containers = containers
        self._artifacts = artifacts
        self._depths: dict[UUID, int] = {}
        self.found: dict[UUID, Path] = {}
        self.unresolved: list[Unresolved] = []

    def enter(self, container: Container, path: Path) -> int:
        """The number of sets on the longest path from here."""
        known = self._depths.get(container.id)
        path = (*path, container)
        if known == OPEN:
            raise CycleFound(path[path.index(container) :])
        if known is None:
            self._depths[container.id] = OPEN
            below = max((self._visit(member, path) for member in container.members), default=0)
            known = self._depths[container.id] = below + (container.kind is Kind.SET)
        return known

    def _visit(self, member: Member, path: Path) -> int:
        if member.kind is not Kind.ARTIFACT and member.target in self._containers:
            return self.enter(self._containers[member.target], path)
        if member.target in self._artifacts:
            self.found.setdefault(member.target, path)
        else:
            self.unresolved.append(Unresolved(member=member, path=path))
        return 0


def reached(roots: Iterable[UUID], nesting: Nesting) -> set[UUID]:
    """The roots and every set below them."""
    found, waiting = set[UUID](), list(roots)
    while waiting:
        current = waiting.pop()
        if current not in found:
            found.add(current)
            waiting.extend(nesting.get(current, ()))
    return found


def path_between(start: UUID, end: UUID, nesting: Nesting) -> tuple[UUID, ...] | None:
    """Some way down from one set to another, both included; None when there is none."""
    came_from: dict[UUID, UUID | None] = {start: None}
    waiting = [start]
    while waiting and end not in came_from:
        current = waiting.pop()
        for child in nesting.get(current, ()):
            if child not in came_from:
                came_from[child] = current
                waiting.append(child)
    if end not in came_from:
        return None
    path, step = [end], came_from[end]
    while step is not None:
        path.append(step)
        step = came_from[step]
    return tuple(reversed(path))


def longest_path(start: UUID, nesting: Nesting) -> tuple[UUID, ...]:
    """The way down with the most sets, `start` included; `nesting` has no cycle."""
    known: dict[UUID, tuple[UUID, ...]] = {}

    def below(current: UUID) -> tuple[UUID, ...]:
        if current not in known:
            ways = (below(child) for child in nesting.get(current, ()))
            known[current] = (current, *max(ways, key=len, default=()))
        return known[current]

    return below(start)


def upside_down(nesting: Nesting) -> dict[UUID, list[UUID]]:
    """The sets in which a set lies."""
    above: dict[UUID, list[UUID]] = {}
    for outer, inner in nesting.items():
        for child in inner:
            above.setdefault(child, []).append(outer)
    return above
