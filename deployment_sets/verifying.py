"""Whether a project still is what was deployed there. Reads, changes nothing."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from deployment_sets.comparing import read_settings
from deployment_sets.directory import Directory, Stands
from deployment_sets.jsontext import JsonText, canonical
from deployment_sets.layout import Layout
from deployment_sets.lockfile import LOCK, MERGED_FILES, Lock, LockedEntry, read_lock
from deployment_sets.merge import Keys, digest_of, edited_groups

_BACKUP = re.compile(r"\.orig-\d+$")
_DIRECTORIES = (".claude/skills/", ".claude/hooks/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """Paths, sorted; entries of merged files as `<file>#<keys>`.

    `edited`: not as it was deployed. `missing`: gone. `extra`: inside of a directory that we deployed, but neither
    ours nor a backup. `outdated`: not deployed yet, or in another version, or in the set no more.
    """

    edited: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    outdated: tuple[str, ...] = ()

    @property
    def is_clean(self) -> bool:
        return not (self.edited or self.missing or self.extra or self.outdated)


def find_drift(directory: Directory, layout: Layout | None) -> Drift:
    """Against the lock and, where a layout is given, that against the lock. Raises LockDamaged."""
    lock = read_lock(read_settings(directory, LOCK))
    edited, missing = [], []
    changed = set(_edited_groups(directory, lock, layout)) if layout else set()
    for file in lock.files:
        found = directory.look(file.path)
        if found.kind is Stands.ABSENT:
            missing.append(file.path)
        elif not found.is_file(file.digest, file.mode):
            edited.append(file.path)
    for entry in lock.entries:
        present = _present(directory, entry)
        if present is None and (entry.file, entry.entry.keys) not in changed:
            missing.append(_named(entry))
        elif not present:
            edited.append(_named(entry))
    return Drift(
        edited=tuple(sorted(set(edited))),
        missing=tuple(sorted(set(missing))),
        extra=tuple(_extra(directory, lock)),
        outdated=tuple(sorted(_outdated(lock, layout))) if layout else (),
    )


def _named(entry: LockedEntry) -> str:
    return f"{entry.file}#{'.'.join(entry.entry.keys)}"


def _present(directory: Directory, locked: LockedEntry) -> bool | None:
    """True as deployed, False edited, None gone: an array's element also when it was edited."""
    own = locked.entry
    try:
        data = directory.read(locked.file)
        if data is None:
            return None
        document = JsonText(data.decode())
        start = document.root
        for key in own.keys:
            item = document.member(start, key)
            if item is None:
                return None
            start = item.value
        if not own.listed:
            return digest_of(canonical(document.value(item))) == own.digest if item else None
        if document.text[start] != "[":
            return False
        values = [canonical(document.value(element)) for element in document.items(start)[0]]
    except (ValueError, OSError):
        return False
    return True if own.digest in {digest_of(value) for value in values} else None


def _edited_groups(directory: Directory, lock: Lock, layout: Layout) -> Iterator[tuple[str, Keys]]:
    """The lock has only digests of groups, so an edited one is recognised by what the layout has in its place."""
    for file in MERGED_FILES:
        owned = [each.entry for each in lock.entries if each.file == file]
        wanted = [each.entry for each in layout.merges if each.file == file]
        with suppress(ValueError, OSError):
            data = directory.read(file)
            if data is not None:
                yield from ((file, keys) for keys in edited_groups(data, wanted, owned))


def _extra(directory: Directory, lock: Lock) -> Iterator[str]:
    known = {file.path for file in lock.files}
    homes = {"/".join(path.split("/")[:3]) for path in known if path.startswith(_DIRECTORIES)}
    for home in sorted(homes):
        for path in directory.listing(home):
            if path not in known and _BACKUP.sub("", path) not in known:
                yield path.encode(errors="replace").decode()  # names need not be UTF-8


def _outdated(lock: Lock, layout: Layout) -> set[str]:
    there = {(file.path, file.digest, file.mode) for file in lock.files}
    wanted = {(file.path, file.digest, file.mode) for file in layout.files}
    entries = {(each.file, each.entry) for each in lock.entries}
    wishes = {(each.file, each.entry.owned) for each in layout.merges}
    named = {f"{file}#{'.'.join(own.keys)}" for file, own in entries ^ wishes}
    return {path for path, _, _ in there ^ wanted} | named
