"""What every request passes: an id, a log line, security headers, the single-user guard, entity tags."""

import hashlib
import logging
import re
import time
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotModified
from django.utils.cache import patch_vary_headers
from django.utils.http import parse_etags

from skillmeat_site import logs
from skillmeat_site.api import peers
from skillmeat_site.api.errors import NotLocal
from skillmeat_site.api.views import problem_response
from skillmeat_site.ids import uuid7

Handler = Callable[[HttpRequest], HttpResponseBase]

logger = logging.getLogger("skillmeat.requests")
SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}\Z")
API = "/api/"
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
FORWARDING_HEADERS = ("forwarded", "x-forwarded-", "x-real-ip")  # as their names begin
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
    peer = peers.peer(request)
    trusted = peer is not None and peers.is_trusted(peer)
    if not trusted and (peer is None or not peer.is_loopback):
        return "The request came from another machine."
    if not trusted and any(name.lower().startswith(FORWARDING_HEADERS) for name in request.headers):
        return "The request came through a proxy that is not trusted."
    if request.method not in SAFE_METHODS and _cross_site(request):
        return "The request came from a page of another site."
    return ""


def _cross_site(request: HttpRequest) -> bool:
    if request.headers.get("Sec-Fetch-Site") in {"cross-site", "same-site"}:
        return True
    origin = request.headers.get("Origin")
    try:
        return origin is not None and urlsplit(origin).netloc != request.get_host()  # "null" has no host
    except ValueError:
        return True


def conditional_answers(get_response: Handler) -> Handler:
    """JSON that was read has an `ETag`, and is not sent again to a client that has it: `If-None-Match`, 304.

    The tag is strong, made of the bytes that are sent. What the API answers depends on who asks, belongs to
    nobody else's cache, and is to be asked for again each time.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if not request.path.startswith(API):
            return response
        patch_vary_headers(response, ("Authorization", "Cookie"))
        if not isinstance(response, HttpResponse):
            return response
        if (
            response.status_code == HTTPStatus.NOT_MODIFIED
        ):  # a view has seen to it, and has no length to tell
            return _not_modified(response)
        if not _can_be_tagged(request, response):
            return response
        if "ETag" not in response:
            response["ETag"] = f'"{hashlib.sha256(response.content).hexdigest()}"'
        response.headers.setdefault("Cache-Control", "private, no-cache")
        return _not_modified(response) if _client_has(request, response["ETag"]) else response

    return middleware


def _can_be_tagged(request: HttpRequest, response: HttpResponse) -> bool:
    """Whether this is a document as a whole: JSON that was asked for with a safe method, and no problem."""
    media_type = response.get("Content-Type", "").partition(";")[0]
    is_json = media_type == "application/json" or media_type.endswith("+json")
    return request.method in {"GET", "HEAD"} and response.status_code == HTTPStatus.OK and is_json


def _client_has(request: HttpRequest, etag: str) -> bool:
    """RFC 9110 section 13.1.2, with its weak comparison: a proxy that compresses makes tags weak."""
    known = parse_etags(request.headers.get("If-None-Match", ""))
    return "*" in known or etag in {tag.removeprefix("W/") for tag in known}


def _not_modified(response: HttpResponse) -> HttpResponse:
    """The same answer without its body: only the headers that RFC 9110 section 15.4.5 wants, and cookies."""
    bare = HttpResponseNotModified()
    for name in ("Cache-Control", "ETag", "Vary"):
        bare[name] = response[name]
    bare.cookies = response.cookies
    return bare
