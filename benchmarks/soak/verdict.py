"""What must be true after a soak: every job once and to its end, contents whole, nothing bad in the logs."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.processes import StepFailed
from benchmarks.soak.load import Client, Record
from benchmarks.soak.stack import Stack

LOCKED = "database is locked"


def jobs(client: Client) -> list[dict[str, Any]]:
    """All there are."""
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = client.get("jobs", f"/jobs?limit=100&cursor={cursor}")
        found += page["items"]
        if not page["page_info"]["has_next_page"]:
            return found
        cursor = page["page_info"]["end_cursor"]


def outcomes(found: list[dict[str, Any]]) -> Counter[str]:
    return Counter(_outcome(job) for job in found)


def _outcome(job: dict[str, Any]) -> str:
    error = job["error"]
    reason = f" ({error['type'].rpartition('/')[2]})" if error and job["status"] != "succeeded" else ""
    return f"{job['kind']} {job['status']}{reason}"


def broken(stack: Stack, client: Client, record: Record, found: list[dict[str, Any]]) -> Iterator[str]:
    yield from record.faults[:20]
    by_id = {job["id"]: job for job in found}
    if lost := record.jobs - by_id.keys():
        yield f"{len(lost)} jobs that were promised are not there"
    for job in found:
        if job["status"] in {"queued", "running"}:
            yield f"{job['id']} did not end"
        # Its faults may outlast the three tries of a request; then the job says so, and nothing else is wrong.
        elif job["status"] == "failed" and "github" not in json.dumps(job["error"]).lower():
            yield f"{job['id']} failed: {job['error']['detail']}"
        if job["attempt"] > 1 and job["status"] != "failed":
            yield from _doubled(client, job["id"])
    yield from _complaints(stack.logs)
    try:
        stack.manage("rescan_sources", "--all", "--wait")
        stack.manage("check_content")
    except StepFailed as error:
        yield str(error)


def _doubled(client: Client, job: str) -> Iterator[str]:
    events = client.get("events", f"/jobs/{job}/events?after=0")["items"]
    if (times := sum(event["phase"] == "succeeded" for event in events)) != 1:
        yield f"{job} succeeded {times} times"
    yield from (f"{job}: {event['message']}" for event in events if event["phase"] == "worker lost")


def _complaints(logs: Path) -> Iterator[str]:
    """Lines of the product's logs that say more than a warning, or anything of a locked database."""
    said: Counter[str] = Counter()
    for file in logs.glob("*.log"):
        for line in file.read_text(errors="replace").splitlines():
            is_error = '"level": "error"' in line or '"level": "critical"' in line
            if is_error or LOCKED in line or line.startswith("Traceback"):
                said[f"{file.name}: {line[:400]}"] += 1
    yield from (f"{times} x {line}" for line, times in said.most_common(10))
