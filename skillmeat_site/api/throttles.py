"""How many requests somebody may make: by user, by address for whoever is not known, and logins by both.

Requests are only limited in multi-user mode. Windows are fixed: at their borders twice the number can pass,
which is no harm for a limit that keeps a server alive. Counting that fails lets the request pass: a server
whose counters are out of order is worth more than none.
"""

import hashlib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from skillmeat_site.api import peers
from skillmeat_site.api.counters import Window, shared_counters
from skillmeat_site.api.errors import Throttled
from skillmeat_site.configuration import Rate

if TYPE_CHECKING:
    from rest_framework.views import APIView  # it imports this module while it is being loaded

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The requests that `key` has in each window of its rate."""

    key: str
    rate: Rate | None

    def spend(self) -> None:
        """Use up one request; Throttled when there was none left."""
        self._judge(asking=False)

    def check(self) -> None:
        """Throttled when none is left; nothing is used up."""
        self._judge(asking=True)

    def _judge(self, *, asking: bool) -> None:
        if self.rate is None:
            return
        window = Window.now(self.rate.seconds)
        try:
            counters = shared_counters()
            used = counters.count(window, self.key) + 1 if asking else counters.hit(window, self.key)
        except Exception:  # whatever the cache's client or the disk raises
            logger.warning("Requests cannot be counted; they are let pass", exc_info=True)
            return
        if used > self.rate.requests:
            raise Throttled(
                f"More than {self.rate.requests} requests in {self.rate.seconds} s.",
                hint=f"Come back in {window.left} s.",
                retry_after=window.left,
            )


def check_address(request: Request) -> None:
    """Throttled when the caller's address has no request without valid credentials left; asks no database."""
    _of_address(request).check()


def spend_address(request: Request) -> None:
    """Note a request without valid credentials; Throttled when the address had none left."""
    _of_address(request).spend()


def _of_address(request: Request) -> Budget:
    address = peers.household(peers.client(request))
    return Budget(key=f"address-{address}", rate=_among_several(settings.SKILLMEAT_THROTTLE_ANONYMOUS))


def spend_login(request: HttpRequest, username: str) -> None:
    """Note an attempt to log in, of the address and at this name; Throttled when either had none left."""
    address = peers.household(peers.client(request))
    name = hashlib.sha256(username.casefold().encode()).hexdigest()
    for key in (f"login-from-{address}", f"login-as-{name}"):
        Budget(key=key, rate=settings.SKILLMEAT_THROTTLE_LOGIN).spend()


def _among_several(rate: Rate | None) -> Rate | None:
    """Whoever works alone is not limited."""
    return rate if settings.SKILLMEAT_AUTH == "multi-user" else None


class RequestThrottle(BaseThrottle):
    """Counts against the user, or against the address where nobody has to be known."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        if request.user is None:
            spend_address(request)
        else:
            rate = _among_several(settings.SKILLMEAT_THROTTLE_USER)
            Budget(key=f"user-{request.user.pk}", rate=rate).spend()
        return True
