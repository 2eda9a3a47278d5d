"""`/marketplace/artifacts`: one entry of a catalogue, why it is there, and its files at the scanned commit."""

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api import downloads
from marketplace.api.serializers import EntryDetailSerializer, ExclusionSerializer
from marketplace.models import Entry
from marketplace.operations import catalogue
from marketplace.operations.catalogue import NotExcluded
from skillmeat_site.accounts.permissions import RolePermission
from skillmeat_site.api.viewsets import ResourceViewSet


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
        responses=downloads.RESPONSES,
    )
    @action(detail=True, url_path=r"files/(?P<path>.+)")
    def files(self, request: Request, id: str, path: str) -> HttpResponse:
        """The bytes as they were scanned. `path` is one of those that the artifact's `files` lists."""
        entry = self.get_object()
        return downloads.answer(
            request, downloads.listed(entry.manifest.files, path, incomplete=entry.incomplete)
        )
