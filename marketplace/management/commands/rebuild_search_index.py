"""`manage.py rebuild_search_index`: the index of every source, made anew from what is stored."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from marketplace.models import SearchDocument, Source
from marketplace.search import index
from marketplace.search.engines import engine
from skillmeat_site.commands import OperatorCommand, Outcome


class Command(OperatorCommand):
    help = "Index every source anew from what is stored; needs no network. Searches go on meanwhile."
    examples = ("", "--json")

    def act(self, **options: Any) -> Outcome:
        line = self.line()
        engine().install()
        ids = list(Source.objects.order_by("id").values_list("pk", flat=True))
        for done, key in enumerate(ids, start=1):
            self._index(key)
            line.progress("indexing", done, len(ids))
        engine().rebuild()
        line.finish()
        documents = SearchDocument.objects.count()
        self.say(f"{documents} artifacts of {len(ids)} sources can be found.")
        return Outcome(facts={"sources": len(ids), "documents": documents})

    @staticmethod
    def _index(key: UUID) -> None:
        """One source, locked, so that a scan which saves it meanwhile comes before or after."""
        source = Source.objects.filter(pk=key).first()
        texts = index.stored_texts(source) if source else {}
        with transaction.atomic():
            source = Source.objects.select_for_update(of=("self",)).filter(pk=key).first()
            if source:
                index.refresh(source, texts=texts, at=timezone.now())
                Source.objects.filter(pk=key).update(last_indexed_at=source.last_indexed_at)
