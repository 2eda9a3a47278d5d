"""What a manual map would change is told from the snapshot, without asking anybody."""

import pytest

from marketplace.models import Source
from marketplace.operations.explaining import NothingScanned, Preview, preview
from tests.factories import SourceFactory
from tests.github.server import GitHub


def told(seen: Preview) -> dict[str, tuple[str | None, str | None]]:
    return {
        (change.after or change.before).path: (  # type: ignore[union-attr]
            change.before and change.before.type,
            change.after and change.after.type,
        )
        for change in seen.changes
    }


def test_a_directory_that_holds_nothing_loses_its_artifacts(source: Source, on_github: GitHub) -> None:
    on_github.requests.clear()
    seen = preview(source, manual_map={"skills/pdf": None})
    assert told(seen) == {"skills/pdf": ("skill", None)}
    assert (seen.unchanged, seen.unread, on_github.requests) == (2, (), [])


def test_the_map_that_is_saved_changes_nothing(source: Source) -> None:
    assert preview(source, manual_map={}) == Preview(changes=(), unchanged=3, unread=())


def test_a_source_without_a_scan_has_no_preview(db: None) -> None:
    with pytest.raises(NothingScanned):
        preview(SourceFactory(), manual_map={})
