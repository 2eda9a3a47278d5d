"""What people are asked about collections and artifacts."""

from typing import Any

from django import forms

from collections_app.api.serializers import (
    ArtifactChangesSerializer,
    CollectionChangesSerializer,
    NewCollectionSerializer,
)
from collections_app.drift import Mode, Options
from collections_app.models import Artifact, Collection
from collections_app.planning import Resolution
from marketplace.models.entry import TYPES
from skillmeat_site.admin_pages.forms import InProject, ShapedForm, TagsField, interval_choices

ANY = [("", "all types")]


class CollectionForm(ShapedForm):
    shape = CollectionChangesSerializer

    name = forms.CharField()
    description = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 2}))
    refresh_interval = forms.ChoiceField(
        label="Refresh",
        choices=interval_choices,
        required=False,
        help_text="Takes over what upstream says in words; new content waits for a person.",
    )

    def body(self) -> dict[str, Any]:
        said = super().body()
        if "refresh_interval" in said:
            said["refresh_interval"] = int(said["refresh_interval"]) if said["refresh_interval"] else None
        return said

    @classmethod
    def of(cls, collection: Collection, data: Any = None) -> "CollectionForm":
        shown = {name: getattr(collection, name) for name in cls.base_fields}
        form = cls(data, initial=shown | {"refresh_interval": str(collection.refresh_interval or "")})
        form.fields["refresh_interval"].choices = interval_choices(collection.refresh_interval)  # type: ignore[attr-defined]
        return form


class NewCollectionForm(InProject, CollectionForm):
    shape = NewCollectionSerializer


class ArtifactForm(ShapedForm):
    shape = ArtifactChangesSerializer

    name = forms.CharField()
    description = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 4}))
    tags = TagsField()

    @classmethod
    def of(cls, artifact: Artifact, data: Any = None) -> "ArtifactForm":
        return cls(data, initial={name: getattr(artifact, name) for name in cls.base_fields})


class CollectionChoice(forms.Form):
    """Which collection; `choices` are those of one project."""

    collection = forms.ChoiceField()

    def __init__(self, data: Any = None, *, choices: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.fields["collection"].choices = choices  # type: ignore[attr-defined]


class EntriesForm(CollectionChoice):
    """Which entries of a source, and into which collection."""

    types = forms.MultipleChoiceField(choices=TYPES, widget=forms.CheckboxSelectMultiple, required=False)
    min_confidence = forms.IntegerField(label="Confidence from", min_value=0, max_value=100, initial=0)


class LookForm(forms.Form):
    """Which artifacts a refresh is about."""

    type = forms.ChoiceField(choices=ANY + TYPES, required=False)
    name_pattern = forms.CharField(
        label="Names like", max_length=200, required=False, help_text="As in a shell: *, ?, [a-z]."
    )

    def options(self) -> Options:
        return Options(mode=Mode.CHECK, **self.cleaned_data)


class ApplyForm(forms.Form):
    """What is taken over of what was seen."""

    mode = forms.ChoiceField(
        label="Take over",
        choices=[
            (Mode.METADATA, "words only: description, author, license, version, tags"),
            (Mode.SYNC, "words and new content, as new versions"),
        ],
        widget=forms.RadioSelect,
        initial=Mode.METADATA,
    )
    force = forms.BooleanField(
        label="Also over what was edited here",
        required=False,
        help_text="Conflicts are taken over too; earlier versions stay. Matters with new content only.",
    )


RESOLUTIONS = [
    ("", "leave it out for now"),
    (Resolution.SKIP, "skip: keep what is there"),
    (Resolution.RENAME, "rename: take it under another name"),
    (Resolution.FORCE, "force: a new version of what is there"),
]
