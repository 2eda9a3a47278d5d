"""Getting the bytes of a commit's files at the least cost; knows requests and archives, no artifact. Pure."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack
from itertools import chain
from types import TracebackType
from typing import Protocol, Self

from marketplace.repository import Archive, Commit, RepositoryReader, Tree, TreeFile, blob_id

SINGLE_READS_AT_MOST = 20


class Progress(Protocol):
    def __call__(self, phase: str, done: int = 0, total: int = 0) -> None: ...


class Fetcher:
    """One commit's files: few one by one, many from the archive, which is then kept until the context ends.

    Bytes are given only when git's id of them is right. An archive can lack or alter files (`export-ignore`,
    `export-subst` and `eol` in .gitattributes): what cannot be restored is read singly. All single reads
    together are at most `SINGLE_READS_AT_MOST`; what is left stands in `unread`, by path, with the archive's
    altered bytes, or None where the archive lacks it.
    """

    def __init__(self, reader: RepositoryReader, commit: Commit, progress: Progress) -> None:
        self.unread: dict[str, bytes | None] = {}
        self._reader = reader
        self._commit = commit
        self._progress = progress
        self._stack = ExitStack()
        self._archive: Archive | None = None
        self._singles_left = SINGLE_READS_AT_MOST

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def open_archive(self) -> Archive:
        """The archive, downloaded once."""
        if self._archive is None:
            self._progress("downloading")
            self._archive = self._stack.enter_context(self._reader.archive(self._commit))
        return self._archive

    def complete(self, tree: Tree) -> Tree:
        """A tree that was cut off, with the files that the archive has beyond it."""
        files = {file.path: file for file in self.open_archive().tree().files}
        files |= {file.path: file for file in tree.files}
        return Tree(files=tuple(files[path] for path in sorted(files)))

    def fetch(
        self, files: Collection[TreeFile], *, spare: Collection[TreeFile] = (), salvage: bool = False
    ) -> Iterator[tuple[str, bytes]]:
        """Blob id and bytes of each different blob of these regular files, as far as they can be had.

        `spare` files come too where they cost nothing. With `salvage`, altered bytes of what could not be
        read are kept in `unread`.
        """
        by_sha: dict[str, list[TreeFile]] = defaultdict(list)
        for file in files:
            by_sha[file.sha].append(file)
        if not by_sha:
            return iter(())
        if self._archive is None and len(by_sha) <= self._singles_left:
            return self._singly(by_sha.values())
        return self._from_archive(by_sha, spare, salvage=salvage)

    def _from_archive(
        self, by_sha: Mapping[str, list[TreeFile]], spare: Collection[TreeFile], *, salvage: bool
    ) -> Iterator[tuple[str, bytes]]:
        shas = {file.path: file.sha for file in chain(spare, *by_sha.values())}
        missing, altered = dict(by_sha), {}
        done: set[str] = set()
        for member in self.open_archive().members(frozenset(shas)):
            sha = shas[member.path]
            if sha in done:
                continue
            data = restored(member.data, sha)
            if data is not None:
                done.add(sha)
                missing.pop(sha, None)
                yield sha, data
            elif salvage:
                altered[member.path] = member.data
        left = sorted(missing.values(), key=lambda same: _importance(same[0].path, altered))
        singles = self._singles_left
        yield from self._singly(left[:singles])
        for file in chain.from_iterable(left[singles:]):
            self.unread[file.path] = altered.get(file.path)

    def _singly(self, blobs: Iterable[list[TreeFile]]) -> Iterator[tuple[str, bytes]]:
        for same in blobs:
            self._singles_left -= 1
            yield same[0].sha, self._reader.blob(same[0])


def _importance(path: str, altered: Collection[str]) -> tuple[bool, bool, str]:
    """What is not there at all comes first, and before Markdown what cannot be guessed from its place."""
    return path in altered, path.lower().endswith(".md"), path


def restored(data: bytes, sha: str) -> bytes | None:
    """The blob with this id, from what an archive made of it; None when that cannot be undone.

    What can be undone is the conversion of line ends (`eol=crlf`, gitattributes(5)).
    """
    for candidate in (data, data.replace(b"\r\n", b"\n")):
        if blob_id(candidate) == sha:
            return candidate
    return None
