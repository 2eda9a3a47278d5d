"""What scans survive: killed, doubled, paused, cancelled and stuck workers, and a database that goes away.

Every source here has been scanned once and has then changed upstream by more files than are read one by one, so
that the archive is read. Whatever happens to the scan of these changes, the catalogue, its counts and its
content stay as they were, until an attempt succeeds as a whole.

Workers are real processes on the test's own database; on SQLite that is a file for these tests. Time passes by
moving a job's times back.
"""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings as django_settings
from django.db import connection, connections
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.conf import Conf
from django_q.models import OrmQ
from django_q.signing import SignedPackage
from rest_framework.test import APIClient

from marketplace.content import store, upkeep
from marketplace.content.storage import INCOMING
from marketplace.content.store import ContentStore
from marketplace.models import Blob, Entry, EntryTag, SearchDocument, Source, SourceSnapshot
from marketplace.operations import scans
from skillmeat_site.jobs import operations as jobs, runner
from skillmeat_site.jobs.errors import JobTimedOut, WorkerLost
from skillmeat_site.jobs.models import Job, JobEvent, Trigger
from skillmeat_site.jobs.operations import LEASE, MAX_LOSSES
from skillmeat_site.jobs.reaper import MAX_DURATION, MAX_SILENCE, reap
from skillmeat_site.jobs.supervisor import PASS_SECONDS, Supervisor
from skillmeat_site.jobs.watchdog import PATIENCE
from tests.factories import JobFactory, SourceFactory
from tests.github.faults import Drip, Meanwhile, Reply, Respond, Stall, Wire
from tests.github.repositories import Repository
from tests.github.server import GitHub
from tests.mortal_worker import Point
from tests.racing import together
from tests.scanning import Drain, fresh, result, rows, skill, statuses

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.no_cover]  # workers are other processes
slow = pytest.mark.slow
on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite locks the whole database")
on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="only PostgreSQL is a server")

Start = Callable[..., subprocess.Popen[str]]
Catalogue = dict[str, Any]

ROOT = Path(__file__).resolve().parents[2]
OURS = ("SKILLMEAT_", "DATABASE_URL", "GITHUB_TOKEN", "COV_", "COVERAGE_", "PYTEST_")
SECOND = timedelta(seconds=1)
# When the supervisor of a living worker finds at the latest that another one is dead.
NOTICED_AFTER = LEASE + timedelta(seconds=PASS_SECONDS)
ARCHIVE = "/legacy.tar.gz/"
MANY = 30
CHANGES = {f"skills/s{n}/SKILL.md": skill(f"s{n}") for n in range(MANY)} | {
    "skills/csv/SKILL.md": None,
    "skills/pdf/SKILL.md": skill("pdf", "It writes, too."),
    "skills/s0/data.bin": random.Random(6).randbytes(300_000),  # an archive of several chunks
}
CHANGED = result(new=MANY, updated=1, removed=1, unchanged=1)
OUTCOME = {"outcome", "last_error", "next_rescan_at"}  # how a scan ended, which is not the catalogue's

HALF_READ = Point(owner="marketplace.fetching", name="restored", nth=15)
HALF_STORED = Point(owner="marketplace.content.storage", name="_place", nth=15)
BEFORE_SAVING = Point(owner="marketplace.operations.scans", name="_save", before=True)
ENTRIES_WRITTEN = Point(owner="marketplace.operations.catalogue", name="apply")
# Each with the phase that the job is in then.
POINTS: dict[str, tuple[Point, str]] = {
    "just claimed": (Point(owner="skillmeat_site.jobs.operations", name="claim"), "starting"),
    "the tree read": (Point(owner="marketplace.github.client:GitHubReader", name="tree"), "reading tree"),
    "the archive half downloaded": (
        Point(owner="skillmeat_site.jobs.runner:JobRun", name="progress", nth=3, about="downloading"),
        "downloading",
    ),
    "the archive half read": (HALF_READ, "reading documents"),
    "a file written but not in its place": (
        Point(owner="pathlib:Path", name="replace", nth=15, before=True),
        "storing files",
    ),
    "files half stored": (HALF_STORED, "storing files"),
    "files stored but not listed": (
        Point(owner="marketplace.content.store:ContentStore", name="keep", before=True),
        "listing files",
    ),
    "before the transaction that saves": (BEFORE_SAVING, "saving"),
    "entries written but not committed": (ENTRIES_WRITTEN, "saving"),
    "all written but not committed": (
        Point(owner="marketplace.models:SourceSnapshot.objects", name="create"),
        "saving",
    ),
}
at_every_point = pytest.mark.parametrize(("point", "phase"), POINTS.values(), ids=POINTS.keys())


