"""Who may see and change what: the queries and checks that every project-owned thing shares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self, TypeVar
from uuid import UUID

from django.conf import settings
from django.db import models

from skillmeat_site.accounts.errors import ProjectRequired, RoleRequired, UnknownProject
from skillmeat_site.accounts.models import Membership, Project, Role, User

Owned = TypeVar("Owned", bound=models.Model)


class ProjectOwnedQuerySet(models.QuerySet[Owned]):
    """Rows that belong to a project through `project_path`."""

    project_path = "project"

    def visible_to(self, user: User) -> Self:
        """The rows of the projects that this user is a member of; all for a superuser."""
        if user.is_superuser:
            return self
        memberships = Membership.objects.filter(user=user).order_by()
        return self.filter(**{f"{self.project_path}__in": memberships.values("project_id")})

    def in_projects(self, projects: Sequence[UUID] | None) -> Self:
        """The rows of these projects, None being all."""
        return self if projects is None else self.filter(**self.of_projects(projects))

    @classmethod
    def of_projects(cls, projects: Sequence[UUID]) -> dict[str, Any]:
        """That condition, as what `filter` takes.

        For lists: with one project, which is what most people have, an index that begins with it is in order.
        """
        if len(projects) == 1:
            return {cls.project_path: projects[0]}
        return {f"{cls.project_path}__in": projects}


def require_role(user: User, project: Project | Any, role: Role) -> None:
    """Raise RoleRequired unless the user has this role, or a higher one, in the project."""
    if not Project.objects.with_role(user, role).filter(pk=project.pk).exists():
        raise RoleRequired(f"This needs the role {role} in the project {project}.")


def require_founder(user: User) -> None:
    """Raises RoleRequired unless this user may make projects.

    Superusers may, the local operator of single-user mode, and whoever is an admin of some project.
    """
    if user.is_local_operator and settings.SKILLMEAT_AUTH == "single-user":
        return
    if not user.is_superuser and not Project.objects.with_role(user, Role.ADMIN).exists():
        raise RoleRequired("Only superusers and people who are an admin of some project make projects.")


def project_for_writing(user: User, name: str | None) -> Project:
    """The named project, or the only one this user can write to.

    Raises UnknownProject for one the user cannot see, RoleRequired for one that can only be read, and
    ProjectRequired when none is named and there is not exactly one to choose.
    """
    if name is not None:
        project = Project.objects.with_role(user, Role.VIEWER).named(name).first()
        if project is None:
            raise UnknownProject(f"You are in no project {name!r}.")
        require_role(user, project, Role.EDITOR)
        return project
    writable = list(Project.objects.with_role(user, Role.EDITOR)[:2])
    if len(writable) != 1:
        raise ProjectRequired("You can write to no project." if not writable else "You can write to several.")
    return writable[0]
