"""How long a question may take in all; knows no HTTP but how to stop a body that is still coming."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Timer

import requests

from marketplace.github.errors import BadAnswer


class Deadline:
    """A moment on the monotonic clock after which a question is given up."""

    def __init__(self, seconds: float) -> None:
        self.passed = f"did not finish within {seconds:g} seconds"
        self._at = time.monotonic() + seconds

    @property
    def left(self) -> float:
        return max(0.0, self._at - time.monotonic())

    def check(self) -> float:
        """The seconds left; BadAnswer when there are none."""
        if not (left := self.left):
            raise BadAnswer(self.passed)
        return left

    @contextmanager
    def interrupting(self, response: requests.Response) -> Iterator[None]:
        """Ends a read that is still going on at the deadline: a timeout alone lets slow drips live on."""
        timer = Timer(self.check(), _shut_down, [response])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
        self.check()


def _shut_down(response: requests.Response) -> None:
    with suppress(ValueError, RuntimeError, OSError):  # finished in the meantime
        response.raw.shutdown()
