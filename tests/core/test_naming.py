"""Names that lie on any disk, and free ones like them."""

import pytest
from hypothesis import given, strategies as st

from collections_app import naming
from marketplace.detection.vocabulary import ArtifactType

SKILL, SERVER = ArtifactType.SKILL, ArtifactType.MCP_SERVER
BAD = [
    "",
    " ",
    ".",
    "..",
    "a/b",
    "/a",
    "a\\b",
    "../a",
    "con",
    "CON",
    "aux.md",
    "LPT1",
    "a.",
    "a:b",
    'a"',
    "a?",
]
BAD += ["x" * 201, "ä" * 130, "a\nb", "a\0b", ".hidden", "-rf", "~a", "a\u202eb"]

names = st.text(max_size=260)
types = st.sampled_from(list(ArtifactType))


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_lie_on_every_disk_is_no_name(name: str) -> None:
    assert naming.fault(SKILL, name).endswith(".")


@pytest.mark.parametrize("name", ["pdf", "Release Notes", "ünïcode", "a.b", "consul", "com", "x" * 200])
def test_other_words_are_names(name: str) -> None:
    assert naming.fault(SKILL, name) == ""


def test_what_is_a_key_and_no_file_may_have_slashes() -> None:
    assert naming.fault(SERVER, "io.github.ada/files") == ""
    assert naming.fault(SERVER, "a\nb")


@given(types, names)
def test_a_cleaned_name_is_one(artifact_type: ArtifactType, name: str) -> None:
    cleaned = naming.cleaned(artifact_type, name)
    assert naming.fault(artifact_type, cleaned) == ""
    assert naming.cleaned(artifact_type, cleaned) == cleaned
    if not naming.fault(artifact_type, name):
        assert cleaned == name


@given(types, names, names, st.sets(names, max_size=5))
def test_free_names_are_free_and_names(
    artifact_type: ArtifactType, name: str, owner: str, others: set[str]
) -> None:
    taken = {name, *others, *naming.free(artifact_type, name, owner=owner, taken={name})}
    free = naming.free(artifact_type, name, owner=owner, taken=taken)
    assert len(set(free)) == naming.SUGGESTIONS
    assert not taken & set(free)
    assert [naming.fault(artifact_type, each) for each in free] == [""] * naming.SUGGESTIONS


def test_the_owner_comes_first_and_then_numbers() -> None:
    assert naming.free(SKILL, "pdf", owner="ada", taken={"pdf"}) == ("pdf-ada", "pdf-2", "pdf-3")
    assert naming.free(SKILL, "pdf", owner="ada", taken={"pdf-ada", "pdf-2"}) == ("pdf-3", "pdf-4", "pdf-5")
    assert naming.free(SKILL, "pdf", owner="", taken=set(), count=1) == ("pdf-2",)
