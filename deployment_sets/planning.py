"""What a deploy would do to a project, file by file; reads the project and writes nothing."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from deployment_sets.directory import ABSENT, Directory, Found, Stands
from deployment_sets.layout import Layout, Merge, TargetFile
from deployment_sets.lockfile import (
    LOCK,
    MERGED_FILES,
    Lock,
    LockedArtifact,
    LockedEntry,
    LockedFile,
    read_lock,
    written,
)
from deployment_sets.merge import Merged, SettingsMalformed, merge
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


def make_plan(directory: Directory, wishes: Wishes) -> Plan:
    """The plan for the project as it is now. Raises LockDamaged and SettingsMalformed."""
    lock_before = read_settings(directory, LOCK)
    lock = read_lock(lock_before)
    files, locked = _files(directory, wishes, lock)
    entries: list[LockedEntry] = []
    created = {}
    for file in MERGED_FILES:
        planned, merged_entries, containers = _merged(directory, wishes, lock, file)
        files += planned
        entries += merged_entries
        created[file] = containers
    artifacts = {each.uuid: each for each in lock.artifacts} | {
        each.uuid: LockedArtifact(
            uuid=each.uuid, type=each.type, name=each.name, version=each.version, digest=each.digest
        )
        for each in wishes.layout.artifacts
    }
    named = {file.owner for file in locked} | {each.owner for each in entries}
    named |= {each.uuid for each in wishes.layout.artifacts}
    return Plan(
        files=tuple(sorted(files, key=lambda file: file.path)),
        layout=wishes.layout,
        lock=Lock(
            set_id=wishes.set_id,
            set_name=wishes.set_name,
            artifacts=tuple(each for uuid, each in artifacts.items() if uuid in named),
            files=tuple(locked),
            entries=tuple(entries),
            created=created,
        ),
        lock_before=lock_before,
    )


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


def read_settings(directory: Directory, path: str) -> bytes | None:
    """A file that is merged into, or the lock; None when it is not there."""
    try:
        return directory.read(path)
    except OSError:
        raise SettingsMalformed(f"{path} cannot be read: it is no regular file of this user's.") from None


def _files(directory: Directory, wishes: Wishes, lock: Lock) -> tuple[list[PlannedFile], list[LockedFile]]:
    known = {file.path: file for file in lock.files}
    planned, locked = [], []
    for target in wishes.layout.files:
        was = known.pop(target.path, None)
        file = _file(directory, target, was, wishes.on_conflict)
        planned.append(file)
        if file.outcome is not Outcome.CONFLICT:
            locked.append(
                LockedFile(path=target.path, digest=target.digest, mode=target.mode, owner=target.owner)
            )
        elif was:
            locked.append(was)
    for was in known.values():
        if left := _left(directory, was, prune=wishes.prune):
            planned.append(left)
            locked += [] if wishes.prune else [was]
    return planned, locked


def _file(
    directory: Directory, target: TargetFile, was: LockedFile | None, on_conflict: OnConflict
) -> PlannedFile:
    found = directory.look(target.path)
    reason, aside = "", ""
    if found.kind is Stands.ABSENT:
        outcome = Outcome.CREATE
    elif found.is_file(target.digest, target.mode):
        outcome = Outcome.UNCHANGED
    elif found.digest == target.digest or (was and found.is_file(was.digest, was.mode)):
        outcome = Outcome.UPDATE
    else:
        outcome = Outcome.CONFLICT
        reason = found.what or ("it was edited here" if was else "it is there already and is not ours")
        if on_conflict is OnConflict.BACKUP and found.is_there:
            outcome, aside = Outcome.UPDATE, directory.free_aside(target.path)
    return PlannedFile(
        path=target.path, outcome=outcome, owners=(target.owner,), reason=reason, aside=aside,
        before=found, target=target,
    )  # fmt: skip


def _left(directory: Directory, was: LockedFile, *, prune: bool) -> PlannedFile | None:
    """A file that is in the set no more; None when it is gone already."""
    found = directory.look(was.path)
    if not found.is_there:
        return None
    if not prune:
        outcome, reason = Outcome.UNCHANGED, "it left the set; `prune` removes it"
    elif found.is_file(was.digest, was.mode):
        outcome, reason = Outcome.REMOVE, "it left the set"
    else:
        outcome, reason = Outcome.UNCHANGED, "it left the set, but was edited here: it stays and is yours"
    return PlannedFile(path=was.path, outcome=outcome, owners=(was.owner,), reason=reason, before=found)


def _merged(
    directory: Directory, wishes: Wishes, lock: Lock, file: str
) -> tuple[list[PlannedFile], list[LockedEntry], tuple[tuple[str, ...], ...]]:
    merges = [each for each in wishes.layout.merges if each.file == file]
    was = [each for each in lock.entries if each.file == file]
    if not merges and not was:
        return [], [], ()
    deployed = {artifact.uuid for artifact in wishes.layout.artifacts}
    left = [each for each in was if each.owner not in deployed and not wishes.prune]
    data = read_settings(directory, file)
    outcome = merge(
        data,
        file=file,
        want=[each.entry for each in merges],
        owned=[each.entry for each in was],
        created=lock.created.get(file, ()),
        keep=[each.entry for each in left],
        overwrite=wishes.on_conflict is OnConflict.BACKUP,
    )
    owners = {each.entry: each.owner for each in was} | {each.entry.owned: each.owner for each in merges}
    entries = [LockedEntry(file=file, owner=owners[own], entry=own) for own in outcome.owned]
    wanted = {each.entry.keys for each in merges}
    is_aside = wishes.on_conflict is OnConflict.BACKUP and any(keys in wanted for keys in outcome.clashes)
    return (
        list(_planned(directory, file, data, outcome, merges, was, is_aside=is_aside)),
        entries,
        outcome.created,
    )


def _planned(
    directory: Directory,
    file: str,
    data: bytes | None,
    outcome: Merged,
    merges: Sequence[Merge],
    was: Sequence[LockedEntry],
    *,
    is_aside: bool,
) -> Iterator[PlannedFile]:
    owners = tuple(dict.fromkeys([each.owner for each in merges] or [each.owner for each in was]))
    done = Outcome.UNCHANGED
    if outcome.data != data:
        done = Outcome.REMOVE if outcome.data is None else Outcome.MERGE
    found = directory.look(file)
    if data is not None:  # exactly what has been merged into, whatever is there by now
        found = replace(found, digest=hashlib.sha256(data).hexdigest())
    aside = directory.free_aside(file) if is_aside and done is not Outcome.UNCHANGED else ""
    yield PlannedFile(path=file, outcome=done, owners=owners, aside=aside, before=found, merged=outcome)
    wanted = {each.entry.keys: each.owner for each in merges}
    for keys in outcome.clashes if not aside else ():
        if keys in wanted:
            yield PlannedFile(
                path=f"{file}#{'.'.join(keys)}",
                outcome=Outcome.CONFLICT,
                owners=(wanted[keys],),
                reason="something else is there under this key, or it was edited here",
            )
