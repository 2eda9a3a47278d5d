"""Forms that speak the API's shapes: what a field may be is said once, by the serializers."""

from collections.abc import Mapping
from typing import Any

from django import forms
from rest_framework.serializers import Serializer

from collections_app.api.serializers import (
    ArtifactChangesSerializer,
    ChangesSerializer,
    CollectionChangesSerializer,
    NewCollectionSerializer,
)
from collections_app.drift import Mode, Options
from collections_app.models import Artifact, Collection
from collections_app.planning import Resolution
from marketplace.models.entry import TYPES
from skillmeat_site.errors import DomainError

INTERVALS = {
    "": "only when somebody asks",
    "900": "every 15 minutes",
    "3600": "every hour",
    "21600": "every 6 hours",
    "86400": "every day",
    "604800": "every week",
}
ANY = [("", "all types")]


class TagsField(forms.CharField):
    """Tags as people type them: separated by commas or line ends."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return [tag for part in (value or "").replace("\n", ",").split(",") if (tag := part.strip())]


class ShapedForm(forms.Form):
    """A form that is read by a serializer, which gets what was changed; `changes` is what it made of that."""

    shape: type[Serializer[Any]]

    def body(self) -> dict[str, Any]:
        """What was typed, as a client of the API would send it."""
        return {name: value for name, value in self.cleaned_data.items() if name in self.changed_data}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        shaped = self.shape(data=self.body())
        if shaped.is_valid():
            self.changes = shaped.as_changes() if isinstance(shaped, ChangesSerializer) else {}
        else:
            for name, errors in shaped.errors.items():
                self.add_error(name if name in self.fields else None, sentences(errors))
        return cleaned

    def refuse(self, error: DomainError, *, field: str | None = None) -> None:
        """Show what an operation said, beside a field or above the form."""
        names = ", ".join(error.extra.get("suggested_names", ()))
        self.add_error(field, f"{error.detail} {error.hint} {names}".strip())


def sentences(errors: Any) -> list[str]:
    """Every sentence of a serializer's errors, however deep it lies."""
    if isinstance(errors, Mapping):
        return [each for some in errors.values() for each in sentences(some)]
    return (
        [each for some in errors for each in sentences(some)] if isinstance(errors, list) else [str(errors)]
    )


def interval_choices(seconds: int | None = None) -> list[tuple[str, str]]:
    """The usual intervals, and the one that is set where it is another."""
    known = dict(INTERVALS)
    if seconds is not None:
        known.setdefault(str(seconds), f"every {seconds:,} seconds")
    return list(known.items())


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


class NewCollectionForm(CollectionForm):
    shape = NewCollectionSerializer
    field_order = ("project",)

    project = forms.ChoiceField()

    def __init__(self, *args: Any, projects: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["project"].choices = [(slug, slug) for slug in projects]  # type: ignore[attr-defined]


class ArtifactForm(ShapedForm):
    shape = ArtifactChangesSerializer

    name = forms.CharField()
    description = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 4}))
    tags = TagsField(required=False, help_text="Separated by commas.")

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
