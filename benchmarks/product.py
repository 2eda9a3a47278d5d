"""The product as this benchmark drives it: a fresh data directory, its own commands, one process per step."""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.github import Address
from benchmarks.processes import ROOT, StepFailed, run

THEIRS = ("SKILLMEAT_", "DATABASE_URL", "GITHUB_TOKEN", "DJANGO_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What one scan has cost and how many artifacts the catalogue has after it."""

    requests: int
    received_bytes: int
    seconds: float
    peak_bytes: int
    artifacts: int
    result: dict[str, Any]


class Product:
    """One installation with an empty database; `work` runs what `add` or `rescan` has queued."""

    def __init__(self, directory: Path, github: Address) -> None:
        self._environment = environment_of(directory) | {
            "SKILLMEAT_GITHUB_API_URL": github.api_url,
            "SKILLMEAT_GITHUB_WEB_URL": github.web_url,
        }
        self._manage("migrate", "--verbosity", "0")

    def add(self, repository: str) -> None:
        self._manage("add_source", repository)

    def rescan(self) -> None:
        self._manage("rescan_sources", "--all")

    def work(self) -> Attempt:
        """Raises StepFailed when the job does not succeed."""
        said = _attempt(self._environment)
        if said.pop("status") != "succeeded":
            raise StepFailed(f"The scan did not succeed: {said['error']}")
        del said["error"]
        result = said["result"]
        return Attempt(**said, artifacts=result["new"] + result["updated"] + result["unchanged"])

    def _manage(self, *arguments: str) -> None:
        run([sys.executable, str(ROOT / "manage.py"), *arguments], env=self._environment)


def idle_peak_bytes(directory: Path) -> int:
    """The peak memory of a process that has set Django up and ends."""
    return int(_attempt(environment_of(directory), "--idle")["peak_bytes"])


def _attempt(environment: dict[str, str], *options: str) -> dict[str, Any]:
    said = run([sys.executable, "-m", "benchmarks.attempt", *options], env=environment)
    document: dict[str, Any] = json.loads(said)
    return document


def environment_of(directory: Path) -> dict[str, str]:
    """The environment of this process without any setting of the product, and temporary files in `directory`."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(THEIRS)}
    return kept | {
        "SKILLMEAT_DATA_DIR": str(directory / "data"),
        "TMPDIR": str(directory),
    }
