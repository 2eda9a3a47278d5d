"""Which files of a tree a hook's commands call: scripts, and what lies beside them in the hook's own folder.

Commands are shell text from strangers: words are compared with the paths of the tree, nothing is run.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

from marketplace.detection.index import TreeIndex, base_name, is_below, join, parent
from marketplace.detection.manifests import local_path
from marketplace.repository import TreeFile

PLUGIN_ROOT = "CLAUDE_PLUGIN_ROOT"
PROJECT_DIR = "CLAUDE_PROJECT_DIR"
MAX_SCRIPTS = 100
MAX_BESIDE = 200
MAX_WORDS = 50_000

_ROOT = "\0"
_WORD = re.compile(r"""(?:"[^"]*"|'[^']*'|[^\s"';,|&()<>`=])+""")
# What stands for a directory that only the shell knows; Claude Code's own variables have one meaning each.
_ELSEWHERE = re.compile(r"(?:~|\$\{?(?!CLAUDE_P)\w+(?:[^\w}/][^}/]*)?\}?)/(.+)", re.DOTALL)
_QUOTES = str.maketrans("", "", "\"'")


def called_paths(commands: Iterable[str], *, variable: str) -> tuple[str, ...]:
    """What in the commands can be a path below the directory for which `variable` stands, in their order.

    Relative paths count as well, and those below `~` or a variable of the command's own, as they can be meant to
    be there; a bare name (`package.json`) is the caller's own file. Whether there is such a file, only the tree
    tells. No path is absolute or leads upwards.
    """
    root = re.compile(rf"\$\{{{variable}(?::?[-?=+][^}}]{{0,200}})?\}}|\${variable}\b")
    words = chain.from_iterable(_words(root.sub(_ROOT, command.replace(_ROOT, " "))) for command in commands)
    paths = (_path_below_root(word) for word in islice(words, MAX_WORDS))
    return tuple(dict.fromkeys(path for path in paths if path))


def hook_files(index: TreeIndex, document: str, base: str, calls: Sequence[str]) -> tuple[TreeFile, ...]:
    """The configuration and the regular files below `base` that `calls` name, sorted by path, each once.

    A folder that is the hook's own (`hooks` beside a plugin's configuration, a project's `.claude/hooks`)
    comes with all that is in it when it or anything of it is called: scripts import their neighbours. At
    most 100 scripts and 200 neighbours.
    """
    called = [join(base, path) for path in calls]
    scripts = [path for path in called if path in index.files][:MAX_SCRIPTS]
    own = join(base, ".claude/hooks" if base_name(parent(document)) == ".claude" else "hooks")
    is_called = any(is_below(path, own) for path in scripts) or own in called
    beside = _neighbours(index, own, scripts) if is_called else ()
    paths = {document, *scripts, *beside[:MAX_BESIDE]}
    return tuple(index.files[path] for path in sorted(paths))


def _words(command: str) -> Iterator[str]:
    """The shell's words without their quotes, and those inside of a quoted one (`bash -c "a/b.sh x"`)."""
    for word in _WORD.findall(command):
        plain = word.translate(_QUOTES)
        yield plain
        if plain.split() != [plain]:
            yield from (inner.translate(_QUOTES) for inner in _WORD.findall(plain))


def _path_below_root(word: str) -> str | None:
    _, root, rest = word.rpartition(_ROOT)
    if root:
        return local_path(f"./{rest}")
    elsewhere = _ELSEWHERE.fullmatch(word)
    return local_path(elsewhere[1] if elsewhere else word) if "/" in word else None


def _neighbours(index: TreeIndex, folder: str, scripts: Iterable[str]) -> tuple[str, ...]:
    """All regular files below the folder or, where these are too many, those directly beside its scripts."""
    inside = index.regular_below(folder)
    if len(inside) <= MAX_BESIDE:
        return inside
    homes = {parent(path) for path in scripts}
    return tuple(path for path in inside if parent(path) in homes)
