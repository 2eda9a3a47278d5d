"""`manage.py explain_detection`: why something is an artifact, or why it is none."""

import json
from dataclasses import asdict
from itertools import islice
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from marketplace.detection.explaining import Explanation, explain
from marketplace.models import Source
from marketplace.operations import explaining

AT_MOST = 1_000


class Command(BaseCommand):
    help = (
        "Say what detection thinks of a source, or of what lies below a path in it: artifacts with their "
        "signals, and what was left out and why. From the latest scan, without network."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", metavar="SOURCE", help="a source, by its src_ id")
        parser.add_argument("path", metavar="PATH", nargs="?", default="", help="a file or directory in it")
        parser.add_argument("--json", action="store_true", help="print one JSON object per line")

    def handle(self, *, source: str, path: str, **options: Any) -> None:
        found = Source.objects.filter(pk__in=[Source.decode(source)]).first()
        if found is None:
            raise CommandError(f"There is no source {source!r}.")
        try:
            seen = explaining.look(found)
        except explaining.NothingScanned as error:
            raise CommandError(f"{error.detail}. {error.hint}") from None
        explained = list(islice(explain(seen, path.strip("/")), AT_MOST))
        if not explained:
            raise CommandError(f"There is nothing at {path!r} at the scanned commit.")
        for one in explained:
            self.stdout.write(json.dumps(asdict(one)) if options["json"] else "\n".join(_lines(one)))


def _lines(one: Explanation) -> list[str]:
    if one.type is None:
        return [f"        {one.path}: {one.left_out}"]
    verdict = f"left out: {one.left_out}" if one.left_out else one.name
    head = f"{one.confidence:>4} %  {one.type:<10}  {one.path}  ({verdict})"
    return [
        head,
        *(f"{signal.points:>+12}  {signal.name}  {signal.detail}".rstrip() for signal in one.signals),
    ]
