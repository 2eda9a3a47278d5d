"""What a source remembers of its last scan, from row to value and back."""

from marketplace.models import Source, SourceSnapshot
from marketplace.repository import Tree
from marketplace.snapshot import Snapshot


def recall(source: Source) -> Snapshot | None:
    """None when there is none, or none that can be read any more."""
    packed = SourceSnapshot.objects.filter(source=source).values_list("packed", flat=True).first()
    return Snapshot.unpack(bytes(packed)) if packed else None


def recall_tree(source: Source) -> Tree | None:
    """The tree alone, without the documents, which may be many times larger."""
    packed = SourceSnapshot.objects.filter(source=source).values_list("packed", flat=True).first()
    return Snapshot.unpack_tree(bytes(packed)) if packed else None


def remember(source: Source, packed: bytes) -> None:
    """Has to run in the transaction that saves the scan."""
    SourceSnapshot.objects.update_or_create(source=source, defaults={"packed": packed})
