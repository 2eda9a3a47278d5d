"""What is kept of artifacts, and what their manifests say of the rest."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from hypothesis import given, strategies as st

from marketplace.detection.artifacts import DetectedArtifact
from marketplace.detection.vocabulary import ArtifactType
from marketplace.keeping import MAX_LISTED, TOO_MANY, KeepingLimits, allot, hold, store
from marketplace.manifest import ContentKind, Manifest, is_lfs_pointer
from marketplace.repository import TreeFile, blob_id
from marketplace.snapshot import Kept

POINTER = (
    b"version https://git-lfs.github.com/spec/v1\n"
    b"oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
)
ROOMY = KeepingLimits(file=10**6, artifact=10**6, source=10**6)


class Shelf:
    """A content store in memory."""

    def __init__(self) -> None:
        self.contents: list[bytes] = []
        self.manifests: dict[str, Manifest] = {}

    def put(self, contents: Sequence[bytes]) -> list[str]:
        self.contents += contents
        return [hashlib.sha256(data).hexdigest() for data in contents]

    def keep(self, manifests: Mapping[str, Manifest]) -> None:
        self.manifests |= manifests


def file(path: str, data: bytes = b"", *, mode: str = "100644", size: int | None = None) -> TreeFile:
    return TreeFile(path=path, mode=mode, sha=blob_id(data), size=len(data) if size is None else size)


def artifact(path: str, *files: TreeFile, confidence: int = 90) -> DetectedArtifact:
    return DetectedArtifact(
        type=ArtifactType.SKILL,
        locator=path,
        path=path,
        directory=path,
        name=path,
        confidence=confidence,
        signals=(),
        files=files,
        content_digest="",
    )


sizes = st.lists(st.integers(0, 60), max_size=5)


@given(st.lists(st.tuples(sizes, st.integers(30, 100)), max_size=6))
def test_no_limit_is_ever_exceeded(drawn: list[tuple[list[int], int]]) -> None:
    limits = KeepingLimits(file=50, artifact=80, source=100)
    artifacts = [
        artifact(
            f"s{n}",
            *(file(f"s{n}/{i}", f"{n}/{i}".encode(), size=size) for i, size in enumerate(of)),
            confidence=confidence,
        )
        for n, (of, confidence) in enumerate(drawn)
    ]
    chosen = allot(artifacts, limits)
    assert sum(one.size for one in chosen.values()) <= limits.source
    assert all(one.size <= limits.file for one in chosen.values())
    for found in artifacts:
        kept = [one for one in found.files if one.sha in chosen]
        assert sum(one.size for one in kept) <= limits.artifact
        assert kept in ([], list(found.files))  # a part of an artifact is of no use


def test_the_surest_artifact_gets_the_room_that_is_left() -> None:
    sure, unsure = (
        artifact(name, file(f"{name}/SKILL.md", name.encode(), size=60), confidence=confidence)
        for name, confidence in (("sure", 90), ("unsure", 50))
    )
    limits = KeepingLimits(file=100, artifact=100, source=100)
    assert [one.path for one in allot([unsure, sure], limits).values()] == ["sure/SKILL.md"]


def test_files_that_are_the_same_count_once() -> None:
    twins = [artifact(name, file(f"{name}/SKILL.md", b"same", size=60)) for name in "ab"]
    assert len(allot(twins, KeepingLimits(file=100, artifact=100, source=60))) == 1


def test_links_and_submodules_are_listed_and_never_kept() -> None:
    link = file("s/link", b"../../etc/passwd", mode="120000")
    module = file("s/module", b"commit", mode="160000")
    found = artifact("s", file("s/run.sh", b"#!", mode="100755"), link, module)
    shelf = Shelf()
    assert [one.path for one in allot([found], ROOMY).values()] == ["s/run.sh"]
    kept = dict(store([(blob_id(b"#!"), b"#!")], shelf))
    (holding,) = hold([found], kept | {link.sha: Kept(digest="ff")}, ROOMY, shelf)
    assert holding.incomplete == ""
    listed = {one.path: (one.kind, one.digest) for one in shelf.manifests[holding.manifest].files}
    assert listed == {
        "run.sh": (ContentKind.EXECUTABLE, hashlib.sha256(b"#!").hexdigest()),
        "link": (ContentKind.SYMLINK, None),
        "module": (ContentKind.SUBMODULE, None),
    }


def test_a_pointer_of_git_lfs_is_called_one() -> None:
    assert is_lfs_pointer(POINTER)
    assert not is_lfs_pointer(POINTER + b"x" * 1024)
    assert not is_lfs_pointer(b"See version https://git-lfs.github.com/spec/v1\n")
    found, shelf = artifact("s", file("s/model.bin", POINTER)), Shelf()
    (holding,) = hold([found], dict(store([(blob_id(POINTER), POINTER)], shelf)), ROOMY, shelf)
    assert shelf.manifests[holding.manifest].files[0].kind is ContentKind.LFS


def test_an_artifact_with_a_file_that_is_too_large_says_so() -> None:
    found = artifact("s", file("s/SKILL.md", b"x"), file("s/big.bin", b"big", size=2_000))
    (holding,) = hold([found], {}, KeepingLimits(file=1_000, artifact=9_999, source=9_999), Shelf())
    assert holding.incomplete == "s/big.bin is larger than 1,000 bytes."


def test_an_artifact_that_is_too_large_in_all_says_so() -> None:
    found = artifact("s", *(file(f"s/{n}", str(n).encode(), size=600) for n in range(2)))
    (holding,) = hold([found], {}, KeepingLimits(file=1_000, artifact=1_000, source=9_999), Shelf())
    assert "1,200 bytes" in holding.incomplete


@given(st.lists(st.binary(max_size=30)))
def test_what_is_stored_is_found_by_its_git_id(contents: list[bytes]) -> None:
    shelf = Shelf()
    kept = dict(store(((blob_id(data), data) for data in contents), shelf))
    assert {sha: where.digest for sha, where in kept.items()} == {
        blob_id(data): hashlib.sha256(data).hexdigest() for data in contents
    }
    assert shelf.contents == contents


def test_much_content_is_stored_in_batches() -> None:
    sizes: list[int] = []

    class Watched(Shelf):
        def put(self, contents: Sequence[bytes]) -> list[str]:
            sizes.append(len(contents))
            return super().put(contents)

    contents = ((blob_id(data), data) for data in (str(n).encode() for n in range(450)))
    assert len(dict(store(contents, Watched()))) == 450
    assert sizes == [200, 200, 50]


def test_a_manifest_comes_back_from_its_rows() -> None:
    found, shelf = artifact("s", file("s/SKILL.md", b"x"), file("s/link", b"y", mode="120000")), Shelf()
    (holding,) = hold([found], {}, ROOMY, shelf)
    manifest = shelf.manifests[holding.manifest]
    again = Manifest.from_rows(manifest.rows)
    assert (again, again.digest, again.size) == (manifest, holding.manifest, 2)


def test_a_list_of_files_that_artifacts_share_is_written_once() -> None:
    files = tuple(file(f"p/{n}", str(n).encode()) for n in range(3))
    shared = [replace(artifact("p", *files), locator=f"p#{n}", files=files) for n in range(5)]
    shelf = Shelf()
    holdings = list(hold(shared, {}, ROOMY, shelf))
    assert len(holdings) == 5
    assert len(set(holdings)) == len(shelf.manifests) == 1


def test_more_files_than_can_be_listed_are_not_listed() -> None:
    one = file("p/x", b"x")
    crowds = [replace(artifact(f"p{n}"), files=(one,) * (MAX_LISTED // 2 + n)) for n in range(3)]
    shelf = Shelf()
    first, second, third = hold(crowds, {one.sha: Kept(digest="ff")}, ROOMY, shelf)
    assert (first.incomplete, second.incomplete, third.incomplete) == ("", TOO_MANY, TOO_MANY)
    assert shelf.manifests[second.manifest].files == ()
