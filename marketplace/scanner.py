"""One look at a repository, from ref to artifacts and their content: leads reader, detection and store; no rows."""

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from typing import TypeVar, cast

from marketplace.detection.artifacts import DetectedArtifact, DetectionSettings, SuggestedSource
from marketplace.detection.detect import DETECTOR_VERSION, Survey, survey
from marketplace.detection.index import base_name, parent, relative, stem
from marketplace.fetching import SINGLE_READS_AT_MOST, Fetcher, Progress
from marketplace.keeping import ContentStore, Holding, KeepingLimits, allot, hold, store
from marketplace.manifest import is_main
from marketplace.repository import (
    Commit,
    NotModified,
    RepositoryError,
    RepositoryReader,
    Tree,
    TreeFile,
    readable,
    readme_path,
)
from marketplace.snapshot import Kept, Snapshot, Texts
from marketplace.spool import Spool
from marketplace.vetting.findings import Finding
from marketplace.vetting.vet import vet

MAX_SPARE_BYTES = 8 * 1024**2
MAX_SPARE_FILE = 32 * 1024
SKILL = "skill.md"
PLUGIN_MANIFEST = ".claude-plugin/plugin.json"
STAND_IN = (
    "Not read: the file is too large, or the repository's archive leaves it out. Scan again to try again."
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An artifact, which rules of its format it breaks, and what is held of it in the content store."""

    artifact: DetectedArtifact
    findings: tuple[Finding, ...]
    holding: Holding

    def main_document(self, texts: Mapping[str, str]) -> str:
        """What the artifact says; empty when it is described nowhere but in a manifest."""
        artifact = self.artifact
        paths = (file.path for file in artifact.files)
        path = next(
            (path for path in paths if is_main(artifact.path, relative(path, artifact.directory))), ""
        )
        return texts.get(path, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """What one scan saw and remembers.

    `texts` are the documents that were read, by path. `readme` is None when none was asked for or it could
    not be read, and empty when there is none. `fingerprint` is that of the settings. `is_whole` is False when
    files had to be left unread, and another scan of the same commit would read more.
    """

    commit: Commit
    found: tuple[Found, ...]
    suggested: tuple[SuggestedSource, ...]
    snapshot: Snapshot
    texts: Mapping[str, str]
    fingerprint: str
    readme: str | None = None
    is_whole: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What is known from before: the commit, whether it needs no second look, and how to recall the rest."""

    commit: Commit
    is_current: bool
    recall: Callable[[], Snapshot | None]


def fingerprint(settings: DetectionSettings) -> str:
    """Changes when the same commit could yield other artifacts: other settings or another detector."""
    said = json.dumps([DETECTOR_VERSION, asdict(settings)], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


def scan(
    *,
    reader: RepositoryReader,
    ref: str,
    settings: DetectionSettings,
    memory: Memory | None,
    limits: KeepingLimits,
    into: ContentStore,
    with_readme: bool,
    progress: Progress,
) -> Scanned | NotModified:
    """What is at `ref` now; NotModified when that is the commit in `memory`, and it is current.

    Costs one request when the commit is the same and nothing else is needed, three the first time (resolve,
    tree, archive), and for another commit two and one for each file that is new and needed, or three in all.
    Up to `SINGLE_READS_AT_MOST` more where the archive lacks or alters files. All is read by commit id.
    Raises RepositoryError.
    """
    progress("resolving")
    commit = reader.resolve(ref, known=memory.commit if memory else None)
    is_same = memory is not None and (isinstance(commit, NotModified) or commit.sha == memory.commit.sha)
    if memory and is_same and memory.is_current:
        return NotModified()
    if isinstance(commit, NotModified):  # which only an answer to `known` can be
        commit = cast("Memory", memory).commit
    with Fetcher(reader, commit, progress) as fetcher:
        # Reading a tree takes much room for a moment, so it comes before there is anything beside it.
        tree = None if is_same else _read_tree(reader, commit, fetcher, progress)
        before = memory.recall() if memory else None
        if tree is None:
            tree = before.tree if before else _read_tree(reader, commit, fetcher, progress)
        look = _Look(tree, before, fetcher, settings, limits, progress)
        del before  # it has another tree
        readme = readme_path(tree) if with_readme else ""
        seen = look.survey(readme)
        progress("detecting")
        detection, index = seen.detect(), seen.index
        del seen  # it is much larger than what came of it
        artifacts = detection.artifacts
        look.keep_files(artifacts, into)
        holdings = look.counted(hold(artifacts, look.kept, limits, into), "listing files", len(artifacts))
        return Scanned(
            commit=commit,
            found=tuple(
                Found(artifact=artifact, findings=vet(artifact, look.texts, index=index), holding=holding)
                for artifact, holding in zip(artifacts, holdings, strict=True)
            ),
            suggested=detection.suggested,
            snapshot=look.snapshot(),
            texts=look.texts,
            readme=look.readme(readme) if with_readme else None,
            fingerprint=fingerprint(settings),
            is_whole=not fetcher.unread,
        )


def _read_tree(reader: RepositoryReader, commit: Commit, fetcher: Fetcher, progress: Progress) -> Tree:
    progress("reading tree")
    tree = reader.tree(commit)
    return fetcher.complete(tree) if tree.truncated else tree


class _Look:
    """What is known of one tree, which grows from what was known before to all that is needed."""

    def __init__(
        self,
        tree: Tree,
        before: Snapshot | None,
        fetcher: Fetcher,
        settings: DetectionSettings,
        limits: KeepingLimits,
        progress: Progress,
    ) -> None:
        self._tree, self._fetcher, self._is_first = tree, fetcher, before is None
        self._settings, self._limits, self._progress = settings, limits, progress
        self._blobs = Spool()
        self._others: dict[str, str] = {}
        self.texts = Texts(tree, self._blobs, self._others)
        self._files = self.texts.files
        self._new = {file.sha for file in self._files.values()}
        self.kept: dict[str, Kept] = {}
        if before:
            self._remember(before)

    def _remember(self, before: Snapshot) -> None:
        """Of what was known before, what is still there."""
        there = frozenset(self._new)
        self._new.difference_update(file.sha for file in before.tree.files)
        self._blobs.add((sha, data) for sha, data in before.documents.items() if sha in there)
        self.kept = {sha: kept for sha, kept in before.kept.items() if sha in there}

    def survey(self, *extra: str) -> Survey:
        """With all documents that detection asks for; it asks for more when it has seen the manifests."""
        while True:
            seen = survey(self._tree, self.texts, self._settings)
            asked = {path for path in chain(seen.missing, extra) if path and path not in self.texts}
            if not asked:
                return seen
            del seen  # it may be large, and the next one is as well
            self._read(sorted(asked))

    def readme(self, path: str) -> str | None:
        """Empty where there is none, None where it could not be read."""
        if not path:
            return ""
        sha = self._files[path].sha
        return readable(self._blobs[sha]) if sha in self._blobs else None

    def _read(self, asked: Sequence[str]) -> None:
        if self._is_first or self._expected(asked) > SINGLE_READS_AT_MOST:
            self._fetcher.open_archive()
        files = [file for path in asked if (file := self._files[path]).size <= self._limits.file]
        found = self._fetcher.fetch(files, spare=self._spare(), salvage=True)
        self._blobs.add(self.counted(found, "reading documents", len(files)))
        self._others |= {path: self._stand_in(path) for path in asked if path not in self.texts}

    def _expected(self, asked: Iterable[str]) -> int:
        """How many files will have to be read, as far as that shows before it is known what is in them."""
        homes = {home for path in self._files if (home := _home(path)) is not None}
        needed = {
            file.sha for file in self._files.values() if file.sha in self._new and _is_in(file.path, homes)
        }
        return len(needed | {self._files[path].sha for path in asked})

    def _spare(self) -> list[TreeFile]:
        """Documents that other settings would ask for: worth having where they cost no request."""
        small = [
            file for file in self._files.values() if file.size <= MAX_SPARE_FILE and _is_document(file.path)
        ]
        chosen, room = [], MAX_SPARE_BYTES
        for file in sorted(small, key=lambda file: (file.size, file.path)):
            room -= file.size
            if room < 0:
                break
            chosen.append(file)
        return chosen

    def _stand_in(self, path: str) -> str:
        """The text to judge a file by that could not be read: altered, or its place alone."""
        altered = self._fetcher.unread.get(path)
        if altered is not None:
            return altered.decode("utf-8-sig", errors="replace")
        if not path.lower().endswith(".md"):
            if path not in self._fetcher.unread:  # too large
                return ""
            raise RepositoryError(
                f"The repository's archive leaves out {path} and too many other files that have to be read.",
                hint="Nothing was changed. Look for export-ignore in its .gitattributes, or narrow root_hint.",
            )
        name = base_name(parent(path)) if base_name(path).lower() == SKILL else stem(path)
        return f"---\nname: {json.dumps(name)}\ndescription: {json.dumps(STAND_IN)}\n---\n"

    def keep_files(self, artifacts: Sequence[DetectedArtifact], into: ContentStore) -> None:
        """Have all files of the artifacts in the store, as far as the limits allow; `kept` says where."""
        needed = allot(artifacts, self._limits)
        self.kept = {sha: kept for sha, kept in self.kept.items() if sha in needed}
        missing = {sha: file for sha, file in needed.items() if sha not in self.kept}
        at_hand = ((sha, self._blobs[sha]) for sha in missing if sha in self._blobs)
        others = [file for sha, file in missing.items() if sha not in self._blobs]
        contents = chain(at_hand, self._fetcher.fetch(others))
        self.kept |= store(self.counted(contents, "storing files", len(missing)), into)

    def counted(self, items: Iterable[T], phase: str, total: int) -> Iterator[T]:
        """The items, each of which is a step of progress."""
        self._progress(phase, 0, total)
        for done, item in enumerate(items, start=1):
            yield item
            self._progress(phase, min(done, total), total)

    def snapshot(self) -> Snapshot:
        """What is worth remembering."""
        return Snapshot(tree=self._tree, documents=self._blobs, kept=self.kept)


def _home(path: str) -> str | None:
    """The directory that is an artifact because of this file, if it is such a file."""
    directory, _, name = path.rpartition("/")
    if name.lower() == SKILL:
        return directory
    return parent(directory) if path.endswith(PLUGIN_MANIFEST) else None


def _is_in(path: str, homes: Collection[str]) -> bool:
    while path:
        path = parent(path)
        if path in homes:
            return True
    return False


def _is_document(path: str) -> bool:
    return path.lower().endswith((".md", ".json", "/pyproject.toml"))