# --- Processes on the test's database --------------------------------------------------------------


@pytest.fixture(autouse=True)
def shared_database(on_disk: None) -> str:
    """The address by which other processes reach the test's database."""
    name = connection.settings_dict["NAME"]
    if connection.vendor == "postgresql":
        return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
    return f"sqlite:///{name}"


@pytest.fixture
def environment(shared_database: str, on_github: GitHub, tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return kept | {
        "DJANGO_SETTINGS_MODULE": "skillmeat_site.settings",
        "DATABASE_URL": shared_database,
        "SKILLMEAT_DATA_DIR": str(tmp_path / "data"),
        "SKILLMEAT_SECRET_KEY": django_settings.SECRET_KEY,
        "SKILLMEAT_GITHUB_API_URL": on_github.api_url,
        "SKILLMEAT_GITHUB_WEB_URL": on_github.web_url,
    }


@pytest.fixture
def ready(environment: dict[str, str], log: Path) -> Iterator[Start]:
    """Starts a worker process for a job; it begins once its standard input is closed."""
    started: list[subprocess.Popen[str]] = []

    def start(job_id: str, point: Point | None = None) -> subprocess.Popen[str]:
        with log.open("a") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.mortal_worker", job_id, json.dumps(point and asdict(point))],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                text=True,
            )
        started.append(process)
        assert process.stdout
        assert process.stdout.readline() == "ready\n", log.read_text()
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """What the worker processes say."""
    file = tmp_path / "workers.log"
    file.touch()
    return file


@pytest.fixture
def work(ready: Start) -> Start:
    """A worker process takes up the job whose message is next in the queue."""

    def start(point: Point | None = None) -> subprocess.Popen[str]:
        process = ready(next_message(), point)
        begin(process)
        return process

    return start


def begin(process: subprocess.Popen[str]) -> None:
    assert process.stdin
    process.stdin.close()
    process.stdin = None  # so that `communicate` does not look for it


def next_message() -> str:
    """The id of the job that the only message in the queue is about; the message is taken."""
    broker = get_broker()
    ((receipt, payload),) = broker.dequeue()
    broker.acknowledge(receipt)
    (job_id,) = SignedPackage.loads(payload)["args"]
    assert broker.queue_size() == 0
    return str(job_id)


def until(condition: Callable[[], Any], what: str, *, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds} s: {what}")
        time.sleep(0.02)


def assert_killed(process: subprocess.Popen[str]) -> None:
    assert process.wait(20) == -signal.SIGKILL


def wait_until_stopped(process: subprocess.Popen[str]) -> None:
    options = os.WSTOPPED | os.WEXITED | os.WNOHANG | os.WNOWAIT

    def change() -> Any:
        return os.waitid(os.P_PID, process.pid, options)

    until(change, "the worker stops itself")
    assert change().si_code == os.CLD_STOPPED


def lines(log: Path) -> list[dict[str, Any]]:
    """What the workers logged; fails where one wrote anything but log lines."""
    return [json.loads(line) for line in log.read_text().splitlines()]


def assert_quiet(log: Path) -> None:
    assert [line for line in lines(log) if line["level"] not in {"info", "warning"}] == []


# --- The scan and what it must not spoil -----------------------------------------------------------


@pytest.fixture
def asked(source: Source, tools: Repository) -> Job:
    """A scan that was asked for, of a source that was scanned before and has changed much since."""
    tools.commit(CHANGES)
    return ask(source)


def ask(source: Source) -> Job:
    return scans.request(source=source, by=None, at=timezone.now(), trigger=Trigger.MANUAL)


def renewed(job: Job) -> Job:
    return Job.objects.get(pk=job.pk)


