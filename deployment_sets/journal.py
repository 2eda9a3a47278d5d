"""How a change of many files survives a crash: first everything is staged, then one rename decides.

`.claude/.skillmeat-staging/` holds the new contents and `journal.json`. Until the journal says `committed`,
nothing in the project has changed and the next run throws the staging away. From then on every step can be
repeated, and the next run finishes what is left. All of it is on the project's own file system, so that each
step is one rename. Knows steps, not why they are taken.
"""

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

from deployment_sets.directory import (
    ABSENT,
    Directory,
    Found,
    Stands,
    TargetBlocked,
    look_at,
    sync_all,
)
from deployment_sets.names import parents
from deployment_sets.steps import Action, Journal, Step, read_journal

ROOT = "."
STAGING = ".claude/.skillmeat-staging"
_JOURNAL = f"{STAGING}/journal.json"
_NEW_JOURNAL = f"{STAGING}/journal.new"
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Staging:
    """New contents, and the steps that will put them in place. Nothing is changed before `commit`."""

    def __init__(self, directory: Directory, *, needs: Iterable[str]) -> None:
        """`needs`: the paths for which directories are made already now, so that commit only renames."""
        self._directory = directory
        self._count = 0
        self._synced = 0
        self.is_committed = False
        self._paths = [*needs, _JOURNAL]
        self.made = [path for path in directory.missing_directories(iter(self._paths)) if path != STAGING]

    def prepare(self) -> None:
        """Make the directories. From here on `commit` or `discard`."""
        directory = self._directory
        with directory.parent(STAGING, make=True) as (parent, name):
            os.mkdir(name, 0o700, dir_fd=parent)
        self._write_journal([], [], committed=False)
        for path in self._paths:
            with directory.parent(path, make=True):
                pass

    def add(self, data: bytes, mode: int, *, like: Found = ABSENT) -> str:
        """Stage a file; what `Step.staged` names it by. `mode` is subject to the umask, unless `like` an old file."""
        self._count += 1
        name = str(self._count)
        _write(self._directory, f"{STAGING}/{name}", data, mode, like=like)
        return name

    def commit(self, steps: Sequence[Step], emptied: Sequence[str]) -> None:
        """Make the steps happen, now or in the next run. `emptied`: directories to remove when nothing is left.

        Raises OSError or TargetBlocked. When it `is_committed`, some steps may be done and the journal is still
        there: commit again, with steps that lead back, or leave it to the next run.
        """
        new = range(self._synced + 1, self._count + 1)
        sync_all(partial(_sync, self._directory), [f"{STAGING}/{number}" for number in new])
        self._synced = self._count
        self._write_journal(steps, emptied, committed=True)
        _finish(self._directory, steps, emptied)

    def discard(self) -> None:
        """As if nothing had been."""
        _clear(self._directory)
        self._directory.remove_empty(self.made)

    def _write_journal(self, steps: Sequence[Step], emptied: Sequence[str], *, committed: bool) -> None:
        values = Journal(
            committed=committed, made=tuple(self.made), emptied=tuple(emptied), steps=tuple(steps)
        )
        with suppress(FileNotFoundError):
            _unlink(self._directory, _NEW_JOURNAL)
        _write(self._directory, _NEW_JOURNAL, values.written(), 0o600)
        _sync(self._directory, _NEW_JOURNAL)
        self.is_committed = committed
        with self._directory.parent(_JOURNAL) as (parent, name):
            os.rename("journal.new", name, src_dir_fd=parent, dst_dir_fd=parent)
            os.fsync(parent)


def is_pending(directory: Directory) -> bool:
    """Whether an interrupted deploy waits to be finished."""
    return directory.look(_JOURNAL).kind is Stands.FILE


