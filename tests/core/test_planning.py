"""What an import does to a collection, as laws and as examples."""

import random
from uuid import UUID

from hypothesis import given, settings, strategies as st

from collections_app.planning import Candidate, Plan, Present, Resolution, Slot, Wish, plan_import
from marketplace.detection.vocabulary import ArtifactType

SKILL, AGENT = ArtifactType.SKILL, ArtifactType.AGENT


def candidate(
    number: int, name: str, digest: str = "1", kind: ArtifactType = SKILL, order: str = ""
) -> Candidate:
    return Candidate(
        id=UUID(int=number),
        type=kind,
        namespace="",
        name=name,
        content_digest=digest,
        owner="ada",
        order=order or f"{number:03}",
    )


def present(
    number: int, name: str, digest: str = "1", kind: ArtifactType = SKILL, entry: int | None = None
) -> Present:
    return Present(
        id=UUID(int=1000 + number),
        type=kind,
        namespace="",
        name=name,
        content_digest=digest,
        entry=None if entry is None else UUID(int=entry),
    )


kinds = st.sampled_from([SKILL, AGENT])
names = st.sampled_from(["a", "b", "a-ada", "a-2", "b/c", "con"])
digests = st.sampled_from(["1", "2"])
resolutions = st.sampled_from([None, *Resolution])
wishes = st.one_of(
    st.builds(lambda resolution: Wish(resolution=resolution), resolutions),
    st.builds(lambda name: Wish(name=name), names),
)


@st.composite
def imports(draw: st.DrawFn) -> tuple[list[Candidate], list[Present], dict[UUID, Wish]]:
    rows = draw(st.lists(st.tuples(names, digests, kinds), max_size=7))
    candidates = [candidate(number, *row) for number, row in enumerate(rows)]
    slots = draw(st.dictionaries(st.tuples(st.sampled_from(["a", "b", "a-ada"]), kinds), digests, max_size=4))
    there = [present(n, name, digest, kind) for n, ((name, kind), digest) in enumerate(slots.items())]
    wished = {each.id: draw(wishes) for each in candidates if draw(st.booleans())}
    return candidates, there, wished


def slots(plan: Plan, there: list[Present]) -> list[Slot]:
    """What the collection holds afterwards."""
    return [each.slot for each in there] + [
        (new.candidate.type, new.candidate.namespace, new.name) for new in plan.new
    ]


def afterwards(plan: Plan, there: list[Present]) -> list[Present]:
    replaced = {one.present.id: one.candidate for one in plan.replaced}
    kept = [
        present(
            each.id.int - 1000,
            each.name,
            replaced[each.id].content_digest,
            each.type,
            replaced[each.id].id.int,
        )
        if each.id in replaced
        else each
        for each in there
    ]
    new = [
        present(100 + n, one.name, one.candidate.content_digest, one.candidate.type, one.candidate.id.int)
        for n, one in enumerate(plan.new)
    ]
    return kept + new


@given(imports())
def test_no_two_artifacts_end_with_one_name(
    given_: tuple[list[Candidate], list[Present], dict[UUID, Wish]],
) -> None:
    candidates, there, wished = given_
    found = slots(plan_import(candidates, there, wished), there)
    assert len(found) == len(set(found))


@given(imports())
def test_every_candidate_is_in_exactly_one_place(
    given_: tuple[list[Candidate], list[Present], dict[UUID, Wish]],
) -> None:
    candidates, there, wished = given_
    plan = plan_import(candidates, there, wished)
    places = [*plan.new, *plan.replaced, *plan.skipped, *plan.conflicts, *plan.unsuitable]
    assert sorted(place.candidate.id for place in places) == sorted(each.id for each in candidates)
    assert len({one.present.id for one in plan.replaced}) == len(plan.replaced)


@given(imports(), st.randoms(use_true_random=False))
def test_the_order_of_the_input_does_not_matter(
    given_: tuple[list[Candidate], list[Present], dict[UUID, Wish]], chance: random.Random
) -> None:
    candidates, there, wished = given_
    plan = plan_import(candidates, there, wished)
    chance.shuffle(candidates)
    chance.shuffle(there)
    assert plan_import(candidates, there, wished) == plan


@settings(max_examples=200)
@given(imports())
def test_the_same_import_again_changes_nothing_that_was_imported(
    given_: tuple[list[Candidate], list[Present], dict[UUID, Wish]],
) -> None:
    candidates, there, wished = given_
    plan = plan_import(candidates, there, wished)
    done = {one.candidate.id for one in (*plan.new, *plan.replaced)}
    again = plan_import([each for each in candidates if each.id in done], afterwards(plan, there), wished)
    assert {one.candidate.id for one in again.skipped} == done
    assert all(one.is_identical for one in again.skipped)


