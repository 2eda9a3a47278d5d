"""Who works in the console, and in which projects."""

from typing import Any, cast

from django.http import HttpRequest

from skillmeat_site.accounts.models import DEFAULT_PROJECT, Project, Role, User


def operator(request: HttpRequest) -> User:
    """Who works in the console; nobody gets there without a login."""
    return cast("User", request.user)


def has_role(request: HttpRequest, obj: Any, role: Role) -> bool:
    """Whether one has this role, or a higher one, in the project of a row; of no row in particular, always."""
    by = operator(request)
    if obj is None or by.is_superuser:
        return True
    return Project.objects.with_role(by, role).filter(pk=obj.project.pk).exists()


def is_editor(user: User) -> bool:
    """Whether there is a project that one may add something to, or one may make it."""
    return user.is_superuser or Project.objects.with_role(user, Role.EDITOR).exists()


def projects_of_editor(request: HttpRequest) -> list[str]:
    """Where one may add something, by slug. The default project comes first, and is made when it is the first."""
    if operator(request).is_superuser and not Project.objects.exists():
        Project.objects.default()
    slugs = Project.objects.with_role(operator(request), Role.EDITOR).values_list("slug", flat=True)
    return sorted(slugs, key=lambda slug: (slug != DEFAULT_PROJECT, slug))
