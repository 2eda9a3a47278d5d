"""What can be deployed, as values: an artifact's version with its files, and where it came from. Pure."""

from dataclasses import dataclass
from uuid import UUID

from marketplace.detection.vocabulary import ArtifactType
from marketplace.manifest import ContentKind
from skillmeat_site.errors import DomainError, Kind


class ArtifactUnusable(DomainError):
    """An artifact's content cannot be deployed: nothing in it is what its type needs, or its JSON is malformed."""

    code = "artifact_unusable"
    kind = Kind.CONFLICT
    title = "Artifact cannot be deployed"
    hint = "Take it out of the set, or import a version that is whole."


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployableFile:
    """A file by its path below the artifact's own directory, as its manifest lists it; `mode` is git's."""

    path: str
    kind: ContentKind
    mode: str
    size: int
    digest: str | None

    @property
    def is_plain(self) -> bool:
        return self.kind in {ContentKind.FILE, ContentKind.EXECUTABLE} and self.digest is not None

    @property
    def permissions(self) -> int:
        """Only what git knows: no set-user-id, nothing writable for others."""
        return 0o755 if self.kind is ContentKind.EXECUTABLE else 0o644


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A part of a plugin, by type and its path in the repository (an entry's `locator`)."""

    type: ArtifactType
    locator: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployableArtifact:
    """One version of an artifact.

    `locator`: its path in its repository, `#name` behind it where one file declares several; `repository` only
    tells which artifacts came from one. `members` of a plugin are what it loads.
    """

    uuid: UUID
    type: ArtifactType
    name: str
    files: tuple[DeployableFile, ...]
    namespace: str = ""
    version: str = ""
    digest: str = ""
    repository: str = ""
    locator: str = ""
    members: tuple[Member, ...] = ()

    @property
    def document(self) -> DeployableFile:
        """The one file of a command or agent, the configuration of a hook or server.

        Raises ArtifactUnusable when it has no content.
        """
        path = f"/{self.locator.partition('#')[0]}"
        named = [file for file in self.files if path.endswith(f"/{file.path}")]
        if len(self.files) == 1:
            named = list(self.files)
        found = max(named, key=lambda file: len(file.path), default=None)
        if found is None or not found.is_plain:
            raise ArtifactUnusable(f"{self.name}: its file was not stored, or is only a link or a pointer.")
        return found

    @property
    def entry(self) -> str:
        """The name behind the locator's `#`."""
        return self.locator.partition("#")[2]
