"""Changing settings: of one source on its page, or of many at once."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from marketplace.admin.choosing import asking, limited
from marketplace.admin.forms import INTERVALS, SettingsForm, TagsField
from marketplace.api.permissions import require_trust
from marketplace.api.serializers import SourceChangesSerializer
from marketplace.models import Source, TrustLevel
from marketplace.operations import sources
from skillmeat_site.admin_pages import JourneyPage, added, each_row, operator
from skillmeat_site.errors import DomainError

FIELDS = {"source_exists": "ref", "role_required": "trust_level"}


def change(request: HttpRequest, source: Source, changes: Mapping[str, Any]) -> None:
    """As `PATCH /marketplace/sources/{id}` would; trust above basic is an admin's to give."""
    by = operator(request)
    if changes.get("trust_level", source.trust_level) != source.trust_level:
        require_trust(by, source.project, changes["trust_level"])
    sources.change(source=source, changes=changes, by=by, at=timezone.now())


@added.journey(Source)
class SettingsPage(JourneyPage):
    """The form stands on the source's page too; here it is shown again when something is wrong."""

    slug, label, submit = "settings", "Settings…", "Save"

    def get(self, request: HttpRequest) -> HttpResponseBase:
        return self.show(form=SettingsForm(source=self.object))

    def post(self, request: HttpRequest) -> HttpResponseBase:
        form = SettingsForm(request.POST, source=self.object)
        if form.is_valid():
            try:
                change(request, self.object, form.changes())
            except DomainError as error:
                form.refuse(error, fields=FIELDS)
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
    """Tags are checked as a source's own would be."""

    how = forms.ChoiceField(
        label="What to do",
        choices=[
            ("add", "add them to those that are there"),
            ("remove", "take them away"),
            ("replace", "replace what is there"),
        ],
        widget=forms.RadioSelect,
        initial="add",
    )
    tags = TagsField()

    def clean_tags(self) -> list[str]:
        return _checked_tags(self.cleaned_data["tags"])

    def apply(self, tags: list[str]) -> list[str]:
        """What these tags become."""
        raise NotImplementedError


def _checked_tags(tags: list[str]) -> list[str]:
    shape = SourceChangesSerializer(data={"tags": tags})
    if not shape.is_valid():
        raise forms.ValidationError([str(error) for error in _sentences(shape.errors)])
    checked: list[str] = shape.validated_data["tags"]
    return checked


def _sentences(errors: Any) -> list[Any]:
    if isinstance(errors, Mapping):
        return [each for some in errors.values() for each in _sentences(some)]
    return [each for some in errors for each in _sentences(some)] if isinstance(errors, list) else [errors]
