"""A tree looked at by directory and by file name, and the texts that are known of it; knows no artifact."""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from marketplace.detection.documents import Markdown, read_json, read_markdown, split_frontmatter
from marketplace.repository import Tree, TreeFile

MAX_DOCUMENT_BYTES = 256 * 1024
MAX_DOCUMENTS = 20_000
MAX_TOTAL_BYTES = 64 * 1024 * 1024
MAX_PATH = 1_024
MAX_PATH_DEPTH = 50
MAX_NAME_BYTES = 255

_SURROGATE = re.compile("[\ud800-\udfff]")
_NO_NAMES = frozenset({"", ".", ".."})

T = TypeVar("T")


def parent(path: str) -> str:
    """The directory that holds this path; "" is the root."""
    return path.rpartition("/")[0]


def base_name(path: str) -> str:
    return path.rpartition("/")[2]


def stem(path: str) -> str:
    """The file's name without its last extension."""
    return base_name(path).rpartition(".")[0] or base_name(path)


def join(directory: str, path: str) -> str:
    """`path` below `directory`; either may be "" for the root."""
    return f"{directory}/{path}" if directory and path else directory or path


def is_below(path: str, directory: str) -> bool:
    """The path is the directory itself or lies in it."""
    return not directory or path == directory or path.startswith(directory + "/")


def relative(path: str, directory: str) -> str:
    """What follows the directory in a path below it; "" for the directory itself."""
    return path[len(directory) :].removeprefix("/") if directory else path


def around(one: str, other: str) -> str:
    """The innermost directory that holds both directories, or is one of them."""
    while not is_below(other, one):
        one = parent(one)
    return one


class TreeIndex:
    """The files of a tree below `root`, each path once, in an order that the input's order does not change.

    Regular files are found by directory, and by lower-cased name where they are Markdown or JSON; links and
    submodules, and what has a path that is no Unicode text, only count as content.
    """

    def __init__(self, tree: Tree, *, root: str = "") -> None:
        usable = {file.path: file for file in sorted(tree.files, key=_order) if _is_sane(file.path)}
        self.all_files = tuple(file for file in usable.values() if is_below(file.path, root))
        self.files = {file.path: file for file in self.all_files if file.is_regular and _is_text(file.path)}
        self.markdown = tuple(path for path in self.files if path.lower().endswith(".md"))
        self.json = tuple(path for path in self.files if path.lower().endswith(".json"))
        self._regular = tuple(self.files)
        self._paths = [file.path for file in self.all_files]
        self._by_name: dict[str, list[str]] = defaultdict(list)
        self._markdown_in: dict[str, list[str]] = defaultdict(list)
        for path in (*self.markdown, *self.json):
            self._by_name[base_name(path).lower()].append(path)
        for path in self.markdown:
            self._markdown_in[parent(path)].append(path)

    def named(self, name: str) -> tuple[str, ...]:
        """Regular Markdown or JSON files of this name, however it is spelt."""
        return tuple(self._by_name.get(name.lower(), ()))

    def markdown_in(self, directory: str) -> tuple[str, ...]:
        """Regular Markdown files directly in the directory."""
        return tuple(self._markdown_in.get(directory, ()))

    def below(self, directory: str) -> tuple[TreeFile, ...]:
        """Everything in the directory at any depth, sorted by path."""
        start, end = _run(self._paths, directory)
        return self.all_files[start:end]

    def regular_below(self, directory: str) -> tuple[str, ...]:
        start, end = _run(self._regular, directory)
        return self._regular[start:end]

    def markdown_below(self, directory: str) -> tuple[str, ...]:
        start, end = _run(self.markdown, directory)
        return self.markdown[start:end]

    def holds(self, directory: str) -> bool:
        """There is a file in the directory, at any depth."""
        start, end = _run(self._paths, directory)
        return start < end


def _run(paths: Sequence[str], directory: str) -> tuple[int, int]:
    """Where in the sorted paths those below the directory stand: side by side."""
    if not directory:
        return 0, len(paths)
    # "0" is the character after "/".
    return bisect_left(paths, directory + "/"), bisect_left(paths, directory + "0")


class Library:
    """The known texts, read at most once each; what is asked for and not known is noted in `missing`.

    Only regular files of moderate size count, and only so many that a scan stays bounded.
    """

    def __init__(self, index: TreeIndex, documents: Mapping[str, str]) -> None:
        self.missing: set[str] = set()
        self._files = index.files
        self._documents = documents
        self._asked: set[str] = set()
        self._room = MAX_TOTAL_BYTES
        self._markdown: dict[str, Markdown | None] = {}
        self._json: dict[str, dict[str, Any] | None] = {}

    def markdown(self, path: str) -> Markdown | None:
        return self._read(path, self._markdown, read_markdown)

    def json(self, path: str) -> dict[str, Any] | None:
        return self._read(path, self._json, read_json)

    def body(self, path: str) -> str:
        """What follows a Markdown file's frontmatter, and all of any other file; it may be long, and is not kept."""
        text = self.text(path) or ""
        return split_frontmatter(text)[1] if path.lower().endswith(".md") else text

    def text(self, path: str) -> str | None:
        """The file's text, or None when it is unknown, no regular file, too large, or one too many."""
        file = self._files.get(path)
        if file is None or file.size > MAX_DOCUMENT_BYTES or not self._admit(file):
            return None
        if path not in self._documents:
            self.missing.add(path)
        text = self._documents.get(path)
        return None if text is None else text[:MAX_DOCUMENT_BYTES]

    def _read(self, path: str, known: dict[str, T | None], reader: Callable[[str], T | None]) -> T | None:
        if path not in known:
            text = self.text(path)
            known[path] = None if text is None else reader(text)
        return known[path]

    def _admit(self, file: TreeFile) -> bool:
        if file.path in self._asked:
            return True
        if len(self._asked) >= MAX_DOCUMENTS or file.size > self._room:
            return False
        self._asked.add(file.path)
        self._room -= file.size
        return True


def _order(file: TreeFile) -> tuple[str, str, str]:
    return file.path, file.mode, file.sha


def _is_sane(path: str) -> bool:
    """Nothing that a checkout could not hold, and nothing so deep that walking upwards gets slow."""
    parts = path.split("/")
    proper = _NO_NAMES.isdisjoint(parts) and "\0" not in path
    return proper and len(path) <= MAX_PATH and len(parts) <= MAX_PATH_DEPTH and _fits(path, parts)


def _fits(path: str, parts: Sequence[str]) -> bool:
    """No name has more bytes than file systems take."""
    if len(path) <= MAX_NAME_BYTES and path.isascii():
        return True
    return all(len(part.encode("utf-8", "surrogatepass")) <= MAX_NAME_BYTES for part in parts)


def _is_text(path: str) -> bool:
    """Lone surrogates stand for bytes that were none."""
    return path.isascii() or not _SURROGATE.search(path)
