"""What is remembered between scans comes back as it was, or not at all."""

from io import BytesIO

from hypothesis import given, strategies as st

from marketplace.repository import Tree, TreeFile, blob_id
from marketplace.snapshot import Kept, Snapshot, Texts
from marketplace.spool import Spool

paths = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)
shas = st.binary(max_size=8).map(blob_id)
files = st.builds(
    TreeFile, path=paths, mode=st.sampled_from(["100644", "120000"]), sha=shas, size=st.integers(0, 2**40)
)
snapshots = st.builds(
    Snapshot,
    tree=st.builds(Tree, files=st.lists(files).map(tuple)),
    documents=st.dictionaries(shas, st.binary()).map(lambda documents: Spool(documents.items())),
    kept=st.dictionaries(shas, st.builds(Kept, digest=st.text("0123456789abcdef"), is_pointer=st.booleans())),
)


def packed(snapshot: Snapshot) -> bytes:
    file = BytesIO()
    snapshot.pack(file)
    return file.getvalue()


def unpacked(data: bytes) -> Snapshot | None:
    return Snapshot.unpack(BytesIO(data))


@given(snapshots)
def test_a_snapshot_comes_back_as_it_was_packed(snapshot: Snapshot) -> None:
    assert unpacked(packed(snapshot)) == snapshot


@given(snapshots)
def test_packing_twice_gives_the_same_bytes(snapshot: Snapshot) -> None:
    assert packed(snapshot) == packed(snapshot)


@given(snapshots, st.data())
def test_a_snapshot_that_was_cut_off_is_none(snapshot: Snapshot, data: st.DataObject) -> None:
    whole = packed(snapshot)
    assert unpacked(whole[: data.draw(st.integers(0, len(whole) - 1))]) is None


@given(st.binary())
def test_what_is_no_snapshot_is_none(data: bytes) -> None:
    assert unpacked(data) is None


def test_texts_are_found_by_path_and_decoded() -> None:
    data = "\ufeffcaf\u00e9".encode()
    file = TreeFile(path="a.md", mode="100644", sha=blob_id(data), size=len(data))
    link = TreeFile(path="link.md", mode="120000", sha=blob_id(data), size=len(data))
    texts = Texts(Tree(files=(file, link)), {file.sha: data}, {"b.md": "other"})
    assert dict(texts) == {"a.md": "caf\u00e9"}
    assert (texts.get("b.md"), texts.get("link.md")) == ("other", None)
    assert ("b.md" in texts, "link.md" in texts, "none.md" in texts) == (True, False, False)
