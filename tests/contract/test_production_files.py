"""What docs/production.md, its units and the Dockerfile name exists here."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import get_commands
from django.db import connection
from django.test import Client
from rest_framework.test import APIClient

ROOT: Path = settings.BASE_DIR
UNITS = sorted((ROOT / "docs/systemd").iterdir())
DOCKERFILE = (ROOT / "Dockerfile").read_text()
PRODUCTION = (ROOT / "docs/production.md").read_text()


def test_what_the_image_copies_is_there_and_passes_the_ignore_file() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    allowed = {line.removeprefix("!") for line in lines if line.startswith("!")}
    copied = {
        name for line in re.findall(r"^COPY (.+) \S+$", DOCKERFILE, re.MULTILINE) for name in line.split()
    }
    assert "*" in lines
    assert copied == allowed
    assert [name for name in copied if not (ROOT / name).exists()] == []


def test_the_image_holds_every_package_that_the_product_imports() -> None:
    packages = {"skillmeat_site", "marketplace", "collections_app", "deployment_sets", "templates"}
    assert [name for name in packages if f"COPY {name} {name}" not in DOCKERFILE] == []


def test_the_image_runs_as_a_user_without_rights_and_has_a_health_check() -> None:
    assert re.search(r"^USER skillmeat$", DOCKERFILE, re.MULTILINE)
    assert "HEALTHCHECK" in DOCKERFILE
    assert "/healthz" in DOCKERFILE


@pytest.mark.parametrize("text", [PRODUCTION, *(unit.read_text() for unit in UNITS)])
def test_the_commands_that_are_named_exist(text: str) -> None:
    named = set(re.findall(r"(?:^# manage|manage\.py) ([a-z_]+)", text, re.MULTILINE))
    assert named <= set(get_commands())


def test_the_settings_that_are_named_exist() -> None:
    known = (ROOT / "skillmeat_site/settings.py").read_text()
    named = set(re.findall(r"\b(SKILLMEAT_[A-Z_]+|DATABASE_URL|GITHUB_TOKEN)\b", PRODUCTION + DOCKERFILE))
    assert [name for name in sorted(named) if f'"{name}"' not in known] == []


def test_the_metrics_that_are_named_exist(api: APIClient) -> None:
    said = api.get("/metrics").content.decode()
    named = set(re.findall(r"\bskillmeat_[a-z_]+(?=[ {)`])", PRODUCTION.partition("## Watch")[2]))
    assert named
    assert [name for name in named if f"# TYPE {name} " not in said] == []


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_systemd_understands_the_units(tmp_path: Path) -> None:
    for unit in UNITS:
        programs = re.sub(r"/opt/skillmeat/\.venv/bin/\w+", "/bin/true", unit.read_text())
        (tmp_path / unit.name).write_text(programs)
    done = subprocess.run(
        ["systemd-analyze", "verify", *tmp_path.iterdir()],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"SYSTEMD_LOG_LEVEL": "warning"},
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_every_timer_has_its_service() -> None:
    names = {unit.name for unit in UNITS}
    assert [name for name in names if name.endswith(".timer") and name[:-6] + ".service" not in names] == []


def test_probes_are_answered_without_tls_and_nothing_else_is(settings: Any, db: None) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert Client().get("/healthz").status_code == 200
    assert Client().get("/readyz").status_code == 503  # there is no worker, and it says so
    assert Client().get("/metrics").status_code == 301


@pytest.mark.skipif(connection.vendor != "postgresql", reason="only PostgreSQL is a server")
@pytest.mark.parametrize(
    ("limit", "value"),
    [
        ("lock_timeout", "20s"),
        ("idle_in_transaction_session_timeout", "1min"),
        ("statement_timeout", "0"),
        ("application_name", "skillmeat"),
    ],
)
def test_postgresql_limits_how_long_a_process_can_hold_up_others(db: None, limit: str, value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SHOW {limit}")
        assert cursor.fetchone() == (value,)
