"""What OPTIONS answers beside `Allow`."""

from typing import TYPE_CHECKING, Any

from rest_framework.metadata import BaseMetadata
from rest_framework.request import Request

if TYPE_CHECKING:
    from rest_framework.views import APIView  # it imports this module while it is being loaded


class Pointer(BaseMetadata):
    """Where the shapes of requests and answers are described; there is one place for that."""

    def determine_metadata(self, request: Request, view: "APIView") -> dict[str, Any]:
        return {"schema": "/api/schema", "docs": "/api/docs"}
