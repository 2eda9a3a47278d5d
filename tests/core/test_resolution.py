"""What a set stands for: against a resolver that is too simple to be wrong."""

from collections.abc import Iterator
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given, strategies as st

from deployment_sets.resolution import (
    Container,
    CycleFound,
    Kind,
    Member,
    Nesting,
    longest_path,
    path_between,
    reached,
    resolve,
    upside_down,
)
from tests.calls import calls

ROOT = UUID(int=0)
FIRST_ARTIFACT = 100
Containers = dict[UUID, Container]


def container(number: int, *targets: int, kind: Kind = Kind.SET) -> Container:
    """Numbers from 100 are artifacts, from 50 groups, below sets."""
    members = tuple(Member(kind=kind_of(target), target=UUID(int=target)) for target in targets)
    return Container(kind=kind, id=UUID(int=number), name=f"c{number}", members=members)


def kind_of(number: int) -> Kind:
    return Kind.ARTIFACT if number >= FIRST_ARTIFACT else Kind.GROUP if number >= 50 else Kind.SET


def graph(sets: dict[int, list[int]]) -> Containers:
    return {UUID(int=n): container(n, *targets, kind=kind_of(n)) for n, targets in sets.items()}


def artifacts(*numbers: int) -> set[UUID]:
    return {UUID(int=number) for number in numbers}


def walk(
    current: UUID, containers: Containers, way: tuple[UUID, ...]
) -> Iterator[tuple[UUID, tuple[UUID, ...]]]:
    """Every way to everything that is no container: exponential, and plainly what is meant."""
    way = (*way, current)
    for member in containers[current].members:
        if member.target in containers:
            yield from walk(member.target, containers, way)
        else:
            yield member.target, way


def depth_of(current: UUID, containers: Containers) -> int:
    own = containers[current].kind is Kind.SET
    inner = [member.target for member in containers[current].members if member.target in containers]
    return own + max((depth_of(each, containers) for each in inner), default=0)


@st.composite
def acyclic(draw: st.DrawFn) -> Containers:
    """Up to six sets that only hold later ones, two groups, and artifacts of which some are gone."""
    count = draw(st.integers(1, 6))
    leaves = st.integers(FIRST_ARTIFACT, FIRST_ARTIFACT + 7)
    groups = {group: draw(st.lists(leaves, unique=True, max_size=3)) for group in (50, 51)}
    targets = [
        st.lists(leaves | st.sampled_from([50, 51, 52, *range(number + 1, count)]), unique=True, max_size=5)
        for number in range(count)
    ]
    return graph({number: draw(members) for number, members in enumerate(targets)} | groups)


@given(acyclic(), st.sets(st.integers(FIRST_ARTIFACT, FIRST_ARTIFACT + 7)))
def test_the_resolver_agrees_with_the_naive_one(containers: Containers, there: set[int]) -> None:
    found = resolve(ROOT, containers, artifacts(*there))
    places = list(walk(ROOT, containers, ()))
    first = {target: way for target, way in reversed(places) if target in artifacts(*there)}
    order = list(dict.fromkeys(target for target, _ in places if target in artifacts(*there)))
    assert list(found.artifacts) == order
    assert {uuid: tuple(step.id for step in path) for uuid, path in found.artifacts.items()} == first
    missing = {(way[-1], target) for target, way in places if target not in artifacts(*there)}
    assert {(each.path[-1].id, each.member.target) for each in found.unresolved} == missing
    assert len(found.unresolved) == len(missing)
    assert found.depth == depth_of(ROOT, containers)


@given(acyclic())
def test_ways_through_the_sets_agree_with_the_naive_ones(containers: Containers) -> None:
    nesting = {
        each.id: [member.target for member in each.members if member.target in containers]
        for each in containers.values()
        if each.kind is Kind.SET
    }
    below = reached([ROOT], nesting)
    for each in containers:
        way = path_between(ROOT, each, nesting)
        assert (way is not None) == (each in below)
        if way:
            assert (way[0], way[-1]) == (ROOT, each)
            assert all(inner in nesting[outer] for outer, inner in pairwise(way))
    longest = longest_path(ROOT, nesting)
    assert len(longest) == max(len(way) for way in ways_down(ROOT, nesting))
    again = upside_down(upside_down(nesting))
    assert {outer: set(inner) for outer, inner in again.items()} == {
        outer: set(inner) for outer, inner in nesting.items() if inner
    }


def ways_down(current: UUID, nesting: Nesting) -> Iterator[list[UUID]]:
    yield [current]
    for inner in nesting.get(current, ()):
        yield from ([current, *way] for way in ways_down(inner, nesting))


def test_order_is_depth_first_by_position() -> None:
    containers = graph({0: [100, 1, 101], 1: [102, 50], 50: [103, 101]})
    found = resolve(ROOT, containers, artifacts(100, 101, 102, 103))
    assert [uuid.int for uuid in found.artifacts] == [100, 102, 103, 101]
    assert [step.name for step in found.artifacts[UUID(int=101)]] == ["c0", "c1", "c50"]
    assert found.depth == 2


def test_an_empty_set_stands_for_nothing() -> None:
    found = resolve(ROOT, graph({0: []}), set())
    assert (found.artifacts, found.unresolved, found.depth) == ({}, (), 1)


def test_a_cycle_is_named_by_its_path() -> None:
    containers = graph({0: [1], 1: [2], 2: [3], 3: [1]})
    with pytest.raises(CycleFound, match="c1 -> c2 -> c3 -> c1"):
        resolve(ROOT, containers, set())


def lattice(levels: int, width: int) -> Containers:
    """Each set of a level holds all of the next: width ** levels ways, levels * width sets."""
    sets: dict[int, list[int]] = {0: list(range(1, width + 1))}
    for level in range(levels):
        following = [1 + (level + 1) * width + n for n in range(width)] if level < levels - 1 else [100, 101]
        sets |= {1 + level * width + n: following for n in range(width)}
    return {UUID(int=n): container(n, *targets) for n, targets in sets.items()}


def test_sets_that_are_shared_many_times_cost_no_more_than_once() -> None:
    containers = lattice(19, 3)  # more than a billion ways
    calls(lambda: resolve(ROOT, containers, artifacts(100, 101)), at_most=10_000)
    found = resolve(ROOT, containers, artifacts(100, 101))
    assert (len(found.artifacts), found.depth) == (2, 20)
