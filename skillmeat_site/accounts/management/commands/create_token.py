"""`manage.py create_token`: an API token, shown once."""

import json
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError, transaction
from django.utils import timezone

from skillmeat_site.accounts.models import Membership, Project, Role, Token, TokenScope, User

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
        expires_at = timezone.now() + timedelta(days=days) if days else None
        try:
            with transaction.atomic():
                user = self._user(username)
                if options["project"]:
                    self._join(user, options["project"], options["role"])
                token, secret = Token.objects.issue(
                    user=user, name=name, scope=TokenScope(scope), expires_at=expires_at
                )
        except ValidationError as error:
            raise CommandError(f"--project: {' '.join(error.messages)}") from None
        except IntegrityError:
            raise CommandError(
                f"{username} already has a token named {name!r}; choose another --name."
            ) from None
        self._print(token, secret, as_json=options["json"])

    @staticmethod
    def _user(username: str) -> User:
        user = User.objects.filter(username=username).first()
        return user or User.objects.create_user(username)

    @staticmethod
    def _join(user: User, slug: str, role: str) -> None:
        project = Project.objects.filter(slug=slug).first()
        if project is None:
            project = Project(slug=slug, name=slug)
            project.full_clean()
            project.save()
        Membership.objects.update_or_create(user=user, project=project, defaults={"role": role})

    def _print(self, token: Token, secret: str, *, as_json: bool) -> None:
        if as_json:
            facts = {"user": token.user.username, "name": token.name, "scope": token.scope, "token": secret}
            self.stdout.write(json.dumps(facts))
        else:
            self.stderr.write(
                f"Token {token.name!r} of {token.user.username} ({token.scope}); shown only now:"
            )
            self.stdout.write(secret)
