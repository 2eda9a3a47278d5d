"""Our entries in files that belong to others: .claude/settings.json and .mcp.json. Pure: text in, text out.

An entry is a value at a place: a hook's group at the end of the array `hooks.<event>`, a server under
`mcpServers.<key>`. Of what others wrote nothing is changed, and nothing but our own entries is remembered.
"""

import hashlib
import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from deployment_sets.jsontext import Item, JsonText, Patch, canonical
from skillmeat_site.errors import DomainError, Kind

Keys = tuple[str, ...]
_SCRIPT = re.compile(r"""\.claude/hooks/[^\s"';|&<>()]+""")


class SettingsMalformed(DomainError):
    """A file of the project that a deploy has to add to cannot be read as what it should be.

    Nothing was written. The file is JSON that people and Claude Code write; its message names the file and
    what is wrong with it.
    """

    code: ClassVar[str] = "settings_malformed"
    kind: ClassVar[Kind] = Kind.CONFLICT
    title: ClassVar[str] = "File cannot be merged into"
    hint: str = "Repair the file, then deploy again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """An entry that a deploy has put there: where, and the digest of its value. `listed`: in an array."""

    keys: Keys
    digest: str
    listed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry to be there; `value` is canonical JSON."""

    keys: Keys
    value: str
    listed: bool

    @classmethod
    def of(cls, keys: Keys, value: Any, *, listed: bool) -> Self:
        """Raises ValueError when the value has a number that no JSON can hold (1e999)."""
        json.dumps(value, allow_nan=False)
        return cls(keys=keys, value=canonical(value), listed=listed)

    @property
    def owned(self) -> Owned:
        return Owned(keys=self.keys, digest=digest_of(self.value), listed=self.listed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """The outcome: `data` is the file's new content, None when it should not be there.

    `owned`: our entries now. `created`: the containers that exist because of us, () being the file. `patches`
    take `data` back to what was. `added`, `removed`: what an undo takes away and puts back, when others have
    changed the file since. `clashes`: keys under which something else stands, which has been left alone
    (or replaced, where that was asked for). `blank`: what `patches` count from when there is no `data`.
    """

    data: bytes | None
    owned: tuple[Owned, ...] = ()
    created: tuple[Keys, ...] = ()
    patches: tuple[Patch, ...] = ()
    added: tuple[Entry, ...] = ()
    removed: tuple[Entry, ...] = ()
    clashes: tuple[Keys, ...] = ()
    blank: str = ""


def digest_of(value: str) -> str:
    """SHA-256 (hex) of canonical JSON."""
    return hashlib.sha256(value.encode()).hexdigest()


def calls_of(group: Any) -> set[str]:
    """What the handlers of a hook's group call: their commands, and the scripts of ours in them."""
    handlers = group.get("hooks") if isinstance(group, dict) else None
    found = (
        [each.get("command") for each in handlers if isinstance(each, dict)]
        if isinstance(handlers, list)
        else []
    )
    commands = {command for command in found if isinstance(command, str)}
    return commands | {script for command in commands for script in _SCRIPT.findall(command)}


def merge(
    data: bytes | None,
    *,
    file: str,
    want: Sequence[Entry],
    owned: Sequence[Owned] = (),
    created: Sequence[Keys] = (),
    keep: Collection[Owned] = (),
    overwrite: bool = False,
) -> Merged:
    """The file with the entries that are wanted and without those of ours that are not wanted any more.

    Of those in `keep` nothing is decided: they stay as they are, and ours.

    Merging again changes nothing. An entry that somebody else wrote just so is left to them. Where something else
    stands under a key it stays and is named in `clashes`; with `overwrite` it gives way. Of ours, what was edited
    stays; a group in an array is recognised by what it calls, and is a clash. A container that we made goes when it
    is empty. Raises SettingsMalformed, naming `file`.
    """
    try:
        merging = _Merging(data, owned, created, {entry.owned.digest for entry in want}, overwrite=overwrite)
        for entry in want:
            merging.put(entry)
        wanted = {entry.owned for entry in want}
        replaced = {entry.keys for entry in want if not entry.listed}
        for own in owned:
            if own not in wanted and (own.listed or own.keys not in replaced):
                merging.leave(own, stays=own in keep)
        return merging.outcome()
    except ValueError as error:
        raise SettingsMalformed(f"{file} cannot be merged into: {_reason(error)}.") from None


def edited_groups(data: bytes, entries: Sequence[Entry], owned: Sequence[Owned]) -> set[Keys]:
    """Where a group of ours (`owned`) is gone and one stands that calls what such an entry calls."""
    document = _Merging(data, owned, (), {entry.owned.digest for entry in entries}, overwrite=False)
    return {entry.keys for entry in entries if entry.listed and document.has_edited(entry)}


def _reason(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):  # its own words may quote what others wrote
        return f"it is no JSON at line {error.lineno}, column {error.colno}"
    return "it is not UTF-8" if isinstance(error, UnicodeError) else str(error)[:200]


class _Merging:
    def __init__(
        self,
        data: bytes | None,
        owned: Sequence[Owned],
        created: Sequence[Keys],
        wanted: Collection[str],
        *,
        overwrite: bool,
    ) -> None:
        self._wanted = set(wanted)
        self._was_there = data is not None
        self._document = JsonText("{}\n" if data is None else data.decode("utf-8"))
        self._before = {(own.keys, own.digest) for own in owned}
        self._created: list[Keys] = list(created) if data is not None else [()]
        self._overwrite = overwrite
        self._result = Merged(data=data)
        self._owned: dict[Owned, None] = {}

    def outcome(self) -> Merged:
        document = self._document
        is_empty = not document.items(document.root)[0]
        gone = () in self._created and is_empty
        return replace(
            self._result,
            data=None if gone else document.text.encode() if document.patches or self._was_there else None,
            owned=tuple(self._owned),
            created=() if gone else tuple(sorted(self._created)),
            patches=tuple(document.patches),
            blank=document.text if gone else "",
        )

    def put(self, entry: Entry) -> None:
        document, own = self._document, entry.owned
        if entry.listed:
            start = self._container(entry.keys, "[")
            is_there = self._find(start, own.digest) is not None
            edited = None if is_there else self._edited(start, entry)
            if edited:
                self._replace(edited, entry)
                return
            if not is_there:
                document.append(start, json.loads(entry.value))
        else:
            start = self._container(entry.keys[:-1], "{")
            item = document.member(start, entry.keys[-1])
            if item is None:
                document.append(start, json.loads(entry.value), entry.keys[-1])
            elif not self._replace(item, entry):
                return
            is_there = item is not None
        if not is_there:
            self._result = replace(self._result, added=(*self._result.added, entry))
        if not is_there or (entry.keys, own.digest) in self._before or own in self._owned:
            self._owned[own] = None

    def _replace(self, item: Item, entry: Entry) -> bool:
        """Whether the entry's value is there as it should be or stands where it was found."""
        value = canonical(self._document.value(item))
        if value == entry.value:
            return True
        ours = (entry.keys, digest_of(value)) in self._before
        if not ours:
            self._result = replace(self._result, clashes=(*self._result.clashes, entry.keys))
            if not self._overwrite:
                if entry.listed and (entry.keys, entry.owned.digest) in self._before:
                    self._owned[entry.owned] = None
                return False
        self._document.replace_value(item, json.loads(entry.value))
        was = Entry(keys=entry.keys, value=value, listed=entry.listed)
        self._result = replace(
            self._result, added=(*self._result.added, entry), removed=(*self._result.removed, was)
        )
        self._owned[entry.owned] = None
        return True

    def _edited(self, start: int, entry: Entry) -> Item | None:
        """The group that was ours until somebody edited it: one of ours is gone, and this calls what ours calls."""
        items = {item: self._document.value(item) for item in self._document.items(start)[0]}
        present = {digest_of(canonical(value)) for value in items.values()}
        ours = {digest for keys, digest in self._before if keys == entry.keys}
        if ours <= present:
            return None
        known, called = ours | self._wanted, calls_of(json.loads(entry.value))
        others = (each for each, value in items.items() if digest_of(canonical(value)) not in known)
        return next((each for each in others if called & calls_of(items[each])), None)

    def has_edited(self, entry: Entry) -> bool:
        path = self._path(entry.keys)
        return path is not None and self._edited(path[-1], entry) is not None

    def leave(self, own: Owned, *, stays: bool) -> None:
        """One of ours that is not wanted: nothing is done to it when it `stays`."""
        if stays:
            self._owned[own] = None
            return
        path = self._path(own.keys if own.listed else own.keys[:-1])
        if path is None:
            return
        document, start = self._document, path[-1]
        item = self._find(start, own.digest) if own.listed else document.member(start, own.keys[-1])
        if item is None:
            if own.keys in self._result.clashes:
                self._owned[own] = None  # what was made of it stands in the way of what replaces it
            return
        value = canonical(document.value(item))
        if digest_of(value) != own.digest:
            self._result = replace(self._result, clashes=(*self._result.clashes, own.keys))
            return
        document.remove(start, item)
        entry = Entry(keys=own.keys, value=value, listed=own.listed)
        self._result = replace(self._result, removed=(*self._result.removed, entry))
        self._drop_empty(own.keys if own.listed else own.keys[:-1])

    def _drop_empty(self, keys: Keys) -> None:
        """Containers of our making, from the inside out."""
        document = self._document
        while (
            keys in self._created and keys and (path := self._path(keys)) and not document.items(path[-1])[0]
        ):
            item = document.member(path[-2], keys[-1])
            if item:
                document.remove(path[-2], item)
            self._created.remove(keys)
            keys = keys[:-1]

    def _find(self, start: int, digest: str) -> Item | None:
        document = self._document
        items = reversed(document.items(start)[0])  # ours stand behind the others
        return next((item for item in items if digest_of(canonical(document.value(item))) == digest), None)

    def _path(self, keys: Keys) -> list[int] | None:
        """Where the containers on the way begin, the root first; None when one is not there or is none."""
        starts = [self._document.root]
        for key in keys:
            item = self._document.member(starts[-1], key)
            if item is None or self._document.text[item.value] not in "{[":
                return None
            starts.append(item.value)
        return starts

    def _container(self, keys: Keys, last: str) -> int:
        """Where the container begins; made when it is not there. ValueError when something else is."""
        document, start = self._document, self._document.root
        for depth, key in enumerate(keys, start=1):
            kind = last if depth == len(keys) else "{"
            item = document.member(start, key)
            if item is None:
                document.append(start, {} if kind == "{" else [], key)
                self._created.append(keys[:depth])
                item = document.member(start, key)
            if item is None or document.text[item.value] != kind:
                name = ".".join(keys[:depth])
                raise ValueError(f'"{name}" is not {"an object" if kind == "{" else "an array"}')
            start = item.value
        return start
