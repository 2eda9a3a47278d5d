"""The journal of a deploy as values, and as text that is checked like a stranger's. Pure."""

import json
import re
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from deployment_sets.directory import Found, Stands
from deployment_sets.lockfile import HOMES, LOCK, MERGED_FILES
from deployment_sets.names import path_fault

_ASIDE = re.compile(r"\.orig-\d{1,5}")
_ROOTS = (".claude", *(home.rstrip("/") for home in HOMES))


class Action(StrEnum):
    PUT = "put"
    REMOVE = "remove"
    RESTORE = "restore"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One file's change, from `before`.

    PUT renames `staged` to the path, after renaming what is there to `aside` where one is named; REMOVE unlinks;
    RESTORE renames `aside` back. `is_merged`: when somebody changed the file since, it is left to them, and the
    next deploy merges again; every other file that changed since is kept aside.
    """

    path: str
    action: Action
    before: Found
    staged: str = ""
    aside: str = ""
    is_merged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """What is to be done. `made`: directories that are gone again when it is not; `emptied`: to go when empty."""

    committed: bool = False
    made: tuple[str, ...] = ()
    emptied: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()

    def written(self) -> bytes:
        return json.dumps(asdict(self)).encode()


def read_journal(data: bytes | None) -> Journal:
    """What `written` gave; without a file, nothing to do. Raises ValueError for whatever we never write.

    It lies where others may write, too: no path leads out of where we deploy.
    """
    if data is None:
        return Journal()
    try:
        values = json.loads(data)
        return Journal(
            committed=values["committed"] is True,
            made=tuple(_checked(path, HOMES, exact=_ROOTS) for path in values["made"]),
            emptied=tuple(_checked(path, HOMES, exact=_ROOTS) for path in values["emptied"]),
            steps=tuple(_step(row) for row in values["steps"]),
        )
    except (TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError("not a journal of ours") from error


def _step(row: Any) -> Step:
    before = row["before"]
    found = Found(kind=Stands(before["kind"]), digest=str(before["digest"]), mode=int(before["mode"]))
    step = Step(**(row | {"action": Action(row["action"]), "before": found}))
    _checked(step.path, HOMES, exact=(*MERGED_FILES, LOCK))
    if step.staged and not step.staged.isdecimal():
        raise ValueError(step.staged)
    if step.aside and not (step.aside.startswith(step.path) and _ASIDE.fullmatch(step.aside, len(step.path))):
        raise ValueError(step.aside)
    return step


def _checked(path: str, below: tuple[str, ...], *, exact: tuple[str, ...]) -> str:
    if path_fault(path) or not (path in exact or path.startswith(below)):
        raise ValueError(path)
    return path
