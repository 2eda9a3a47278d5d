"""A process that ends with the one that started it, however that ends: it watches a pipe that closes then.

`python -m skillmeat_site.leash gunicorn ...` runs a module that way, `... leash manage.py worker` a script.
Whoever starts it keeps the other end of its standard input and makes it the leader of a process group.
"""

import os
import runpy
import signal
import sys
import threading


def hold() -> None:
    """From now on this process and its group are killed as soon as standard input is closed."""
    threading.Thread(target=_watch, name="leash", daemon=True).start()


def _watch() -> None:
    # Past Python's buffer, whose lock the processes that are forked meanwhile would inherit.
    os.read(sys.stdin.fileno(), 1)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    hold()
    sys.argv = sys.argv[1:]
    if sys.argv[0].endswith(".py"):
        runpy.run_path(sys.argv[0], run_name="__main__")
    else:
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
