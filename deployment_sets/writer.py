"""Putting a layout into a project and taking it out again: plan, execute, undo, verify. No Django, no clock.

Everything happens below an allowed root, relative to descriptors and without following links; one at a time
per project; all or nothing, across crashes.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from deployment_sets import journal, undoing
from deployment_sets.changes import Change, DeployFailed, carry_out, explained
from deployment_sets.comparing import make_plan
from deployment_sets.directory import Directory, opened_project
from deployment_sets.lockfile import LOCK
from deployment_sets.names import parents
from deployment_sets.places import TargetFile
from deployment_sets.planning import Outcome, Plan, PlannedFile, Wishes, refuse_conflicts
from deployment_sets.steps import Action
from deployment_sets.undoing import Record
from deployment_sets.verifying import Drift, find_drift

Read = Callable[[str], bytes]


def plan(root: Path, project: Path, wishes: Wishes) -> Plan:
    """What `execute` would do now, conflicts included. Writes nothing, waits for nobody.

    Raises TargetMissing, LockDamaged, SettingsMalformed. While an interrupted deploy is pending, the plan is for
    what it has left behind.
    """
    with explained(), opened_project(root, project) as directory:
        return replace(make_plan(directory, wishes), is_pending=journal.is_pending(directory))


def execute(
    root: Path,
    project: Path,
    wishes: Wishes,
    *,
    read: Read,
    undo: Path,
    agree: Callable[[Plan], None] | None = None,
) -> Plan:
    """Finish what an interrupted run left, plan anew, and do it; the plan that was carried out.

    `read` gives the bytes of a digest; `undo` is a directory outside of the project, for this deploy alone; what
    `agree` raises about the new plan stops it. A crash
    at any moment leaves each file as it was or as it should be, and the next `execute` or `undo` in this project
    goes on from there. Raises DeployConflicts, DeployRunning, DeployFailed, TargetBlocked and what `plan` raises:
    then nothing has changed.
    """
    with _locked(root, project) as directory:
        found = make_plan(directory, wishes)
        if agree:
            agree(found)
        refuse_conflicts(found, wishes.on_conflict)
        changes = list(_changes(directory, found, read))
        records = _records(found, changes)
        if not changes:
            undoing.keep(undo, directory, [], [])
            return found
        carry_out(
            directory,
            changes,
            emptied=_emptied(found),
            before_commit=partial(undoing.keep, undo, directory, records),
            way_back=lambda: undoing.way_back(directory, records, undo, partly=True),
        )
        return found


def undo(root: Path, project: Path, area: Path) -> tuple[str, ...]:
    """Take back the deploy that kept its data in `area`, to the byte; the paths that changed.

    One that was cut off is finished. Raises UndoRefused, UndoMissing, and what `execute` raises.
    """
    with _locked(root, project) as directory:
        records, made = undoing.recorded(area)
        if undoing.is_taken(directory, records, area):
            directory.remove_empty(made)
            return tuple(record.path for record in records)
        changes = undoing.way_back(directory, records, area)
        if changes:
            carry_out(directory, changes, emptied=made, before_commit=lambda _: undoing.begin(area))
            directory.remove_empty(made)
        return tuple(change.path for change in changes)


def verify(root: Path, project: Path, wishes: Wishes | None = None) -> Drift:
    """How the project differs from what its lock says was deployed and, with `wishes`, from what should be."""
    with explained(), opened_project(root, project) as directory:
        return find_drift(directory, wishes.layout if wishes else None)


@contextmanager
def _locked(root: Path, project: Path) -> Iterator[Directory]:
    with explained(), opened_project(root, project) as directory, directory.exclusive():
        journal.recover(directory)
        yield directory


def _changes(directory: Directory, found: Plan, read: Read) -> Iterator[Change]:
    for file in found.changes:
        if file.target:
            yield _put(file, file.target, read)
        elif file.merged and file.merged.data is not None:
            yield Change(
                path=file.path,
                action=Action.PUT,
                before=file.before,
                data=file.merged.data,
                like=file.before,
                aside=file.aside,
                is_merged=not file.aside,
            )
        else:
            is_merged = file.merged is not None
            yield Change(path=file.path, action=Action.REMOVE, before=file.before, is_merged=is_merged)
    if found.lock_data != (found.lock_before or b""):
        yield Change(path=LOCK, action=Action.PUT, before=directory.look(LOCK), data=found.lock_data)


def _put(file: PlannedFile, target: TargetFile, read: Read) -> Change:
    return Change(
        path=file.path,
        action=Action.PUT,
        before=file.before,
        read=lambda: _checked(read, target),
        digest=target.digest,
        mode=target.mode,
        aside=file.aside,
    )


def _checked(read: Read, target: TargetFile) -> bytes:
    data = read(target.digest)
    if hashlib.sha256(data).hexdigest() != target.digest:
        raise DeployFailed(
            f"The content of {target.path} is damaged on the server.", hint="Scan the source again."
        )
    return data


def _records(found: Plan, changes: list[Change]) -> list[Record]:
    merged = {file.path: file.merged for file in found.files}
    return [
        Record(
            path=change.path,
            before=change.before,
            after=change.after,
            aside=change.aside,
            merged=merged.get(change.path),
        )
        for change in changes
    ]


def _emptied(found: Plan) -> list[str]:
    """Directories that pruning may leave without a file, except those that every project has."""
    removed = [file.path for file in found.files if file.outcome is Outcome.REMOVE]
    own = 2  # .claude/skills, .claude/agents, ...
    return sorted({outer for path in removed for outer in parents(path)[own:]})
