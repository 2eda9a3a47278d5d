"""What a deploy keeps for its undo, in a directory outside of the project, and the way back from it.

Of files that a deploy replaces or removes it keeps the bytes. Of files that it merged into it keeps only edits
and our own entries, never what others wrote there: these hold secrets.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

from deployment_sets.changes import Change, DeployFailed
from deployment_sets.directory import Directory, Found, Stands, sync_all
from deployment_sets.jsontext import Patch, reverted
from deployment_sets.merge import Entry, Merged, SettingsMalformed, edited_groups, merge
from deployment_sets.steps import Action
from skillmeat_site.errors import DomainError, Kind

_RECORDS = "undo.json"
_BEGUN = "begun"
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class UndoRefused(DomainError):
    """Something that the deploy wrote has been changed since, by hand or by a later deploy. Nothing was undone.

    Deploys into one project are undone in the reverse of their order.
    """

    code: ClassVar[str] = "undo_refused"
    kind: ClassVar[Kind] = Kind.CONFLICT
    title: ClassVar[str] = "Cannot be undone"
    hint: str = (
        "Undo later deploys into this project first, or put the named files back as they were deployed."
    )


class UndoMissing(DomainError):
    """What the server kept for undoing this deploy is not there any more, or is damaged.

    It is kept for a time only: `manage.py prune_history` removes what is old.
    """

    code: ClassVar[str] = "undo_missing"
    kind: ClassVar[Kind] = Kind.CONFLICT
    title: ClassVar[str] = "Nothing kept to undo with"
    hint: str = "Deploy an earlier version of the artifacts instead."


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What one path was and became. `merged`: how to take entries out of a file that others write too."""

    path: str
    before: Found
    after: Found
    aside: str = ""
    merged: Merged | None = None


def keep(area: Path, directory: Directory, records: Sequence[Record], made: Sequence[str]) -> None:
    """Write all that `recorded` and `way_back` need, for this user only, and have it on the disk."""
    area.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = set[Path]()
    for record in records:
        path = area / record.before.digest
        if record.before.kind is Stands.FILE and not (record.aside or record.merged or path in kept):
            data = directory.read(record.path) or b""
            if hashlib.sha256(data).hexdigest() != record.before.digest:
                raise DeployFailed(f"{record.path} changed while it was deployed.", hint="Deploy again.")
            _write(path, data)
            kept.add(path)
    sync_all(_sync, kept)
    values = {"version": 1, "made": list(made), "records": [_row(record) for record in records]}
    _write(area / _RECORDS, json.dumps(values).encode())
    sync_all(_sync, [area / _RECORDS, area])


def begin(area: Path) -> None:
    """Remember that the way back is about to be taken, for `is_taken`."""
    _write(area / _BEGUN, b"")
    sync_all(_sync, [area / _BEGUN, area])


def is_taken(directory: Directory, records: Sequence[Record], area: Path) -> bool:
    """Whether an undo that was cut off had changed all files already, so that only its end was not written down."""
    return (area / _BEGUN).exists() and all(
        directory.look(record.path).is_like(record.before) for record in records
    )


def _write(path: Path, data: bytes) -> None:
    with suppress(FileNotFoundError):
        path.unlink()
    with os.fdopen(os.open(path, _NEW_FILE, 0o600), "wb") as file:
        file.write(data)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _row(record: Record) -> dict[str, Any]:
    merged = None
    if record.merged:
        merged = {
            "patches": [asdict(patch) for patch in record.merged.patches],
            "added": [asdict(entry) for entry in record.merged.added],
            "removed": [asdict(entry) for entry in record.merged.removed],
            "created": record.merged.created,
            "blank": record.merged.blank,
        }
    found = {"before": asdict(record.before), "after": asdict(record.after)}
    return {"path": record.path, "aside": record.aside, "merged": merged} | found


def recorded(area: Path) -> tuple[list[Record], list[str]]:
    """What was kept: the records, and the directories that the deploy made. Raises UndoMissing."""
    try:
        values = json.loads((area / _RECORDS).read_bytes())
        return [_record(row) for row in values["records"]], [str(path) for path in values["made"]]
    except (OSError, ValueError, TypeError, KeyError):
        raise UndoMissing from None


