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
        path = Path(self.path(name))
        try:
            return self._write(name, path, content)
        except FileNotFoundError:  # rarely: there are few directories and many files
            path.parent.mkdir(parents=True, exist_ok=True)
            Path(self.path(INCOMING)).mkdir(exist_ok=True)
            content.seek(0)
            return self._write(name, path, content)

    def _write(self, name: str, path: Path, content: "File[Any] | IO[Any]") -> str:
        with tempfile.NamedTemporaryFile(
            dir=self.path(INCOMING), delete=False
        ) as file:  # nobody else's to read
            file.write(content.read())
        os.replace(file.name, path)  # noqa: PTH105  pathlib's form says nothing more
        return name

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        return name


def content_storage() -> Storage:
    return storages[ALIAS]


def name_of(digest: str) -> str:
    """Two levels of directories, so that none gets too long."""
    return f"{digest[:2]}/{digest[2:4]}/{digest}"
