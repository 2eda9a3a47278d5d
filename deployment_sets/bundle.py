"""A set as an archive: what a deploy into an empty directory would put there, byte for byte the same everywhere.

No times, users or machine in it, and nothing is compressed: compressors differ between versions and machines
(zlib, zlib-ng), so equal content would not stay equal bytes. Artifacts are small texts.
"""

import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from io import RawIOBase
from typing import Any

from deployment_sets.lockfile import (
    LOCK,
    MERGED_FILES,
    Lock,
    LockedArtifact,
    LockedEntry,
    LockedFile,
    written,
)
from deployment_sets.merge import merge
from deployment_sets.planning import OnConflict, Plan, Wishes, refuse_conflicts

Read = Callable[[str], bytes]

_PLAIN = 0o644
_BLOCK = 512
_RECORD = 20 * _BLOCK  # POSIX: archives are padded to records of twenty blocks
_STORED = 65_535  # RFC 1951, 3.2.4: the most that one stored block holds
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip file can say


class Format(StrEnum):
    TAR_GZ = "tar.gz"
    ZIP = "zip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One file of an archive; its bytes are read when its turn comes."""

    path: str
    mode: int
    read: Callable[[], bytes]


def members(wishes: Wishes, read: Read) -> list[Member]:
    """All files, sorted by path. Unpacked into an empty directory they are what a deploy leaves there.

    Raises DeployConflicts for two artifacts on one path, also where they are in one merged file.
    """
    layout = wishes.layout
    found = [
        Member(path=file.path, mode=file.mode, read=lambda digest=file.digest: read(digest))  # type: ignore[misc]
        for file in layout.files
    ]
    entries: list[LockedEntry] = []
    created = {}
    for file in MERGED_FILES:
        merges = [each for each in layout.merges if each.file == file]
        outcome = merge(None, file=file, want=[each.entry for each in merges])
        if outcome.data is not None and merges:
            owners = {each.entry.owned: each.owner for each in merges}
            entries += [LockedEntry(file=file, owner=owners[own], entry=own) for own in outcome.owned]
            created[file] = outcome.created
            found.append(Member(path=file, mode=_PLAIN, read=lambda data=outcome.data: data))  # type: ignore[misc]
    lock = Lock(
        set_id=wishes.set_id,
        set_name=wishes.set_name,
        artifacts=tuple(LockedArtifact.of(each) for each in layout.artifacts),
        files=tuple(
            LockedFile(path=file.path, digest=file.digest, mode=file.mode, owner=file.owner)
            for file in layout.files
        ),
        entries=tuple(entries),
        created=created,
    )
    refuse_conflicts(Plan(files=(), layout=layout, lock=lock, lock_before=None), OnConflict.ABORT)
    data = written(lock)
    found.append(Member(path=LOCK, mode=_PLAIN, read=lambda: data))
    return sorted(found, key=lambda member: member.path)


def stream(wishes: Wishes, *, read: Read, archive: Format) -> Iterator[bytes]:
    """The archive in pieces; at no time is more than one file in memory. Conflicts are raised before the first."""
    contents = members(wishes, read)
    return _gzipped(_tar(contents)) if archive is Format.TAR_GZ else _zip(contents)


def _tar(contents: Iterable[Member]) -> Iterator[bytes]:
    """POSIX.1-2001 (pax), whose headers have no place for what differs between machines but what is set here."""
    total = 0
    for member in contents:
        data = member.read()
        header = tarfile.TarInfo(member.path)
        header.size, header.mode = len(data), member.mode
        for piece in (header.tobuf(tarfile.PAX_FORMAT), data, bytes(-len(data) % _BLOCK)):
            total += len(piece)
            yield piece
    total += 2 * _BLOCK
    yield bytes(2 * _BLOCK + -total % _RECORD)


def _gzipped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """RFC 1952 around blocks that are stored as they are; neither name nor time, and system "unknown"."""
    yield b"\x1f\x8b\x08\x00" + bytes(4) + b"\x00\xff"
    check = size = 0
    for piece in pieces:
        check, size = zlib.crc32(piece, check), size + len(piece)
        for start in range(0, len(piece), _STORED):
            part = piece[start : start + _STORED]
            yield struct.pack("<BHH", 0, len(part), len(part) ^ 0xFFFF) + part
    yield struct.pack("<BHH", 1, 0, 0xFFFF) + struct.pack("<II", check, size & 0xFFFFFFFF)


class _Pipe(RawIOBase):
    """What is written is taken out again, so that no archive is ever whole in memory."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


def _zip(contents: Sequence[Member]) -> Iterator[bytes]:
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED) as file:
        for member in contents:
            header = zipfile.ZipInfo(member.path, _EPOCH)
            header.create_system = 3  # Unix, whatever machine this is: the modes below count
            header.external_attr = (stat.S_IFREG | member.mode) << 16
            file.writestr(header, member.read())
            yield pipe.taken()
    yield pipe.taken()
