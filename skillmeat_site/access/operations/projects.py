"""Projects: make and rename them."""

from datetime import datetime

from django.db import IntegrityError, transaction

from skillmeat_site.accounts.models import Membership, Project, Role, User
from skillmeat_site.audit.recording import record
from skillmeat_site.errors import DomainError, Kind


class ProjectExists(DomainError):
    """Slugs are unique on a server, also among the projects that you cannot see."""

    code = "project_exists"
    kind = Kind.CONFLICT
    title = "This slug is taken"
    hint = "Choose another slug, or use the project named in existing_id if it is yours."


def create(*, slug: str, name: str, by: User | None, at: datetime) -> Project:
    """A project of which its maker (if any) is the admin.

    Raises ProjectExists, naming the other only to those who can see it.
    """
    try:
        with transaction.atomic():
            project = Project.objects.create(slug=slug, name=name)
            if by:
                Membership.objects.create(project=project, user=by, role=Role.ADMIN)
            record("project.created", project, project=project, by=by, at=at, name=name)
    except IntegrityError:
        taken = Project.objects.filter(slug=slug)
        if not taken.exists():
            raise
        seen = taken.visible_to(by).first() if by else taken.first()
        existing = {"existing_id": seen.public_id} if seen else {}
        raise ProjectExists(f"There is a project {slug} already.", **existing) from None
    return project


@transaction.atomic
def rename(*, project: Project, name: str, by: User | None, at: datetime) -> None:
    """Give the project another name; the one that it has is no change and no event."""
    locked = Project.objects.select_for_update().get(pk=project.pk)
    was, project.name = locked.name, name
    if was != name:
        project.save(update_fields=["name"])
        record("project.updated", project, project=project, by=by, at=at, name=name, was=was)
