"""Query parameters, strictly: unknown ones, bad values and repetitions are errors that name the parameter."""

import re
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import F, Model, QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.request import Request

from skillmeat_site.api.errors import InvalidRequest
from skillmeat_site.api.instants import parse_instant

if TYPE_CHECKING:
    from rest_framework.views import APIView  # it imports this module while it is being loaded


MAX_TEXT = 200
MAX_REPEATED = 20  # each is a condition or a join
DIGITS = re.compile(r"[0-9]{1,9}\Z")


def bad_parameter(name: str, detail: str, *, code: str = "invalid") -> InvalidRequest:
    return InvalidRequest(errors=[{"pointer": f"?{name}", "code": code, "detail": detail}])


class StrictQueryMixin:
    """A view that refuses query parameters it does not know.

    `query_parameters` are those an action takes beside its list's filters and paging;
    `repeatable_parameters` may be given more than once.
    """

    query_parameters: dict[str, set[str]] = {}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)  # type: ignore[misc]
        known, repeatable = self.known_parameters()
        for name, values in request.query_params.lists():
            if name not in known:
                raise bad_parameter(
                    name, f"There is no such parameter; there are: {_listed(known)}.", code="unknown"
                )
            if any("\0" in value for value in values):
                raise bad_parameter(name, "It may not contain a NUL character.")
            if len(values) > 1 and name not in repeatable:
                raise bad_parameter(name, "Give it once.", code="repeated")

    def known_parameters(self) -> tuple[set[str], set[str]]:
        action = getattr(self, "action", "")
        known, repeatable = set(self.query_parameters.get(action, ())), set[str]()
        if action in getattr(self, "list_actions", {"list"}):
            known |= set(self.paginator.parameters) if self.paginator else set()  # type: ignore[attr-defined]
            for name, field in filters_of(self).items():
                known.add(name)
                if isinstance(field, TagsFilter):
                    repeatable.add(name)
        return known, repeatable


def filters_of(view: Any) -> dict[str, Any]:
    """The filters of the view's present action by parameter."""
    filterset = getattr(view, "filterset_class", None)
    return dict(filterset.base_filters) if filterset else {}


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "none"


class StrictFilterBackend(DjangoFilterBackend):
    """django-filter, with bad values as our problem instead of DRF's."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: "APIView") -> QuerySet[Any]:
        filterset_class: Any = getattr(view, "filterset_class", None)
        if filterset_class is None:
            return queryset
        model: Any = queryset.model
        filters = _ready(filterset_class, model)
        for name, value in _cleaned(filters, request).items():
            queryset = filters[name].filter(queryset, value)
        return queryset


def chosen(view: Any, request: Request) -> dict[str, Any]:
    """The values of the view's filters, for a view that does not filter a queryset."""
    return _cleaned(_ready(view.filterset_class, view.queryset.model), request)


@cache
def _ready(filterset_class: type[django_filters.FilterSet], model: type[Model]) -> dict[str, Any]:
    """The filters of a set, which know no request: django-filter would copy them and build a form for each."""
    return dict(filterset_class(queryset=model._base_manager.none()).filters)


def _cleaned(filters: dict[str, Any], request: Request) -> dict[str, Any]:
    """Every filter's value; what was not given has the filter's own. InvalidRequest names each bad one."""
    values: dict[str, Any] = {}
    errors: list[dict[str, str]] = []
    for name, found in filters.items():
        field = found.field
        try:
            values[name] = field.clean(field.widget.value_from_datadict(request.query_params, {}, name))
        except ValidationError as error:
            errors += [
                {"pointer": f"?{name}", "code": one.code or "invalid", "detail": message}
                for one in error.error_list
                for message in one.messages
            ]
    if errors:
        raise InvalidRequest(errors=errors)
    return values


def is_filtered(request: Request, view: Any) -> bool:
    """Whether any filter of the view is set in this request."""
    return any(request.query_params.get(name) for name in filters_of(view))


def whole(text: str) -> int:
    """The number these digits are, or -1 for anything else."""
    return int(text) if DIGITS.match(text) else -1


class _StrictField(forms.Field):
    """A present but empty parameter is a bad value, not an absent one."""

    widget = forms.TextInput

    def clean(self, value: Any) -> Any:
        if value == "":
            raise ValidationError("It may not be empty.", code="empty")
        return None if value is None else self.parse(value)

    def parse(self, value: str) -> Any:
        return value


