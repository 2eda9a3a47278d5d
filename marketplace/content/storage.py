"""Where the bytes lie: one file per blob, whole or not there at all."""

import os
import tempfile
from pathlib import Path
from typing import IO, Any

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage, Storage, storages

ALIAS = "content"
INCOMING = "incoming"


class AtomicFileStorage(FileSystemStorage):
    """Writes beside and renames, so that a file that exists is complete; the same name is the same bytes."""

    def _save(self, name: str, content: "File[Any] | IO[Any]") -> str:
        path, incoming = Path(self.path(name)), Path(self.path(INCOMING))
        written = self._write(incoming, content.read())
        try:
            os.replace(written, path)  # noqa: PTH105  pathlib's form says nothing more
        except FileNotFoundError:  # rarely: there are few directories and many files
            path.parent.mkdir(parents=True, exist_ok=True)
            os.replace(written, path)  # noqa: PTH105
        return name

    @staticmethod
    def _write(directory: Path, data: bytes) -> str:
        """A new file, which nobody else may read."""
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=directory, delete=False) as file:
            file.write(data)
        return file.name

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        return name


def content_storage() -> Storage:
    return storages[ALIAS]


def name_of(digest: str) -> str:
    """Two levels of directories, so that none gets too long."""
    return f"{digest[:2]}/{digest[2:4]}/{digest}"
