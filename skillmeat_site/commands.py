"""The ground of every management command: the same options, output and exit codes everywhere.

Exit codes: 0 when all went well, 1 when something failed, 2 for options that cannot be, 130 after Ctrl-C.
"""

import json
import logging
from argparse import ArgumentTypeError
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from textwrap import fill, indent
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError, CommandParser, DjangoHelpFormatter
from django.core.serializers.json import DjangoJSONEncoder
from django.db import OperationalError, ProgrammingError

from skillmeat_site.errors import DomainError
from skillmeat_site.terminal import Line

STOPPED = 130  # 128 and the number of SIGINT, as shells have it
TALKATIVE = 2
WIDTH = 78


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """`facts` is the document that --json prints (none: it was printed); `failure` says in a sentence what failed."""

    facts: Mapping[str, Any] | None = None
    failure: str = ""


class _HelpFormatter(DjangoHelpFormatter):
    """Keeps the lines of the examples as they are."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text


class OperatorCommand(BaseCommand):
    """A command for people and schedulers: `act` does the work, tells it with `say`, and returns the facts.

    With --json standard output holds one JSON document and nothing else, failures included: `{"error": ...}`.
    Without -v 2 only warnings are logged, so that a scheduler's mail stays empty.
    """

    examples: ClassVar[Sequence[str]] = ()
    json_help: ClassVar[str] = "print one JSON document on standard output, and nothing else there"

    as_json = False
    has_told = False

    def act(self, *_args: Any, **options: Any) -> Outcome:
        raise NotImplementedError

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, formatter_class=_HelpFormatter, **kwargs)
        parser.add_argument("--json", action="store_true", help=self.json_help)
        parser.description = fill(self.help, WIDTH)
        calls = [f"python manage.py {subcommand} {example}".rstrip() for example in self.examples]
        parser.epilog = "\n".join(["examples:", *(indent(call, "  ") for call in calls)])
        return parser

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except KeyboardInterrupt:
            raise CommandError("Stopped.", returncode=STOPPED) from None

    def handle(self, *, verbosity: int, **options: Any) -> None:
        self.as_json = options.pop("json")
        with _log_level(logging.INFO if verbosity >= TALKATIVE else logging.WARNING):
            try:
                outcome = self.act(**options)
            except DomainError as error:
                raise self._failed(f"{error.detail} {error.hint}".strip(), error.as_problem()) from None
            except (OperationalError, ProgrammingError) as error:
                detail = f"The database refused: {str(error).strip()}. Is it there, and is it migrated?"
                raise self._failed(detail, {"detail": detail}) from error
        if outcome.facts is not None:
            self.tell(outcome.facts)
        if outcome.failure:
            raise CommandError(outcome.failure)

    def say(self, text: str) -> None:
        """A line for people, at once."""
        if not self.as_json:
            self.stdout.write(text)
            self.stdout.flush()

    def tell(self, facts: Mapping[str, Any]) -> None:
        """The document for machines, at once."""
        self.has_told = True
        if self.as_json:
            self.stdout.write(json.dumps(facts, cls=DjangoJSONEncoder))
            self.stdout.flush()

    def line(self, *, only_moving: bool = False) -> Line:
        """Where progress is shown, beside what the command says."""
        return Line(only_moving=only_moving)

    def _failed(self, sentence: str, problem: Mapping[str, Any]) -> CommandError:
        if not self.has_told:
            self.tell({"error": problem})
        return CommandError(sentence)


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """For argparse's `type`."""

    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise ArgumentTypeError(f"use a whole number from {low} to {high}")
        return int(text)

    return parse


@contextmanager
def _log_level(level: int) -> Iterator[None]:
    root = logging.getLogger()
    before = root.level
    root.setLevel(level)
    try:
        yield
    finally:
        root.setLevel(before)