class _BooleanField(_StrictField):
    def __init__(self, *, default: bool | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.default = default

    def clean(self, value: Any) -> Any:
        return self.default if value is None else super().clean(value)

    def parse(self, value: str) -> bool:
        if value not in {"true", "false"}:
            raise ValidationError("Use true or false.", code="invalid")
        return value == "true"


class _ChoiceField(_StrictField):
    def __init__(self, *, choices: Any, aliases: dict[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.choices = [value for value, _ in choices]
        self.aliases = aliases or {}

    def parse(self, value: str) -> str:
        value = self.aliases.get(value, value)
        if value not in self.choices:
            raise ValidationError(f"Use one of: {', '.join(self.choices)}.", code="invalid_choice")
        return value


class _RangeField(_StrictField):
    def __init__(self, *, low: int, high: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.low, self.high = low, high

    def parse(self, value: str) -> int:
        number = whole(value)
        if not self.low <= number <= self.high:
            raise ValidationError(f"Use a whole number from {self.low} to {self.high}.", code="invalid")
        return number


class _InstantField(_StrictField):
    def parse(self, value: str) -> datetime:
        try:
            return parse_instant(value)
        except ValueError as error:
            raise ValidationError(
                f"{error} (In a query a plus sign has to be percent-encoded.)", code="invalid"
            ) from None


class _TextField(forms.CharField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"max_length": MAX_TEXT} | kwargs))


class _QueryField(_StrictField):
    """As long as people paste; what is too long is cut, not refused."""

    def __init__(self, *, max_length: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_length = max_length

    def clean(self, value: Any) -> Any:
        if not (value or "").strip():
            raise ValidationError("Say what to look for.", code="required")
        return str(value)[: self.max_length]


class _ManyField(forms.Field):
    widget = forms.MultipleHiddenInput

    def clean(self, value: Any) -> list[str]:
        values = list(dict.fromkeys(text.strip().lower() for text in value or []))
        if len(values) > MAX_REPEATED:
            raise ValidationError(f"Give at most {MAX_REPEATED}.", code="max_length")
        if "" in values:
            raise ValidationError("It may not be empty.", code="empty")
        return values


class BooleanFilter(django_filters.Filter):
    """`true` or `false`; `default` is what stands for an absent one."""

    field_class = _BooleanField

    def schema(self) -> dict[str, Any]:
        default = self.extra.get("default")
        return {"type": "boolean"} if default is None else {"type": "boolean", "default": default}


class OptionFilter(django_filters.Filter):
    """One of an enumeration."""

    field_class = _ChoiceField

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "enum": [value for value, _ in self.extra["choices"]]}


class RangeFilter(django_filters.Filter):
    """A whole number between two bounds."""

    field_class = _RangeField

    def schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.extra["low"], "maximum": self.extra["high"]}


class InstantFilter(django_filters.Filter):
    """A time in ISO 8601 with its offset from UTC."""

    field_class = _InstantField

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date-time"}


class TextFilter(django_filters.CharFilter):
    """Free text; empty is no filter."""

    field_class = _TextField

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "maxLength": MAX_TEXT}


class QueryFilter(django_filters.Filter):
    """The words to look for; a list that has this parameter needs it."""

    field_class = _QueryField
    needed = True

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "minLength": 1}


class TagsFilter(django_filters.Filter):
    """Repeatable; rows must have all of the tags.

    Without a `method`, `field_name` leads to the tag's text in a child table that has each tag of a row once, and
    every tag is a join. Where the view's rows are few among those with a tag, `within` names what narrows them, a
    column that rows and tags share: then the join may begin with either.
    """

    field_class = _ManyField

    def __init__(self, *args: Any, within: str = "", **kwargs: Any) -> None:
        self.within = within
        super().__init__(*args, **kwargs)

    def schema(self) -> dict[str, Any]:
        return {"type": "array", "items": {"type": "string", "minLength": 1}}

    def filter(self, qs: QuerySet[Any], value: list[str]) -> QuerySet[Any]:
        relation = self.field_name.partition("__")[0]
        narrowed = {f"{relation}__{self.within}": F(self.within)} if self.within else {}
        for tag in value or ():
            qs = qs.filter(**{self.field_name: tag}, **narrowed)
        return qs
