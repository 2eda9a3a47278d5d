"""Giving out files of artifacts, which are hostile: as bytes to be looked at, never as anything that runs."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.http import HttpResponse
from django.utils.cache import get_conditional_response
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse
from rest_framework.request import Request

from marketplace.content import store
from marketplace.manifest import ContentKind
from skillmeat_site.api.errors import NotFound

SECURITY_POLICY = "default-src 'none'; sandbox"
RESPONSES = {
    (200, "text/plain"): OpenApiTypes.BINARY,
    (200, "application/octet-stream"): OpenApiTypes.BINARY,
    304: OpenApiResponse(description="The file is still the one whose ETag was sent."),
}


def listed(files: Iterable[Mapping[str, Any]], path: str, *, incomplete: str = "") -> Mapping[str, Any]:
    """The file with this path among those of a manifest. NotFound when its bytes are not to be had."""
    file = next((file for file in files if file["path"] == path), None)
    if file is None:
        raise NotFound(f"This artifact has no file {path[:200]!r}.")
    if file["kind"] in {ContentKind.SYMLINK, ContentKind.SUBMODULE}:
        raise NotFound(f"{path[:200]!r} is a {file['kind']}, which is never followed.")
    if file["digest"] is None:
        raise NotFound(f"{path[:200]!r} is not stored. {incomplete}")
    return file


def answer(request: Request, file: Mapping[str, Any]) -> HttpResponse:
    """The file's bytes, or 304 to somebody who has them."""
    etag = f'"{file["digest"]}"'
    unchanged = get_conditional_response(request._request, etag=etag)  # noqa: SLF001  Django's own is asked for
    response: HttpResponse = unchanged or _download(store.read(file["digest"]))
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    return response


def _download(data: bytes) -> HttpResponse:
    """As text or as bytes, and never as anything that a browser would render or run."""
    response = HttpResponse(data, content_type=_media_type(data))
    response["Content-Security-Policy"] = SECURITY_POLICY
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _media_type(data: bytes) -> str:
    try:
        is_text = "\0" not in data.decode()
    except UnicodeDecodeError:
        is_text = False
    return "text/plain; charset=utf-8" if is_text else "application/octet-stream"
