"""Deploys over HTTP: the first, the plan of it again, the same again, and its undo, beside `shutil.copytree`.

Every artifact is a skill of ten files; each round deploys into a directory of its own. copytree copies what was
deployed, without its journal, its undo data and its guarantees, in the same round.
"""

import argparse
import shutil
import sys
import time
from dataclasses import dataclass
from statistics import median

from benchmarks.installation import API, Installation, installed
from benchmarks.processes import StepFailed
from benchmarks.table import printed

SIZES = (50, 500)
FILES, DEPTH, ROUNDS = 10, 5, 5
BUDGET = (50, 1.0, 0.2)  # artifacts, seconds to deploy them, seconds to plan it again


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Median seconds."""

    artifacts: int
    files: int
    deploy: float
    copytree: float
    plan_again: float
    deploy_again: float
    undo: float


COLUMNS = {
    "artifacts": "{0.artifacts:,}".format,
    "files": "{0.files:,}".format,
    "deploy": "{0.deploy:.3f}".format,
    "copytree": "{0.copytree:.3f}".format,
    "plan again": "{0.plan_again:.3f}".format,
    "deploy again": "{0.deploy_again:.3f}".format,
    "undo": "{0.undo:.3f}".format,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="numbers of artifacts")
    parser.add_argument("--json", action="store_true", help="print one JSON object per size")


def run(given: argparse.Namespace) -> int:
    """1 when 50 artifacts take longer than a second, or than 200 ms to be planned again."""
    measured = [_measure(size) for size in given.sizes]
    sys.stdout.write(printed(measured, COLUMNS, as_json=given.json))
    artifacts, deploy, plan_again = BUDGET
    small = [each for each in measured if each.artifacts == artifacts]
    return int(any(each.deploy > deploy or each.plan_again > plan_again for each in small))


def _measure(size: int) -> Measured:
    with installed(artifacts=size, files=FILES, depth=DEPTH) as installation:
        rounds = [_round(installation, number, size * FILES) for number in range(ROUNDS)]
    middle = [median(times) for times in zip(*rounds, strict=True)]
    names = ("deploy", "copytree", "plan_again", "deploy_again", "undo")
    return Measured(artifacts=size, files=size * FILES, **dict(zip(names, middle, strict=True)))


def _round(installation: Installation, number: int, files: int) -> tuple[float, ...]:
    project = installation.projects / str(number)
    project.mkdir()
    deploy, body = f"{installation.address}/deploy", {"project_path": str(project)}
    first, made = installation.send("POST", deploy, body)
    if made["counts"]["create"] != files:
        raise StepFailed(f"Deployed {made['counts']} instead of {files} files.")
    start = time.perf_counter()
    shutil.copytree(project, installation.directory / f"copy-{number}")
    copied = time.perf_counter() - start
    planned, _ = installation.send("POST", deploy, body | {"dry_run": True})
    again, _ = installation.send("POST", deploy, body)
    undone, _ = installation.send("POST", f"{API}/deployments/{made['deployment_id']}/undo", {})
    return first, copied, planned, again, undone
