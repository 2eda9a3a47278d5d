"""The values between the steps of detection: a place where an artifact may be, and one that holds up."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from marketplace.detection.artifacts import Signal
from marketplace.detection.index import around, parent
from marketplace.detection.vocabulary import ArtifactType

# Points of a place; at most 15 come from content. The steps are those that confidence promises its readers.
LOADED = 85
STANDALONE = 80
NESTED = 75
FORGOTTEN = 63
SKILL_FOLDER = 62
UNUSUAL = 60
LOOSE_SKILL = 55
FOLDER = 45
DOUBTFUL = 30
ANYWHERE = 20


Identity = tuple[ArtifactType, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an artifact may be and why.

    `path` identifies it; `document` is read to judge it, unless `inline` already has its values. Namespace
    and tags count from `container`. `loader` is the directory that Claude Code has to open or install to find
    the artifact there by itself; None when only convention speaks for the place. `base`: where the paths in a
    hook's commands start, which is not where its configuration lies.
    """

    type: ArtifactType
    path: str
    document: str
    container: str
    signal: Signal
    loader: str | None = None
    plugin: str | None = None
    key: str = ""
    hint: str = ""
    inline: Mapping[str, Any] | None = None
    base: str | None = None

    @property
    def locator(self) -> str:
        return f"{self.path}#{self.key}" if self.key else self.path

    @property
    def identity(self) -> Identity:
        return self.type, self.locator

    @property
    def is_directory(self) -> bool:
        """The artifact is everything in `directory`, not the one file `path`."""
        return self.type in {ArtifactType.SKILL, ArtifactType.PLUGIN}

    @property
    def directory(self) -> str:
        """The artifact's own directory, or the one that holds its file; "" is the root."""
        if self.is_directory:
            return "" if self.path == "." else self.path
        return parent(self.path)

    @property
    def origin(self) -> str:
        """The directory from which the paths of the artifact's files count."""
        return self.directory if self.base is None else around(self.base, self.directory)

    @property
    def is_loaded(self) -> bool:
        """Official, declared, or said so by the source's owner: thin content is enough."""
        return self.signal.points >= FORGOTTEN

    @property
    def rank(self) -> tuple[int, bool, int]:
        """The larger, the better it explains why the artifact is there."""
        return self.signal.points, self.plugin is not None, len(self.container)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What an artifact says about itself, within the limits of the catalogue's fields."""

    name: str
    title: str = ""
    description: str = ""
    version: str = ""
    license: str = ""
    author: str = ""
    tags: tuple[str, ...] = ()
    frontmatter: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A place whose content holds up.

    `calls`: what a hook's commands may call, below the place's origin. `copy_of`: the locator of what it is a
    copy of, where that is not the same to the byte.
    """

    place: Place
    signals: tuple[Signal, ...]
    profile: Profile
    calls: tuple[str, ...] = ()
    copy_of: str | None = None

    @property
    def confidence(self) -> int:
        """The sum of the signals' points, 0-100."""
        return max(0, min(100, sum(signal.points for signal in self.signals)))


def directory_path(directory: str) -> str:
    """How a skill or plugin names its directory: "." for the root."""
    return directory or "."
