"""Keeping the index right: which entries can be found, and the texts they are found by."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from marketplace.content.store import ContentDamaged, read
from marketplace.manifest import is_main
from marketplace.models import Entry, SearchDocument, Source
from marketplace.models.batches import BATCH, batches
from marketplace.search.words import folded

MAX_BODY = 8_000


def findable() -> QuerySet[Entry]:
    """Entries that the search may show, with what their documents are written from."""
    indexed = Entry.objects.counted().filter(source__indexing_enabled=True)
    return indexed.select_related("source", "manifest")


def write(source: Source, entries: Iterable[tuple[Entry, str]], *, at: datetime) -> None:
    """Index these entries anew, each given with its text. Others of the source stay as they are.

    `source` is changed but not saved.
    """
    for batch in batches((entry, body[:MAX_BODY]) for entry, body in entries):
        SearchDocument.objects.filter(entry__in=[entry for entry, _ in batch]).delete()
        if source.indexing_enabled:
            SearchDocument.objects.bulk_create(
                document(entry, source, body) for entry, body in batch if _is_findable(entry)
            )
    source.last_indexed_at = at if source.indexing_enabled else None


def forget(entries: Collection[UUID]) -> None:
    """Take these out: they cannot be found any more."""
    SearchDocument.objects.filter(entry__in=entries).delete()


Texts = Mapping[tuple[str, str], str]
"""What main documents say, by manifest and path."""


def stored_texts(source: Source) -> Texts:
    """What `refresh` needs from the content store: to be read before the transaction, which should be short."""
    entries = source.entries.counted().select_related("manifest").iterator(chunk_size=BATCH)
    return {(entry.manifest_id, entry.path): stored_text(entry) for entry in entries}


def refresh(source: Source, *, texts: Texts, at: datetime) -> None:
    """Index all of a source anew, or none of it where that is switched off.

    Only what a scan has changed since `texts` were read is read now.
    """
    SearchDocument.objects.filter(source=source).delete()
    for batch in batches(findable().filter(source=source).iterator(chunk_size=BATCH)):
        SearchDocument.objects.bulk_create(
            document(entry, source, _known_text(entry, texts)) for entry in batch
        )
    source.last_indexed_at = at if source.indexing_enabled else None


def rename(source: Source) -> None:
    """Let a source's entries be found by the repository's present name, which is all that changes of them."""
    SearchDocument.objects.filter(source=source).update(origin=_origin(source))


def weigh(source: Source) -> None:
    """Rank a source's entries by its present trust level, which changes none of their words."""
    SearchDocument.objects.filter(source=source).update(trust_level=source.trust_level)


def refresh_entry(entry: Entry) -> None:
    """Index one entry anew, or take it out when it cannot be found any more."""
    SearchDocument.objects.filter(entry=entry).delete()
    found = findable().filter(pk=entry.pk).first()
    if found:
        document(found, found.source, stored_text(found)).save()


def _known_text(entry: Entry, texts: Texts) -> str:
    known = texts.get((entry.manifest_id, entry.path))
    return stored_text(entry) if known is None else known


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
        trust_level=source.trust_level,
        name=folded(f"{entry.name} {entry.title}"),
        tags=folded(" ".join(dict.fromkeys([*entry.tags, *entry.path_tags]))),
        description=folded(entry.description),
        origin=_origin(source),
        body=folded(body[:MAX_BODY]),
    )


def _origin(source: Source) -> str:
    return folded(f"{source.owner} {source.repo_name}")
