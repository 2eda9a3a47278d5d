"""What runs regularly; each app registers its own, so this room knows none of them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Periodic:
    """A function (dotted name, no arguments) that runs every so many minutes, once for all workers."""

    name: str
    function: str
    minutes: int


_periodic: dict[str, Periodic] = {}


def register(periodic: Periodic) -> None:
    _periodic[periodic.name] = periodic


def registered() -> tuple[Periodic, ...]:
    return tuple(_periodic.values())
