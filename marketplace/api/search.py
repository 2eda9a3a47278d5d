"""`/marketplace/search`: artifacts by words, across sources."""

from typing import Any, cast

import django_filters
from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.filters import TYPE_ALIASES, TYPE_CHOICES
from marketplace.api.serializers import SearchHitSerializer
from marketplace.detection.vocabulary import ArtifactType
from marketplace.models import Entry, Source, TrustLevel
from marketplace.search import find
from marketplace.search.words import MAX_QUERY, query_words
from skillmeat_site.accounts.models import Project, Role
from skillmeat_site.accounts.permissions import ScopePermission
from skillmeat_site.api.filters import (
    OptionFilter,
    QueryFilter,
    RangeFilter,
    StrictQueryMixin,
    TagsFilter,
    TextFilter,
    bad_parameter,
    chosen,
)
from skillmeat_site.api.pagination import OffsetPagination


class SearchFilter(django_filters.FilterSet):
    """Read for its values alone: the search has SQL of its own."""

    q = QueryFilter(max_length=MAX_QUERY)
    type = OptionFilter(choices=TYPE_CHOICES, aliases=TYPE_ALIASES)
    tags = TagsFilter()
    trust_level = OptionFilter(choices=TrustLevel.choices)
    min_confidence = RangeFilter(low=0, high=100)
    source = TextFilter()


class SearchPagination(OffsetPagination):
    max_offset = 1_000

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        answer = super().get_paginated_response_schema(schema)
        answer["required"].append("facets")
        answer["properties"]["facets"] = {
            "type": "object",
            "description": "How many of all hits are of each type and trust level.",
            "required": ["type", "trust_level"],
            "properties": {
                "type": _counts(list(ArtifactType)),
                "trust_level": _counts(list(TrustLevel)),
            },
        }
        return answer


def _counts(names: list[str]) -> dict[str, Any]:
    number = {"type": "integer", "minimum": 0, "examples": [1]}
    return {"type": "object", "properties": dict.fromkeys(map(str, names), number)}


class Hits:
    """The entries that answer a question, counted and sliced as a paginator does with a queryset."""

    def __init__(self, question: find.Question) -> None:
        self.question = question
        self.spread = find.spread(question)

    def count(self) -> int:
        return self.spread.total

    def __getitem__(self, part: slice) -> list[Entry]:
        ids = find.page(self.question, limit=part.stop - part.start, offset=part.start)
        entries = Entry.objects.for_lists().with_status().in_bulk(ids)
        return [entries[key] for key in ids if key in entries]


class SearchView(StrictQueryMixin, GenericAPIView[Any]):
    """Artifacts by words, best first."""

    action = "list"
    permission_classes = (ScopePermission,)
    filterset_class = SearchFilter
    pagination_class = SearchPagination
    serializer_class = SearchHitSerializer
    queryset = Entry.objects.none()

    @extend_schema(
        summary="Search artifacts",
        operation_id="marketplace_search",
        responses=SearchHitSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """Over name, tags, description, source and text; the last word may be the beginning of one.

        Only sources with `indexing_enabled` are looked into. `highlights` are ranges of characters in an
        item's own fields; `facets` count all hits.
        """
        hits = Hits(self._question(request))
        page = self.paginate_queryset(cast("Any", hits))
        data = SearchHitSerializer(page or (), many=True, context={"words": hits.question.words}).data
        answer = self.get_paginated_response(data)
        answer.data["facets"] = {"type": hits.spread.by_type, "trust_level": hits.spread.by_trust}
        return answer

    def _question(self, request: Request) -> find.Question:
        values = chosen(self, request)
        source = Source.decode(values["source"]) if values["source"] else None
        if values["source"] and source is None:
            raise bad_parameter("source", "This is no id of a source.")
        return find.Question(
            words=query_words(values["q"]),
            projects=self._projects(request.user),
            type=values["type"],
            trust_level=values["trust_level"],
            min_confidence=values["min_confidence"],
            source=source,
            tags=values["tags"],
        )

    @staticmethod
    def _projects(user: Any) -> list[Any] | None:
        if user.is_superuser:
            return None
        return list(Project.objects.with_role(user, Role.VIEWER).values_list("pk", flat=True))