def catalogue(source: Source, *, but: Collection[str] = ()) -> Catalogue:
    """All that is known of the source: its row `but` these columns, its entries, tags, search and snapshot."""
    row = Source.objects.filter(pk=source.pk).values().get()
    tags = EntryTag.objects.filter(entry__source=source).order_by("id").values()
    snapshot = (
        SourceSnapshot.objects.filter(source=source).order_by("number").values_list("packed", flat=True)
    )
    return {
        "source": {name: value for name, value in row.items() if name not in but},
        "entries": rows(source),
        "tags": list(tags),
        "search": list(SearchDocument.objects.filter(source=source).order_by("id").values()),
        "snapshot": b"".join(map(bytes, snapshot)),
    }


def story(job: Job) -> list[Any]:
    """All that is known of the job, but for its lease."""
    row = Job.objects.filter(pk=job.pk).values().get()
    return [row, *JobEvent.objects.filter(job=job).order_by("seq").values()]


def assert_content_is_whole(source: Source) -> None:
    """Every file that an entry's manifest lists can be read, and every blob that a row speaks of is right."""
    listed = [
        file["digest"]
        for entry in Entry.objects.filter(source=source).select_related("manifest")
        for file in entry.manifest.files
    ]
    assert len(listed) >= 3
    assert all(map(store.read, listed))
    assert upkeep.check(dry_run=True, progress=lambda *_: None) == []


def assert_caught_up(source: Source, tools: Repository) -> None:
    """The catalogue is what the changes make of it."""
    expected = {"csv": "removed", "pdf": "updated", "deploy": "unchanged"}
    assert statuses(source) == expected | {f"s{n}": "new" for n in range(MANY)}
    now = fresh(source)
    assert (now.artifact_count, now.counts_by_type) == (MANY + 2, {"command": 1, "skill": MANY + 1})
    assert (now.resolved_sha, now.scan_status, now.last_error) == (tools.head, "success", "")
    assert Entry.objects.filter(source=source).exclude(incomplete="").count() == 0
    assert_content_is_whole(source)


def let_pass(span: timedelta, job: Job, *names: str) -> None:
    """As if so much time had passed since these times of the job."""
    was = renewed(job)
    Job.objects.filter(pk=job.pk).update(**{name: getattr(was, name) - span for name in names})


def notice_the_loss(job: Job) -> None:
    """Let a supervisor's pass find that the job's worker is not there any more."""
    now = timezone.now()
    assert reap(at=now) == 0  # too early: the worker could be alive
    let_pass(NOTICED_AFTER, job, "lease_until", "progress_at", "started_at")
    assert reap(at=timezone.now()) == 1


def last_error(job: Job) -> str:
    error = renewed(job).error
    assert error
    return " ".join(filter(None, [error["detail"], error["hint"]]))


def test_a_dead_worker_is_noticed_within_a_minute() -> None:
    assert timedelta(minutes=1) > NOTICED_AFTER


# --- 1. Killed -------------------------------------------------------------------------------------


@slow
@at_every_point
def test_a_killed_worker_leaves_all_as_it_was_and_another_one_completes_the_scan(
    source: Source, asked: Job, work: Start, drain: Drain, tools: Repository, point: Point, phase: str
) -> None:
    before = catalogue(source)
    assert_killed(work(point))
    job = renewed(asked)
    assert (job.status, job.phase, job.attempt) == ("running", phase, 1)
    assert catalogue(source) == before
    assert_content_is_whole(source)

    notice_the_loss(asked)
    job = renewed(asked)
    assert (job.status, job.losses, job.lease_until) == ("queued", 1, None)
    assert fresh(source).scan_status == "scanning"
    assert catalogue(source) == before

    assert drain() == 1
    job = renewed(asked)
    assert (job.status, job.attempt, job.losses, job.result) == ("succeeded", 2, 1, CHANGED)
    assert_caught_up(source, tools)


@slow
def test_a_worker_that_is_killed_right_after_the_commit_has_done_its_work(
    source: Source, asked: Job, work: Start, drain: Drain, tools: Repository
) -> None:
    assert_killed(work(replace(BEFORE_SAVING, before=False)))
    assert (renewed(asked).status, renewed(asked).result) == ("succeeded", CHANGED)
    assert_caught_up(source, tools)
    after = catalogue(source)
    assert reap(at=timezone.now() + NOTICED_AFTER) == 0
    assert drain() == 0
    assert catalogue(source) == after


