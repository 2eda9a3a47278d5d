"""The two forms of lists: by cursor (the rule) and by offset (where a position is wanted)."""

from typing import TYPE_CHECKING, Any, ClassVar

from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from skillmeat_site.api.filters import bad_parameter, is_filtered, whole
from skillmeat_site.rows import Row

if TYPE_CHECKING:
    from rest_framework.views import APIView  # it imports this module while it is being loaded

DEFAULT_LIMIT = 50
MAX_LIMIT = 100


def whole_number(request: Request, name: str, *, default: int, low: int, high: int) -> int:
    """A query parameter's value; InvalidRequest when it is anything but a number in the range."""
    text = request.query_params.get(name)
    if text is None:
        return default
    number = whole(text)
    if not low <= number <= high:
        raise bad_parameter(name, f"Use a whole number from {low} to {high}.")
    return number


def _limit(request: Request) -> int:
    return whole_number(request, "limit", default=DEFAULT_LIMIT, low=1, high=MAX_LIMIT)


class CursorPagination(BasePagination):
    """Newest first. A cursor is an item's id; as ids sort by creation, it works when the item is gone."""

    parameters: ClassVar[tuple[str, ...]] = ("limit", "cursor")

    def paginate_queryset(self, queryset: Any, request: Request, view: "APIView | None" = None) -> list[Any]:
        limit = _limit(request)
        self.model: type[Row] = queryset.model
        self.total_count = queryset.count() if is_filtered(request, view) else None
        queryset = queryset.order_by("-id")
        page = queryset
        self.has_previous_page = False
        if cursor := request.query_params.get("cursor"):
            after = self.model.decode(cursor)
            if after is None:
                raise bad_parameter("cursor", "This is no cursor of this list.")
            page = queryset.filter(id__lt=after)
            self.has_previous_page = queryset.filter(id__gte=after).exists()
        items = [] if self.total_count == 0 else list(page[: limit + 1])
        self.has_next_page = len(items) > limit
        self.page = items[:limit]
        return self.page

    @staticmethod
    def _cursor(item: Row | dict[str, Any]) -> str:
        """Of a row, or of what is shown of it."""
        return item.public_id if isinstance(item, Row) else str(item["id"])

    def get_paginated_response(self, data: Any) -> Response:
        page_info = {
            "has_next_page": self.has_next_page,
            "has_previous_page": self.has_previous_page,
            "start_cursor": self._cursor(self.page[0]) if self.page else None,
            "end_cursor": self._cursor(self.page[-1]) if self.page else None,
            "total_count": self.total_count,
        }
        return Response({"items": data, "page_info": page_info})

    def get_schema_operation_parameters(self, view: "APIView") -> list[dict[str, Any]]:
        cursor = {
            "name": "cursor",
            "in": "query",
            "schema": {"type": "string"},
        }
        return [LIMIT_PARAMETER, cursor]

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        boolean = {"type": "boolean", "examples": [False]}
        cursor = {"type": ["string", "null"], "examples": ["src_01m7yzq3e8fgxb5t2v9kc4hd6n"]}
        return _list_schema(
            schema,
            {
                "has_next_page": boolean,
                "has_previous_page": boolean,
                "start_cursor": cursor,
                "end_cursor": cursor,
                "total_count": {
                    "type": ["integer", "null"],
                    "description": "How many rows match; only counted when a filter is set.",
                    "examples": [None],
                },
            },
        )


class OffsetPagination(BasePagination):
    """`limit` and `offset`, with one count of what matches."""

    parameters: ClassVar[tuple[str, ...]] = ("limit", "offset")
    max_offset = 1_000_000

    def paginate_queryset(self, queryset: Any, request: Request, view: "APIView | None" = None) -> list[Any]:
        self.limit = _limit(request)
        self.offset = whole_number(request, "offset", default=0, low=0, high=self.max_offset)
        self.total_count = queryset.count()
        if self.offset >= self.total_count:
            return []
        return list(queryset[self.offset : self.offset + self.limit])

    def get_paginated_response(self, data: Any) -> Response:
        page_info = {
            "total_count": self.total_count,
            "limit": self.limit,
            "offset": self.offset,
            "has_next_page": self.offset + len(data) < self.total_count and bool(data),
            "has_previous_page": self.offset > 0,
        }
        return Response({"items": data, "page_info": page_info})

    def get_schema_operation_parameters(self, view: "APIView") -> list[dict[str, Any]]:
        schema = {"type": "integer", "minimum": 0, "maximum": self.max_offset, "default": 0}
        return [LIMIT_PARAMETER, {"name": "offset", "in": "query", "schema": schema}]

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        boolean = {"type": "boolean", "examples": [False]}
        names = {
            name: {"type": "integer", "examples": [example]}
            for name, example in {"total_count": 1, "limit": DEFAULT_LIMIT, "offset": 0}.items()
        }
        return _list_schema(schema, names | {"has_next_page": boolean, "has_previous_page": boolean})


LIMIT_PARAMETER = {
    "name": "limit",
    "in": "query",
    "schema": {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
}


def _list_schema(items: dict[str, Any], page_info: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["items", "page_info"],
        "properties": {
            "items": items,
            "page_info": {"type": "object", "required": list(page_info), "properties": page_info},
        },
    }
