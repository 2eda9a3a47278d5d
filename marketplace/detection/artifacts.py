"""The values that detection takes and gives: settings in, artifacts with reasons out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from marketplace.detection.vocabulary import ArtifactType
from marketplace.repository import TreeFile


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionSettings:
    """What a source's owner says about the repository.

    `root_hint`: only what lies below this directory counts ("" is the whole repository).
    `manual_map`: directory -> type, or None for "nothing here"; the nearest ancestor wins.
    `frontmatter`: judge Markdown outside official places by its frontmatter too.
    """

    root_hint: str = ""
    manual_map: Mapping[str, ArtifactType | None] = field(default_factory=dict)
    frontmatter: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One reason for type and confidence: a stable name, its points, and a sentence for people."""

    name: str
    points: int
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectedArtifact:
    """One artifact at one commit.

    Identity is (type, locator); the locator is the path, with `#name` where one directory or file declares
    several. `directory` is the artifact's own, or the one that holds its file; for a hook it is the directory
    of the plugin or project for which its commands are written (and around a marketplace.json that declares it
    from further out); "" is the root. `files` are all files that are the artifact's own, all below
    `directory`, sorted by path: a plugin's include its members', a hook's the scripts that it calls, which can
    be a skill's or another hook's too. `content_digest` is `sha256:` over their (path below the directory,
    mode, blob id), sorted, as `content_digest()` writes them. `parent_locator` names the plugin that loads it.
    `duplicate_of` names the surest artifact of the same type and content, or of which this is a loose copy or
    a translation; that one is no duplicate. `confidence` is 0-100: the signals' points together, clamped.
    """

    type: ArtifactType
    locator: str
    path: str
    name: str
    confidence: int
    signals: tuple[Signal, ...]
    files: tuple[TreeFile, ...]
    content_digest: str
    directory: str = ""
    namespace: str = ""
    title: str = ""
    description: str = ""
    version: str = ""
    license: str = ""
    author: str = ""
    tags: tuple[str, ...] = ()
    path_tags: tuple[str, ...] = ()
    parent_locator: str | None = None
    duplicate_of: str | None = None
    frontmatter: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[ArtifactType, str]:
        return self.type, self.locator


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class SuggestedSource:
    """Another repository or package that a marketplace.json of this one points to; nothing of it has been read."""

    name: str
    url: str
    ref: str = ""
    path: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """What one tree holds: artifacts sorted by (type, locator), each identity once, and other sources."""

    artifacts: tuple[DetectedArtifact, ...] = ()
    suggested: tuple[SuggestedSource, ...] = ()