@slow
@pytest.mark.parametrize("point", [HALF_READ, ENTRIES_WRITTEN], ids=["while reading", "while saving"])
def test_after_three_killed_workers_the_scan_has_failed_and_says_why(
    source: Source, asked: Job, work: Start, drain: Drain, tools: Repository, point: Point
) -> None:
    before = catalogue(source, but=OUTCOME)
    for _ in range(MAX_LOSSES):
        assert_killed(work(point))
        notice_the_loss(asked)
    job = renewed(asked)
    assert (job.status, job.attempt) == ("failed", 3)
    assert job.error == {
        "type": "/problems/worker_lost",
        "title": WorkerLost.title,
        "detail": "Its worker disappeared 3 times.",
        "hint": WorkerLost.hint,
    }
    assert (fresh(source).scan_status, fresh(source).last_error) == ("error", last_error(asked))
    assert catalogue(source, but=OUTCOME) == before
    assert_content_is_whole(source)
    assert drain() == 0

    again = ask(source)
    assert drain() == 1
    assert renewed(again).result == CHANGED
    assert_caught_up(source, tools)


IN_VAIN = [
    pytest.param(Point(owner="pathlib:Path", name="replace", before=True), id="a file not in its place"),
    pytest.param(HALF_STORED, id="files in their places"),
    pytest.param(ENTRIES_WRITTEN, id="everything"),
]


@slow
@pytest.mark.parametrize("point", IN_VAIN)
def test_what_a_killed_worker_stored_in_vain_is_collected(
    source: Source, asked: Job, work: Start, point: Point
) -> None:
    kept = {file for file in stored_files() if file.parent.name != INCOMING}
    assert_killed(work(point))
    assert stored_files() > kept
    before = catalogue(source)
    upkeep.collect_garbage(before=timezone.now() + SECOND, dry_run=False, progress=lambda *_: None)
    assert catalogue(source) == before
    assert_content_is_whole(source)
    assert stored_files() == kept


def test_a_scan_that_succeeds_leaves_no_file_beside_those_in_their_places(source: Source) -> None:
    assert [file for file in stored_files() if file.parent.name == INCOMING] == []


def stored_files() -> set[Path]:
    everything = (django_settings.SKILLMEAT_DATA_DIR / "content").rglob("*")
    return {file for file in everything if file.is_file()}


# --- 2. Doubled ------------------------------------------------------------------------------------


@slow
def test_scans_that_store_the_same_files_in_another_order_do_not_wait_in_a_circle() -> None:
    def storing(order: Callable[[range], Iterable[int]]) -> Callable[[], None]:
        def act() -> None:
            for attempt in range(12):
                numbers = order(range(100))
                ContentStore(at=timezone.now()).put([f"{attempt} {n}".encode() for n in numbers])

        return act

    assert together(storing(iter), storing(reversed), storing(sorted_by_last_digit)) == [None] * 3
    assert Blob.objects.filter(is_whole=True).count() == 1_200


def sorted_by_last_digit(numbers: range) -> list[int]:
    return sorted(numbers, key=lambda number: number % 10)


@slow
def test_of_two_workers_with_the_same_message_one_does_the_scan(
    source: Source, asked: Job, ready: Start, tools: Repository, on_github: GitHub, log: Path
) -> None:
    on_github.requests.clear()
    message = next_message()
    pair = [ready(message), ready(message)]
    for process in pair:
        begin(process)
    assert [process.wait(20) for process in pair] == [0, 0]
    job = renewed(asked)
    assert (job.status, job.attempt, job.losses, job.result) == ("succeeded", 1, 0, CHANGED)
    assert len([path for path in on_github.paths if ARCHIVE in path]) == 1
    assert_caught_up(source, tools)
    assert_quiet(log)


def test_a_message_that_comes_again_during_the_scan_changes_nothing(
    source: Source, asked: Job, drain: Drain, tools: Repository, on_github: GitHub
) -> None:
    on_github.fail(ARCHIVE, Meanwhile(beside(lambda: runner.run(str(asked.pk)))))
    assert drain() == 1
    assert (renewed(asked).status, renewed(asked).attempt) == ("succeeded", 1)
    assert_caught_up(source, tools)


def beside(act: Callable[[], object]) -> Callable[[], None]:
    """For acts in the server's thread, which has database connections of its own."""

    def run() -> None:
        try:
            act()
        finally:
            connections.close_all()

    return run


