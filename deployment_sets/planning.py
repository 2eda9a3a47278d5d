"""What a deploy would do to a project, as values, and what keeps it from being done. Pure."""

import hashlib
import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from deployment_sets.directory import ABSENT, Found
from deployment_sets.layout import Layout
from deployment_sets.lockfile import (
    Lock,
    written,
)
from deployment_sets.merge import Merged
from deployment_sets.places import TargetFile
from skillmeat_site.errors import DomainError, Kind


class DeployConflicts(DomainError):
    """Files in the project were edited there, belong to somebody else, or are wanted by two artifacts.

    Nothing was written. With `on_conflict` set to `skip` these files stay as they are; with `backup` they are
    kept as `<file>.orig-<n>` beside the new ones. Two artifacts on one path have to be settled in the set.
    """

    code: ClassVar[str] = "deploy_conflicts"
    kind: ClassVar[Kind] = Kind.CONFLICT
    title: ClassVar[str] = "Deploy conflicts"
    hint: str = "Look at the files, then deploy with on_conflict `skip` or `backup`."


class OnConflict(StrEnum):
    ABORT = "abort"
    SKIP = "skip"
    BACKUP = "backup"


class Outcome(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    UNCHANGED = "unchanged"
    CONFLICT = "conflict"
    REMOVE = "remove"
    MERGE = "merge"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFile:
    """One path: what would happen, why (for people), and for whose sake.

    `before` is what stands there; `aside`, where that is kept; `target` or `merged` what would be there. A key of
    a merged file that conflicts has an entry of its own, `<file>#<keys>`.
    """

    path: str
    outcome: Outcome
    owners: tuple[UUID, ...]
    reason: str = ""
    aside: str = ""
    before: Found = ABSENT
    target: TargetFile | None = None
    merged: Merged | None = field(default=None, repr=False)  # it has what others wrote


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All paths, sorted, and the lock that would be written. `is_pending`: an interrupted deploy goes first."""

    files: tuple[PlannedFile, ...]
    layout: Layout
    lock: Lock
    lock_before: bytes | None = field(repr=False)
    is_pending: bool = False

    @property
    def changes(self) -> tuple[PlannedFile, ...]:
        still = {Outcome.UNCHANGED, Outcome.CONFLICT}
        return tuple(file for file in self.files if file.outcome not in still)

    @property
    def is_empty(self) -> bool:
        """Executing it would change nothing, not even the lock."""
        return not self.changes and (self.lock_before or b"") == self.lock_data

    @property
    def lock_data(self) -> bytes:
        """The lock's bytes; none where nothing is to be recorded."""
        lock = self.lock
        return written(lock) if lock.artifacts or lock.files or lock.entries or self.lock_before else b""

    @property
    def fingerprint(self) -> str:
        """Equal for plans that would do the same to the same files."""
        told = [
            (file.path, file.outcome.value, file.reason, file.aside, file.before.digest)
            for file in self.files
        ]
        return hashlib.sha256(json.dumps(told).encode() + self.lock_data).hexdigest()

    def counts(self) -> dict[str, int]:
        return {outcome.value: sum(file.outcome is outcome for file in self.files) for outcome in Outcome}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What to deploy, as which set, and how to deal with what is in the way."""

    layout: Layout
    set_id: str = ""
    set_name: str = ""
    on_conflict: OnConflict = OnConflict.ABORT
    prune: bool = False


def refuse_conflicts(plan: Plan, on_conflict: OnConflict) -> None:
    """Raises DeployConflicts with all that stands in the way, unless that was to be skipped."""
    twice = [
        {
            "path": each.path,
            "artifacts": [str(uuid) for uuid in each.owners],
            "reason": "two artifacts want it",
        }
        for each in plan.layout.conflicts
    ]
    found = [
        {"path": file.path, "artifacts": [str(uuid) for uuid in file.owners], "reason": file.reason}
        for file in plan.files
        if file.outcome is Outcome.CONFLICT and on_conflict is not OnConflict.SKIP
    ]
    if twice or found:
        first = (twice + found)[0]
        more = f" There are {len(twice + found) - 1} more." if len(twice + found) > 1 else ""
        raise DeployConflicts(f"{first['path']}: {first['reason']}.{more}", conflicts=twice + found)
