"""From an id to the page of what it names, whichever app owns it."""

from collections.abc import Iterable
from functools import cache
from uuid import UUID

from django.apps import apps
from django.contrib import admin
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


def link(model: type[Row] | None, pk: UUID | None, text: str) -> SafeString:
    """The text as a link to the row's page, if the console has one."""
    if model is None or pk is None or not admin.site.is_registered(model):
        return format_html("{}", text)
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[pk])
    return format_html('<a href="{}">{}</a>', address, text)