# --- 3. Paused -------------------------------------------------------------------------------------


@slow
@pytest.mark.parametrize(
    "point",
    [HALF_READ, HALF_STORED, BEFORE_SAVING],
    ids=["the archive half read", "files half stored", "before the transaction that saves"],
)
def test_a_worker_that_slept_while_another_did_its_scan_writes_nothing(
    source: Source, asked: Job, work: Start, drain: Drain, tools: Repository, log: Path, point: Point
) -> None:
    sleeper = work(replace(point, signal=signal.SIGSTOP))
    wait_until_stopped(sleeper)
    notice_the_loss(asked)
    tools.commit({"skills/s1/SKILL.md": skill("s1", "Newer than what the sleeper knows.")})
    assert drain() == 1
    assert (renewed(asked).status, renewed(asked).attempt) == ("succeeded", 2)
    assert_caught_up(source, tools)
    after, told = catalogue(source), story(asked)

    sleeper.send_signal(signal.SIGCONT)
    assert sleeper.wait(20) == 0
    assert catalogue(source) == after
    assert story(asked) == told
    assert_content_is_whole(source)
    assert_quiet(log)
    assert "Another attempt has taken this job" in lines(log)[-1]["message"]


@slow
def test_a_worker_that_wakes_while_another_does_its_scan_does_not_disturb_it(
    source: Source, asked: Job, work: Start, drain: Drain, tools: Repository, on_github: GitHub, log: Path
) -> None:
    sleeper = work(replace(HALF_READ, signal=signal.SIGSTOP))
    wait_until_stopped(sleeper)
    notice_the_loss(asked)
    before = catalogue(source)
    seen: list[Catalogue] = []

    def wake_up() -> None:
        sleeper.send_signal(signal.SIGCONT)
        assert sleeper.wait(20) == 0
        seen.append(catalogue(source))

    on_github.fail(ARCHIVE, Meanwhile(beside(wake_up)))
    assert drain() == 1
    assert seen == [before]
    job = renewed(asked)
    assert (job.status, job.attempt, job.result) == ("succeeded", 2, CHANGED)
    assert_caught_up(source, tools)
    assert_quiet(log)


@slow
@on_postgresql
def test_a_worker_that_sleeps_while_saving_does_not_keep_other_jobs_from_being_mended(
    source: Source, work: Start, tools: Repository
) -> None:
    other = JobFactory(source=SourceFactory())
    assert jobs.claim(other.pk, at=timezone.now())
    tools.commit(CHANGES)
    ask(source)
    sleeper = work(replace(ENTRIES_WRITTEN, signal=signal.SIGSTOP))
    wait_until_stopped(sleeper)
    supervisor = threading.Thread(target=beside(lambda: reap(at=timezone.now() + NOTICED_AFTER)))
    supervisor.start()
    try:
        until(lambda: renewed(other).status == "queued", "the other job is queued again", seconds=3)
    finally:
        sleeper.kill()
        supervisor.join(20)


# --- 4. Cancelled ----------------------------------------------------------------------------------


def cancel(job: Job) -> None:
    response = APIClient().post(f"/api/v1/jobs/{job.public_id}/cancel")
    assert (response.status_code, response.json()["status"]) == (202, "running")


@pytest.mark.parametrize("status", ["success", "error"])
def test_a_scan_that_is_cancelled_while_the_archive_is_read_leaves_all_as_it_was(
    source: Source, tools: Repository, drain: Drain, on_github: GitHub, status: str
) -> None:
    tools.commit(CHANGES)
    if status == "error":
        on_github.fail("/commits/", Respond(404, b'{"message": "Not Found"}'))
        ask(source)
        assert drain() == 1
    job = ask(source)
    before = catalogue(source)
    on_github.fail(ARCHIVE, Meanwhile(beside(lambda: cancel(job))))
    assert drain() == 1
    job.refresh_from_db()
    assert (job.status, job.phase, job.error, job.result) == ("cancelled", "reading documents", None, None)
    assert catalogue(source) == before
    assert fresh(source).scan_status == status
    assert_content_is_whole(source)

    ask(source)
    assert drain() == 1
    assert_caught_up(source, tools)


SLOWNESS = [
    pytest.param(Drip(pause=0.1, size=16 * 1024), id="160 KiB a second"),
    pytest.param(Drip(pause=0.1, size=512), id="5 KiB a second"),
]


