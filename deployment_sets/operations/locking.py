"""One change of a project's sets at a time: cycles and depth are facts about many rows at once."""

from deployment_sets.models import DeploymentSet, SetMember
from skillmeat_site.accounts.models import Project
from skillmeat_site.errors import DomainError, Kind


class SetGone(DomainError):
    """What was to be changed has been deleted in the meantime."""

    code = "set_gone"
    kind = Kind.NOT_FOUND
    title = "It was deleted meanwhile"
    hint = "List the sets again."


def lock(project: Project) -> None:
    """Hold the project's sets until the transaction ends.

    PostgreSQL locks the project's row, without being in the way of rows that refer to it; SQLite has one
    writer at a time anyway.
    """
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)


def locked(deployment_set: DeploymentSet) -> DeploymentSet:
    """The set as it is now, with the sets of its project held. Raises SetGone."""
    lock(deployment_set.project)
    current = DeploymentSet.objects.select_related("project").filter(pk=deployment_set.pk).first()
    if current is None:
        raise SetGone(f"There is no set {deployment_set.name!r} any more.")
    return current


def locked_member(member: SetMember) -> SetMember:
    """The member as it is now, with the sets of its project held. Raises SetGone."""
    lock(member.parent.project)
    current = SetMember.objects.select_related("parent__project").filter(pk=member.pk).first()
    if current is None:
        raise SetGone(f"{member.public_id} is no member any more.")
    return current
