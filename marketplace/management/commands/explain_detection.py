"""`manage.py explain_detection`: why something is an artifact, or why it is none."""

from dataclasses import asdict
from itertools import islice
from typing import Any

from django.core.management.base import CommandParser

from marketplace.detection.explaining import Explanation, explain
from marketplace.models import Source
from marketplace.operations import explaining
from skillmeat_site.api.errors import NotFound
from skillmeat_site.commands import OperatorCommand, Outcome

AT_MOST = 1_000


class Command(OperatorCommand):
    help = (
        "Say what detection thinks of a source, or of what lies below a path in it: artifacts with their "
        f"signals, and what was left out and why; at most {AT_MOST:,}. From the latest scan, without network."
    )
    examples = ("src_01m7...", "src_01m7... skills/pdf", "src_01m7... README.md --json")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", metavar="SOURCE", help="a source, by its src_ id")
        parser.add_argument("path", metavar="PATH", nargs="?", default="", help="a file or directory in it")

    def act(self, *, source: str, path: str, **options: Any) -> Outcome:
        found = Source.objects.filter(pk__in=[Source.decode(source)]).first()
        if found is None:
            raise NotFound(f"There is no source {source!r}.", hint="")
        seen = explaining.look(found)
        explained = list(islice(explain(seen, path.strip("/")), AT_MOST))
        if not explained:
            raise NotFound(f"There is nothing at {path!r} at the scanned commit.", hint="")
        for one in explained:
            self.say("\n".join(_lines(one)))
        return Outcome(facts={"source": found.public_id, "items": [asdict(one) for one in explained]})


def _lines(one: Explanation) -> list[str]:
    if one.type is None:
        return [f"        {one.path}: {one.left_out}"]
    verdict = f"left out: {one.left_out}" if one.left_out else one.name
    head = f"{one.confidence:>4} %  {one.type:<10}  {one.path}  ({verdict})"
    return [
        head,
        *(f"{signal.points:>+12}  {signal.name}  {signal.detail}".rstrip() for signal in one.signals),
    ]
