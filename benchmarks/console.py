"""The console's pages of sources and entries, on the installation that the environment names, as large as it is.

Each page is asked for in this process, once to warm up and then `REPEATS` times; numbers are medians. What is
planted by other benchmarks or is in use can be measured alike: nothing is changed, but a superuser has to be there.
"""

import argparse
import logging
import os
import sys
import time
from statistics import median
from typing import Any

from benchmarks.processes import StepFailed
from benchmarks.table import table

REPEATS = 5
BUDGET_MS = 200
SOURCES, ENTRIES = "/admin/marketplace/source/", "/admin/marketplace/entry/"
PAGES = {
    SOURCES: (
        "",
        *("scan=failing", "scan=never", "scan=now", "schedule=due", "visibility=private", "trust=official"),
        *("holding=hook", "holding=none", "q=repo", "o=4", "p=2"),
    ),
    ENTRIES: (
        "",
        *("type=hook", "type=skill", "status=any", "status=removed", "status=new", "status=updated"),
        *("sure=high", "sure=low", "trust=official", "imported=yes", "excluded=yes", "findings=error"),
        *("findings=none", "project=default", "o=3", "o=-3", "o=-3&type=hook", "o=3&type=skill", "p=20"),
    ),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It has no options: the settings' environment says which installation is meant."""


def run(given: argparse.Namespace) -> int:
    """1 when a list takes more than 200 ms of this process's time."""
    client = _operators_client()
    addresses = [f"{path}?{query}" for path, queries in PAGES.items() for query in queries]
    measured = [(address, *_measure(client, address)) for address in addresses]
    rows = [(address, str(queries), f"{cpu:.0f}", f"{wall:.0f}") for address, queries, cpu, wall in measured]
    sys.stdout.write(table(("page", "queries", "CPU ms", "ms"), rows, left=1) + "\n")
    return int(any(cpu > BUDGET_MS for _, _, cpu, _ in measured))


def _operators_client() -> Any:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "skillmeat_site.settings")
    import django  # noqa: PLC0415  needs the settings

    django.setup()
    logging.disable(logging.INFO)
    from django.test import Client  # noqa: PLC0415  needs the apps

    from skillmeat_site.accounts.models import User  # noqa: PLC0415

    operator = User.objects.filter(is_superuser=True).first()
    if operator is None:
        raise StepFailed("There is no superuser here; make one with: python manage.py createsuperuser")
    client = Client(headers={"host": "localhost"})
    client.force_login(operator)
    return client


def _measure(client: Any, address: str) -> tuple[int, float, float]:
    """How many queries, and milliseconds of this process and of the clock."""
    from django.db import connection  # noqa: PLC0415  needs the settings
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    with CaptureQueriesContext(connection) as captured:
        _ask(client, address)
    queries = len(captured)
    times = [_ask(client, address) for _ in range(REPEATS)]
    return queries, median(cpu for cpu, _ in times), median(wall for _, wall in times)


def _ask(client: Any, address: str) -> tuple[float, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    answer = client.get(address)
    if answer.status_code != 200:  # noqa: PLR2004
        raise StepFailed(f"{answer.status_code} for {address}")
    return (time.process_time() - cpu) * 1000, (time.perf_counter() - wall) * 1000
