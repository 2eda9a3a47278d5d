"""Made-up repositories kept in memory, with the object ids that git would give them."""

import gzip
import hashlib
import io
import itertools
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from marketplace.local import tree_ids
from marketplace.repository import TreeFile, blob_id

_numbers = itertools.count(1_296_269)


@dataclass(frozen=True, slots=True)
class Executable:
    data: bytes


@dataclass(frozen=True, slots=True)
class Symlink:
    target: str


@dataclass(frozen=True, slots=True)
class Submodule:
    commit: str


File = bytes | Executable | Symlink | Submodule


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a recursive listing; `size` is None for directories and submodules."""

    path: str
    mode: str
    kind: str
    sha: str
    size: int | None = None


class Served(Protocol):
    """What the server needs of a repository, wherever it is kept. `tokens` open it when it is private."""

    owner: str
    name: str
    number: int
    private: bool
    description: str
    topics: tuple[str, ...]
    default_branch: str
    tokens: set[str]

    def branches(self) -> Mapping[str, str]: ...
    def resolve(self, ref: str) -> str | None: ...
    def rows(self, commit: str) -> list[Row] | None: ...
    def blob(self, sha: str) -> bytes | None: ...
    def archive(self, commit: str, prefix: str) -> bytes: ...


class Repository:
    """A repository made of a mapping from path to content; without files it has no commit yet."""

    def __init__(
        self,
        owner: str,
        name: str,
        files: Mapping[str, File] | None = None,
        *,
        private: bool = False,
        description: str = "",
        topics: tuple[str, ...] = (),
        default_branch: str = "main",
        tokens: frozenset[str] = frozenset(),
    ) -> None:
        self.owner, self.name, self.number = owner, name, next(_numbers)
        self.private, self.description, self.topics = private, description, topics
        self.default_branch = default_branch
        self.tokens = set(tokens)
        self.tags: dict[str, str] = {}
        self.archived_as: dict[str, bytes | None] = {}  # what .gitattributes would do: other bytes, or None
        self._branches: dict[str, str] = {}
        self._commits: dict[str, dict[str, File]] = {}
        if files is not None:
            self.commit(files)

    def commit(self, changes: Mapping[str, File | None], *, branch: str | None = None) -> str:
        """Push a commit that changes these files (None removes one) and return its id.

        A new branch starts from the default one.
        """
        branch = branch or self.default_branch
        parent = self._branches.get(branch) or self._branches.get(self.default_branch)
        merged = {**(self._commits[parent] if parent else {}), **changes}
        files = {path: content for path, content in merged.items() if content is not None}
        sha = _commit_id(files, parent, len(self._commits))
        self._commits[sha] = files
        self._branches[branch] = sha
        return sha

    def force_push(self, sha: str | None, *, branch: str | None = None) -> None:
        """Let the branch (the default one) point to this commit, whatever came before; None deletes it."""
        branch = branch or self.default_branch
        if sha is None:
            del self._branches[branch]
        else:
            self._branches[branch] = sha

    def forget(self, sha: str) -> None:
        """As if the commit had been collected as garbage."""
        del self._commits[sha]

    @property
    def head(self) -> str:
        return self._branches[self.default_branch]

    def branches(self) -> Mapping[str, str]:
        return self._branches

    def resolve(self, ref: str) -> str | None:
        if ref == "HEAD":
            return self._branches.get(self.default_branch)
        exact = self._branches.get(ref) or self.tags.get(ref)
        return exact or next((sha for sha in self._commits if len(ref) >= 7 and sha.startswith(ref)), None)

    def rows(self, commit: str) -> list[Row] | None:
        if commit not in self._commits:
            return None
        files = _tree_files(self._commits[commit])
        directories = tree_ids(files)
        rows = [
            Row(path=path, mode="040000", kind="tree", sha=sha) for path, sha in directories.items() if path
        ]
        return sorted(rows + [_row(file) for file in files], key=lambda row: row.path)

    def blob(self, sha: str) -> bytes | None:
        contents = (content for files in self._commits.values() for content in files.values())
        return next((_bytes(content) for content in contents if _id(content) == sha), None)

    def archive(self, commit: str, prefix: str) -> bytes:
        """As `git archive` makes it: a pax header with the commit id, then everything below one directory."""
        packed = io.BytesIO()
        headers = {"comment": commit}
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT, pax_headers=headers) as tar:
            tar.addfile(_header(prefix, tarfile.DIRTYPE, 0o775))
            for path, content in sorted(self._commits[commit].items()):
                data = self.archived_as.get(path, _bytes(content))
                if data is not None:
                    _add(tar, prefix + path, content, data)
        return gzip.compress(packed.getvalue(), mtime=0)


def _add(tar: tarfile.TarFile, path: str, content: File, data: bytes) -> None:
    if isinstance(content, Symlink):
        header = _header(path, tarfile.SYMTYPE, 0o777)
        header.linkname = content.target
        tar.addfile(header)
    elif isinstance(content, Submodule):
        tar.addfile(_header(path, tarfile.DIRTYPE, 0o775))
    else:
        header = _header(path, tarfile.REGTYPE, 0o775 if isinstance(content, Executable) else 0o664)
        header.size = len(data)
        tar.addfile(header, io.BytesIO(data))


def _header(path: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    header = tarfile.TarInfo(path)
    header.type, header.mode, header.uname, header.gname = kind, mode, "root", "root"
    return header


def _bytes(content: File) -> bytes:
    match content:
        case Executable(data):
            return data
        case Symlink(target):
            return target.encode()
        case Submodule():
            return b""
        case _:
            return content


def _id(content: File) -> str:
    return content.commit if isinstance(content, Submodule) else blob_id(_bytes(content))


def _tree_files(files: Mapping[str, File]) -> list[TreeFile]:
    modes = {Executable: "100755", Symlink: "120000", Submodule: "160000"}
    return [
        TreeFile(
            path=path, mode=modes.get(type(content), "100644"), sha=_id(content), size=len(_bytes(content))
        )
        for path, content in files.items()
    ]


def _row(file: TreeFile) -> Row:
    if file.mode == "160000":
        return Row(path=file.path, mode=file.mode, kind="commit", sha=file.sha)
    return Row(path=file.path, mode=file.mode, kind="blob", sha=file.sha, size=file.size)


def _commit_id(files: Mapping[str, File], parent: str | None, number: int) -> str:
    who = f"Ada Example <ada@example.org> {1_700_000_000 + number} +0000"
    lines = [f"tree {tree_ids(_tree_files(files))['']}", *([f"parent {parent}"] if parent else [])]
    body = "\n".join([*lines, f"author {who}", f"committer {who}", "", f"Commit {number}", ""]).encode()
    return hashlib.sha1(b"commit %d\0%s" % (len(body), body), usedforsecurity=False).hexdigest()
