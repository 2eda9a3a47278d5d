"""Sets: create, replace, clone and delete."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import F

from deployment_sets.models import MAX_NAME, DeploymentSet, SetMember, SetTag, Visibility
from deployment_sets.operations.locking import lock, locked
from skillmeat_site.accounts.models import Project, User
from skillmeat_site.audit.recording import record
from skillmeat_site.errors import DomainError, Kind

COPY = " (copy)"


class SetExists(DomainError):
    """The project already has a set of this name."""

    code = "set_exists"
    kind = Kind.CONFLICT
    title = "This set is already there"
    hint = "Choose another name. existing_id names the set, unless it is somebody's private one."


class PrivateInside(DomainError):
    """Whoever can read a set has to be able to read all sets in it.

    So a private set can only lie in private sets of the same owner.
    """

    code = "private_inside"
    kind = Kind.INVALID
    title = "A private set would be seen by others"
    hint = "Make the inner set a project set, or take it out of the outer one first."


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What people decide about a set, already checked for shape."""

    name: str
    description: str = ""
    tags: tuple[str, ...] = ()
    visibility: str = Visibility.PRIVATE


def create(*, settings: Settings, project: Project, by: User, at: datetime) -> DeploymentSet:
    """An empty set of `by`. Raises SetExists."""
    new = DeploymentSet(project=project, owner=by, created_at=at)
    with _name_taken_is_a_conflict(new, settings.name, by=by), transaction.atomic():
        lock(project)
        _write(new, settings, at=at)
        record("set.created", new, project=project, by=by, at=at)
    return new


def replace(*, deployment_set: DeploymentSet, settings: Settings, by: User, at: datetime) -> DeploymentSet:
    """Give the set these settings. Raises SetExists, PrivateInside."""
    with _name_taken_is_a_conflict(deployment_set, settings.name, by=by), transaction.atomic():
        current = locked(deployment_set)
        before = _settings_of(current)
        _write(current, settings, at=at)
        _require_readable_alike(current, by=by)
        changed = [name for name in settings.__slots__ if getattr(settings, name) != getattr(before, name)]
        record("set.changed", current, project=current.project, by=by, at=at, fields=sorted(changed))
    return current


def clone(*, deployment_set: DeploymentSet, by: User, at: datetime) -> DeploymentSet:
    """A set of `by` with the same settings and members under a free name."""
    with transaction.atomic():
        original = locked(deployment_set)
        copy = DeploymentSet(project=original.project, owner=by, created_at=at)
        _write(copy, _settings_of(original, name=_free_name(original)), at=at)
        SetMember.objects.bulk_create(
            SetMember(
                parent=copy,
                position=member.position,
                artifact_uuid=member.artifact_uuid,
                group_id=member.group_id,
                member_set_id=member.member_set_id,
                created_at=at,
            )
            for member in original.members.all()
        )
        _require_readable_alike(copy, by=by)
        record("set.cloned", copy, project=copy.project, by=by, at=at, original=original.public_id)
    return copy


def delete(*, deployment_set: DeploymentSet, by: User, at: datetime) -> None:
    """The set goes, also out of the sets that contain it; the audit event lists those."""
    with transaction.atomic():
        current = locked(deployment_set)
        memberships = list(current.memberships.select_related("parent"))
        for membership in memberships:
            close_gap(membership, at=at)
        outer = [membership.parent.public_id for membership in memberships]
        record("set.deleted", current, project=current.project, by=by, at=at, removed_from=outer)
        current.delete()


def close_gap(member: SetMember, *, at: datetime) -> None:
    """Take a member out of its set; what stands behind it moves up."""
    member.delete()
    behind = SetMember.objects.filter(parent=member.parent_id, position__gt=member.position)
    behind.update(position=F("position") - 1)
    touch(member.parent, at=at)


def touch(deployment_set: DeploymentSet, *, at: datetime) -> None:
    DeploymentSet.objects.filter(pk=deployment_set.pk).update(updated_at=at)


def _write(deployment_set: DeploymentSet, settings: Settings, *, at: datetime) -> None:
    deployment_set.name = settings.name
    deployment_set.description = settings.description
    deployment_set.tags = list(settings.tags)
    deployment_set.visibility = settings.visibility
    deployment_set.updated_at = at
    deployment_set.save()
    deployment_set.tag_rows.all().delete()
    SetTag.objects.bulk_create(SetTag(deployment_set=deployment_set, tag=tag) for tag in settings.tags)


def _settings_of(deployment_set: DeploymentSet, *, name: str = "") -> Settings:
    return Settings(
        name=name or deployment_set.name,
        description=deployment_set.description,
        tags=tuple(deployment_set.tags),
        visibility=deployment_set.visibility,
    )


def _require_readable_alike(deployment_set: DeploymentSet, *, by: User) -> None:
    inner = DeploymentSet.objects.filter(memberships__parent=deployment_set)
    if hidden := [each for each in inner if not deployment_set.may_contain(each)]:
        raise PrivateInside(f"{deployment_set} contains {named(hidden, by=by)}.")
    outer = DeploymentSet.objects.filter(members__member_set=deployment_set)
    if shown := [each for each in outer if not each.may_contain(deployment_set)]:
        raise PrivateInside(f"{deployment_set} lies in {named(shown, by=by)}.")


def named(deployment_sets: Iterable[DeploymentSet], *, by: User, separator: str = ", ") -> str:
    """Their names, as far as `by` may know them."""
    rows = list(deployment_sets)
    visible = DeploymentSet.objects.visible_to(by).filter(pk__in=[row.pk for row in rows])
    known = set(visible.values_list("pk", flat=True))
    return separator.join(row.name if row.pk in known else "somebody's private set" for row in rows)


def _free_name(original: DeploymentSet) -> str:
    taken = set(DeploymentSet.objects.filter(project=original.project).values_list("name", flat=True))
    number, ending = 1, COPY
    while (name := original.name[: MAX_NAME - len(ending)] + ending) in taken:
        number += 1
        ending = f" (copy {number})"
    return name


@contextmanager
def _name_taken_is_a_conflict(deployment_set: DeploymentSet, name: str, *, by: User) -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        project = deployment_set.project
        twins = DeploymentSet.objects.filter(project=project, name=name).exclude(pk=deployment_set.pk)
        if not twins.exists():
            raise
        seen = twins.visible_to(by).first()
        known = {"existing_id": seen.public_id} if seen else {}
        raise SetExists(f"{project} already has a set {name!r}.", **known) from None
