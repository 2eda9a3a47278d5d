"""Members of a project: let them in, change their role, let them go. A project always keeps an admin."""

from datetime import datetime

from django.db import transaction

from skillmeat_site.accounts.models import Membership, Project, Role, User
from skillmeat_site.audit.recording import record
from skillmeat_site.errors import DomainError, Kind


class LastAdmin(DomainError):
    """A project keeps at least one admin who can log in, so that somebody can let others in.

    The last one can neither leave nor take a lower role.
    """

    code = "last_admin"
    kind = Kind.CONFLICT
    title = "A project needs an admin"
    hint = "Make another member an admin first."


@transaction.atomic
def put(
    *, project: Project, user: User, role: Role, by: User | None, at: datetime
) -> tuple[Membership, bool]:
    """The user's membership with this role, and whether it is new. The role he has is no change and no event.

    Raises LastAdmin when this would take the project its last one.
    """
    _lock(project)
    membership, is_new = Membership.objects.select_related("user").get_or_create(
        project=project, user=user, defaults={"role": role}
    )
    told = {"user": user.username, "role": role}
    if is_new:
        record("membership.created", membership, project=project, by=by, at=at, **told)
    elif membership.role != role:
        _keep_an_admin_beside(membership)
        was, membership.role = membership.role, role
        membership.save(update_fields=["role"])
        record("membership.updated", membership, project=project, by=by, at=at, was=was, **told)
    return membership, is_new


@transaction.atomic
def remove(*, membership: Membership, by: User | None, at: datetime) -> None:
    """Let the member go; nothing happens when somebody else just did. Raises LastAdmin."""
    project = membership.project
    _lock(project)
    current = Membership.objects.select_related("user", "project").filter(pk=membership.pk).first()
    if current is None:
        return
    _keep_an_admin_beside(current)
    told = {"user": current.user.username, "role": current.role}
    record("membership.deleted", current, project=project, by=by, at=at, **told)
    current.delete()


@transaction.atomic
def require_admins_beside(*, user: User) -> None:
    """For whoever is about to lose his login. Raises LastAdmin when a project has no other admin with one."""
    for membership in (
        user.memberships.select_related("project", "user").filter(role=Role.ADMIN).order_by("project_id")
    ):
        _lock(membership.project)
        _keep_an_admin_beside(membership)


def _lock(project: Project) -> None:
    """Whoever changes the members of this project waits for the transaction that does so already.

    On SQLite there is no row to lock and no need: every transaction of ours begins as the only writer.
    """
    Project.objects.select_for_update().get(pk=project.pk)


def _keep_an_admin_beside(membership: Membership) -> None:
    """Raises LastAdmin when this membership is an admin's and there is no other admin who can log in."""
    if membership.role != Role.ADMIN:
        return
    others = Membership.objects.filter(project=membership.project, role=Role.ADMIN, user__is_active=True)
    if not others.exclude(pk=membership.pk).exists():
        raise LastAdmin(f"{membership.user} is the only admin of {membership.project}.")
