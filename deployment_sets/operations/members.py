"""Members of sets: add, move and remove."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F

from collections_app.models import Artifact, Group
from deployment_sets.models import MAX_DEPTH, DeploymentSet, SetMember
from deployment_sets.operations.locking import locked, locked_member
from deployment_sets.operations.resolving import nesting
from deployment_sets.operations.sets import PrivateInside, close_gap, named, touch
from deployment_sets.resolution import Kind as Target, longest_path, path_between, upside_down
from skillmeat_site.accounts.models import User
from skillmeat_site.audit.recording import record
from skillmeat_site.errors import DomainError, Kind

COLUMNS = {Target.ARTIFACT: "artifact_uuid", Target.GROUP: "group_id", Target.SET: "member_set_id"}


class UnknownTarget(DomainError):
    """There is no such artifact, group or set in the set's project."""

    code = "unknown_target"
    kind = Kind.NOT_FOUND
    title = "No such artifact, group or set"
    hint = "Members belong to the set's own project."


class MemberExists(DomainError):
    """The set already has this member; it can be moved."""

    code = "member_exists"
    kind = Kind.CONFLICT
    title = "This is already a member"
    hint = "Use the member named in existing_id."


class SetCycle(DomainError):
    """The set would contain itself; `path` names the sets on the way."""

    code = "set_cycle"
    kind = Kind.INVALID
    title = "A set cannot contain itself"
    hint = "Take one of the sets on the path out of the next outer one first."


class NestedTooDeep(DomainError):
    """At most 20 sets may lie in each other, the outermost counted."""

    code = "nested_too_deep"
    kind = Kind.INVALID
    title = "Nested too deep"
    hint = "Take a set out of the path, or add its members themselves."


class NoSuchPosition(DomainError):
    """Positions count from 0 without gaps."""

    code = "no_such_position"
    kind = Kind.INVALID
    title = "There is no such position"
    hint = "Leave `position` out to add at the end."


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMember:
    """What is to become a member; a `position` of None is the end."""

    kind: Target
    target: UUID | None
    position: int | None = None


def add(*, deployment_set: DeploymentSet, new: NewMember, by: User, at: datetime) -> SetMember:
    """Insert a member; those from its position on make room.

    Raises UnknownTarget, MemberExists, NoSuchPosition, and for a set PrivateInside, SetCycle, NestedTooDeep.
    """
    with transaction.atomic():
        parent = locked(deployment_set)
        _require_target(parent, new, by=by)
        twin = parent.members.filter(**{COLUMNS[new.kind]: new.target}).first()
        if twin:
            raise MemberExists(f"It stands at position {twin.position}.", existing_id=twin.public_id)
        count = parent.members.count()
        position = count if new.position is None else _valid(new.position, last=count)
        parent.members.filter(position__gte=position).update(position=F("position") + 1)
        member = SetMember(parent=parent, position=position, created_at=at)
        setattr(member, COLUMNS[new.kind], new.target)
        member.save(force_insert=True)
        _tell("set.member_added", member, by=by, at=at)
    return member


def move(*, member: SetMember, position: int, by: User, at: datetime) -> SetMember:
    """Put the member at this position; those between make room. Raises NoSuchPosition, SetGone."""
    with transaction.atomic():
        current = locked_member(member)
        others = current.parent.members.exclude(pk=current.pk)
        before, after = current.position, _valid(position, last=others.count())
        others.filter(position__gt=before, position__lte=after).update(position=F("position") - 1)
        others.filter(position__gte=after, position__lt=before).update(position=F("position") + 1)
        current.position = after
        current.save(update_fields=["position"])
        _tell("set.member_moved", current, by=by, at=at, moved_from=before)
    return current


def remove(*, member: SetMember, by: User, at: datetime) -> None:
    """Take the member out; those behind it move up. Raises SetGone."""
    with transaction.atomic():
        current = locked_member(member)
        _tell("set.member_removed", current, by=by, at=at)
        close_gap(current, at=at)


def _tell(verb: str, member: SetMember, *, by: User, at: datetime, **facts: int) -> None:
    parent = member.parent
    touch(parent, at=at)
    record(
        verb,
        parent,
        project=parent.project,
        by=by,
        at=at,
        member=member.public_id,
        target=f"{member.kind} {member.target}",
        position=member.position,
        **facts,
    )


def _valid(position: int, *, last: int) -> int:
    if not 0 <= position <= last:
        detail = f"Use a position from 0 to {last}."
        wrong = {"pointer": "/position", "code": "no_such_position", "detail": detail}
        raise NoSuchPosition(detail, errors=[wrong])
    return position


def _require_target(parent: DeploymentSet, new: NewMember, *, by: User) -> None:
    in_collection: dict[str, Any] = {"pk": new.target, "collection__project": parent.project_id}
    if new.kind is Target.SET:
        sets = DeploymentSet.objects.visible_to(by).filter(project=parent.project_id)
        inner = sets.filter(pk__in=[new.target]).first()
        if inner:
            _require_nestable(parent, inner, by=by)
        known = inner is not None
    elif new.kind is Target.GROUP:
        known = Group.objects.filter(**in_collection).exists()
    else:
        known = Artifact.objects.filter(**in_collection).exists()
    if not known:
        raise UnknownTarget(f"The project {parent.project} has no such {new.kind}.")


def _require_nestable(outer: DeploymentSet, inner: DeploymentSet, *, by: User) -> None:
    if not outer.may_contain(inner):
        raise PrivateInside(f"{inner} is private, and {outer} is not a private set of its owner.")
    nested = nesting([outer.project_id])
    back = path_between(inner.pk, outer.pk, nested)
    if back:
        raise SetCycle(f"This would close the cycle {_path([outer.pk, *back], by=by)}.")
    above = longest_path(outer.pk, upside_down(nested))
    path = [*reversed(above), *longest_path(inner.pk, nested)]
    if len(path) > MAX_DEPTH:
        raise NestedTooDeep(f"{len(path)} sets would lie in each other: {_path(path, by=by)}.")


def _path(ids: list[UUID], *, by: User) -> str:
    rows = DeploymentSet.objects.in_bulk(ids)
    return named([rows[each] for each in ids], by=by, separator=" -> ")
