"""Where the bytes lie: one file or object per blob, whole or not there at all."""

import os
import tempfile
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar, cast

from django.core.files.storage import FileSystemStorage, Storage, storages

from skillmeat_site.errors import DomainError

ALIAS = "content"
INCOMING = "incoming"
AT_ONCE = 16

T = TypeVar("T")


class ContentUnavailable(DomainError):
    """The place where contents are stored does not answer or refuses the server's credentials.

    Nothing is known to be damaged. What was asked for can be repeated once the store answers again.
    """

    code = "content_unavailable"
    title = "The content store is unavailable"
    hint = "Check SKILLMEAT_CONTENT_URL and the credentials of the server's environment, then try again."


class BlobStorage(Storage):
    """What contents ask of a storage beyond Django's: many at a time. The same name is always the same bytes."""

    def save_all(self, contents: Mapping[str, bytes]) -> None:
        """Store each under its name; when this returns, not even a power cut takes them away."""
        raise NotImplementedError

    def delete_all(self, names: Collection[str]) -> None:
        """Remove each that is there."""
        raise NotImplementedError


class FileStorage(BlobStorage, FileSystemStorage):
    """Writes beside and renames, so that a file that exists is complete, and syncs once for all of a batch."""

    def save_all(self, contents: Mapping[str, bytes]) -> None:
        incoming = Path(self.path(INCOMING))
        incoming.mkdir(parents=True, exist_ok=True)
        written = {name: _write(incoming, data) for name, data in contents.items()}
        at_once(_sync, written.values())
        touched: set[Path] = set()
        for name, file in written.items():
            touched |= _place(file, Path(self.path(name)))
        at_once(_sync, touched)

    def delete_all(self, names: Collection[str]) -> None:
        for name in names:
            self.delete(name)


def _write(directory: Path, data: bytes) -> Path:
    """A new file, which nobody else may read."""
    with tempfile.NamedTemporaryFile(dir=directory, delete=False) as file:
        file.write(data)
    return Path(file.name)


def _place(file: Path, path: Path) -> set[Path]:
    """Where it belongs; the directories that were changed by that."""
    try:
        file.replace(path)
    except FileNotFoundError:  # rarely: there are few directories and many files
        path.parent.mkdir(parents=True, exist_ok=True)
        file.replace(path)
        return set(path.parents[:3])
    return {path.parent}


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def at_once(act: Callable[[T], object], items: Iterable[T]) -> None:
    """Do it to each, a few at a time; the first failure keeps the rest from being begun."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for _ in pool.map(act, items):
            pass


def content_storage() -> BlobStorage:
    return cast("BlobStorage", storages[ALIAS])


def name_of(digest: str) -> str:
    """Two levels of directories, so that none gets too long."""
    return f"{digest[:2]}/{digest[2:4]}/{digest}"
