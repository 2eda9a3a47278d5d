"""The steps that `benchmarks.refresh` measures, inside the product: `python -m benchmarks.refresh_steps STEP ...`.

What is measured is printed as JSON. A process for each, so that its peak memory is that of one step.
"""
# ruff: noqa: PLC0415  models can be imported after Django's setup only

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import django

from benchmarks.attempt import peak_bytes

REFRESHED = "Refreshed"


def prepare(*addresses: str) -> None:
    """Scan these repositories, and take all but the last into one collection."""
    from django.core.management import call_command
    from django.utils import timezone

    from collections_app.operations import collections
    from marketplace.models import Source
    from skillmeat_site.accounts.models import Project
    from skillmeat_site.jobs import runner
    from skillmeat_site.jobs.models import Job

    for address in addresses:
        call_command("add_source", address, stdout=sys.stderr)
    for job in Job.objects.order_by("id"):
        runner.run(str(job.pk))
    collection = collections.create(
        name=REFRESHED, project=Project.objects.default(), by=None, at=timezone.now()
    )
    for source in Source.objects.exclude(repo_url=addresses[-1]):
        _import(source, collection)


def take(collection: str, address: str) -> None:
    """Import everything of a source into the collection, which is made when there is none."""
    from django.utils import timezone

    from collections_app.models import Collection
    from marketplace.models import Source

    now = timezone.now()
    source = Source.objects.select_related("project").get(repo_url=address)
    into, _ = Collection.objects.get_or_create(
        name=collection, project=source.project, defaults={"created_at": now, "updated_at": now}
    )
    with _Meter() as meter:
        result = _import(source, into)
    counts = {"imported": len(result.imported), "skipped": len(result.skipped)}
    meter.report({name: count for name, count in counts.items() if count})


def refresh(mode: str) -> None:
    from django.utils import timezone

    from collections_app.drift import Mode, Options
    from collections_app.models import Collection
    from collections_app.operations import refreshes

    collection = Collection.objects.select_related("project").get(name=REFRESHED)
    with _Meter() as meter:
        run = refreshes.refresh(
            collection=collection, options=Options(mode=Mode(mode)), by=None, at=timezone.now()
        )
    meter.report(Counter(entry["outcome"] for entry in run.entries))


def _import(source: Any, collection: Any) -> Any:
    from django.utils import timezone

    from collections_app.operations import imports
    from skillmeat_site.accounts.models import User

    return imports.import_entries(
        source=source,
        entry_ids=[entry.public_id for entry in source.entries.present()],
        collection=collection,
        wishes={},
        confirm_untrusted=False,
        by=User.objects.local_operator(),
        at=timezone.now(),
    )


class _Meter:
    """What happens in the context, measured."""

    def __enter__(self) -> "_Meter":
        from django.db import connection

        self._queries = 0
        connection.execute_wrappers.append(self._count)
        self._began = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        ended = time.perf_counter(), time.process_time()
        self.seconds, self.cpu_seconds = (end - begin for end, begin in zip(ended, self._began, strict=True))

    def _count(self, execute: Any, *arguments: Any) -> Any:
        self._queries += 1
        return execute(*arguments)

    def report(self, outcomes: dict[str, int]) -> None:
        said = {
            "outcomes": outcomes,
            "seconds": self.seconds,
            "cpu_seconds": self.cpu_seconds,
            "queries": self._queries,
            "peak_bytes": peak_bytes(),
        }
        sys.stdout.write(json.dumps(said))


STEPS: dict[str, Callable[..., None]] = {"prepare": prepare, "take": take, "refresh": refresh}

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "skillmeat_site.settings")
    django.setup()
    STEPS[sys.argv[1]](*sys.argv[2:])
