"""Processes of the product on the test's own database, or on one of their own."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection

ROOT = Path(__file__).resolve().parents[1]
OURS = ("SKILLMEAT_", "DATABASE_URL", "GITHUB_TOKEN", "COV_", "COVERAGE_", "PYTEST_")


def address(name: str | None = None) -> str:
    """The address by which other processes reach the test's database (see `on_disk`), or another beside it."""
    name = name or str(connection.settings_dict["NAME"])
    if connection.vendor == "postgresql":
        return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
    return f"sqlite:///{name}"


def environment(*, data: Path, database: str) -> dict[str, str]:
    """What a process needs to know, and nothing of the tests' own environment."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return kept | {
        "DATABASE_URL": database,
        "SKILLMEAT_DATA_DIR": str(data),
        "SKILLMEAT_SECRET_KEY": settings.SECRET_KEY,
        "SKILLMEAT_DEPLOY_ROOTS": str(data),
    }


def manage(*arguments: str, data: Path, database: str) -> subprocess.Popen[str]:
    """`manage.py` with these arguments, as a process."""
    return subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment(data=data, database=database),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Its exit code, standard output and standard error."""
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err
