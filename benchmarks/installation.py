"""An installation with a nested set, served by one gunicorn worker: what the benchmarks of sets ask over HTTP."""

import http.client
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.processes import StepFailed, free_port, run, running, wait_for_port
from benchmarks.product import environment_of

API = "/api/v1"
THREADS = 1  # several would only wait for each other: see docs/performance.md
PATIENCE_SECONDS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """`set_id` is the outermost set's; `directory` holds everything, `projects` is where sets may go."""

    port: int
    set_id: str
    directory: Path

    @property
    def projects(self) -> Path:
        return self.directory / "data" / "projects"

    @property
    def address(self) -> str:
        return f"{API}/deployment-sets/{self.set_id}"

    def send(
        self, method: str, address: str, body: dict[str, Any] | None = None
    ) -> tuple[float, dict[str, Any]]:
        """Seconds from connecting to the last byte, and the answer. Raises StepFailed unless it is a 200."""
        start = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        headers = {"Content-Type": "application/json"} if body is not None else {}
        connection.request(method, address, json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        seconds = time.perf_counter() - start
        if answer.status != http.client.OK:
            raise StepFailed(f"{method} {address} was answered with {answer.status}: {data[:500]!r}")
        said: dict[str, Any] = json.loads(data)
        return seconds, said


@contextmanager
def installed(*, artifacts: int, files: int, depth: int) -> Iterator[Installation]:
    """Scanned, imported and put into sets by the product itself, in a temporary directory."""
    with tempfile.TemporaryDirectory(prefix="skillmeat-benchmark-") as name:
        directory, port = Path(name), free_port()
        repositories = directory / "repositories"
        (directory / "data" / "projects").mkdir(parents=True)
        env = environment_of(directory) | {
            "SKILLMEAT_LOCAL_REPOSITORIES": str(repositories),
            "SKILLMEAT_THROTTLE_USER": "10000000/min",  # counted, and never used up
        }
        numbers = [f"--artifacts={artifacts}", f"--files={files}", f"--depth={depth}"]
        filling = [sys.executable, "-m", "benchmarks.nested_set", str(repositories / "skills"), *numbers]
        set_id = run(filling, env=env).strip()
        web = [sys.executable, "-m", "gunicorn", "skillmeat_site.wsgi", "--workers=1", f"--threads={THREADS}"]
        place = [f"--bind=127.0.0.1:{port}", "--log-level=warning"]
        with (directory / "web.log").open("w") as log, running([*web, *place], env=env, errors=log):
            wait_for_port(port)
            yield Installation(port=port, set_id=set_id, directory=directory)
