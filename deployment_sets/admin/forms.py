"""What people are asked about sets."""

from typing import Any

from django import forms

from deployment_sets.api.serializers import NewSetSerializer, SetSettingsSerializer
from deployment_sets.models import DeploymentSet, Visibility
from deployment_sets.operations.sets import Settings
from skillmeat_site.admin_pages.forms import InProject, ShapedForm, TagsField

WHO_READS = {
    Visibility.PRIVATE: "private: its owner's alone",
    Visibility.PROJECT: "project: all members read it",
}


class SetForm(ShapedForm):
    shape = SetSettingsSerializer

    name = forms.CharField()
    description = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 2}))
    tags = TagsField()
    visibility = forms.ChoiceField(choices=list(WHO_READS.items()))

    def body(self) -> dict[str, Any]:
        """All of it, as for a PUT."""
        return dict(self.cleaned_data)

    def settings(self) -> Settings:
        found: Settings = self.shaped.as_settings()
        return found

    @classmethod
    def of(cls, deployment_set: DeploymentSet, data: Any = None) -> "SetForm":
        return cls(data, initial={name: getattr(deployment_set, name) for name in cls.base_fields})


class NewSetForm(InProject, SetForm):
    shape = NewSetSerializer
