"""What a role lets people decide about sources, beyond reading and writing."""

from marketplace.models import TrustLevel
from marketplace.operations.readers import Location
from skillmeat_site.accounts.models import Project, Role, User
from skillmeat_site.accounts.scoping import require_role

EDITORS_TRUST = {TrustLevel.UNTRUSTED, TrustLevel.BASIC}


def require_trust(user: User, project: Project, trust_level: str) -> None:
    """Trust above basic is an admin's to give. Raises RoleRequired."""
    if trust_level not in EDITORS_TRUST:
        require_role(user, project, Role.ADMIN)


def require_place(user: User, project: Project, location: Location) -> None:
    """Reading the server's own directories is an admin's to decide. Raises RoleRequired."""
    if location.is_local:
        require_role(user, project, Role.ADMIN)
