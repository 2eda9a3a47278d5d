"""The audit trail in the console: to be read."""

import json
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from skillmeat_site.admin_pages import ReadOnlyAdmin, ago, code, operator
from skillmeat_site.admin_pages.filters import Lately, OfProject, Question
from skillmeat_site.admin_pages.rows import link_by_id, models_by_name
from skillmeat_site.audit.models import AuditEvent

SHORT = 80


class Done(Lately):
    title, parameter_name, field = "when", "when", "at"


class Who(Question):
    title, parameter_name = "who", "who"
    answers = {
        "people": ("people", lambda rows: rows.exclude(actor_id=None)),
        "system": ("the system", lambda rows: rows.filter(actor_id=None)),
        "beyond": ("superusers beyond their projects", lambda rows: rows.filter(facts__as_superuser=True)),
    }


class InProject(OfProject):
    """Events name their project without a foreign key."""

    def of(self, queryset: Any, slug: str) -> QuerySet[Any]:
        return queryset.in_project(slug)  # type: ignore[no-any-return]


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    """Newest first. The page of an object leads here, to its own events."""

    list_display = ("verb", "about", "when", "who", "project", "told")
    list_filter = (Done, Who, InProject, "verb")
    search_fields = ("object_label", "actor", "request_id")
    search_help_text = "What it was called, who did it, or the id of the request."
    fields = ("when", "who", "verb", "about", "project", "request", "every_fact")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEvent]:
        mine: Any = super().get_queryset(request)
        return mine.visible_to(operator(request))  # type: ignore[no-any-return]

    @admin.display(description="when", ordering="at")
    def when(self, event: AuditEvent) -> SafeString:
        return ago(event.at)

    @admin.display(description="who", ordering="actor")
    def who(self, event: AuditEvent) -> str:
        return event.actor or "the system"

    @admin.display(description="about", ordering="object_label")
    def about(self, event: AuditEvent) -> SafeString:
        """What was deleted has no page any more."""
        model = None if event.verb.endswith(".deleted") else models_by_name().get(event.object_kind)
        return link_by_id(model, event.object_id, event.object_label)

    @admin.display(description="facts")
    def told(self, event: AuditEvent) -> str:
        said = ", ".join(f"{name}: {value}" for name, value in event.facts.items())
        return said if len(said) <= SHORT else f"{said[:SHORT]}…"

    @admin.display(description="request")
    def request(self, event: AuditEvent) -> SafeString:
        return code(event.request_id)

    @admin.display(description="facts")
    def every_fact(self, event: AuditEvent) -> SafeString:
        return format_html(
            '<pre class="file">{}</pre>', json.dumps(event.facts, indent=2, ensure_ascii=False)
        )