@slow
@pytest.mark.parametrize("drip", SLOWNESS)
def test_a_cancelled_scan_does_not_wait_for_the_rest_of_a_slow_archive(
    source: Source, asked: Job, work: Start, tools: Repository, on_github: GitHub, log: Path, drip: Drip
) -> None:
    tools.commit({"data.bin": random.Random(7).randbytes(2 * 1024**2)})  # ten seconds at least
    before = catalogue(source)
    on_github.requests.clear()
    on_github.fail(ARCHIVE, drip)
    process = work()
    until(lambda: any(ARCHIVE in path for path in on_github.paths), "the archive is asked for")
    assert renewed(asked).phase == "downloading"
    cancel(asked)
    until(lambda: process.poll() is not None, "the worker stops", seconds=4)
    assert process.returncode == 0
    assert (renewed(asked).status, renewed(asked).phase) == ("cancelled", "downloading")
    assert catalogue(source) == before
    assert fresh(source).scan_status == "success"
    assert_quiet(log)


# --- 5. Stuck --------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Limit:
    """How long a job whose worker is alive may take, since which times, and what it says then."""

    span: timedelta
    since: tuple[str, ...]
    says: str


LIMITS = {
    "silent for two minutes": Limit(
        span=MAX_SILENCE, since=("progress_at", "started_at"), says="It made no progress for two minutes"
    ),
    "at it for a quarter of an hour": Limit(
        span=MAX_DURATION, since=("started_at",), says="It took more than a quarter of an hour"
    ),
}


@pytest.mark.parametrize("limit", LIMITS.values(), ids=LIMITS.keys())
@pytest.mark.parametrize("is_whole", [True, False], ids=["then the archive comes", "then it is cut"])
def test_a_stuck_scan_fails_with_a_reason_and_its_attempt_cannot_write_any_more(
    source: Source,
    asked: Job,
    drain: Drain,
    tools: Repository,
    on_github: GitHub,
    caplog: pytest.LogCaptureFixture,
    limit: Limit,
    is_whole: bool,
) -> None:
    before = catalogue(source, but=OUTCOME)
    seen: list[Any] = []

    def let_it_be_stuck() -> None:
        let_pass(limit.span - 30 * SECOND, asked, *limit.since)
        assert reap(at=timezone.now()) == 0
        let_pass(30 * SECOND, asked, *limit.since)
        assert reap(at=timezone.now()) == 1
        seen.extend([catalogue(source), story(asked)])

    on_github.fail(ARCHIVE, MeanwhileThen(beside(let_it_be_stuck), is_whole=is_whole))
    assert drain() == 1  # the attempt goes on until it notices
    assert [catalogue(source), story(asked)] == seen
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
    assert catalogue(source, but=OUTCOME) == before
    job = renewed(asked)
    assert (job.status, job.attempt, job.result) == ("failed", 1, None)
    assert job.error == {
        "type": "/problems/job_timed_out",
        "title": JobTimedOut.title,
        "detail": f"{limit.says}, while downloading.",
        "hint": JobTimedOut.hint,
    }
    assert (fresh(source).scan_status, fresh(source).last_error) == ("error", last_error(asked))
    assert "Start it again" in fresh(source).last_error
    assert_content_is_whole(source)

    ask(source)
    assert drain() == 1
    assert_caught_up(source, tools)