def recover(directory: Directory) -> bool:
    """Finish or throw away what an interrupted run has left. Whether something was finished.

    A file that somebody edited in between is never lost: it stays, or is kept as `<file>.orig-<n>`.
    """
    if directory.look(STAGING).kind is Stands.ABSENT:
        return False
    try:
        journal = read_journal(directory.read(_JOURNAL))
    except (ValueError, OSError) as error:
        hint = f"Look at what is in {STAGING}, then remove that directory."
        raise TargetBlocked(f"{_JOURNAL} is damaged.", hint=hint) from error
    if journal.committed:
        _finish(directory, journal.steps, journal.emptied)
    else:
        directory.remove_empty(list(journal.made))
        _clear(directory)
        directory.remove_empty(list(journal.made))
    return journal.committed


def _finish(directory: Directory, steps: Sequence[Step], emptied: Sequence[str]) -> None:
    for step in steps:
        _TAKEN[step.action](directory, step)
    directory.remove_empty(list(emptied))
    outer = {path for step in steps for path in (ROOT, *parents(step.path))}
    sync_all(partial(_sync_if_there, directory), sorted(outer))
    _clear(directory)


def _put(directory: Directory, step: Step) -> None:
    with directory.parent(step.path, make=True) as (parent, name), directory.parent(_JOURNAL) as (staging, _):
        try:
            os.stat(step.staged, dir_fd=staging, follow_symlinks=False)
        except FileNotFoundError:
            return  # done before the crash
        found = look_at(parent, name)
        is_changed = found.is_there and not found.is_like(step.before)
        if is_changed and step.is_merged:
            os.unlink(step.staged, dir_fd=staging)
            return
        if found.is_there and (step.aside or is_changed):
            _put_aside(directory, step, parent, name)
        os.rename(step.staged, name, src_dir_fd=staging, dst_dir_fd=parent)


def _put_aside(directory: Directory, step: Step, parent: int, name: str) -> None:
    is_free = step.aside and directory.look(step.aside).kind is Stands.ABSENT
    aside = step.aside if is_free else directory.free_aside(step.path)
    os.rename(name, aside.rpartition("/")[2], src_dir_fd=parent, dst_dir_fd=parent)


def _remove(directory: Directory, step: Step) -> None:
    with suppress(FileNotFoundError), directory.parent(step.path) as (parent, name):
        if look_at(parent, name).is_like(step.before):
            os.unlink(name, dir_fd=parent)


def _restore(directory: Directory, step: Step) -> None:
    with suppress(FileNotFoundError), directory.parent(step.path) as (parent, name):
        aside = step.aside.rpartition("/")[2]
        if not look_at(parent, aside).is_there:
            return
        found = look_at(parent, name)
        if found.is_there and not found.is_like(step.before):
            _put_aside(directory, replace(step, aside=""), parent, name)
        elif found.is_there:
            os.unlink(name, dir_fd=parent)  # a directory cannot be renamed over a file
        os.rename(aside, name, src_dir_fd=parent, dst_dir_fd=parent)


_TAKEN = {Action.PUT: _put, Action.REMOVE: _remove, Action.RESTORE: _restore}


def _clear(directory: Directory) -> None:
    """The journal goes first: without it, whatever else is left counts for nothing."""
    with suppress(FileNotFoundError):
        _unlink(directory, _JOURNAL)
    for path in list(directory.listing(STAGING)):
        _unlink(directory, path)
    directory.remove_empty([STAGING])


def _unlink(directory: Directory, path: str) -> None:
    with directory.parent(path) as (parent, name):
        os.unlink(name, dir_fd=parent)


def _write(directory: Directory, path: str, data: bytes, mode: int, *, like: Found = ABSENT) -> None:
    with directory.parent(path, make=True) as (parent, name):
        descriptor = os.open(name, _NEW_FILE, 0o600 if like.kind is Stands.FILE else mode, dir_fd=parent)
        with os.fdopen(descriptor, "wb", buffering=0):
            if like.kind is Stands.FILE:
                with suppress(PermissionError):  # only root can give files away
                    os.fchown(descriptor, *like.owner)
                os.fchmod(descriptor, like.mode)
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(descriptor, rest) :]


def _sync(directory: Directory, path: str) -> None:
    with directory.parent(path) as (parent, name):
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _sync_if_there(directory: Directory, path: str) -> None:
    with suppress(FileNotFoundError):
        _sync(directory, path)
