"""Every command that schedulers run, by two processes at the same time."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

from marketplace.models import Blob, Source
from skillmeat_site.jobs.models import Job
from tests.factories import (
    LONG_AGO,
    ArtifactFactory,
    CollectionFactory,
    DeploymentSetFactory,
    JobFactory,
    stored,
)
from tests.installations import ROOT, address, environment

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
EXAMPLE = (django_settings.BASE_DIR / "examples/starter").as_uri()


@pytest.fixture
def doubles(on_disk: None, tmp_path: Path, settings: Any) -> Iterator[list[subprocess.Popen[str]]]:
    """Two processes that carry out the commands they are given, line by line, and answer with exit codes."""
    two = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.commander"],
            cwd=ROOT,
            env=environment(data=settings.SKILLMEAT_DATA_DIR, database=address()),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in two:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    yield two
    for process in two:
        process.communicate(timeout=20)


def test_two_schedulers_at_once_do_each_thing_once_and_both_end_well(
    doubles: list[subprocess.Popen[str]], settings: Any
) -> None:
    def both(*command: str) -> list[str]:
        for process in doubles:
            assert process.stdin
            process.stdin.write("\t".join(command) + "\n")
            process.stdin.flush()
        return sorted(process.stdout.readline().strip() for process in doubles if process.stdout)

    shop = settings.SKILLMEAT_DATA_DIR / "shop"
    shop.mkdir(parents=True)
    DeploymentSetFactory(name="web", holding=[ArtifactFactory(source=None, entry=None)])
    CollectionFactory(name="empty", refresh_interval=900, next_refresh_at=LONG_AGO)
    for number in range(300):
        stored({"a": f"{number}".encode()})
    for _ in range(2):
        source = JobFactory(status="succeeded", finished_at=LONG_AGO).subject_id
        JobFactory(source=Source.objects.get(pk=source), status="succeeded", finished_at=LONG_AGO)

    assert both("reap_jobs") == ["0", "0"]
    assert both("prune_history", "--audit-events", "1") == ["0", "0"]
    assert Job.objects.count() == 2
    assert both("collect_garbage") == ["0", "0"]
    assert Blob.objects.count() == 1
    assert both("check_content") == ["0", "0"]
    assert both("rebuild_search_index") == ["0", "0"]
    assert both("refresh_collections", "--due") == ["0", "0"]
    assert both("rescan_sources", "--all") == ["0", "0"]
    assert Job.objects.live().count() == 2
    assert both("add_source", EXAMPLE) == ["0", "1"]
    assert both("create_token", "ada") == ["0", "1"]
    assert set(both("deploy_set", "web", str(shop))) <= {"0", "1"}
    assert (shop / ".claude/skills").is_dir()
