"""`manage.py create_token`: an API token, shown once."""

from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser
from django.db import IntegrityError, transaction
from django.utils import timezone

from skillmeat_site.access.operations import members, people, projects, tokens
from skillmeat_site.access.operations.tokens import TokenExists
from skillmeat_site.accounts.models import Project, Role, TokenScope, User
from skillmeat_site.api.errors import InvalidValue
from skillmeat_site.commands import OperatorCommand, Outcome, whole_number

MAX_DAYS = 36_500


class Command(OperatorCommand):
    help = (
        "Make an API token for a user and print its secret, once. A user that does not exist is made, "
        "without a password; --project and --role make them a member."
    )

    examples = (
        "ada --project team --role admin",
        "ci --project team --role viewer --scope read --days 90 --json",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", help="whose token it is; a new name makes a user")
        parser.add_argument(
            "--name", default="command line", help="what the token is for (default: %(default)s)"
        )
        parser.add_argument(
            "--scope",
            choices=TokenScope.values,
            default=TokenScope.WRITE.value,
            help="default: %(default)s",
        )
        parser.add_argument(
            "--days", type=whole_number(1, MAX_DAYS), help="days until it expires (default: never)"
        )
        parser.add_argument("--project", help="slug of a project; made when it does not exist")
        parser.add_argument(
            "--role",
            choices=Role.values,
            default=Role.EDITOR.value,
            help="in that project (default: %(default)s)",
        )

    def act(self, *, username: str, name: str, scope: str, days: int | None, **options: Any) -> Outcome:
        at = timezone.now()
        expires_at = at + timedelta(days=days) if days else None
        try:
            with transaction.atomic():
                user = self._user(username, at=at)
                if options["project"]:
                    self._join(user, options["project"], Role(options["role"]), at=at)
                token, secret = tokens.issue(
                    user=user, name=name, scope=TokenScope(scope), expires_at=expires_at, by=None, at=at
                )
        except TokenExists as error:
            error.hint = "Choose another --name."
            raise
        facts = {"user": user.username, "name": token.name, "scope": token.scope, "token": secret}
        if not self.as_json:
            self.stderr.write(f"Token {token.name!r} of {user.username} ({token.scope}); shown only now:")
            self.say(secret)
        return Outcome(facts=facts | {"expires_at": expires_at})

    @staticmethod
    def _user(username: str, *, at: datetime) -> User:
        known = User.objects.filter(username=User.normalize_username(username))
        try:
            with transaction.atomic():
                return known.first() or people.create(username=username, by=None, at=at)
        except IntegrityError:  # somebody else has made the same user in this moment
            return known.get()
        except ValidationError as error:
            raise InvalidValue(f"{username!r}: {' '.join(error.messages)}", hint="") from None

    @staticmethod
    def _join(user: User, slug: str, role: Role, *, at: datetime) -> None:
        project = Project.objects.filter(slug=slug).first()
        if project is None:
            try:
                Project(slug=slug, name=slug).full_clean()
            except ValidationError as error:
                raise InvalidValue(f"--project: {' '.join(error.messages)}", hint="") from None
            project = projects.create(slug=slug, name=slug, by=None, at=at)
        members.put(project=project, user=user, role=role, by=None, at=at)
