"""Changes of files with their new contents, carried out all together or not at all."""

import errno
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import ClassVar

from deployment_sets.directory import ABSENT, Directory, Found, Stands
from deployment_sets.journal import Staging
from deployment_sets.steps import Action, Step
from skillmeat_site.errors import DomainError, Kind


class DeployFailed(DomainError):
    """The project's file system refused a write: it is full, read-only, over quota, or not this user's.

    Nothing was changed, or all that had been changed was put back.
    """

    code: ClassVar[str] = "deploy_failed"
    kind: ClassVar[Kind] = Kind.CONFLICT
    title: ClassVar[str] = "The project cannot be written"
    hint: str = "Let the user that the server runs as write there, then deploy again."


_HINTS = {
    errno.ENOSPC: "Make room on the disk, then deploy again.",
    errno.EDQUOT: "Raise the quota of the user that the server runs as, then deploy again.",
    errno.EROFS: "Mount the file system so that it can be written, then deploy again.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One path's change from `before`. PUT takes `data`, or `read` when its turn comes, to save memory."""

    path: str
    action: Action
    before: Found
    data: bytes = field(default=b"", repr=False)
    read: Callable[[], bytes] | None = None
    digest: str = ""
    mode: int = 0o644
    like: Found = ABSENT
    aside: str = ""
    is_merged: bool = False

    @property
    def after(self) -> Found:
        """What stands there afterwards; of RESTORE nothing is said."""
        if self.action is not Action.PUT:
            return ABSENT
        mode = self.like.mode if self.like.kind is Stands.FILE else self.mode
        digest = self.digest or hashlib.sha256(self.data).hexdigest()
        return Found(kind=Stands.FILE, digest=digest, mode=mode)


def carry_out(
    directory: Directory,
    changes: Sequence[Change],
    *,
    emptied: Sequence[str] = (),
    before_commit: Callable[[Sequence[str]], None] | None = None,
    way_back: Callable[[], list[Change]] | None = None,
) -> None:
    """Stage all, then make it happen. `emptied`: directories to remove when nothing is left in them.

    `before_commit` is told the directories that were made, and can still stop it all. When a step fails, what
    `way_back` says is carried out instead. Raises DeployFailed and TargetBlocked: then nothing has changed, or, with
    `is_pending` among the extras of DeployFailed, the next run will finish it: keep what its undo needs.
    """
    with explained():
        staging = Staging(directory, needs=[each.path for each in changes if each.action is Action.PUT])
        try:
            staging.prepare()
            steps = [_staged(staging, change) for change in changes]
            if before_commit:
                before_commit(staging.made)
            staging.commit(steps, emptied)
        except (OSError, DomainError) as error:
            if not staging.is_committed:
                staging.discard()
            else:
                _roll_back(staging, way_back, error)
            raise


def _staged(staging: Staging, change: Change) -> Step:
    name = ""
    if change.action is Action.PUT:
        data = change.read() if change.read else change.data
        name = staging.add(data, change.mode, like=change.like)
    return Step(
        path=change.path,
        action=change.action,
        before=change.before,
        staged=name,
        aside=change.aside,
        is_merged=change.is_merged,
    )


def _roll_back(
    staging: Staging, way_back: Callable[[], list[Change]] | None, error: OSError | DomainError
) -> None:
    try:
        done = way_back() if way_back else None
        if done is not None:
            staging.commit([_staged(staging, change) for change in done], staging.made)
            staging.discard()
    except (OSError, DomainError):
        done = None
    if done is None:
        reason = error.detail if isinstance(error, DomainError) else (error.strerror or "an error")
        raise DeployFailed(
            f"Interrupted by an error: {reason}. Some files are changed already.",
            hint="Cure the cause and deploy again: the next run finishes what this one began.",
            is_pending=True,
        ) from error


@contextmanager
def explained() -> Iterator[None]:
    """Turns what the file system raises into words."""
    try:
        yield
    except OSError as error:
        number = error.errno or 0
        where = f" ({os.fsdecode(error.filename)})" if isinstance(error.filename, str | bytes) else ""
        reason = os.strerror(number) if number else "an error"
        raise DeployFailed(
            f"The project cannot be read or written: {reason}{where}.",
            hint=_HINTS.get(number, DeployFailed.hint),
        ) from error
