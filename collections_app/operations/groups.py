"""Groups: named, ordered artifacts of one collection."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from collections_app.models import Collection, Group, GroupMember
from skillmeat_site.accounts.models import User
from skillmeat_site.audit.recording import record
from skillmeat_site.errors import DomainError, Kind


class GroupExists(DomainError):
    """The collection already has a group of this name."""

    code = "group_exists"
    kind = Kind.CONFLICT
    title = "This group is already there"
    hint = "Use the group named in existing_id, or give another name."


class UnknownMembers(DomainError):
    """Some of the artifacts are not in the group's collection; `errors` lists them."""

    code = "unknown_members"
    kind = Kind.INVALID
    title = "No such artifacts in this collection"
    hint = "GET /api/v1/collections/{id}/artifacts lists them; copy an artifact of another collection first."


def create(*, collection: Collection, name: str, description: str, by: User, at: datetime) -> Group:
    """An empty group. Raises GroupExists, naming the other."""
    group = Group(collection=collection, name=name, description=description, created_at=at, updated_at=at)
    with _once(group), transaction.atomic():
        group.save(force_insert=True)
        record("group.created", group, project=group.project, by=by, at=at)
    return group


def change(*, group: Group, changes: Mapping[str, Any], by: User, at: datetime) -> None:
    """Set the given fields. Raises GroupExists, naming the other."""
    written = {"updated_at": at, **changes}
    for name, value in written.items():
        setattr(group, name, value)
    with _once(group), transaction.atomic():
        group.save(update_fields=written.keys())
        record("group.changed", group, project=group.project, by=by, at=at, fields=sorted(changes))


@contextmanager
def _once(group: Group) -> Iterator[None]:
    """Turns the database's refusal of a second group of this name into the domain's."""
    try:
        yield
    except IntegrityError:
        twin = group.collection.groups.filter(name=group.name).exclude(pk=group.pk).first()
        if twin is None:
            raise
        raise GroupExists(
            f"{group.collection} has a group {twin.name!r}.", existing_id=twin.public_id
        ) from None


def arrange(*, group: Group, artifacts: Sequence[UUID], by: User, at: datetime) -> None:
    """Let the group have exactly these artifacts, in this order. Raises UnknownMembers."""
    with transaction.atomic():
        Group.objects.select_for_update(of=("self",)).get(pk=group.pk)
        known = set(group.collection.artifacts.filter(pk__in=artifacts).values_list("pk", flat=True))
        if unknown := [pk for pk in artifacts if pk not in known]:
            raise UnknownMembers(
                f"{len(unknown)} of {len(artifacts)} are not in {group.collection}.",
                errors=[
                    {
                        "pointer": f"/members/{artifacts.index(pk)}",
                        "code": "unknown_artifact",
                        "detail": "There is no such artifact in this collection.",
                    }
                    for pk in unknown
                ],
            )
        group.memberships.all().delete()
        GroupMember.objects.bulk_create(
            GroupMember(group=group, artifact_id=pk, position=position)
            for position, pk in enumerate(artifacts)
        )
        group.updated_at = at
        group.save(update_fields=["updated_at"])
        record("group.arranged", group, project=group.project, by=by, at=at, members=[*map(str, artifacts)])


def delete(*, group: Group, by: User, at: datetime) -> None:
    """The group goes; its artifacts stay."""
    with transaction.atomic():
        record("group.deleted", group, project=group.project, by=by, at=at)
        group.delete()
