"""`/marketplace/artifacts`: one entry of a catalogue, why it is there, and its files at the scanned commit."""

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.serializers import EntryDetailSerializer, ExclusionSerializer
from marketplace.content import store
from marketplace.manifest import ContentKind
from marketplace.models import Entry
from marketplace.operations import catalogue
from marketplace.operations.catalogue import NotExcluded
from skillmeat_site.accounts.permissions import RolePermission
from skillmeat_site.api.errors import NotFound
from skillmeat_site.api.viewsets import ResourceViewSet

FILE_SECURITY_POLICY = "default-src 'none'; sandbox"


@extend_schema_view(retrieve=extend_schema(summary="Show an artifact"))
class EntryViewSet(mixins.RetrieveModelMixin, ResourceViewSet):
    """Artifacts as the latest scans of their sources found them."""

    queryset = Entry.objects.select_related("source__project", "manifest").with_status()
    serializer_class = EntryDetailSerializer
    permission_classes = (RolePermission,)
    filter_backends = ()
    problems = {"restore": (NotExcluded,)}

    @extend_schema(
        summary="Exclude an artifact", request=ExclusionSerializer, responses={200: EntryDetailSerializer}
    )
    @action(detail=True, methods=["post"], serializer_class=ExclusionSerializer)
    def exclude(self, request: Request, id: str) -> Response:
        """It is left out of counts, lists and imports, whatever scans find, until it is restored."""
        entry, reason = self.get_object(), self.validated(request).get("reason") or ""
        catalogue.exclude(entry=entry, reason=reason, by=self.caller, at=timezone.now())
        return self._shown(entry)

    @extend_schema(summary="Restore an excluded artifact", responses={200: EntryDetailSerializer})
    @exclude.mapping.delete
    def restore(self, request: Request, id: str) -> Response:
        entry = self.get_object()
        catalogue.restore(entry=entry, by=self.caller, at=timezone.now())
        return self._shown(entry)

    def _shown(self, entry: Entry) -> Response:
        return Response(EntryDetailSerializer(self.get_queryset().get(pk=entry.pk)).data)

    @extend_schema(
        summary="Show a file of an artifact",
        responses={
            (200, "text/plain"): OpenApiTypes.BINARY,
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            304: OpenApiResponse(description="The file is still the one whose ETag was sent."),
        },
    )
    @action(detail=True, url_path=r"files/(?P<path>.+)")
    def files(self, request: Request, id: str, path: str) -> HttpResponse:
        """The bytes as they were scanned. `path` is one of those that the artifact's `files` lists."""
        file = self._listed(self.get_object(), path)
        etag = f'"{file["digest"]}"'
        unchanged = get_conditional_response(request._request, etag=etag)  # noqa: SLF001  Django's own is asked for
        return unchanged or _download(store.read(file["digest"]), etag=etag)

    @staticmethod
    def _listed(entry: Entry, path: str) -> dict[str, Any]:
        file = next((file for file in entry.manifest.files if file["path"] == path), None)
        if file is None:
            raise NotFound(f"This artifact has no file {path[:200]!r}.")
        if file["kind"] in {ContentKind.SYMLINK, ContentKind.SUBMODULE}:
            raise NotFound(f"{path[:200]!r} is a {file['kind']}, which is never followed.")
        if file["digest"] is None:
            raise NotFound(f"{path[:200]!r} is not stored. {entry.incomplete}")
        return dict(file)


def _download(data: bytes, *, etag: str) -> HttpResponse:
    """As text or as bytes, and never as anything that a browser would render or run."""
    response = HttpResponse(data, content_type=_media_type(data))
    response["ETag"] = etag
    response["Content-Security-Policy"] = FILE_SECURITY_POLICY
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _media_type(data: bytes) -> str:
    try:
        is_text = "\0" not in data.decode()
    except UnicodeDecodeError:
        is_text = False
    return "text/plain; charset=utf-8" if is_text else "application/octet-stream"
