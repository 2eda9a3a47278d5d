"""Links to the pages of rows, whichever app owns them."""

from collections.abc import Iterable
from functools import cache
from urllib.parse import urlencode
from uuid import UUID

from django.apps import apps
from django.contrib import admin
from django.db.models import Model
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from skillmeat_site.rows import Row


@cache
def models_by_prefix() -> dict[str, type[Row]]:
    """The models with ids of their own, by the prefix of their outside form."""
    rows = (model for model in apps.get_models() if issubclass(model, Row))
    return {model.id_prefix: model for model in rows if model.id_prefix}


@cache
def models_by_name() -> dict[str, type[Row]]:
    """The same models, as the audit trail names them."""
    rows = (model for model in apps.get_models() if issubclass(model, Row))
    return {str(model._meta.model_name): model for model in rows}


def named(model: type[Row], ids: Iterable[UUID]) -> dict[UUID, str]:
    """What these rows are called, in one query; those that are gone are left out."""
    return {pk: str(row) for pk, row in model._base_manager.in_bulk(set(ids)).items()}


def address(obj: Model) -> str:
    """Of the page of a row."""
    return reverse(f"{_base(type(obj))}_change", args=[obj.pk])


def list_address(model: type[Model], **filters: object) -> str:
    """Of the list of such rows, under these filters."""
    return f"{reverse(f'{_base(model)}_changelist')}?{urlencode(filters)}".rstrip("?")


def link(obj: Model, text: object = "") -> SafeString:
    """To the page of a row; it is called what the row is unless a text says something else."""
    return format_html('<a href="{}">{}</a>', address(obj), text or obj)


def link_by_id(model: type[Row] | None, pk: UUID | None, text: str) -> SafeString:
    """The same for a row that was not read; only the text if the console has no page for it."""
    has_page = model is not None and pk is not None and admin.site.is_registered(model)
    return link(model(id=pk), text) if model and has_page else format_html("{}", text)


def _base(model: type[Model]) -> str:
    return f"admin:{model._meta.app_label}_{model._meta.model_name}"
