"""Changing settings: of one source on its page, or of many at once."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from marketplace.admin.choosing import asking, each_allowed
from marketplace.admin.forms import SettingsForm
from marketplace.api.permissions import require_trust
from marketplace.api.serializers import SourceChangesSerializer
from marketplace.models import Source, TrustLevel
from marketplace.operations import sources
from skillmeat_site.admin_pages import JourneyPage, operator
from skillmeat_site.admin_pages.forms import INTERVALS, TagsField, sentences
from skillmeat_site.api.errors import InvalidValue
from skillmeat_site.errors import DomainError

FIELDS = {"source_exists": "ref", "role_required": "trust_level"}


def change(request: HttpRequest, source: Source, changes: Mapping[str, Any]) -> None:
    """As `PATCH /marketplace/sources/{id}` would; trust above basic is an admin's to give."""
    by = operator(request)
    if changes.get("trust_level", source.trust_level) != source.trust_level:
        require_trust(by, source.project, changes["trust_level"])
    sources.change(source=source, changes=changes, by=by, at=timezone.now())


class SettingsPage(JourneyPage):
    """The form stands on the source's page, so this has no button; it is shown when something is wrong."""

    model = Source
    slug, label, submit = "settings", "Settings…", "Save"

    def get(self, request: HttpRequest) -> HttpResponseBase:
        return self.show(form=SettingsForm(source=self.object))

    def post(self, request: HttpRequest) -> HttpResponseBase:
        form = SettingsForm(request.POST, source=self.object)
        if form.is_valid():
            try:
                change(request, self.object, form.changes())
            except DomainError as error:
                form.refuse(error, field=FIELDS.get(error.code))
            else:
                return self.leave("Saved." if form.changed_data else "Nothing was changed.")
        return self.show(form=form)


class TrustForm(forms.Form):
    trust_level = forms.ChoiceField(label="Trust", choices=TrustLevel.choices)


class ScheduleForm(forms.Form):
    rescan_interval = forms.TypedChoiceField(
        label="Scan", coerce=int, initial="86400", choices=[item for item in INTERVALS.items() if item[0]]
    )


class TagsForm(forms.Form):
    how = forms.ChoiceField(
        label="What to do",
        choices=[
            ("add", "add them to those that are there"),
            ("remove", "take them away"),
            ("replace", "have these and no others"),
        ],
        widget=forms.RadioSelect,
        initial="add",
    )
    tags = TagsField()


def _changed_tags(source: Source, *, how: str, tags: list[str]) -> list[str]:
    """What the source's tags become. Raises InvalidValue when it cannot have these."""
    kept = {"add": source.tags, "replace": [], "remove": []}[how]
    wanted = [*kept, *tags]
    if how == "remove":
        gone = {tag.lower() for tag in tags}
        wanted = [tag for tag in source.tags if tag not in gone]
    shape = SourceChangesSerializer(data={"tags": wanted})
    if not shape.is_valid():
        raise InvalidValue(" ".join(sentences(shape.errors)), hint="")
    checked: list[str] = shape.validated_data["tags"]
    return checked


set_trust = asking(TrustForm, change, name="set_trust", description="Set trust…", done="Trust set")
resume = asking(ScheduleForm, change, name="resume", description="Scan by a schedule…", done="Schedule set")
set_tags = asking(
    TagsForm,
    lambda request, source, values: change(request, source, {"tags": _changed_tags(source, **values)}),
    name="set_tags",
    description="Set tags…",
    done="Tags set",
)


@admin.action(description="Scan only when asked", permissions=["change"])
def pause(page: admin.ModelAdmin, request: HttpRequest, rows: QuerySet[Source]) -> None:
    each_allowed(
        request,
        rows,
        lambda source: change(request, source, {"rescan_interval": None}),
        done="Schedule ended",
    )
