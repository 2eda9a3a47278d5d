"""`manage.py create_token`: an API token, shown once."""

import json
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from skillmeat_site.access.operations import members, people, projects, tokens
from skillmeat_site.access.operations.members import LastAdmin
from skillmeat_site.access.operations.tokens import TokenExists
from skillmeat_site.accounts.models import Project, Role, Token, TokenScope, User

MAX_DAYS = 36_500


class Command(BaseCommand):
    help = (
        "Make an API token for a user and print its secret, once. A user that does not exist is made, "
        "without a password; --project and --role make them a member."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument(
            "--name", default="command line", help="what the token is for (default: %(default)s)"
        )
        parser.add_argument("--scope", choices=TokenScope.values, default=TokenScope.WRITE.value)
        parser.add_argument("--days", type=int, help="days until it expires (default: never)")
        parser.add_argument("--project", help="slug of a project; made when it does not exist")
        parser.add_argument("--role", choices=Role.values, default=Role.EDITOR.value)
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *, username: str, name: str, scope: str, days: int | None, **options: Any) -> None:
        if days is not None and not 1 <= days <= MAX_DAYS:
            raise CommandError(f"--days must be from 1 to {MAX_DAYS}.")
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
            raise CommandError(f"{error.detail} Choose another --name.") from None
        except LastAdmin as error:
            raise CommandError(f"{error.detail} {error.hint}") from None
        self._print(token, secret, as_json=options["json"])

    @staticmethod
    def _user(username: str, *, at: datetime) -> User:
        user = User.objects.filter(username=User.normalize_username(username)).first()
        try:
            return user or people.create(username=username, by=None, at=at)
        except ValidationError as error:
            raise CommandError(f"{username!r}: {' '.join(error.messages)}") from None

    @staticmethod
    def _join(user: User, slug: str, role: Role, *, at: datetime) -> None:
        project = Project.objects.filter(slug=slug).first()
        if project is None:
            try:
                Project(slug=slug, name=slug).full_clean()
            except ValidationError as error:
                raise CommandError(f"--project: {' '.join(error.messages)}") from None
            project = projects.create(slug=slug, name=slug, by=None, at=at)
        members.put(project=project, user=user, role=role, by=None, at=at)

    def _print(self, token: Token, secret: str, *, as_json: bool) -> None:
        if as_json:
            facts = {"user": token.user.username, "name": token.name, "scope": token.scope, "token": secret}
            self.stdout.write(json.dumps(facts))
        else:
            self.stderr.write(
                f"Token {token.name!r} of {token.user.username} ({token.scope}); shown only now:"
            )
            self.stdout.write(secret)
