"""What an artifact consists of, file by file: the value that content is listed, compared and copied by. Pure."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from marketplace.repository import FileKind, TreeFile

# https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md: a pointer is shorter than 1,024 bytes.
LFS_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\n[\x20-\x7e\n]*oid sha256:[0-9a-f]{64}\n"
)
MAX_POINTER = 1024


class ContentKind(StrEnum):
    """What a file is; only plain and executable ones are what they seem, nothing else is ever followed."""

    FILE = "file"
    EXECUTABLE = "executable"
    SYMLINK = "symlink"
    SUBMODULE = "submodule"
    LFS = "lfs"


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestFile:
    """One file of an artifact.

    `path` is relative to the artifact's own directory; `sha` the git blob id; `digest` the SHA-256 (hex) under
    which the bytes are stored, None when they are not. Of an LFS pointer the pointer itself is stored.
    """

    path: str
    kind: ContentKind
    mode: str
    size: int
    sha: str
    digest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """All files of an artifact, sorted by path. Equal manifests have equal digests, and only those."""

    files: tuple[ManifestFile, ...]

    @property
    def digest(self) -> str:
        """SHA-256 (hex) over the canonical JSON of `rows`."""
        text = json.dumps(self.rows, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """As plain JSON values, from which `from_rows` makes an equal manifest."""
        return [
            {
                "path": file.path,
                "kind": file.kind.value,
                "mode": file.mode,
                "size": file.size,
                "sha": file.sha,
                "digest": file.digest,
            }
            for file in self.files
        ]

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]]) -> Self:
        return cls(files=tuple(ManifestFile(**{**row, "kind": ContentKind(row["kind"])}) for row in rows))


def kind_of(file: TreeFile, *, is_pointer: bool = False) -> ContentKind:
    if is_pointer and file.kind in {FileKind.FILE, FileKind.EXECUTABLE}:
        return ContentKind.LFS
    return ContentKind(file.kind)


def is_lfs_pointer(data: bytes) -> bool:
    """Whether these bytes stand for a file that Git LFS keeps elsewhere."""
    return len(data) < MAX_POINTER and LFS_POINTER.match(data) is not None


def is_main(path: str, file: str) -> bool:
    """Whether this file (relative to the artifact's directory) is what describes the artifact at `path`."""
    return file.lower() == "skill.md" or f"/{path}".endswith(f"/{file}")
