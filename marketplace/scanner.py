"""One look at a repository, from ref to artifacts: it leads the reader and detection, and knows no rows."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Protocol

from marketplace.detection.artifacts import DetectedArtifact, DetectionSettings
from marketplace.detection.detect import DETECTOR_VERSION, detect, wanted
from marketplace.repository import (
    Archive,
    Commit,
    NotModified,
    RepositoryError,
    RepositoryReader,
    RepositoryTooLarge,
    Tree,
    TreeFile,
)

SINGLE_READS_AT_MOST = 20
MAX_README_BYTES = 256 * 1024


class Progress(Protocol):
    def __call__(self, phase: str, done: int = 0, total: int = 0) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What one scan saw. `readme` is None when none was asked for or there is none."""

    commit: Commit
    artifacts: tuple[DetectedArtifact, ...]
    readme: str | None = None


def fingerprint(settings: DetectionSettings) -> str:
    """Changes when the same commit could yield other artifacts: other settings or another detector."""
    said = json.dumps([DETECTOR_VERSION, asdict(settings)], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


def scan(
    *,
    reader: RepositoryReader,
    ref: str,
    settings: DetectionSettings,
    known: Commit | None,
    with_readme: bool,
    progress: Progress,
) -> Snapshot | NotModified:
    """What is at `ref` now; NotModified when that is the commit `known`.

    Costs one request when nothing changed, and three otherwise (resolve, tree, archive), plus at most
    `SINGLE_READS_AT_MOST` for documents that the archive lacks or alters. Everything is read by commit id.
    Raises RepositoryError.
    """
    progress("resolving")
    commit = reader.resolve(ref, known=known)
    if isinstance(commit, NotModified) or (known and commit.sha == known.sha):
        return NotModified()
    progress("reading tree")
    tree = reader.tree(commit)
    if tree.truncated:
        raise RepositoryTooLarge(
            "GitHub lists only a part of this repository's files.",
            hint="Nothing was changed. Repositories of more than 100,000 files cannot be scanned yet.",
        )
    documents = _read_documents(reader, commit, tree, settings, with_readme=with_readme, progress=progress)
    progress("detecting", len(documents), len(documents))
    artifacts = detect(tree, documents, settings).artifacts
    readme = documents.get(_readme_path(tree)) if with_readme else None
    return Snapshot(commit=commit, artifacts=artifacts, readme=readme)


def _read_documents(
    reader: RepositoryReader,
    commit: Commit,
    tree: Tree,
    settings: DetectionSettings,
    *,
    with_readme: bool,
    progress: Progress,
) -> dict[str, str]:
    """The text of everything detection asks for; it asks again once it has seen the manifests."""
    by_path = {file.path: file for file in tree.files if file.is_regular}
    asked = wanted(tree, {}, settings)
    if with_readme and (readme := _readme_path(tree)):
        asked |= {readme}
    documents: dict[str, str] = {}
    if not asked:
        return documents
    progress("reading files", 0, len(asked))
    with reader.archive(commit) as archive:
        while asked:
            files = {path: by_path[path] for path in asked}
            documents |= _read(reader, archive, files, progress)
            asked = wanted(tree, documents, settings) - documents.keys()
    return documents


def _read(
    reader: RepositoryReader, archive: Archive, files: Mapping[str, TreeFile], progress: Progress
) -> dict[str, str]:
    """The files' text: from the archive where its bytes are those of the commit, else one by one.

    An archive can lack or alter files (`export-ignore`, `export-subst` and `eol` in .gitattributes). Beyond
    `SINGLE_READS_AT_MOST` an altered text is good enough to detect by; a lacking one fails the scan, because
    its artifact would look removed.
    """
    texts: dict[str, str] = {}
    altered: dict[str, str] = {}
    for member in archive.members(frozenset(files)):
        kept = texts if member.sha == files[member.path].sha else altered
        kept[member.path] = _decode(member.data)
        progress("reading files", len(texts), len(files))
    others = sorted(set(files) - set(texts), key=lambda path: (path in altered, path))
    for path in others[:SINGLE_READS_AT_MOST]:
        texts[path] = _decode(reader.blob(files[path]))
        progress("reading files", len(texts), len(files))
    if lacking := set(files) - set(texts) - set(altered):
        raise RepositoryError(
            f"The repository's archive leaves out {len(lacking)} files that have to be read.",
            hint="Nothing was changed. Look for export-ignore in its .gitattributes, or narrow root_hint.",
        )
    return altered | texts


def _decode(data: bytes) -> str:
    return data.decode("utf-8-sig", errors="replace")


def _readme_path(tree: Tree) -> str:
    """The README at the root, Markdown before others; empty when there is none that is of a sane size."""
    names = ("readme.md", "readme", "readme.txt", "readme.rst")
    found = {
        file.path.lower(): file.path
        for file in tree.files
        if file.is_regular and file.size <= MAX_README_BYTES and "/" not in file.path
    }
    return next((found[name] for name in names if name in found), "")
