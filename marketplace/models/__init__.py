"""The marketplace's rows: facts and constraints; what they mean together is said by QuerySet verbs."""

from marketplace.models.entry import Entry, EntryTag, Status
from marketplace.models.source import ScanStatus, Source, SourceTag, TrustLevel, Visibility

__all__ = [
    "Entry",
    "EntryTag",
    "ScanStatus",
    "Source",
    "SourceTag",
    "Status",
    "TrustLevel",
    "Visibility",
]
