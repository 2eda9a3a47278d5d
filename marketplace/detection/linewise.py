"""The reader for frontmatter that YAML refuses: `key: rest of the line`, and nothing cleverer than that."""

import re
from typing import Any

_KEY = re.compile(r"([A-Za-z_][\w.-]{0,99})[ \t]*:(?:[ \t]+(.*))?")
_BLOCK = re.compile(r"[|>][-+0-9]{0,2}")
_ITEM = re.compile(r"\s*-\s+(.*)")
_BOOLEANS = {"true": True, "false": False}


def read_linewise(block: str) -> dict[str, Any]:
    """Top-level keys with strings, booleans, or lists of strings.

    One in seven real agents has a description with an unquoted colon, which is no YAML; Claude Code reads
    such files all the same.
    """
    values: dict[str, Any] = {}
    for key, first, rest in _entries(block.splitlines()):
        values[key] = _value(first, rest)
    return values


def _entries(lines: list[str]) -> list[tuple[str, str, list[str]]]:
    entries: list[tuple[str, str, list[str]]] = []
    for line in lines:
        start = _KEY.fullmatch(line.rstrip())
        if start:
            entries.append((start[1], (start[2] or "").strip(), []))
        elif entries:
            entries[-1][2].append(line)
    return entries


def _value(first: str, rest: list[str]) -> Any:
    if _BLOCK.fullmatch(first):
        joint = "\n" if first.startswith("|") else " "
        return joint.join(line.strip() for line in rest).strip()
    items = [match[1] for line in rest if (match := _ITEM.fullmatch(line))]
    if not first and items:
        return [_unquoted(item.strip()) for item in items]
    return _scalar(" ".join([first, *(line.strip() for line in rest)]).strip())


def _scalar(text: str) -> Any:
    if text.startswith("[") and text.endswith("]") and not set("[]") & set(text[1:-1]):
        return [_unquoted(item.strip()) for item in text[1:-1].split(",") if item.strip()]
    return _BOOLEANS.get(text.lower(), _unquoted(text))


def _unquoted(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    return text
