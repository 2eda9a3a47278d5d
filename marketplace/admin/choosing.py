"""Actions on many rows that need a value first: the page that asks for it, and what is done then."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse

from skillmeat_site.accounts.models import Role
from skillmeat_site.accounts.scoping import require_role
from skillmeat_site.admin_pages import each_row, operator

AT_MOST = 500
NAMED = 10


def each_allowed(
    request: HttpRequest, rows: QuerySet[Any], act: Callable[[Any], object], *, done: str
) -> None:
    """Do it to each row of a project in which one is an editor; to as many as one request does in time."""
    if rows[AT_MOST : AT_MOST + 1]:
        messages.warning(request, f"Only the first {AT_MOST} were taken. Repeat it for the others.")

    def checked(row: Any) -> None:
        require_role(operator(request), row.project, Role.EDITOR)
        act(row)

    each_row(request, rows[:AT_MOST], checked, done=done)


def asking(
    form_class: type[forms.Form],
    act: Callable[[HttpRequest, Any, dict[str, Any]], object],
    *,
    name: str,
    description: str,
    done: str,
) -> Callable[..., TemplateResponse | None]:
    """An admin action that shows the form, and does `act(request, row, values)` to each row when it is sent."""

    @admin.action(description=description, permissions=["change"])
    def action(page: admin.ModelAdmin, request: HttpRequest, rows: QuerySet[Any]) -> TemplateResponse | None:
        sent = "_sent" in request.POST
        form = form_class(request.POST if sent else None)
        if sent and form.is_valid():
            each_allowed(request, rows, lambda row: act(request, row, form.cleaned_data), done=done)
            return None
        return TemplateResponse(
            request,
            "admin/marketplace/choosing.html",
            _context(page, request, rows, form, description.removesuffix("…")),
        )

    action.__name__ = name
    return action


def _context(
    page: admin.ModelAdmin, request: HttpRequest, rows: QuerySet[Any], form: forms.Form, title: str
) -> dict[str, Any]:
    return page.admin_site.each_context(request) | {
        "title": title,
        "opts": page.opts,
        "form": form,
        "count": rows.count(),
        "named": rows[:NAMED],
        "chosen": [(ACTION_CHECKBOX_NAME, pk) for pk in request.POST.getlist(ACTION_CHECKBOX_NAME)],
        "action": request.POST["action"],
        "across": request.POST.get("select_across", "0"),
        "back": request.get_full_path(),
        "media": page.media,
    }
