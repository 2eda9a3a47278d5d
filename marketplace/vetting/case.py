"""What the rules may look at: one artifact, the known texts, and which paths are known to exist."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from marketplace.detection.artifacts import DetectedArtifact
from marketplace.detection.documents import Markdown, read_json, read_markdown, split_frontmatter
from marketplace.detection.index import TreeIndex, base_name, join, parent
from marketplace.detection.vocabulary import ArtifactType
from marketplace.repository import TreeFile

SKILL = "SKILL.md"
MANIFEST = ".claude-plugin/plugin.json"


class Case:
    """One artifact under examination; everything is looked up at most once.

    Without the repository's `index`, an artifact's files are known to be all in its directory only for a skill
    below the root (others may lie in one at the root), and for a plugin that shares its directory with none.
    """

    def __init__(
        self, artifact: DetectedArtifact, texts: Mapping[str, str], index: TreeIndex | None = None
    ) -> None:
        self.artifact = artifact
        self.texts = texts
        self._index = index

    @cached_property
    def files(self) -> tuple[TreeFile, ...]:
        """The artifact's own files by path."""
        return tuple(sorted(self.artifact.files, key=lambda file: file.path))

    @cached_property
    def document(self) -> str | None:
        """The path of the file that makes the artifact; None where a marketplace entry alone does."""
        artifact = self.artifact
        if artifact.type is ArtifactType.SKILL:
            found = [f.path for f in self.files if f.is_regular and self._is_skill_file(f.path)]
            return min(found, key=lambda path: (base_name(path) != SKILL, path), default=None)
        if artifact.type is ArtifactType.PLUGIN:
            path = join(artifact.directory, MANIFEST)
            return path if self.entry(path) else None
        return artifact.path

    @cached_property
    def text(self) -> str | None:
        """The document's text, where it is known."""
        return self.texts.get(self.document) if self.document else None

    @cached_property
    def markdown(self) -> Markdown | None:
        return None if self.text is None else read_markdown(self.text)

    @cached_property
    def body(self) -> str:
        """What follows the document's frontmatter."""
        return split_frontmatter(self.text or "")[1]

    @cached_property
    def values(self) -> Mapping[str, Any] | None:
        """The document's JSON object; None when its text is unknown or holds none."""
        return None if self.text is None else read_json(self.text)

    @property
    def key(self) -> str:
        """What follows `#` in the locator: which of several that one file or directory declares."""
        return self.artifact.locator.partition("#")[2]

    @cached_property
    def own_texts(self) -> tuple[tuple[str, str], ...]:
        """The known texts among the artifact's files, with their paths."""
        return tuple((f.path, self.texts[f.path]) for f in self.files if f.path in self.texts)

    @cached_property
    def is_surveyable(self) -> bool:
        """Whether a path that is not found does not exist."""
        if self._index is not None:
            return True
        if self.artifact.type is ArtifactType.PLUGIN:
            return not self.key
        return self.artifact.type is ArtifactType.SKILL and bool(self.artifact.directory)

    def entry(self, path: str) -> TreeFile | None:
        """The file, link or submodule at exactly this path."""
        at = self._position(path)
        return self._known[at] if at < len(self._known) and self._known[at].path == path else None

    def is_missing(self, path: str) -> bool:
        """Nothing has this path, and nothing has it below; never so behind a link or submodule."""
        if not self.is_surveyable or not path or self.entry(path):
            return False
        at = self._position(path + "/")
        if at < len(self._known) and self._known[at].path.startswith(path + "/"):
            return False
        return not any(self.entry(above) for above in _above(path))

    @cached_property
    def _known(self) -> tuple[TreeFile, ...]:
        return self.files if self._index is None else self._index.all_files

    def _position(self, path: str) -> int:
        return bisect_left(self._known, path, key=lambda file: file.path)

    def _is_skill_file(self, path: str) -> bool:
        return parent(path) == self.artifact.directory and base_name(path).lower() == SKILL.lower()


def _above(path: str) -> Iterator[str]:
    while path := parent(path):
        yield path
