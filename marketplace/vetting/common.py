"""Rules for every type: what a checkout or a reader's eye would not show."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from marketplace.detection.index import base_name, relative
from marketplace.repository import FileKind
from marketplace.vetting.case import Case
from marketplace.vetting.findings import Finding, finding, quoted

MAX_LOOKED_THROUGH = 16 * 1024 * 1024
LFS_POINTER = "version https://git-lfs.github.com/spec/v1"

# The flag of a region (England, Texas) is written with tag characters; everything else that matches is hidden.
_INVISIBLE = re.compile(
    "\U0001f3f4[\U000e0030-\U000e007a]{3,6}\U000e007f"
    "|([\u180e\u200b\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
    "|[\ufe00-\ufe0f\U000e0100-\U000e01ef]{2}|[\u200c\u200d]{2}|(?<=[!-~])[\u200c\u200d](?=[!-~]))"
)
_NOT_ON_WINDOWS = re.compile(r'[<>:"|?*\\\x00-\x1f]|[. ](?:/|$)')
_DEVICE = re.compile(r"(?:^|/)(?:con|prn|aux|nul|com[1-9]|lpt[1-9])(?:\.[^/]*)?(?:/|$)", re.IGNORECASE)


def links(case: Case) -> Iterator[Finding]:
    """A symbolic link's target is not read: git-scm.com/docs/gitdatamodel (mode 120000)."""
    paths = [file.path for file in case.files if file.kind is FileKind.SYMLINK]
    if paths:
        yield finding("symlink", f"{_such_as(case, paths, 'symbolic link')} not followed and not copied.")


def submodules(case: Case) -> Iterator[Finding]:
    """A commit of another repository (mode 160000): git-scm.com/docs/gitsubmodules."""
    paths = [file.path for file in case.files if file.kind is FileKind.SUBMODULE]
    if paths:
        yield finding("submodule", f"{_such_as(case, paths, 'submodule')} empty: the files are elsewhere.")


def pointers(case: Case) -> Iterator[Finding]:
    """github.com/git-lfs/git-lfs/blob/main/docs/spec.md: such a text stands for the one that is meant."""
    for path, text in case.own_texts:
        if text.startswith(LFS_POINTER):
            yield finding("lfs_pointer", f"{_short(case, path)} is a Git LFS pointer; its text is elsewhere.")


def invisible_characters(case: Case) -> Iterator[Finding]:
    """Characters that models read and people do not see: unicode.org/reports/tr36, trojansource.codes.

    Joiners inside scripts and emoji, a leading byte order mark and flags are as they should be.
    """
    artifact, room = case.artifact, MAX_LOOKED_THROUGH
    places = [("The name", artifact.name), ("The description", artifact.description)]
    for place, text in [*places, *((_short(case, path), text) for path, text in case.own_texts)]:
        hidden = _hidden(text[:room])
        room -= len(text)
        if hidden is not None:
            line = text.count("\n", 0, hidden) + 1
            yield finding(
                "invisible_characters",
                f"{place} has an invisible character (U+{ord(text[hidden]):04X}, line {line}).",
            )
        if room <= 0:
            return


def windows_names(case: Case) -> Iterator[Finding]:
    """learn.microsoft.com/windows/win32/fileio/naming-a-file."""
    below = ((file.path, relative(file.path, case.artifact.directory)) for file in case.files)
    paths = [path for path, name in below if _NOT_ON_WINDOWS.search(name) or _DEVICE.search(name)]
    if paths:
        yield finding("windows_file_name", f"{_such_as(case, paths, 'file name')} not possible on Windows.")


def case_collisions(case: Case) -> Iterator[Finding]:
    """learn.microsoft.com/windows/wsl/case-sensitivity: of two such files one overwrites the other."""
    spelt = Counter(file.path.casefold() for file in case.files)
    paths = [file.path for file in case.files if spelt[file.path.casefold()] > 1]
    if paths:
        yield finding("case_collision", f"{_such_as(case, paths, 'file name')} not unique without case.")


def _hidden(text: str) -> int | None:
    """Where the first hidden character is."""
    if text.isascii():
        return None
    start = 1 if text.startswith("\ufeff") else 0
    return next((m.start(1) for m in _INVISIBLE.finditer(text, start) if m[1]), None)


def _short(case: Case, path: str) -> str:
    return quoted(relative(path, case.artifact.directory) or base_name(path))


def _such_as(case: Case, paths: Sequence[str], noun: str) -> str:
    first = _short(case, paths[0])
    if len(paths) == 1:
        return f"1 {noun} ({first}) is"
    return f"{len(paths):,} {noun}s (such as {first}) are"
