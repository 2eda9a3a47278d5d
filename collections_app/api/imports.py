"""`/marketplace/sources/{id}/import`: entries of a source into a collection."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from collections_app.api.artifacts import collection_of
from collections_app.api.importing import ImportResultSerializer, ImportSerializer
from collections_app.operations import imports
from collections_app.operations.artifacts import UnsuitableName
from collections_app.operations.collections import UnknownCollection
from collections_app.operations.imports import ImportConflicts
from marketplace.models import Source
from skillmeat_site.accounts.permissions import RolePermission
from skillmeat_site.api.viewsets import ResourceViewSet


class ImportViewSet(ResourceViewSet):
    """Importing asks nothing of the source's host: scans have stored the content."""

    queryset = Source.objects.select_related("project")
    serializer_class = ImportSerializer
    permission_classes = (RolePermission,)
    problems = {"create": (UnknownCollection, UnsuitableName, ImportConflicts)}

    @extend_schema(
        summary="Import artifacts into a collection",
        request=ImportSerializer,
        responses={200: ImportResultSerializer},
        operation_id="marketplace_sources_import",
    )
    def create(self, request: Request, id: str) -> Response:
        """What cannot be imported is an error of its own and stops nothing else."""
        source = self.get_object()
        body = self.validated(request)
        name = body.get("collection")
        result = imports.import_entries(
            source=source,
            entry_ids=body["ids"],
            collection=collection_of(source.project, name) if name is not None else None,
            wishes=body["wishes"],
            confirm_untrusted=body["confirm_untrusted"],
            by=self.caller,
            at=timezone.now(),
        )
        return Response(result.as_json())
