"""What tests of scans share: a small repository, and a look at what a scan left."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from marketplace.models import Entry, Source
from skillmeat_site.jobs.models import Job

Drain = Callable[[], int]
Capture = Callable[..., AbstractContextManager[Any]]
Scan = Callable[..., Job]
Create = Callable[..., Source]


def skill(name: str, text: str = "It reads files.") -> bytes:
    return f"---\nname: {name}\ndescription: Use it when {name} is needed.\n---\n{text}\n".encode()


FILES = {
    "README.md": b"# Tools of Ada\n",
    "skills/pdf/SKILL.md": skill("pdf"),
    "skills/csv/SKILL.md": skill("csv"),
    ".claude/commands/deploy.md": b"---\ndescription: Deploy it\n---\nDeploy $ARGUMENTS\n",
}


def fresh(source: Source) -> Source:
    return Source.objects.with_scan_status().select_related("project").get(pk=source.pk)


def statuses(source: Source) -> dict[str, str]:
    return dict(Entry.objects.filter(source=source).with_status().values_list("name", "status"))


def rows(source: Source) -> list[dict[str, Any]]:
    return list(Entry.objects.filter(source=source).order_by("id").values())


def result(**counts: int) -> dict[str, Any]:
    return {"new": 0, "updated": 0, "removed": 0, "unchanged": 0, "not_modified": False} | counts
