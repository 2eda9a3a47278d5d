"""The whole product as one command starts it: real processes, a database in a file, HTTP on loopback."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from skillmeat_site.processes import port_is_free
from tests.github.repositories import Repository
from tests.github.server import GitHub

pytestmark = [pytest.mark.slow, pytest.mark.any_database]

ROOT = Path(__file__).resolve().parents[2]
SOURCES = "/api/v1/marketplace/sources"
FILES = {
    "skills/pdf/SKILL.md": b"---\nname: pdf\ndescription: Use it for PDF files.\n---\nRead.\n",
    ".claude/commands/deploy.md": b"---\ndescription: Deploy it\n---\nDeploy $ARGUMENTS\n",
}
OURS = ("SKILLMEAT_", "DATABASE_URL", "GITHUB_TOKEN", "COV_", "COVERAGE_", "PYTEST_", "PYTHONUNBUFFERED")
Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def upstream(github: GitHub) -> GitHub:
    github.add(Repository("ada", "tools", FILES))
    github.add(Repository("ada", "more", {"skills/pdf/SKILL.md": FILES["skills/pdf/SKILL.md"]}))
    return github


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "installation"


@pytest.fixture
def environment(upstream: GitHub, data: Path) -> dict[str, str]:
    """A fresh installation's, on SQLite, whatever the tests themselves run on."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return kept | {
        "DJANGO_SETTINGS_MODULE": "skillmeat_site.settings",
        "SKILLMEAT_DATA_DIR": str(data),
        "SKILLMEAT_GITHUB_API_URL": upstream.api_url,
        "SKILLMEAT_GITHUB_WEB_URL": upstream.web_url,
    }


@pytest.fixture
def manage(environment: dict[str, str], data: Path, tmp_path: Path) -> Iterator[Start]:
    """Starts `manage.py` with arguments; its output goes to `output` of the test's directory."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str) -> subprocess.Popen[bytes]:
        with (tmp_path / "output").open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "manage.py", *arguments],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        started.append(process)
        return process

    yield start
    for process in started:
        process.poll()
    for pid in family(data):
        os.kill(pid, signal.SIGKILL)
    for process in started:
        process.wait(10)


@pytest.fixture
def quickstart(manage: Start) -> Start:
    return partial(manage, "quickstart")


def family(data: Path) -> list[int]:
    """Every live process of this installation, whoever its parent is."""
    mark = f"SKILLMEAT_DATA_DIR={data}\0".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "environ").read_bytes() + b"\0":
                found.append(int(process.name))
        except OSError:  # it has ended, or it is not ours to read
            continue
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], Any], what: str, *, seconds: float = 90) -> Any:
    """The condition's value as soon as it is true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.1)
    pytest.fail(f"not within {seconds} s: {what}")


def call(url: str, body: dict[str, Any] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def ended(url: str) -> Any:
    """The job once it has ended, else None."""
    job = call(url)
    return None if job["status"] in {"queued", "running"} else job


def test_one_command_scans_serves_works_and_stops(
    quickstart: Start, upstream: GitHub, data: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    port = free_port()
    base, output = f"http://127.0.0.1:{port}", tmp_path / "output"
    process = quickstart(f"{upstream.web_url}/ada/tools", "--port", str(port))

    until(lambda: process.poll() is not None or b"Stop with Ctrl-C" in output.read_bytes(), "the welcome")
    text = output.read_text()
    assert process.poll() is None, text
    assert "skills/pdf" in text
    assert "deploy" in text
    assert f"{base}/admin/" in text
    assert "operator / " in text

    (source,) = call(f"{base}{SOURCES}")["items"]
    assert (source["repo_name"], source["scan_status"]) == ("tools", "success")
    assert source["counts_by_type"] == {"command": 1, "skill": 1}
    assert call(f"{base}/readyz") == {"status": "ok"}

    more = call(f"{base}{SOURCES}", {"repo_url": f"{upstream.web_url}/ada/more"})
    (job,) = call(f"{base}{SOURCES}/{more['id']}/jobs")["items"]
    job = until(lambda: ended(f"{base}/api/v1/jobs/{job['id']}"), "the second scan")
    assert (job["status"], job["result"]["new"]) == ("succeeded", 1)

    second = subprocess.run(
        [sys.executable, "manage.py", "quickstart", "--port", str(free_port())],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    assert second.returncode != 0
    assert "already running" in second.stderr
    assert base in second.stderr

    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    assert "Everything is kept" in output.read_text()
    assert family(data) == []
    assert port_is_free(port)


def test_a_used_port_is_refused_with_a_hint(quickstart: Start, data: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        process = quickstart("--port", str(port))
        assert process.wait(20) != 0
    text = (tmp_path / "output").read_text()
    assert f"--port {port + 1}" in text
    assert "Traceback" not in text
    assert family(data) == []


def test_an_address_that_is_none_is_refused_with_a_hint(quickstart: Start, tmp_path: Path) -> None:
    process = quickstart("https://example.org/ada/tools", "--port", str(free_port()))
    assert process.wait(20) != 0
    text = (tmp_path / "output").read_text()
    assert "Give the address" in text
    assert "Traceback" not in text


def test_a_port_that_cannot_be_is_refused_without_a_traceback(quickstart: Start, tmp_path: Path) -> None:
    assert quickstart("--port", "70000").wait(20) != 0
    assert "Traceback" not in (tmp_path / "output").read_text()


def test_a_worker_that_is_killed_leaves_no_process_behind(manage: Start, data: Path) -> None:
    assert manage("migrate").wait(30) == 0
    worker = manage("worker")
    supervisor_cluster_sentinel_monitor_and_pusher = 5
    everybody = supervisor_cluster_sentinel_monitor_and_pusher + 2
    until(lambda: len(family(data)) == everybody, "a worker with two task processes")
    worker.kill()
    worker.wait(5)
    until(lambda: not family(data), "the end of every process of the worker", seconds=5)


def test_a_start_that_is_killed_leaves_no_process_behind(
    quickstart: Start, upstream: GitHub, data: Path, tmp_path: Path
) -> None:
    port, output = free_port(), tmp_path / "output"
    process = quickstart(f"{upstream.web_url}/ada/tools", "--port", str(port), "--json")
    until(lambda: process.poll() is not None or b'"console"' in output.read_bytes(), "the document")
    (document,) = [json.loads(line) for line in output.read_text().splitlines() if '"console"' in line]
    assert document["console"] == f"http://127.0.0.1:{port}/admin/"
    assert (document["status"], document["result"]["new"]) == ("succeeded", 2)
    assert len(family(data)) > 3
    process.kill()
    process.wait(5)
    until(lambda: not family(data), "the end of every process", seconds=5)
    assert port_is_free(port)


def test_a_worker_that_is_stopped_says_how_it_was(manage: Start, data: Path, tmp_path: Path) -> None:
    assert manage("migrate").wait(30) == 0
    worker = manage("worker", "--json")
    until(lambda: len(family(data)) > 4, "its task processes")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(20) == 0
    told = json.loads((tmp_path / "output").read_text().splitlines()[-1])
    assert (told["restarts"], told["started_at"] < told["stopped_at"]) == (0, True)
