"""What every request passes: an id and a log line, security headers, and the single-user guard."""

import logging
import re
import time
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from skillmeat_site import logs
from skillmeat_site.api.errors import NotLocal
from skillmeat_site.api.views import problem_response
from skillmeat_site.ids import uuid7

Handler = Callable[[HttpRequest], HttpResponseBase]

logger = logging.getLogger("skillmeat.requests")
SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}\Z")
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
FORWARDING_HEADERS = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP")
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


def request_log(get_response: Handler) -> Handler:
    """`X-Request-ID` in (when sane) and out, bound to every log line; one line per request when it is answered."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if SANE_REQUEST_ID.match(given) else uuid7().hex
        started = time.monotonic()
        with logs.bound(request_id=request_id):
            response = get_response(request)
            response["X-Request-ID"] = request_id
            logger.info(
                "%s %s",
                request.method,
                request.path,
                extra={"status": response.status_code, "ms": round(1000 * (time.monotonic() - started), 1)},
            )
        return response

    return middleware


def content_security_policy(get_response: Handler) -> Handler:
    """Pages load only what this server serves, and run no inline script."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        return response

    return middleware


def local_only(get_response: Handler) -> Handler:
    """In single-user mode, refuse whatever a program on this machine did not ask for by itself."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if settings.SKILLMEAT_AUTH == "single-user" and (reason := _foreign(request)):
            return problem_response(request, NotLocal(reason))
        return get_response(request)

    return middleware


def _foreign(request: HttpRequest) -> str:
    """Why this request is not answered; empty when it is."""
    peer = _peer(request)
    trusted = peer is not None and any(peer in network for network in settings.SKILLMEAT_TRUSTED_PROXIES)
    if not trusted and (peer is None or not peer.is_loopback):
        return "The request came from another machine."
    if not trusted and any(name in request.headers for name in FORWARDING_HEADERS):
        return "The request came through a proxy that is not trusted."
    if request.method not in SAFE_METHODS and _cross_site(request):
        return "The request came from a page of another site."
    return ""


def _peer(request: HttpRequest) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return None


def _cross_site(request: HttpRequest) -> bool:
    if request.headers.get("Sec-Fetch-Site") in {"cross-site", "same-site"}:
        return True
    origin = request.headers.get("Origin")
    return origin is not None and urlsplit(origin).netloc != request.get_host()  # "null" has no host
