"""Keeping the index right: which entries can be found, and the texts they are found by."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import QuerySet

from marketplace.content.store import ContentDamaged, read
from marketplace.manifest import is_main
from marketplace.models import Entry, SearchDocument, Source
from marketplace.models.batches import BATCH, batches
from marketplace.search.words import folded

MAX_BODY = 8_000


def findable() -> QuerySet[Entry]:
    """Entries that the search may show."""
    return Entry.objects.counted().filter(source__indexing_enabled=True).select_related("source", "manifest")


def write(source: Source, entries: Iterable[tuple[Entry, str]], *, at: datetime) -> None:
    """Index these entries anew, each given with its text. Others of the source stay as they are.

    `source` is changed but not saved.
    """
    for batch in batches(entries):
        SearchDocument.objects.filter(entry__in=[entry for entry, _ in batch]).delete()
        if source.indexing_enabled:
            SearchDocument.objects.bulk_create(
                document(entry, source, body) for entry, body in batch if _is_findable(entry)
            )
    source.last_indexed_at = at if source.indexing_enabled else None


def refresh(source: Source, *, at: datetime) -> None:
    """Index all of a source anew, with the texts that are stored; or none of it where that is switched off."""
    SearchDocument.objects.filter(source=source).delete()
    for batch in batches(findable().filter(source=source).iterator(chunk_size=BATCH)):
        SearchDocument.objects.bulk_create(document(entry, source, stored_text(entry)) for entry in batch)
    source.last_indexed_at = at if source.indexing_enabled else None


def refresh_entry(entry: Entry) -> None:
    """Index one entry anew, or take it out when it cannot be found any more."""
    SearchDocument.objects.filter(entry=entry).delete()
    found = findable().filter(pk=entry.pk).first()
    if found:
        document(found, found.source, stored_text(found)).save()


def stored_text(entry: Entry) -> str:
    """What an entry's main document says; empty when it is not stored."""
    digest = next(
        (file["digest"] for file in entry.manifest.files if is_main(entry.path, file["path"])), None
    )
    try:
        return read(digest)[: 4 * MAX_BODY].decode(errors="replace") if digest else ""
    except ContentDamaged:
        return ""


def _is_findable(entry: Entry) -> bool:
    return entry.removed_at is None and entry.excluded_at is None


def document(entry: Entry, source: Source, body: str) -> SearchDocument:
    return SearchDocument(
        entry_id=entry.pk,
        source_id=source.pk,
        project_id=source.project_id,
        type=entry.type,
        confidence=entry.confidence,
        name=folded(f"{entry.name} {entry.title}"),
        tags=folded(" ".join(dict.fromkeys([*entry.tags, *entry.path_tags]))),
        description=folded(entry.description),
        origin=folded(f"{source.owner} {source.repo_name}"),
        body=folded(body[:MAX_BODY]),
    )
