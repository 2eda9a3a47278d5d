"""A tree looked at by directory and by file name, and the texts that are known of it; knows no artifact."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from marketplace.detection.documents import Markdown, read_json, read_markdown
from marketplace.repository import Tree, TreeFile

MAX_DOCUMENT_BYTES = 256 * 1024
MAX_DOCUMENTS = 20_000
MAX_TOTAL_BYTES = 64 * 1024 * 1024
MAX_PATH = 1_024
MAX_PATH_DEPTH = 50

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


class TreeIndex:
    """The files of a tree below `root`, each path once, in an order that the input's order does not change.

    Regular files are found by lower-cased name and by directory; links and submodules only count as content.
    """

    def __init__(self, tree: Tree, *, root: str = "") -> None:
        usable = {file.path: file for file in sorted(tree.files, key=_order) if _is_sane(file.path)}
        self.all_files = tuple(file for file in usable.values() if is_below(file.path, root))
        self.files = {file.path: file for file in self.all_files if file.is_regular}
        self.markdown = tuple(path for path in self.files if path.lower().endswith(".md"))
        self.json = tuple(path for path in self.files if path.lower().endswith(".json"))
        self._paths = [file.path for file in self.all_files]
        self._by_name: dict[str, list[str]] = defaultdict(list)
        self._children: dict[str, list[str]] = defaultdict(list)
        for path in self.files:
            directory, _, name = path.rpartition("/")
            self._by_name[name.lower()].append(path)
            self._children[directory].append(path)

    def named(self, name: str) -> tuple[str, ...]:
        """Regular files of this name, however it is spelt."""
        return tuple(self._by_name.get(name.lower(), ()))

    def children(self, directory: str) -> tuple[str, ...]:
        """Regular files directly in the directory."""
        return tuple(self._children.get(directory, ()))

    def below(self, directory: str) -> tuple[TreeFile, ...]:
        """Everything in the directory at any depth, sorted by path."""
        if not directory:
            return self.all_files
        # "0" is the character after "/": all that starts with "directory/" stands in one run.
        start, end = (bisect_left(self._paths, directory + mark) for mark in "/0")
        return self.all_files[start:end]

    def markdown_below(self, directory: str) -> tuple[str, ...]:
        return tuple(
            file.path
            for file in self.below(directory)
            if file.is_regular and file.path.lower().endswith(".md")
        )


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

    def text(self, path: str) -> str | None:
        """The file's text, or None when it is unknown, no regular file, too large, or one too many."""
        file = self._files.get(path)
        if file is None or file.size > MAX_DOCUMENT_BYTES or not self._admit(file):
            return None
        if path not in self._documents:
            self.missing.add(path)
        return self._documents.get(path)

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
    return proper and len(path) <= MAX_PATH and len(parts) <= MAX_PATH_DEPTH
