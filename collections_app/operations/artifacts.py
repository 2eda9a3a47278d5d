"""Artifacts in a collection: change, copy, roll back and delete."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max, QuerySet

from collections_app import naming
from collections_app.models import Artifact, ArtifactVersion, Collection, Reason
from marketplace.detection.vocabulary import ArtifactType
from skillmeat_site.accounts.models import User
from skillmeat_site.audit.recording import record
from skillmeat_site.errors import DomainError, Kind
from skillmeat_site.ids import uuid7


class UnsuitableName(DomainError):
    """No artifact can have this name.

    Names are no paths, not too long, and not reserved on any of the usual file systems.
    """

    code = "unsuitable_name"
    kind = Kind.INVALID
    title = "Unsuitable name"
    hint = "Use one of the suggested_names; an import takes them in conflict_resolution."


class ArtifactExists(DomainError):
    """The collection already has an artifact of this type, namespace and name."""

    code = "artifact_exists"
    kind = Kind.CONFLICT
    title = "This artifact is already there"
    hint = "Rename one of the two; suggested_names are free."


class UnknownVersion(DomainError):
    """The artifact has no version of this number."""

    code = "unknown_version"
    kind = Kind.INVALID
    title = "No such version"
    hint = "GET /api/v1/artifacts/{uuid}/versions lists them."


class AlreadyCurrent(DomainError):
    """The artifact has this version's content already."""

    code = "already_current"
    kind = Kind.CONFLICT
    title = "Nothing to roll back"
    hint = "Choose another version."


def require_name(artifact_type: str, name: str, *, pointer: str) -> None:
    """Raise UnsuitableName, with one that would do, when no artifact of this type can have the name."""
    kind = ArtifactType(artifact_type)
    if reason := naming.fault(kind, name):
        raise UnsuitableName(
            reason,
            suggested_names=[naming.cleaned(kind, name)],
            errors=[{"pointer": pointer, "code": "unsuitable_name", "detail": reason}],
        )


def change(*, artifact: Artifact, changes: Mapping[str, Any], by: User, at: datetime) -> None:
    """Set the given fields, which refreshes will not touch from now on.

    Raises UnsuitableName and ArtifactExists.
    """
    if "name" in changes:
        require_name(artifact.type, changes["name"], pointer="/name")
    try:
        with transaction.atomic():
            locked = Artifact.objects.select_for_update(of=("self",)).get(pk=artifact.pk)
            edited = {name for name, value in changes.items() if getattr(locked, name) != value}
            if not edited:
                return
            for name in edited:
                setattr(locked, name, changes[name])
            locked.edited_fields = sorted({*locked.edited_fields, *edited})
            locked.updated_at = at
            locked.save(update_fields=[*edited, "edited_fields", "updated_at"])
            record("artifact.changed", locked, project=artifact.project, by=by, at=at, fields=sorted(edited))
    except IntegrityError:
        others = artifact.collection.artifacts.exclude(pk=artifact.pk)
        raise _taken(others, artifact, changes.get("name", artifact.name)) from None


def _taken(others: QuerySet[Artifact], artifact: Artifact, name: str) -> DomainError:
    same = others.filter(type=artifact.type, namespace=artifact.namespace)
    twin = same.filter(name=name).select_related("collection").first()
    if twin is None:
        return DomainError("The artifact could not be saved.")
    names = set(same.values_list("name", flat=True))
    owner = artifact.source.owner if artifact.source else ""
    free = naming.free(ArtifactType(artifact.type), name, owner=owner, taken=names)
    return ArtifactExists(
        f"{twin.collection} has a {artifact.type} {name!r}.",
        existing_id=twin.public_id,
        suggested_names=list(free),
    )


def copy(*, artifact: Artifact, collection: Collection, by: User, at: datetime) -> Artifact:
    """The artifact as it is now, in another collection of its project, where its versions begin anew.

    Raises ArtifactExists when its name is taken there.
    """
    twin = Artifact.objects.get(pk=artifact.pk)
    current = ArtifactVersion.objects.get(pk=twin.current_id)
    twin.pk, twin.collection = uuid7(), collection
    twin.created_at = twin.updated_at = at
    version = ArtifactVersion(
        artifact=twin,
        number=1,
        commit=current.commit,
        content_digest=current.content_digest,
        manifest_id=current.manifest_id,
        reason=Reason.IMPORT,
        created_by=by,
        created_at=at,
    )
    twin.current = version
    try:
        with transaction.atomic():
            twin.save(force_insert=True)
            version.save(force_insert=True)
            record(
                "artifact.copied",
                twin,
                project=collection.project,
                by=by,
                at=at,
                copy_of=artifact.public_id,
                collection=collection.public_id,
            )
    except IntegrityError:
        raise _taken(collection.artifacts.all(), artifact, artifact.name) from None
    return twin


def roll_back(*, artifact: Artifact, number: int, by: User, at: datetime) -> None:
    """Let the artifact have an earlier version's content again, as a new version; its words stay.

    Refreshes keep to it until upstream has other content than was rolled back. Raises UnknownVersion and
    AlreadyCurrent.
    """
    with transaction.atomic():
        locked = Artifact.objects.select_for_update(of=("self",)).get(pk=artifact.pk)
        wanted = locked.versions.filter(number=number).first()
        if wanted is None:
            raise UnknownVersion(f"There is no version {number}.")
        if wanted.content_digest == locked.current.content_digest:
            raise AlreadyCurrent(f"Version {number} has the content that is current.")
        last = locked.versions.aggregate(last=Max("number"))["last"]
        locked.current = ArtifactVersion.objects.create(
            artifact=locked,
            number=last + 1,
            commit=wanted.commit,
            content_digest=wanted.content_digest,
            manifest_id=wanted.manifest_id,
            reason=Reason.ROLLBACK,
            created_by=by,
            created_at=at,
        )
        locked.updated_at = at
        locked.save(update_fields=["current", "updated_at"])
        record("artifact.rolled_back", locked, project=artifact.project, by=by, at=at, version=number)


def delete(*, artifact: Artifact, by: User, at: datetime) -> None:
    """The artifact goes with its versions; groups close the gap, and sets that use it show it as unresolved."""
    with transaction.atomic():
        record("artifact.deleted", artifact, project=artifact.project, by=by, at=at)
        groups = [membership.group for membership in artifact.group_memberships.select_related("group")]
        artifact.delete()
        for group in groups:
            group.renumber()
