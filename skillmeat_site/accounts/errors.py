"""What can go wrong with who people are and what they may do."""

from skillmeat_site.errors import DomainError, Kind


class RoleRequired(DomainError):
    """Your role in this project does not allow this.

    Viewers read; editors also create, scan, import and deploy; admins also delete and raise trust.
    """

    code = "role_required"
    kind = Kind.FORBIDDEN
    title = "Not allowed with your role"
    hint = "Ask an admin of the project to do it or to change your role."


class ReadOnlyToken(DomainError):
    """The token that was sent may only read."""

    code = "read_only_token"
    kind = Kind.FORBIDDEN
    title = "This token may only read"
    hint = "Use a token with the scope write."


class ProjectRequired(DomainError):
    """More than one project (or none) can be meant, so one has to be named."""

    code = "project_required"
    kind = Kind.UNREADABLE
    title = "Name a project"
    hint = "Add `project` with the slug or id of a project in which you are an editor."


class UnknownProject(DomainError):
    """There is no such project among those that you are a member of."""

    code = "unknown_project"
    kind = Kind.NOT_FOUND
    title = "No such project"
    hint = "Projects are named by their slug or by their prj_ id; you have to be a member."
