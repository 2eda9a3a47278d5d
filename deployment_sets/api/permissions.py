"""Who may do what with a set that they can see."""

from typing import TYPE_CHECKING, Any

from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from deployment_sets.models import DeploymentSet
from skillmeat_site.accounts.models import Role
from skillmeat_site.accounts.permissions import ScopePermission
from skillmeat_site.accounts.scoping import require_role

if TYPE_CHECKING:
    from rest_framework.views import APIView  # it imports this module while it is being loaded


class SetPermission(ScopePermission):
    """Members read; editors also do what the view's `editors_actions` names; owner and admins change it."""

    def has_object_permission(self, request: Request, view: "APIView", obj: DeploymentSet) -> bool:
        if request.method in SAFE_METHODS:
            return True
        user: Any = request.user
        editors: set[str] = getattr(view, "editors_actions", set())
        is_editors = obj.owner_id == user.pk or getattr(view, "action", "") in editors
        require_role(user, obj.project, Role.EDITOR if is_editors else Role.ADMIN)
        return True
