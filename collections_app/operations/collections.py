"""Collections: create, change and delete, and the one that a project always has."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from collections_app.models import Collection
from skillmeat_site.accounts.models import Project, User
from skillmeat_site.audit.recording import record
from skillmeat_site.errors import DomainError, Kind

DEFAULT = "Default"


class CollectionExists(DomainError):
    """The project already has a collection of this name."""

    code = "collection_exists"
    kind = Kind.CONFLICT
    title = "This collection is already there"
    hint = "Use the collection named in existing_id, or give another name."


class UnknownCollection(DomainError):
    """There is no such collection in the project of what is to be put into it."""

    code = "unknown_collection"
    kind = Kind.NOT_FOUND
    title = "No such collection"
    hint = "Artifacts stay in their project; GET /api/v1/collections lists its collections."


def create(
    *,
    name: str,
    project: Project,
    by: User | None,
    at: datetime,
    description: str = "",
    refresh_interval: int | None = None,
) -> Collection:
    """Raises CollectionExists, naming the other."""
    collection = Collection(
        project=project,
        name=name,
        description=description,
        refresh_interval=refresh_interval,
        created_at=at,
        updated_at=at,
    )
    collection.next_refresh_at = collection.next_refresh_after(at)
    with _once(collection), transaction.atomic():
        collection.save(force_insert=True)
        record("collection.created", collection, project=project, by=by, at=at)
    return collection


def change(*, collection: Collection, changes: Mapping[str, Any], by: User, at: datetime) -> None:
    """Set the given fields. Raises CollectionExists, naming the other."""
    written = {"updated_at": at, **changes}
    if "refresh_interval" in changes:
        collection.refresh_interval = changes["refresh_interval"]
        written["next_refresh_at"] = collection.next_refresh_after(at)
    for name, value in written.items():
        setattr(collection, name, value)
    with _once(collection), transaction.atomic():
        collection.save(update_fields=written.keys())
        record(
            "collection.changed",
            collection,
            project=collection.project,
            by=by,
            at=at,
            fields=sorted(changes),
        )


@contextmanager
def _once(collection: Collection) -> Iterator[None]:
    """Turns the database's refusal of a second collection of this name into the domain's."""
    try:
        yield
    except IntegrityError:
        same = Collection.objects.filter(project=collection.project, name=collection.name)
        twin = same.exclude(pk=collection.pk).first()
        if twin is None:
            raise
        raise CollectionExists(
            f"{collection.project} has a collection {twin.name!r}.", existing_id=twin.public_id
        ) from None


def default_of(project: Project, *, by: User | None, at: datetime) -> Collection:
    """The collection that imports go to when none is named; made when first needed, by one of many at once."""
    with transaction.atomic():
        collection, is_new = Collection.objects.get_or_create(
            project=project, name=DEFAULT, defaults={"created_at": at, "updated_at": at}
        )
        if is_new:
            record("collection.created", collection, project=project, by=by, at=at)
        return collection


def delete(*, collection: Collection, by: User, at: datetime) -> None:
    """The collection goes with its artifacts, their versions and its groups; what was deployed stays on disk."""
    with transaction.atomic():
        count = collection.artifacts.count()
        record(
            "collection.deleted", collection, project=collection.project, by=by, at=at, artifact_count=count
        )
        collection.delete()
