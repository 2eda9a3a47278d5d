"""A project as it is beside what it should be: the plan of a deploy. Reads the project and writes nothing."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

from deployment_sets.directory import Directory, Stands
from deployment_sets.lockfile import (
    LOCK,
    MAX_BYTES,
    MERGED_FILES,
    Lock,
    LockedArtifact,
    LockedEntry,
    LockedFile,
    read_lock,
)
from deployment_sets.merge import Merged, SettingsMalformed, merge
from deployment_sets.places import Merge, TargetFile
from deployment_sets.planning import OnConflict, Outcome, Plan, PlannedFile, Wishes


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
        each.uuid: LockedArtifact.of(each) for each in wishes.layout.artifacts
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


def read_settings(directory: Directory, path: str) -> bytes | None:
    """A file that is merged into, or the lock; None when it is not there."""
    try:
        return directory.read(path, limit=MAX_BYTES)
    except OSError:
        raise SettingsMalformed(
            f"{path} cannot be read: it is no regular file of this user's, or is too large."
        ) from None


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
