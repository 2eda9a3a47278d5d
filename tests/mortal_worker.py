"""A worker process that does what one message of the queue asks, and is struck by a signal on its way.

`python -m tests.mortal_worker JOB POINT` says "ready", waits until its standard input is closed, and runs the
job. `POINT` is a `Point` as JSON, or `null` for a worker that nothing happens to.
"""

import itertools
import json
import os
import pkgutil
import signal
import sys
from dataclasses import dataclass
from typing import Any

import django


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Where it is struck: at the `nth` call of a function, before it or, its work being done, after it.

    With `about`, only calls that have this argument count.
    """

    owner: str
    name: str
    nth: int = 1
    before: bool = False
    about: str = ""
    signal: int = signal.SIGKILL


def strike_at(point: Point) -> None:
    """Nothing is faked: the function does what it does."""
    owner = pkgutil.resolve_name(point.owner)
    real = getattr(owner, point.name)
    calls = itertools.count(1)

    def struck(*args: Any, **kwargs: Any) -> Any:
        is_due = (not point.about or point.about in args) and next(calls) == point.nth
        if is_due and point.before:
            os.kill(os.getpid(), point.signal)
        value = real(*args, **kwargs)
        if is_due and not point.before:
            os.kill(os.getpid(), point.signal)
        return value

    setattr(owner, point.name, struck)


def main(job_id: str, point: str) -> None:
    django.setup()
    from skillmeat_site.jobs import runner  # noqa: PLC0415  its models need the setup

    if where := json.loads(point):
        strike_at(Point(**where))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.read()
    runner.run(job_id)


if __name__ == "__main__":
    main(*sys.argv[1:])
