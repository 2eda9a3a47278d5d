"""Several acts at the same time, each on a connection of its own; goes with the fixture `on_disk`."""

from collections.abc import Callable
from threading import Barrier, Thread

from django.db import connections

from skillmeat_site.errors import DomainError


def together(*acts: Callable[[], object]) -> list[DomainError | None]:
    """Do all of them at once; the error of each, if it had one."""
    start = Barrier(len(acts))
    errors: list[DomainError | None] = [None] * len(acts)
    unexpected: list[BaseException] = []

    def run(number: int) -> None:
        try:
            start.wait(10)
            acts[number]()
        except DomainError as error:
            errors[number] = error
        except BaseException as error:  # noqa: BLE001  what a thread raises is told by nobody else
            unexpected.append(error)
        finally:
            connections.close_all()

    threads = [Thread(target=run, args=[number]) for number in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert unexpected == []
    return errors
