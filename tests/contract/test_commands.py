"""Every management command explains itself, speaks JSON, and ends with the exit code that schedulers go by."""

import json
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, get_commands, load_command_class
from django.db import connection

from marketplace.models import Blob, Source
from skillmeat_site.jobs.models import Job
from tests.factories import LONG_AGO, ArtifactFactory, CollectionFactory, DeploymentSetFactory

OURS = ("skillmeat_site", "marketplace", "collections_app", "deployment_sets")
OF_THE_CONTRACT = {
    "quickstart",
    "worker",
    "add_source",
    "rescan_sources",
    "refresh_collections",
    "deploy_set",
    "create_token",
    "reap_jobs",
    "collect_garbage",
    "check_content",
    "rebuild_search_index",
    "prune_history",
}
NOT_FOR_PEOPLE = {"cluster"}
EXAMPLE = (django_settings.BASE_DIR / "examples/starter").as_uri()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Arguments with which a command does well, fails (None: it cannot), and is used wrongly."""

    fine: tuple[str, ...] | None = ()
    failing: tuple[str, ...] | None = None
    wrong: tuple[str, ...] = ("--nonsense",)
    members: set[str] = field(default_factory=set)


CASES = {
    "add_source": Case(
        fine=(EXAMPLE,),
        failing=("https://example.org/ada/tools",),
        wrong=(),
        members={"source", "job", "status", "result", "error"},
    ),
    "backup": Case(fine=None, failing=("{shop}",), wrong=()),
    "check_content": Case(members={"items", "dry_run"}),
    "collect_garbage": Case(members={"blobs", "bytes", "manifests", "leftovers", "dry_run"}),
    "create_token": Case(
        fine=("ada",), failing=("a b",), wrong=("ada", "--days", "0"), members={"user", "token", "expires_at"}
    ),
    "deploy_set": Case(
        fine=("web", "{shop}"),
        failing=("nothing", "{shop}"),
        wrong=("web", "/srv/../etc"),
        members={"deployment_id", "dry_run", "files", "counts"},
    ),
    "explain_detection": Case(
        fine=("{source}",), failing=("src_none",), wrong=(), members={"source", "items"}
    ),
    "prune_history": Case(
        fine=("--audit-events", "9"), wrong=("--older-than", "0"), members={"removed", "dry_run"}
    ),
    "quickstart": Case(fine=None, failing=("https://example.org/ada/tools",), wrong=("--port", "70000")),
    "reap_jobs": Case(members={"mended"}),
    "rebuild_search_index": Case(members={"sources", "documents"}),
    "refresh_collections": Case(
        fine=("--collection", "{empty}"), failing=("--collection", "col_none"), wrong=(), members={"items"}
    ),
    "rescan_sources": Case(
        fine=("--all",), failing=("--source", "src_none"), wrong=("--all", "--due"), members={"items"}
    ),
    "restore": Case(fine=None, failing=("{shop}",), wrong=()),
    "worker": Case(fine=None),
}

Run = Callable[..., tuple[int, str]]


def loaded(name: str) -> Any:
    return load_command_class(str(get_commands()[name]), name)


def exit_code(name: str, *arguments: str) -> tuple[int, str]:
    """What the command's process would end with, and its standard output."""
    command, out = loaded(name), StringIO()
    command._called_from_command_line = True
    try:
        options = vars(command.create_parser("manage.py", name).parse_args(arguments))
        command.execute(*options.pop("args", ()), stdout=out, **options)
    except CommandError as error:
        return error.returncode, out.getvalue()
    except SystemExit as end:
        return int(str(end.code)), out.getvalue()
    return 0, out.getvalue()


@pytest.fixture
def run(project: Any, settings: Any, tmp_path: Path, drain: Any, capture: Any) -> Run:
    """Runs a command where there is a scanned source, an empty collection and a set to deploy."""
    settings.SKILLMEAT_DEPLOY_ROOTS = [tmp_path]
    (tmp_path / "shop").mkdir()
    with capture:
        exit_code("add_source", EXAMPLE)
    drain()
    source = Source.objects.get()
    empty = CollectionFactory()
    DeploymentSetFactory(name="web", holding=[ArtifactFactory(entry=None)])
    places = {"shop": tmp_path / "shop", "source": source.public_id, "empty": empty.public_id}

    def call(name: str, *arguments: str) -> tuple[int, str]:
        if name == "add_source":
            Source.objects.all().delete()
        return exit_code(name, *[argument.format(**places) for argument in arguments])

    return call


@pytest.fixture
def capture(django_capture_on_commit_callbacks: Any) -> Any:
    return django_capture_on_commit_callbacks(execute=True)


def test_each_command_is_in_the_table() -> None:
    ours = {name for name, app in get_commands().items() if str(app).startswith(OURS)}
    assert set(CASES) == ours - NOT_FOR_PEOPLE
    assert set(CASES) >= OF_THE_CONTRACT


@pytest.mark.parametrize("name", CASES)
def test_the_help_of_a_command_tells_all(name: str) -> None:
    command = loaded(name)
    parser = command.create_parser("manage.py", name)
    text = parser.format_help()
    assert " ".join(command.help.split())[:60] in " ".join(text.split())
    assert "--json" in text
    assert [action.dest for action in parser._actions if not action.help] == []
    examples = text.partition("examples:\n")[2].splitlines()
    assert examples
    for example in examples:
        parser.parse_args(example.split()[3:])  # after: python manage.py <name>


@pytest.mark.parametrize("name", CASES)
def test_a_command_that_is_used_wrongly_exits_with_2(name: str, capsys: Any) -> None:
    assert exit_code(name, *CASES[name].wrong)[0] == 2
    assert "usage: manage.py" in capsys.readouterr().err


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.fine is not None])
def test_a_command_that_does_well_exits_with_0_and_tells_people(name: str, run: Run) -> None:
    code, said = run(name, *(CASES[name].fine or ()))
    assert code == 0
    assert said.endswith("\n")
    assert not said.startswith("{")


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.fine is not None])
def test_json_is_one_document_and_nothing_else(name: str, run: Run) -> None:
    code, said = run(name, *(CASES[name].fine or ()), "--json")
    assert code == 0
    assert CASES[name].members <= json.loads(said).keys()


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.failing])
def test_a_command_that_fails_exits_with_1_and_says_why_in_json_too(name: str, run: Run) -> None:
    failing = CASES[name].failing or ()
    assert run(name, *failing) == (1, "")
    code, said = run(name, *failing, "--json")
    assert code == 1
    assert json.loads(said)["error"]["detail"]


def test_what_is_found_damaged_is_listed_and_exits_with_1(run: Run) -> None:
    Blob.objects.create(digest="0" * 64, size=1, is_whole=True, wanted_at=LONG_AGO)
    code, said = run("check_content", "--json")
    assert code == 1
    assert [item["digest"] for item in json.loads(said)["items"]] == ["0" * 64]


def test_ctrl_c_ends_a_command_without_a_traceback_and_leaves_its_job(run: Run) -> None:
    run("rescan_sources", "--all")
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)  # what Ctrl-C does, from a clock
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        assert run("rescan_sources", "--all", "--wait") == (130, "")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert Job.objects.live().exists()


def test_a_database_that_is_not_there_is_told_in_a_sentence(run: Run, capsys: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE marketplace_source RENAME TO elsewhere")
    code, said = run("rescan_sources", "--all", "--json")
    assert code == 1
    assert "is it migrated" in json.loads(said)["error"]["detail"]
