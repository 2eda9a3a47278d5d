"""What a Markdown or JSON file says, read from hostile text; knows no artifact type and no manifest."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from marketplace.detection.linewise import read_linewise

MAX_FRONTMATTER = 64 * 1024
MAX_JSON = 512 * 1024
MAX_STRING = 10_000
MAX_DEPTH = 32
MAX_EVENTS = 5_000
MAX_LINE = 2_000

_OPENING = re.compile(r"\s*---[ \t]*\r?\n")
_CLOSING = re.compile(r"^(?:---|\.\.\.)[ \t]*\r?$", re.MULTILINE)
_HEADING = re.compile(r" {0,3}#{1,6}[ \t]")
_FENCE = re.compile(r"\s*(?:```|~~~)")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Frontmatter:
    """Plain JSON-able values without NUL characters. `strict`: YAML itself could read them."""

    values: Mapping[str, Any] = field(default_factory=dict)
    strict: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Markdown:
    """What a Markdown file says of itself: frontmatter, first heading, first paragraph."""

    frontmatter: Frontmatter
    title: str
    lead: str


class RefusedError(ValueError):
    """The text is larger, deeper or cleverer than anything a person writes."""


class _PlainLoader(yaml.CSafeLoader):
    """YAML without the surprises of 1.1: only null, true, false and decimal integers are no strings.

    `yes`, `on`, `12:30`, `1.10` and dates stay as written, `<<` is a key like any other.
    """

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}


_PlainLoader.add_implicit_resolver(
    "tag:yaml.org,2002:null", re.compile(r"(?:~|null|Null|NULL|)\Z"), ["~", "n", "N", ""]
)
_PlainLoader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"), list("tTfF")
)
_PlainLoader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(_INTEGER.pattern + r"\Z"), list("-+0123456789")
)


def read_markdown(text: str) -> Markdown:
    """Never raises, whatever the text."""
    block, body, closed = split_frontmatter(text)
    frontmatter = Frontmatter() if block is None else read_frontmatter(block, closed=closed)
    title, lead = _opening_lines(body)
    return Markdown(frontmatter=frontmatter, title=_clean(title), lead=_clean(lead))


def split_frontmatter(text: str) -> tuple[str | None, str, bool]:
    """The text between the `---` lines at the start (or None), what follows, and if they end.

    A block that is not closed within 64 KiB is taken as far as it goes: heads of files are cut anywhere.
    """
    text = text.removeprefix("\ufeff")
    opening = _OPENING.match(text)
    if opening is None:
        return None, text, True
    closing = _CLOSING.search(text, opening.end(), opening.end() + MAX_FRONTMATTER)
    if closing is None:
        return text[opening.end() : opening.end() + MAX_FRONTMATTER], "", False
    return text[opening.end() : closing.start()], text[closing.end() :], True


def read_frontmatter(block: str, *, closed: bool = True) -> Frontmatter:
    """The block's mapping by YAML, or line by line where YAML refuses it or would not be safe."""
    if closed:
        try:
            return Frontmatter(values=_load_yaml(block), strict=True)
        except (yaml.YAMLError, ValueError):
            pass
    return Frontmatter(values=_mapping(read_linewise(block[:MAX_FRONTMATTER])), strict=False)


def read_json(text: str) -> dict[str, Any] | None:
    """The object that the text holds, as plain values; None when it is none, too large or too deep."""
    if len(text) > MAX_JSON:
        return None
    try:
        value = json.loads(
            text.removeprefix("\ufeff"), parse_int=_integer, parse_float=str, parse_constant=str
        )
        return _mapping(value)
    except (ValueError, RecursionError):
        return None


def _load_yaml(block: str) -> dict[str, Any]:
    if len(block) > MAX_FRONTMATTER:
        raise RefusedError("too long")
    _check_events(block)
    # The loader is a subclass of the safe one: it constructs plain values only.
    return _mapping(yaml.load(block, Loader=_PlainLoader) or {})  # noqa: S506


def _check_events(block: str) -> None:
    """Before anything is built: libyaml's composer overflows the stack on deep input, and aliases explode."""
    depth = 0
    for count, event in enumerate(yaml.parse(block, Loader=_PlainLoader)):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if count > MAX_EVENTS or depth > MAX_DEPTH:
            raise RefusedError("too large or too deep")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "tag", None) is not None:
            raise RefusedError("aliases and tags are not read")


def _mapping(value: object) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise RefusedError("no mapping")
    plain: dict[str, Any] = _plain(value, depth=0)
    return plain


def _plain(value: object, *, depth: int) -> Any:
    """The value with clean strings only: PostgreSQL stores no NUL, and UTF-8 no lone surrogate."""
    if depth > MAX_DEPTH:
        raise RefusedError("too deep")
    if isinstance(value, Mapping):
        return {_clean(str(key))[:200]: _plain(item, depth=depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, depth=depth + 1) for item in value]
    if value is None or isinstance(value, bool | int):
        return value
    return _clean(str(value))


def _clean(text: str) -> str:
    return _UNSTORABLE.sub("", text)[:MAX_STRING]


def _integer(digits: str) -> int | str:
    return int(digits) if _INTEGER.fullmatch(digits) else digits


def _opening_lines(body: str) -> tuple[str, str]:
    """The first heading and the first paragraph, outside of code, markup and quotations."""
    title, lead, ended = "", list[str](), False
    for line in _prose(body[:MAX_FRONTMATTER]):
        heading = _HEADING.match(line)
        if heading:
            title = title or line.strip("# \t")
        if heading or not line.strip():
            ended = bool(lead)
        elif not ended and line.lstrip()[0] not in "<|>":
            lead.append(line.strip())
        if title and ended:
            break
    return title, " ".join(lead)


def _prose(body: str) -> Iterator[str]:
    fenced = False
    for line in body.splitlines():
        if _FENCE.match(line):
            fenced = not fenced
        elif not fenced:
            yield line[:MAX_LINE]
