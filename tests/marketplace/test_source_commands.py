"""`add_source` and `rescan_sources`: what they queue, what they print, and how they fail."""

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from marketplace.models import Source
from skillmeat_site.accounts.models import Project
from skillmeat_site.jobs.models import Job
from tests.factories import JobFactory, ProjectFactory, SourceFactory
from tests.github.repositories import Repository
from tests.github.server import GitHub

pytestmark = pytest.mark.django_db


def said(*command: str) -> str:
    out = StringIO()
    call_command(*command, stdout=out)
    return out.getvalue()


def items(text: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(text)["items"]
    return found


@pytest.fixture
def tools(on_github: GitHub) -> str:
    on_github.add(Repository("ada", "tools", {"README.md": b"# Tools\n"}))
    return f"{on_github.web_url}/ada/tools"


def test_add_source_queues_a_scan_and_says_so(tools: str) -> None:
    line = said("add_source", tools)
    source, job = Source.objects.get(), Job.objects.get()
    assert line == f"{source.public_id} ada/tools@main queued\n"
    assert (job.trigger, job.subject_id) == ("command", source.pk)
    assert source.project == Project.objects.default()


def test_add_source_speaks_json(tools: str) -> None:
    facts = json.loads(said("add_source", tools, "--json"))
    job = Job.objects.get()
    assert facts == {
        "source": Source.objects.get().public_id,
        "job": job.public_id,
        "status": "queued",
        "result": None,
        "error": None,
    }


def test_add_source_takes_ref_root_project_and_trust(tools: str) -> None:
    project = ProjectFactory()
    options = ["--ref", "v1", "--root", "./skills/", "--trust-level", "official", "--project", project.slug]
    said("add_source", tools, *options)
    source = Source.objects.get()
    assert (source.ref, source.root_hint, source.trust_level) == ("v1", "skills", "official")
    assert source.project == project


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/ada/nothing", "access_token"),
        ("/ada", "for example https://github.com/owner/repository"),
    ],
)
def test_add_source_fails_with_a_hint(on_github: GitHub, path: str, words: str) -> None:
    with pytest.raises(CommandError, match=words):
        said("add_source", f"{on_github.web_url}{path}")
    assert not Source.objects.exists()


def test_adding_a_source_twice_fails_with_a_hint(tools: str) -> None:
    said("add_source", tools)
    with pytest.raises(CommandError, match="already in default"):
        said("add_source", tools + ".git")


def test_adding_to_an_unknown_project_fails(tools: str) -> None:
    with pytest.raises(CommandError, match="no project 'nothing'"):
        said("add_source", tools, "--project", "nothing")


@pytest.mark.parametrize("root", ["../outside", "a/../../b"])
def test_add_source_refuses_a_root_outside_the_repository(tools: str, root: str) -> None:
    with pytest.raises(CommandError):
        said("add_source", tools, "--root", root)


def test_add_source_refuses_a_ref_that_cannot_be(tools: str) -> None:
    with pytest.raises(CommandError):
        said("add_source", tools, "--ref", "a..b")


def test_rescan_all_queues_every_source() -> None:
    first, second = SourceFactory.create_batch(2)
    found = items(said("rescan_sources", "--all", "--json"))
    assert [fact["source"] for fact in found] == [first.public_id, second.public_id]
    assert {fact["status"] for fact in found} == {"queued"}
    assert [(job.trigger, job.force) for job in Job.objects.all()] == [("command", False)] * 2


def test_rescan_prints_a_line_for_each_source() -> None:
    source = SourceFactory()
    line = said("rescan_sources", "--all")
    assert line == f"{source} {Job.objects.get().public_id} queued\n"


def test_rescan_one_source_with_force() -> None:
    source, _ = SourceFactory.create_batch(2)
    said("rescan_sources", "--source", source.public_id, "--force")
    job = Job.objects.get()
    assert (job.subject_id, job.force) == (source.pk, True)


def test_rescan_due_queues_only_what_is_due_and_only_once() -> None:
    due = SourceFactory(rescan_interval=900, next_rescan_at=timezone.now() - timedelta(seconds=1))
    SourceFactory(rescan_interval=900, next_rescan_at=timezone.now() + timedelta(hours=1))
    (fact,) = items(said("rescan_sources", "--due", "--json"))
    assert fact["source"] == due.public_id
    assert said("rescan_sources", "--due") == ""


def test_a_live_scan_is_followed_not_doubled() -> None:
    job = JobFactory(status="running")
    (fact,) = items(said("rescan_sources", "--all", "--json"))
    assert (fact["job"], fact["status"]) == (job.public_id, "running")
    assert Job.objects.count() == 1


@pytest.mark.parametrize("wrong", ["nonsense", "src_" + "0" * 26])
def test_rescan_of_an_unknown_source_fails(wrong: str) -> None:
    SourceFactory()
    with pytest.raises(CommandError, match=wrong):
        said("rescan_sources", "--source", wrong)
    assert not Job.objects.exists()


@pytest.mark.parametrize("options", [[], ["--all", "--due"]])
def test_rescan_wants_exactly_one_choice(options: list[str]) -> None:
    with pytest.raises(CommandError):
        said("rescan_sources", *options)


def test_what_the_commands_queue_is_what_workers_run(
    tools: str, drain: Any, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        said("add_source", tools)
    drain()
    with django_capture_on_commit_callbacks(execute=True):
        said("rescan_sources", "--all")
    drain()
    jobs = Job.objects.order_by("id")
    assert [job.result["not_modified"] for job in jobs if job.result] == [False, True]


def test_rescan_of_an_empty_id_is_not_a_rescan_of_everything() -> None:
    SourceFactory.create_batch(2)
    with pytest.raises(CommandError):
        said("rescan_sources", "--source", "")
    assert not Job.objects.exists()


def test_rescan_due_can_be_forced() -> None:
    SourceFactory(rescan_interval=900, next_rescan_at=timezone.now() - timedelta(seconds=1))
    said("rescan_sources", "--due", "--force")
    assert Job.objects.get().force