@given(imports())
def test_suggestions_are_free_and_no_two_conflicts_have_the_same(
    given_: tuple[list[Candidate], list[Present], dict[UUID, Wish]],
) -> None:
    candidates, there, wished = given_
    plan = plan_import(candidates, there, wished)
    held = set(slots(plan, there))
    suggested = [
        (one.candidate.type, one.candidate.namespace, name)
        for one in plan.conflicts
        for name in one.suggestions
    ]
    assert not held & set(suggested)
    assert len(suggested) == len(set(suggested))
    renamed = wished | {one.candidate.id: Wish(name=one.suggestions[0]) for one in plan.conflicts}
    assert not plan_import(
        [one.candidate for one in plan.conflicts], afterwards(plan, there), renamed
    ).conflicts


def test_a_free_name_is_taken() -> None:
    plan = plan_import([candidate(1, "a")], [present(1, "a", kind=AGENT)], {})
    assert [new.name for new in plan.new] == ["a"]


def test_a_taken_name_is_a_conflict_with_names_that_are_free() -> None:
    (conflict,) = plan_import([candidate(1, "a")], [present(1, "a", "2"), present(2, "a-2")], {}).conflicts
    assert conflict.present == present(1, "a", "2")
    assert conflict.suggestions == ("a-ada", "a-3", "a-4")


def test_the_same_content_under_the_same_name_is_skipped_whatever_is_wished() -> None:
    for resolution in Resolution:
        wished = {UUID(int=1): Wish(resolution=resolution)}
        (skipped,) = plan_import([candidate(1, "a")], [present(1, "a")], wished).skipped
        assert (skipped.is_identical, skipped.same_as) == (True, UUID(int=1001))


def test_what_was_imported_under_another_name_is_there() -> None:
    (skipped,) = plan_import([candidate(1, "a")], [present(1, "mine", entry=1)], {}).skipped
    assert skipped.is_identical


def test_each_wish_does_what_it_says() -> None:
    there = [present(1, "a", "2")]
    plans = {
        resolution: plan_import([candidate(1, "a")], there, {UUID(int=1): Wish(resolution=resolution)})
        for resolution in Resolution
    }
    assert plans[Resolution.SKIP].skipped[0].same_as == there[0].id
    assert plans[Resolution.RENAME].new[0].name == "a-ada"
    assert plans[Resolution.FORCE].replaced[0].present == there[0]
    named = plan_import([candidate(1, "a")], there, {UUID(int=1): Wish(name="z")})
    assert named.new[0].name == "z"


def test_two_of_one_import_that_want_one_name_are_both_conflicts_even_when_forced() -> None:
    both = [candidate(1, "a"), candidate(2, "a", "2")]
    forced = {each.id: Wish(resolution=Resolution.FORCE) for each in both}
    for wished in ({}, forced):
        for there in ([], [present(1, "a", "3")]):
            plan = plan_import(both, there, wished)
            assert [one.candidate for one in plan.conflicts] == both
            assert [one.present for one in plan.conflicts] == [*there, *there] or not there


def test_of_two_that_give_way_the_first_keeps_the_name() -> None:
    both = [candidate(2, "a", "2"), candidate(1, "a")]
    plan = plan_import(both, [], {each.id: Wish(resolution=Resolution.RENAME) for each in both})
    assert [(new.candidate.id.int, new.name) for new in plan.new] == [(1, "a"), (2, "a-ada")]


def test_one_that_insists_goes_before_one_that_gives_way() -> None:
    plan = plan_import(
        [candidate(1, "a"), candidate(2, "a", "2")], [], {UUID(int=1): Wish(resolution=Resolution.SKIP)}
    )
    assert [new.candidate.id.int for new in plan.new] == [2]
    assert [(one.candidate.id.int, one.same_as.int) for one in plan.skipped] == [(1, 2)]


def test_copies_in_one_repository_are_imported_once() -> None:
    plan = plan_import([candidate(1, "a"), candidate(2, "a")], [], {})
    assert [new.candidate.id.int for new in plan.new] == [1]
    assert [(one.candidate.id.int, one.is_identical) for one in plan.skipped] == [(2, True)]


def test_a_name_that_is_none_is_told_with_one_that_is() -> None:
    (one,) = plan_import([candidate(1, "../a/b")], [], {}).unsuitable
    assert one.suggestion == "-a-b".strip("-")
    renamed = plan_import([candidate(1, "../a/b")], [], {UUID(int=1): Wish(resolution=Resolution.RENAME)})
    assert [new.name for new in renamed.new] == ["a-b"]
