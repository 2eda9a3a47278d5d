"""Runs the one queued job in this process and prints what it cost: `python -m benchmarks.attempt [--idle]`.

A process of its own, so that its peak memory is that of one scan and nothing else.
"""

import argparse
import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

import django

KB = 1024


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.attempt", description=__doc__)
    parser.add_argument("--idle", action="store_true", help="run nothing: what Django alone takes")
    idle = parser.parse_args().idle
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "skillmeat_site.settings")
    django.setup()
    said = {} if idle else _run_job()
    sys.stdout.write(json.dumps(said | {"peak_bytes": peak_bytes()}) + "\n")


def _run_job() -> dict[str, Any]:
    # Models can be imported after the setup only. Workers have the task's module loaded, so it is not timed.
    import marketplace.tasks  # noqa: F401, PLC0415
    from skillmeat_site.jobs import runner  # noqa: PLC0415
    from skillmeat_site.jobs.models import Job, JobStatus  # noqa: PLC0415

    job = Job.objects.get(status=JobStatus.QUEUED)
    start = time.perf_counter()
    runner.run(str(job.pk))
    seconds = time.perf_counter() - start
    job.refresh_from_db()
    return {
        "status": job.status,
        "result": job.result,
        "error": job.error,
        "requests": job.github_requests,
        "received_bytes": job.github_bytes,
        "seconds": seconds,
    }


def peak_bytes() -> int:
    """The most memory this process had resident.

    Linux hands `ru_maxrss` down from the parent that started a process; VmHWM begins anew (proc(5)).
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * KB
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * KB


if __name__ == "__main__":
    main()
