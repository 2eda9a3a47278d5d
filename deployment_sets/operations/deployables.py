"""Artifacts as the values that are laid out: the rows of their present versions, and their stored content."""

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

from collections_app.models import Artifact
from deployment_sets.deployable import ArtifactUnusable, DeployableArtifact, DeployableFile, Member
from deployment_sets.layout import Layout, lay_out
from marketplace.content import store
from marketplace.content.store import ContentDamaged
from marketplace.detection.vocabulary import ArtifactType
from marketplace.manifest import ContentKind

WITH_CONTENT = ("current__manifest", "source")


def laid_out(artifacts: Iterable[Artifact]) -> Layout:
    """Where they land; their rows have been read with WITH_CONTENT, so nothing is asked here."""
    return lay_out([_deployable(artifact) for artifact in artifacts], read=read)


def read(digest: str) -> bytes:
    """The stored bytes. Raises ArtifactUnusable when they are lost."""
    try:
        return store.read(digest)
    except ContentDamaged as error:
        raise ArtifactUnusable(f"{error.detail} {error.hint}") from None


def _deployable(artifact: Artifact) -> DeployableArtifact:
    version = artifact.current
    return DeployableArtifact(
        uuid=artifact.pk,
        type=ArtifactType(artifact.type),
        name=artifact.name,
        namespace=artifact.namespace,
        version=artifact.version,
        digest=version.content_digest if version else "",
        repository=artifact.origin_url,
        locator=artifact.origin_locator,
        files=tuple(_file(row) for row in version.manifest.files) if version else (),
        members=tuple(chain.from_iterable(_member(row) for row in artifact.members)),
    )


def _file(row: Mapping[str, Any]) -> DeployableFile:
    return DeployableFile(
        path=row["path"],
        kind=ContentKind(row["kind"]),
        mode=row["mode"],
        size=row["size"],
        digest=row["digest"],
    )


def _member(row: Mapping[str, str]) -> tuple[Member, Member]:
    """By both locators that it can have: its path, and with the name where a file declares several."""
    type_ = ArtifactType(row["type"])
    return Member(type=type_, locator=row["path"]), Member(type=type_, locator=f"{row['path']}#{row['name']}")
