"""Child processes of the one-command start: the web server and the worker, started and stopped together."""

import errno
import fcntl
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import IO

STOP_SECONDS = 20.0
ROOT = Path(__file__).resolve().parents[1]


class AlreadyRunning(Exception):
    """Another one-command start uses the same data directory."""


class RunLock:
    """One start per data directory; the kernel drops the lock with the process, however that ends."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._stream: IO[str] = file.open("a+")
        try:
            fcntl.flock(self._stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._stream.seek(0)
            raise AlreadyRunning(self._stream.read().strip()) from None

    def say(self, text: str) -> None:
        """Leave a word for whoever comes second."""
        self._stream.truncate(0)
        self._stream.write(text)
        self._stream.flush()


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno in {errno.EADDRINUSE, errno.EACCES}:
                return False
            raise
    return True


class Children:
    """Processes that live as long as this object's `with` block, and no longer even if we are killed in it."""

    def __init__(self, log_directory: Path) -> None:
        self.log_directory = log_directory
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> "Children":
        self.log_directory.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, *_exception: object) -> None:
        for child in reversed(self._running.values()):
            child.send_signal(signal.SIGTERM)
        for child in self._running.values():
            try:
                child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
            child.communicate()

    def start(self, name: str, arguments: list[str]) -> None:
        """What the leash is given with these arguments, its output in `<log directory>/<name>.log`.

        It is out of reach of our Ctrl-C: we stop it ourselves.
        """
        with self.log_file(name).open("ab") as log:
            self._running[name] = subprocess.Popen(  # noqa: S603  our own interpreter and programs
                [sys.executable, "-m", "skillmeat_site.leash", *arguments],
                stdin=subprocess.PIPE,  # the leash: it closes with this process
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=os.environ | {"PYTHONPATH": str(ROOT)},  # wherever we were started from
            )

    def log_file(self, name: str) -> Path:
        return self.log_directory / f"{name}.log"

    def ended(self) -> str:
        """The name of a child that has ended by itself, or an empty string."""
        return next((name for name, child in self._running.items() if child.poll() is not None), "")
