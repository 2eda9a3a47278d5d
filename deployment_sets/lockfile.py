"""`.claude/skillmeat.lock.json`: what a deploy has put into a project. Pure: values to text and back.

Sorted, without times, one value a line: the same state is the same bytes, and a change is a small diff. The
file lies in a project that anyone may have written to, so what it says is checked like a stranger's input.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self
from uuid import UUID

from deployment_sets.deployable import DeployableArtifact
from deployment_sets.jsontext import read_object
from deployment_sets.merge import Keys, Owned
from deployment_sets.names import path_fault
from marketplace.detection.vocabulary import ArtifactType
from skillmeat_site.errors import DomainError, Kind

LOCK = ".claude/skillmeat.lock.json"
VERSION = 1
MAX_BYTES = 64 * 1024**2  # also of the files that are merged into: they are held in memory
MERGED_FILES = (".claude/settings.json", ".mcp.json")
# Where our files may be; a lock that names anything else is not ours.
HOMES = (".claude/skills/", ".claude/commands/", ".claude/agents/", ".claude/hooks/")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_MODES = {"0644": 0o644, "0755": 0o755}


class LockDamaged(DomainError):
    """The project's record of what was deployed there, `.claude/skillmeat.lock.json`, cannot be trusted.

    Nothing was written. It is damaged, was edited, has marks of an unfinished merge, or is of a later version.
    """

    code: ClassVar[str] = "lock_damaged"
    kind: ClassVar[Kind] = Kind.CONFLICT
    title: ClassVar[str] = "Lock file damaged"
    hint: str = (
        "Restore .claude/skillmeat.lock.json from version control. Or delete it: files that are the same as in "
        "the set are then taken over, all others count as somebody else's."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedArtifact:
    """A version of an artifact that lies in the project."""

    uuid: UUID
    type: ArtifactType
    name: str
    version: str
    digest: str

    @classmethod
    def of(cls, artifact: DeployableArtifact) -> Self:
        return cls(
            uuid=artifact.uuid,
            type=artifact.type,
            name=artifact.name,
            version=artifact.version,
            digest=artifact.digest,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedFile:
    """A file as it was put there."""

    path: str
    digest: str
    mode: int
    owner: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedEntry:
    """An entry in a file that others write too: never its value, only its digest."""

    file: str
    owner: UUID
    entry: Owned


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """All of it. `created`: by merged file, the containers (or () for the file) that exist because of us."""

    set_id: str = ""
    set_name: str = ""
    artifacts: tuple[LockedArtifact, ...] = ()
    files: tuple[LockedFile, ...] = ()
    entries: tuple[LockedEntry, ...] = ()
    created: Mapping[str, tuple[Keys, ...]] = field(default_factory=dict)


def written(lock: Lock) -> bytes:
    """The lock as text. `read_lock` gives an equal value, up to order."""
    values = {
        "version": VERSION,
        "set": {"id": lock.set_id, "name": lock.set_name},
        "artifacts": {
            str(each.uuid): {
                "type": each.type.value,
                "name": each.name,
                "version": each.version,
                "digest": each.digest,
            }
            for each in sorted(lock.artifacts, key=lambda each: each.uuid)
        },
        "files": {
            file.path: {"sha256": file.digest, "mode": f"{file.mode:04o}", "artifact": str(file.owner)}
            for file in sorted(lock.files, key=lambda file: file.path)
        },
        "entries": [_entry_row(each) for each in sorted(lock.entries, key=_entry_order)],
        "created": {
            file: [list(keys) for keys in sorted(all_keys)]
            for file, all_keys in sorted(lock.created.items())
            if all_keys
        },
    }
    return (json.dumps(values, indent=2) + "\n").encode()


def _entry_order(each: LockedEntry) -> tuple[str, Keys, str]:
    return each.file, each.entry.keys, each.entry.digest


def _entry_row(each: LockedEntry) -> dict[str, Any]:
    return {
        "file": each.file,
        "keys": list(each.entry.keys),
        "sha256": each.entry.digest,
        "artifact": str(each.owner),
    }


def read_lock(data: bytes | None) -> Lock:
    """The lock; an empty one when there is no file. Raises LockDamaged unless every value is what it has to be."""
    if data is None:
        return Lock()
    try:
        return _lock(read_object(data))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        reason = "a value of it is missing or is not what it has to be"
        if isinstance(error, _Fault):
            reason = str(error)
        elif isinstance(error, json.JSONDecodeError):
            reason = f"it is no JSON at line {error.lineno}"
        raise LockDamaged(f"{LOCK} cannot be read: {reason}.") from None


class _Fault(ValueError):
    """A reason that people are told."""


def _lock(values: Mapping[str, Any]) -> Lock:
    if values["version"] != VERSION:
        raise _Fault(f"its version is not {VERSION}")
    artifacts = tuple(
        LockedArtifact(
            uuid=UUID(uuid),
            type=ArtifactType(row["type"]),
            name=_text(row["name"]),
            version=_text(row["version"]),
            digest=_text(row["digest"]),
        )
        for uuid, row in values["artifacts"].items()
    )
    files = tuple(_file(path, row) for path, row in values["files"].items())
    return Lock(
        set_id=_text(values["set"]["id"]),
        set_name=_text(values["set"]["name"]),
        artifacts=artifacts,
        files=files,
        entries=tuple(_entry(row) for row in values["entries"]),
        created={
            _merged_file(file): tuple(_keys(keys, least=0) for keys in all_keys)
            for file, all_keys in values["created"].items()
        },
    )


def _file(path: str, row: Mapping[str, Any]) -> LockedFile:
    if not path.startswith(HOMES) or path_fault(path):
        raise _Fault(f"it names {path[:200]!r}, where nothing is ever deployed")
    return LockedFile(
        path=path, digest=_digest(row["sha256"]), mode=_MODES[row["mode"]], owner=UUID(row["artifact"])
    )


def _entry(row: Mapping[str, Any]) -> LockedEntry:
    keys = _keys(row["keys"], least=2)
    place = (_merged_file(row["file"]), keys[0])
    if place not in zip(MERGED_FILES, ("hooks", "mcpServers"), strict=True):
        raise _Fault(f"it names the key {'.'.join(keys)[:200]!r}, where nothing is ever merged")
    entry = Owned(keys=keys, digest=_digest(row["sha256"]), listed=keys[0] == "hooks")
    return LockedEntry(file=place[0], owner=UUID(row["artifact"]), entry=entry)


def _keys(value: Any, *, least: int) -> Keys:
    if not isinstance(value, list) or not least <= len(value) <= 2:  # noqa: PLR2004  hooks.<event>, mcpServers.<key>
        raise ValueError
    return tuple(_text(key) for key in value)


def _merged_file(value: Any) -> str:
    if value not in MERGED_FILES:
        raise _Fault(f"it names {str(value)[:200]!r}, into which nothing is ever merged")
    return str(value)


def _digest(value: Any) -> str:
    if not _DIGEST.fullmatch(value):
        raise ValueError
    return str(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
