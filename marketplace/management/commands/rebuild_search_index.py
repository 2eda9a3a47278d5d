"""`manage.py rebuild_search_index`: the index of every source, made anew from what is stored."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction
from django.utils import timezone

from marketplace.models import SearchDocument, Source
from marketplace.search import index
from marketplace.search.engines import engine
from skillmeat_site.jobs.terminal import Line


class Command(BaseCommand):
    help = "Index every source anew from what is stored; needs no network. Searches go on meanwhile."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, **options: Any) -> None:
        line = Line()
        engine().install()
        sources = Source.objects.order_by("id")
        total = sources.count()
        for done, source in enumerate(sources.iterator(), start=1):
            with transaction.atomic():
                index.refresh(source, at=timezone.now())
                source.save(update_fields=["last_indexed_at"])
            line.progress("indexing", done, total)
        engine().rebuild()
        line.finish()
        documents = SearchDocument.objects.count()
        if options["json"]:
            self.stdout.write(json.dumps({"sources": total, "documents": documents}))
        else:
            self.stdout.write(f"{documents} artifacts of {total} sources can be found.")
