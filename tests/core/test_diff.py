"""What a scan changes, as laws that hold for any two states."""

from hypothesis import given, strategies as st

from marketplace.detection.artifacts import DetectedArtifact
from marketplace.detection.vocabulary import ArtifactType
from marketplace.diff import CatalogueDiff, Key, KnownArtifact, diff

keys = st.tuples(st.sampled_from([ArtifactType.SKILL, ArtifactType.AGENT]), st.sampled_from("abcdef"))
digests = st.sampled_from(["sha256:1", "sha256:2"])
states = st.dictionaries(keys, digests)
catalogues = st.dictionaries(keys, st.tuples(digests, st.booleans()))

State = dict[Key, str]
Catalogue = dict[Key, tuple[str, bool]]


def known(catalogue: Catalogue) -> list[KnownArtifact]:
    return [
        KnownArtifact(type=kind, locator=locator, content_digest=digest, is_present=is_present)
        for (kind, locator), (digest, is_present) in catalogue.items()
    ]


def detected(state: State) -> list[DetectedArtifact]:
    return [
        DetectedArtifact(
            type=kind,
            locator=locator,
            path=locator,
            name=locator,
            confidence=50,
            signals=(),
            files=(),
            content_digest=digest,
        )
        for (kind, locator), digest in state.items()
    ]


def present(state: State) -> Catalogue:
    return {key: (digest, True) for key, digest in state.items()}


def buckets(change: CatalogueDiff) -> list[Key]:
    """Every key that the difference speaks of; a move speaks of two."""
    return [
        *(artifact.key for artifact in change.detected),
        *(move.was for move in change.moved),
        *change.removed,
    ]


@given(states)
def test_the_same_again_changes_nothing(state: State) -> None:
    change = diff(known(present(state)), detected(state))
    assert change == CatalogueDiff(unchanged=tuple(detected(state)))


@given(catalogues, states)
def test_every_key_is_in_exactly_one_place(before: Catalogue, after: State) -> None:
    still_gone = {key for key, (_, is_present) in before.items() if not is_present} - after.keys()
    placed = buckets(diff(known(before), detected(after)))
    assert len(placed) == len(set(placed))
    assert set(placed) == (before.keys() | after.keys()) - still_gone


@given(catalogues, states)
def test_applying_the_difference_gives_what_was_detected(before: Catalogue, after: State) -> None:
    change = diff(known(before), detected(after))
    state = {key: digest for key, (digest, is_present) in before.items() if is_present}
    for move in change.moved:
        state[move.artifact.key] = state.pop(move.was)
    for key in change.removed:
        del state[key]
    for artifact in (*change.new, *change.updated, *change.returned):
        state[artifact.key] = artifact.content_digest
    assert state == after


@given(catalogues, states)
def test_each_place_means_what_it_says(before: Catalogue, after: State) -> None:
    change = diff(known(before), detected(after))
    assert all(artifact.key not in before for artifact in change.new)
    for places, is_present in ((change.returned, False), (change.unchanged + change.updated, True)):
        assert all(before[artifact.key][1] is is_present for artifact in places)
    for artifact in change.updated:
        assert before[artifact.key][0] != artifact.content_digest


@given(catalogues, states)
def test_a_move_keeps_type_and_content(before: Catalogue, after: State) -> None:
    change = diff(known(before), detected(after))
    for move in change.moved:
        assert move.artifact.type == move.was[0]
        assert before[move.was] == (move.artifact.content_digest, True)
        assert move.artifact.key not in before
        assert move.was not in after


@given(catalogues, states)
def test_nothing_that_moved_is_called_removed_and_new(before: Catalogue, after: State) -> None:
    change = diff(known(before), detected(after))
    new = {(artifact.type, artifact.content_digest) for artifact in change.new}
    assert not any((key[0], before[key][0]) in new for key in change.removed)


@given(catalogues)
def test_what_is_removed_is_named_in_order(before: Catalogue) -> None:
    present_keys = sorted(key for key, (_, is_present) in before.items() if is_present)
    assert diff(known(before), []) == CatalogueDiff(removed=tuple(present_keys))
