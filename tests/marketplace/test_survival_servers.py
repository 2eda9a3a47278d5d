"""What a whole installation survives: killed workers, a crashed database, a queue that lost everything.

Web process and two workers are real, on a database and a queue of their own: SQLite with its own queue, and
PostgreSQL with Redis. Time passes by moving a job's times back.
"""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import requests

from tests.github.faults import Stall
from tests.github.repositories import Repository
from tests.github.server import GitHub
from tests.scanning import FILES
from tests.servers import INITDB, REDIS, Server, free_port, own_postgresql, own_redis

pytestmark = [pytest.mark.slow, pytest.mark.any_database]

ROOT = Path(__file__).resolve().parents[2]
OURS = ("SKILLMEAT_", "DATABASE_URL", "GITHUB_TOKEN", "COV_", "COVERAGE_", "PYTEST_")
ARCHIVE = "/legacy.tar.gz/"
LONG_AGO = "2000-01-01 00:00:00"  # UTC, as both databases take it
WEB_THREADS, WORKERS = 2, 2
SCHEDULER = "from django_q.scheduler import scheduler; scheduler()"


class Installation:
    """Its processes, and what its users and its database say."""

    def __init__(
        self, directory: Path, github: GitHub, database: Server | None, queue: Server | None
    ) -> None:
        self.github, self.database, self.queue = github, database, queue
        self.log = directory / "log"
        self.workers: list[subprocess.Popen[bytes]] = []
        self._file = directory / "data" / "db.sqlite3"
        self._environment = {k: v for k, v in os.environ.items() if not k.startswith(OURS)} | {
            "SKILLMEAT_DATA_DIR": str(directory / "data"),
            "SKILLMEAT_GITHUB_API_URL": github.api_url,
            "SKILLMEAT_GITHUB_WEB_URL": github.web_url,
            "DATABASE_URL": database.url if database else "",
            "SKILLMEAT_QUEUE_URL": queue.url if queue else "",
        }
        self._processes: list[subprocess.Popen[bytes]] = []
        self._port = free_port()

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._processes.append(process)
        return process

    def start_web(self) -> None:
        self.start(
            "-m", "gunicorn", "skillmeat_site.wsgi", "--bind", f"127.0.0.1:{self._port}", "--threads=2"
        )
        self.until(lambda: self.status("GET", "/healthz") == 200, "the web process answers")

    def start_workers(self) -> None:
        """As many as there are to be."""
        self.workers = [worker for worker in self.workers if worker.poll() is None]
        while len(self.workers) < WORKERS:
            self.workers.append(self.start("manage.py", "worker"))
        self.until(lambda: self.status("GET", "/readyz") == 200, "the workers report themselves")

    def kill_workers(self) -> None:
        for worker in self.workers:
            worker.kill()
            worker.wait()

    def end(self) -> None:
        for process in reversed(self._processes):
            process.kill()
            process.wait()

    def ask(self, method: str, path: str, body: Any = None) -> requests.Response:
        return requests.request(method, f"http://127.0.0.1:{self._port}{path}", json=body, timeout=30)

    def status(self, method: str, path: str, body: Any = None) -> int:
        try:
            return self.ask(method, path, body).status_code
        except requests.ConnectionError:
            return 0

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        if self.database:
            with psycopg.connect(self.database.url, autocommit=True) as database:
                done = database.execute(statement.encode())
                return done.fetchall() if done.description else []
        with closing(sqlite3.connect(self._file, timeout=20)) as file, file:
            return file.execute(statement).fetchall()

    def until(self, condition: Callable[[], Any], what: str, *, seconds: float = 40) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                pytest.fail(f"not within {seconds} s: {what}\n{self.log.read_text()[-4000:]}")
            time.sleep(0.1)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def installation(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    if request.param == "postgresql" and not (INITDB and REDIS):
        pytest.skip("initdb or redis-server is not installed here")
    with ExitStack() as stack:
        servers = (None, None)
        if request.param == "postgresql":
            servers = (stack.enter_context(own_postgresql()), stack.enter_context(own_redis()))
        github = stack.enter_context(GitHub())
        installation = Installation(tmp_path_factory.mktemp(request.param), github, *servers)
        stack.callback(installation.end)
        assert installation.start("manage.py", "migrate", "--verbosity=0").wait(60) == 0
        installation.start_web()
        yield installation


@pytest.fixture
def running(installation: Installation) -> Installation:
    """With all of its workers."""
    installation.start_workers()
    return installation


@pytest.fixture
def on_servers(installation: Installation) -> None:
    if installation.database is None:
        pytest.skip("a file does not crash")


def added(installation: Installation) -> str:
    """The id of a new source of a new repository, whose scan is asked for."""
    name = f"r{uuid4().hex}"
    installation.github.add(Repository("ada", name, FILES))
    url = f"{installation.github.web_url}/ada/{name}"
    answer = installation.ask("POST", "/api/v1/marketplace/sources", {"repo_url": url})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def source_of(installation: Installation, source: str) -> dict[str, Any]:
    found: dict[str, Any] = installation.ask("GET", f"/api/v1/marketplace/sources/{source}").json()
    return found


def job_of(installation: Installation, source: str) -> dict[str, Any]:
    """Its only one."""
    found = installation.ask("GET", f"/api/v1/marketplace/sources/{source}/jobs").json()["items"]
    assert len(found) == 1
    return dict(found[0])


def assert_scanned_once(installation: Installation, source: str) -> None:
    installation.until(
        lambda: source_of(installation, source)["scan_status"] == "success", "the source is scanned"
    )
    job = job_of(installation, source)
    assert (job["status"], source_of(installation, source)["artifact_count"]) == ("succeeded", 3)
    events = installation.ask("GET", f"/api/v1/jobs/{job['id']}/events").json()["items"]
    assert [event["phase"] for event in events].count("succeeded") == 1


def stalled_scan(installation: Installation, seconds: float) -> str:
    """A source whose scan is waiting for its archive."""
    installation.github.requests.clear()
    installation.github.fail(ARCHIVE, Stall(seconds))
    source = added(installation)
    asked = lambda: any(ARCHIVE in path for path in installation.github.paths)  # noqa: E731
    installation.until(asked, "the archive is asked for")
    return source


def let_leases_run_out(installation: Installation) -> None:
    installation.sql(f"UPDATE jobs_job SET lease_until = '{LONG_AGO}' WHERE status = 'running'")


def let_messages_get_old(installation: Installation) -> None:
    installation.sql(f"UPDATE jobs_job SET sent_at = '{LONG_AGO}' WHERE status = 'queued'")


def test_workers_that_are_all_killed_lose_no_scan_nor_what_is_asked_for_meanwhile(
    running: Installation,
) -> None:
    cut_off = stalled_scan(running, 20)
    running.kill_workers()
    waiting = [added(running) for _ in range(3)]
    running.start_workers()
    let_leases_run_out(running)
    let_messages_get_old(running)
    for source in (cut_off, *waiting):
        assert_scanned_once(running, source)
    assert job_of(running, cut_off)["attempt"] == 2


def test_schedulers_of_two_workers_at_once_start_what_is_due_once(running: Installation) -> None:
    sources = [added(running) for _ in range(5)]
    for source in sources:
        assert_scanned_once(running, source)
        running.ask("PATCH", f"/api/v1/marketplace/sources/{source}", {"rescan_interval": 900})
    running.sql(f"UPDATE marketplace_source SET next_rescan_at = '{LONG_AGO}' WHERE rescan_interval = 900")
    a_moment_ago = datetime.now(UTC) - timedelta(seconds=90)  # from long ago, it would count every minute
    running.sql(f"UPDATE django_q_schedule SET next_run = '{a_moment_ago:%Y-%m-%d %H:%M:%S}'")
    # What the cluster of each worker does every half minute, longer than a test should wait.
    at_once = [running.start("manage.py", "shell", "-c", SCHEDULER) for _ in range(2)]
    assert [scheduler.wait(30) for scheduler in at_once] == [0, 0]
    by_schedule = "SELECT count(*) FROM jobs_job WHERE trigger = 'schedule'"
    running.until(
        lambda: running.sql(f"{by_schedule} AND status = 'succeeded'")[0][0] >= len(sources), "it is done"
    )
    assert running.sql(by_schedule) == [(len(sources),)]


@pytest.mark.usefixtures("on_servers")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["restarts", "crashes"])
def test_a_database_that_goes_away_during_a_scan_costs_only_time(
    running: Installation, how: signal.Signals
) -> None:
    assert running.database
    source = stalled_scan(running, 2)
    running.database.end(how)
    answer = running.ask("GET", f"/api/v1/marketplace/sources/{source}")
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert (running.status("GET", "/healthz"), running.status("GET", "/readyz")) == (200, 503)
    time.sleep(2.5)  # until the scan needs it
    running.database.start()
    assert running.status("GET", f"/api/v1/marketplace/sources/{source}") == 200
    let_leases_run_out(running)
    assert_scanned_once(running, source)
    assert all(worker.poll() is None for worker in running.workers)


@pytest.mark.usefixtures("on_servers")
def test_a_queue_that_is_gone_and_comes_back_empty_loses_no_scan(running: Installation) -> None:
    assert running.queue
    running.queue.end()
    while_gone = added(running)
    assert running.status("GET", "/readyz") == 503
    running.queue.start()
    let_messages_get_old(running)
    assert_scanned_once(running, while_gone)
    assert_scanned_once(running, added(running))
    assert all(worker.poll() is None for worker in running.workers)


@pytest.mark.usefixtures("on_servers")
def test_connections_to_the_database_are_as_few_as_documented(running: Installation) -> None:
    sources = [added(running) for _ in range(4)]
    for source in sources:
        assert_scanned_once(running, source)
    asked = [threading.Thread(target=running.status, args=["GET", "/api/v1/jobs"]) for _ in range(12)]
    for thread in asked:
        thread.start()
    for thread in asked:
        thread.join()
    held = running.sql("SELECT count(*) - 1 FROM pg_stat_activity WHERE datname = current_database()")[0][0]
    tasks = 2  # SKILLMEAT_WORKERS
    assert held <= WEB_THREADS + WORKERS * (4 + 2 * tasks)  # docs/scaling.md