def _record(row: dict[str, Any]) -> Record:
    merged = row["merged"]
    return Record(
        path=row["path"],
        aside=row["aside"],
        before=_found(row["before"]),
        after=_found(row["after"]),
        merged=merged
        and Merged(
            data=None,
            patches=tuple(Patch(**patch) for patch in merged["patches"]),
            added=tuple(_entry(entry) for entry in merged["added"]),
            removed=tuple(_entry(entry) for entry in merged["removed"]),
            created=tuple(tuple(keys) for keys in merged["created"]),
            blank=merged["blank"],
        ),
    )


def _found(row: dict[str, Any]) -> Found:
    return Found(
        kind=Stands(row["kind"]),
        digest=row["digest"],
        mode=row["mode"],
        owner=(row["owner"][0], row["owner"][1]),
    )


def _entry(row: dict[str, Any]) -> Entry:
    return Entry(keys=tuple(row["keys"]), value=row["value"], listed=row["listed"])


def way_back(
    directory: Directory, records: Sequence[Record], area: Path, *, partly: bool = False
) -> list[Change]:
    """The changes that restore every file to the byte. Raises UndoRefused, naming what has changed since.

    In a file of others their later edits stay. `partly`: leave alone what is not as the deploy would have left it,
    after one that failed half way.
    """
    changes: list[Change] = []
    faults: list[str] = []
    for record in records:
        try:
            changes += _back(directory, record, area)
        except (_ChangedSince, SettingsMalformed):
            faults.append(record.path)
    if faults and not partly:
        more = f" and {len(faults) - 1} more" if len(faults) > 1 else ""
        raise UndoRefused(f"{faults[0]}{more} changed since the deploy.", paths=faults)
    return changes


class _ChangedSince(Exception):
    """The file is not as the deploy left it."""


def _back(directory: Directory, record: Record, area: Path) -> Iterator[Change]:
    found = directory.look(record.path)
    is_same = found.is_like(record.after)
    if record.merged and not record.aside:
        yield from _merged_back(directory, record, found, is_same=is_same)
        return
    is_half_way = bool(record.aside) and found.kind is Stands.ABSENT
    if not is_same and not is_half_way:
        raise _ChangedSince
    if record.aside:
        if not directory.look(record.aside).is_like(record.before):
            raise _ChangedSince
        yield Change(path=record.path, action=Action.RESTORE, before=found, aside=record.aside)
    elif record.before.kind is Stands.ABSENT:
        yield Change(path=record.path, action=Action.REMOVE, before=found)
    else:
        data = _kept(area, record.before.digest)
        yield Change(path=record.path, action=Action.PUT, before=found, data=data, like=record.before)


def _kept(area: Path, digest: str) -> bytes:
    try:
        data = (area / digest).read_bytes()
    except OSError:
        data = b""
    if hashlib.sha256(data).hexdigest() != digest:
        raise UndoMissing
    return data


def _merged_back(directory: Directory, record: Record, found: Found, *, is_same: bool) -> Iterator[Change]:
    data, way = directory.read(record.path), record.merged
    if way is None:
        return
    if is_same:
        text = reverted(way.blank if data is None else data.decode(), way.patches)
        restored = text.encode() if record.before.is_there else None
    else:
        outcome = merge(
            data,
            file=record.path,
            want=way.removed,
            owned=[entry.owned for entry in way.added],
            created=way.created,
        )
        ours = [entry.owned for entry in way.added]
        if outcome.clashes or (data is not None and edited_groups(data, way.added, ours)):
            raise _ChangedSince
        restored = outcome.data
    if restored is None and data is not None:
        yield Change(path=record.path, action=Action.REMOVE, before=found, is_merged=True)
    elif restored is not None and restored != data:
        like = found if found.is_there else record.before
        yield Change(
            path=record.path, action=Action.PUT, before=found, data=restored, like=like, is_merged=True
        )
