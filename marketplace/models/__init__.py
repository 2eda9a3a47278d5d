"""The marketplace's rows: facts and constraints; what they mean together is said by QuerySet verbs."""

from marketplace.models.content import Blob, Manifest, SourceSnapshot
from marketplace.models.entry import Entry, EntryTag, Status
from marketplace.models.search import SearchDocument
from marketplace.models.source import ScanStatus, Source, TrustLevel, Visibility

__all__ = [
    "Blob",
    "Entry",
    "EntryTag",
    "Manifest",
    "ScanStatus",
    "SearchDocument",
    "Source",
    "SourceSnapshot",
    "Status",
    "TrustLevel",
    "Visibility",
]
