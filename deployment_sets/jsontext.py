"""Editing JSON as text, so that everything else in it stays as it was, to the byte. Pure.

Formatting, order, escapes and numbers of foreign content survive because they are never parsed and written
again: only the places of values are looked up, with the standard library's own scanner.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()
BOM = "\ufeff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """One edit, for taking it back: at `start`, `length` characters stand where `removed` stood."""

    start: int
    length: int
    removed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A member of an object or an element of an array: from `start`, its value from `value`, to `end`."""

    key: str
    start: int
    value: int
    end: int


class JsonText:
    """A JSON object as text that can be edited. Every edit is logged in `patches`."""

    def __init__(self, text: str) -> None:
        """Raises ValueError when the text is not one JSON object (RFC 8259; no NaN, no endless nesting)."""
        try:
            values = json.loads(text.removeprefix(BOM), parse_constant=_refuse)
        except RecursionError:
            raise ValueError("it is nested too deeply") from None
        if not isinstance(values, dict):
            raise ValueError("it is not an object")  # noqa: TRY004  one kind of fault for callers
        self.text = text
        self.patches: list[Patch] = []
        self.root = _skip(text, len(BOM) if text.startswith(BOM) else 0)
        self._newline = "\r\n" if "\r\n" in text else "\n"
        first, close = self._first_item()
        self._is_one_line = first is not None and "\n" not in text[self.root : close]
        self._unit = (_own_indent(text, self.root, first) if first else None) or "  "

    def _first_item(self) -> tuple[Item | None, int]:
        items, close = self.items(self.root)
        return (items[0] if items else None), close

    def items(self, start: int) -> tuple[list[Item], int]:
        """What the object or array at `start` has, in its order, and where it closes."""
        text, position, found = self.text, _skip(self.text, start + 1), []
        while text[position] not in "}]":
            begin, key = position, ""
            if text[start] == "{":
                key, position = _DECODER.raw_decode(text, position)
                position = _skip(text, _skip(text, position) + 1)
            end = _DECODER.raw_decode(text, position)[1]
            found.append(Item(key=key, start=begin, value=position, end=end))
            position = _skip(text, end)
            if text[position] == ",":
                position = _skip(text, position + 1)
        return found, position

    def value(self, item: Item) -> Any:
        return _DECODER.raw_decode(self.text, item.value)[0]

    def member(self, start: int, key: str) -> Item | None:
        """The member of this name. Raises ValueError when there are two: which one counts is anyone's guess."""
        found = [item for item in self.items(start)[0] if item.key == key]
        if len(found) > 1:
            raise ValueError(f'it has the key "{key}" twice')
        return found[0] if found else None

    def replace_value(self, item: Item, value: Any) -> None:
        self._edit(item.value, item.end, self._written(value, _line_indent(self.text, item.start)))

    def append(self, start: int, value: Any, key: str | None = None) -> None:
        """Put a value behind the others of the object or array at `start`, laid out as they are."""
        items, close = self.items(start)
        name = (
            "" if key is None else json.dumps(key, ensure_ascii=False) + (":" if self._is_one_line else ": ")
        )
        if not items:
            self._append_first(start, close, name, value)
            return
        indent = _own_indent(self.text, start, items[0])
        if indent is None:
            separator, written = ("," if self._is_one_line else ", "), self._in_one_line(value)
        else:
            separator, written = f",{self._newline}{indent}", self._written(value, indent)
        self._edit(items[-1].end, items[-1].end, separator + name + written)

    def _append_first(self, start: int, close: int, name: str, value: Any) -> None:
        if self._is_one_line:
            self._edit(start + 1, close, name + self._in_one_line(value))
            return
        outer = _line_indent(self.text, start)
        inner = outer + self._unit
        written = self._written(value, inner)
        self._edit(start + 1, close, f"{self._newline}{inner}{name}{written}{self._newline}{outer}")

    def remove(self, start: int, item: Item) -> None:
        """Take the item out of the object or array at `start`, with its comma; what `append` wrote goes exactly."""
        items, close = self.items(start)
        place = items.index(item)
        if len(items) == 1:
            self._edit(start + 1, close, "")
        elif place:
            self._edit(items[place - 1].end, item.end, "")
        else:
            self._edit(item.start, items[1].start, "")

    def _edit(self, start: int, end: int, new: str) -> None:
        self.patches.append(Patch(start=start, length=len(new), removed=self.text[start:end]))
        self.text = self.text[:start] + new + self.text[end:]

    def _written(self, value: Any, indent: str) -> str:
        if self._is_one_line:
            return self._in_one_line(value)
        return _dumps(value, indent=self._unit).replace("\n", self._newline + indent)

    def _in_one_line(self, value: Any) -> str:
        return _dumps(value, separators=(",", ":") if self._is_one_line else (", ", ": "))


def reverted(text: str, patches: tuple[Patch, ...]) -> str:
    """The text before the edits; only right for exactly the text that they left."""
    for patch in reversed(patches):
        text = text[: patch.start] + patch.removed + text[patch.start + patch.length :]
    return text


def _dumps(value: Any, **style: Any) -> str:
    """Readable beyond ASCII, except where half a surrogate pair could not be encoded."""
    text = json.dumps(value, ensure_ascii=False, **style)
    return json.dumps(value, **style) if any("\ud800" <= letter <= "\udfff" for letter in text) else text


def canonical(value: Any) -> str:
    """One text per JSON value, for comparing."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def read_object(data: bytes) -> Mapping[str, Any]:
    """A JSON object. Raises ValueError as `JsonText` does."""
    text = JsonText(data.decode("utf-8"))
    values: Mapping[str, Any] = _DECODER.raw_decode(text.text, text.root)[0]
    return values


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _skip(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _line_indent(text: str, position: int) -> str:
    start = text.rfind("\n", 0, position) + 1
    line = text[start:position].removeprefix(BOM)
    return line[: len(line) - len(line.lstrip(" \t"))]


def _own_indent(text: str, start: int, first: Item) -> str | None:
    """The white space before the first item when it stands on a line of its own."""
    gap = text[start + 1 : first.start]
    return gap.rpartition("\n")[2] if "\n" in gap else None
