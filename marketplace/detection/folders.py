"""What the names of folders and files say about the things in them; knows no tree and no content."""

import re
from collections.abc import Sequence

from marketplace.detection.index import base_name, parent, stem

# Above the folder that holds artifacts: test material, samples, what is not the authors' own or not source.
_RULED_OUT = re.compile(
    r"_*(tests?|fixtures?|mocks?|snapshots?)_*|test[-_]?data|specs?|evals?|examples?|samples?|templates?"
    r"|vendor(ed)?|third[-_]party|node_modules|site-packages|dist|build|generated"
)
# What the authors keep and do not offer any more.
_PUT_AWAY = re.compile(r"_*(backups?|bak|archived?|archives|deprecated|obsolete)_*")
_WRITINGS = re.compile(r"docs?|documentation")

# A locale with a region anywhere; a bare language only where languages are expected (`docs/de`, `x.de.md`).
_LOCALE = re.compile(r"[a-z]{2}[-_](?:[A-Z]{2}|Hans|Hant)")
_LANGUAGE = re.compile(r"[a-z]{2}(?:[-_](?:[a-z]{2}|hans|hant))?")
_LANGUAGES = re.compile(r"i18n|l10n|locales?|lang(uage)?s?|translations?")

# Hidden folders belong to one tool each; these two hold artifacts that Claude Code can use.
_OWN_HIDDEN = frozenset({".claude", ".agents"})

# Containers and layers of a repository: they say where something lies, not what it is about.
_STRUCTURE = re.compile(
    r"(skill|command|(sub)?agent|hook|plugin|mcp|mcp-server|server|package|lib|categorie)s?"
    r"|category|src|claude|marketplace"
)
MAX_TAGS = 20
MAX_TAG = 50

_README = re.compile(r"readme([._-].*)?")
# Meant in capitals only: `agents.md` is a command like any other.
_READ_BY_NAME = frozenset({"CLAUDE", "AGENTS", "GEMINI", "SKILL", "Skill"})
_SHOUTED_README = re.compile(r".*[-_.]README([-_.].*)?")
_PERHAPS_DOCUMENTATION = re.compile(
    r"_?index|licen[cs]e|changelog|contributing|attributions?|quickstart|code[-_]of[-_]conduct|security|notice"
    r"|credits|authors|maintainers|roadmap|todo"
)


def is_documentation(path: str) -> bool:
    """A file for readers of the repository, whatever is in it."""
    name = stem(path)
    shouted = name.isupper() and (may_be_documentation(path) or _SHOUTED_README.fullmatch(name) is not None)
    return shouted or name in _READ_BY_NAME or _README.fullmatch(name.lower()) is not None


def may_be_documentation(path: str) -> bool:
    """A name that both documentation and a command can have: `changelog.md`."""
    return _PERHAPS_DOCUMENTATION.fullmatch(stem(path).lower()) is not None


def is_ruled_out(above: Sequence[str]) -> bool:
    """What lies below such a folder is no artifact of this repository, unless something declares it."""
    return any(is_sample(name) or _is_put_away(name) or _is_foreign(name) for name in above)


def is_sample(name: str) -> bool:
    return _RULED_OUT.fullmatch(name.lower()) is not None


def is_writing(above: Sequence[str]) -> bool:
    return any(_WRITINGS.fullmatch(name.lower()) for name in above)


def untranslated(path: str) -> str | None:
    """The name that the original of a translation has, without `.md`; None when the path shows no language."""
    above, name = parts(parent(path)), base_name(path)
    name = stem(path) if name.lower().endswith(".md") else name
    original, _, mark = name.rpartition(".")
    if original and _LANGUAGE.fullmatch(mark.lower()):
        return original
    return name if any(_is_language(above, at) for at in range(len(above))) else None


def _is_language(above: Sequence[str], at: int) -> bool:
    around = above[at - 1].lower() if at else ""
    expected = _LANGUAGES.fullmatch(around) or _WRITINGS.fullmatch(around)
    return bool(_LOCALE.fullmatch(above[at]) or (expected and _LANGUAGE.fullmatch(above[at].lower())))


def parts(directory: str) -> tuple[str, ...]:
    return tuple(directory.split("/")) if directory else ()


def tag(text: str) -> str:
    """The text in lower-case letters, digits and single hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:MAX_TAG].rstrip("-")


def path_tags(folders: Sequence[str]) -> tuple[str, ...]:
    """The folders' names as tags, outermost first, without those that only structure a repository."""
    names = (tag(base_name(folder)) for folder in folders)
    return tuple(dict.fromkeys(name for name in names if name and not _STRUCTURE.fullmatch(name)))[:MAX_TAGS]


def _is_put_away(name: str) -> bool:
    return _PUT_AWAY.fullmatch(name.lower()) is not None


def _is_foreign(name: str) -> bool:
    return name.startswith(".") and name not in _OWN_HIDDEN