class MeanwhileThen:
    """After `act`, the right answer or half of it."""

    def __init__(self, act: Callable[[], None], *, is_whole: bool) -> None:
        self._act, self._is_whole = act, is_whole

    def send(self, reply: Reply, wire: Wire) -> None:
        self._act()
        wire.head(reply)
        wire.write(reply.body if self._is_whole else reply.body[: len(reply.body) // 2])
        if not self._is_whole:
            wire.hang_up()


# --- 6. Without its database -----------------------------------------------------------------------


@slow
@on_sqlite
def test_a_scan_waits_for_a_database_that_is_locked_while_it_saves(
    source: Source, asked: Job, work: Start, tools: Repository, log: Path
) -> None:
    process = work(replace(BEFORE_SAVING, signal=signal.SIGSTOP))
    wait_until_stopped(process)
    with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        process.send_signal(signal.SIGCONT)
        longer_than_sqlites_default = 5.5
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(longer_than_sqlites_default)
        other.execute("ROLLBACK")
    assert process.wait(20) == 0
    assert (renewed(asked).status, renewed(asked).attempt) == ("succeeded", 1)
    assert_caught_up(source, tools)
    assert_quiet(log)


@slow
@on_postgresql
@pytest.mark.parametrize(
    "name", ["the archive half read", "files half stored", "entries written but not committed"]
)
def test_a_scan_whose_connections_are_cut_changes_nothing_and_the_next_attempt_succeeds(
    source: Source, asked: Job, work: Start, tools: Repository, name: str
) -> None:
    before = catalogue(source, but=OUTCOME)
    process = work(replace(POINTS[name][0], signal=signal.SIGSTOP))
    wait_until_stopped(process)
    assert cut_all_other_connections() >= 1
    process.send_signal(signal.SIGCONT)
    process.wait(20)
    assert catalogue(source, but=OUTCOME) == before
    assert_content_is_whole(source)
    assert (renewed(asked).status, renewed(asked).losses) == ("queued", 1)
    runner.run(str(asked.pk))
    assert_caught_up(source, tools)


def cut_all_other_connections() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return int(cursor.fetchone()[0])


# --- 7. All task processes at once -----------------------------------------------------------------


@pytest.fixture
def supervisor(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[Any]:
    """The parent of a real cluster that works on the test's database; its passes are made by hand.

    The cluster listens to the product's own queue. With Redis all test processes share that one, so no more
    than one test may use this.
    """
    monkeypatch.setattr(Conf, "CLUSTER_NAME", Conf.PREFIX)
    get_broker().purge_queue()
    for name, value in (environment | {"SKILLMEAT_QUEUE_URL": settings.SKILLMEAT_QUEUE_URL}).items():
        monkeypatch.setenv(name, value)
    supervisor = Supervisor()
    supervisor._start_cluster()
    yield supervisor
    supervisor._cluster.stop(seconds=0)
    get_broker().purge_queue()


def cluster_of(supervisor: Supervisor) -> int:
    """The id of its process, and of the group that all task processes are in."""
    process = supervisor._cluster._process
    assert process
    return process.pid


@slow
def test_task_processes_that_are_all_killed_or_all_hang_are_replaced_and_their_scans_are_done(
    source: Source, supervisor: Supervisor, tools: Repository, on_github: GitHub
) -> None:
    on_github.requests.clear()
    on_github.fail(ARCHIVE, Stall(60))
    tools.commit(CHANGES)
    first = ask(source)
    until(lambda: any(ARCHIVE in path for path in on_github.paths), "the archive is asked for")
    before = catalogue(source)
    os.killpg(cluster_of(supervisor), signal.SIGKILL)
    until(lambda: not supervisor._cluster.is_running(), "the end of the task processes")
    assert catalogue(source) == before
    let_pass(NOTICED_AFTER, first, "lease_until", "progress_at", "started_at")
    supervisor._one_pass()
    until(lambda: renewed(first).status == "succeeded", "the killed processes' scan is done")
    assert (renewed(first).attempt, renewed(first).losses, supervisor._cluster.restarts) == (2, 1, 1)
    assert_caught_up(source, tools)

    of_the_killed = 1
    until(
        lambda: OrmQ.objects.count() <= of_the_killed, "the message is acknowledged, nothing is written now"
    )
    hanging = cluster_of(supervisor)
    os.killpg(hanging, signal.SIGSTOP)
    tools.commit({"skills/late/SKILL.md": skill("late")})
    second = ask(source)
    supervisor._one_pass()
    assert cluster_of(supervisor) == hanging  # too early
    supervisor._up_since -= PATIENCE
    let_pass(PATIENCE, second, "run_after", "sent_at")
    for job in Job.objects.exclude(pk=second.pk):
        let_pass(PATIENCE, job, "started_at")
    supervisor._one_pass()
    supervisor._one_pass()
    assert cluster_of(supervisor) != hanging
    until(lambda: renewed(second).status == "succeeded", "the scan that nobody took up is done")
    assert (renewed(second).attempt, renewed(second).losses, supervisor._cluster.restarts) == (1, 0, 2)
    assert statuses(source)["late"] == "new"
    assert_content_is_whole(source)
