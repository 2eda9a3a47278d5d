"""May this caller do this: any known caller reads, tokens keep to their scope, roles guard objects."""

from typing import TYPE_CHECKING, Any, cast

from rest_framework.permissions import SAFE_METHODS, IsAuthenticated
from rest_framework.request import Request

from skillmeat_site.accounts.errors import ReadOnlyToken, RoleRequired
from skillmeat_site.accounts.models import Project, Role, Token, TokenScope, User
from skillmeat_site.accounts.scoping import require_role
from skillmeat_site.api import throttles
from skillmeat_site.errors import DomainError

if TYPE_CHECKING:
    from rest_framework.views import APIView  # it imports this module while it is being loaded


class ScopePermission(IsAuthenticated):
    """A known caller, whose token (if any) has the scope that the action needs.

    Safe methods only need to read, and so do the actions that the view names in `reading_actions`: they are
    a POST because of their body, and change nothing.

    Whoever is not known has spent one of the requests that an address has without valid credentials.
    """

    problems: tuple[type[DomainError], ...] = (ReadOnlyToken,)

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if not super().has_permission(request, view):
            throttles.spend_address(request)
            return False
        token = request.auth
        if isinstance(token, Token) and token.scope == TokenScope.READ and not reads(request.method, view):
            raise ReadOnlyToken
        return True


def reads(method: str | None, view: Any) -> bool:
    """Whether a request with this method to the view's present action changes nothing."""
    return method in SAFE_METHODS or getattr(view, "action", "") in getattr(view, "reading_actions", ())


class RolePermission(ScopePermission):
    """Changing an object needs the role that the view's `roles` names for the action, else an editor's."""

    problems = (ReadOnlyToken, RoleRequired)

    def has_object_permission(self, request: Request, view: "APIView", obj: Any) -> bool:
        if not reads(request.method, view):
            roles: dict[str, Role] = getattr(view, "roles", {})
            project = obj if isinstance(obj, Project) else obj.project
            role = roles.get(getattr(view, "action", ""), Role.EDITOR)
            require_role(cast("User", request.user), project, role)
        return True
