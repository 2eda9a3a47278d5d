"""May this caller do this: any known caller reads, tokens keep to their scope, roles guard objects."""

from typing import TYPE_CHECKING, Any, cast

from rest_framework.permissions import SAFE_METHODS, IsAuthenticated
from rest_framework.request import Request

from skillmeat_site.accounts.errors import ReadOnlyToken
from skillmeat_site.accounts.models import Role, Token, TokenScope, User
from skillmeat_site.accounts.scoping import require_role

if TYPE_CHECKING:
    from rest_framework.views import APIView  # it imports this module while it is being loaded


class ScopePermission(IsAuthenticated):
    """A known caller, whose token (if any) has the scope that the method needs."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if not super().has_permission(request, view):
            return False
        token = request.auth
        if isinstance(token, Token) and token.scope == TokenScope.READ and request.method not in SAFE_METHODS:
            raise ReadOnlyToken
        return True


class RolePermission(ScopePermission):
    """Changing an object needs the role that the view's `roles` names for the action, else an editor's."""

    def has_object_permission(self, request: Request, view: "APIView", obj: Any) -> bool:
        if request.method not in SAFE_METHODS:
            roles: dict[str, Role] = getattr(view, "roles", {})
            require_role(
                cast("User", request.user), obj.project, roles.get(getattr(view, "action", ""), Role.EDITOR)
            )
        return True
