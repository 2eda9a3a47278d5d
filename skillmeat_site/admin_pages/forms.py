"""Forms that speak the API's shapes: what a field may be is said once, by the serializers."""

from collections.abc import Mapping
from typing import Any

from django import forms
from rest_framework.serializers import Serializer

from skillmeat_site.errors import DomainError

INTERVALS = {
    "": "only when somebody asks",
    "900": "every 15 minutes",
    "3600": "every hour",
    "21600": "every 6 hours",
    "86400": "every day",
    "604800": "every week",
}


def interval_choices(seconds: int | None = None) -> list[tuple[str, str]]:
    """The usual intervals, and the one that is set where it is another."""
    known = dict(INTERVALS)
    if seconds is not None:
        known.setdefault(str(seconds), f"every {seconds:,} seconds")
    return list(known.items())


class TagsField(forms.CharField):
    """Tags as people type them: separated by commas or line ends."""

    def __init__(self) -> None:
        super().__init__(required=False, help_text="Separated by commas.")

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return [tag for part in (value or "").replace("\n", ",").split(",") if (tag := part.strip())]


class ShapedForm(forms.Form):
    """A form that is read by a serializer: `clean` gives it what was typed and takes its errors over."""

    shape: type[Serializer[Any]]
    shaped: Any

    def body(self) -> dict[str, Any]:
        """What was changed, as a client of the API would send it."""
        return {name: value for name, value in self.cleaned_data.items() if name in self.changed_data}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        self.shaped = self.shape(data=self.body())
        if not self.shaped.is_valid():
            for name, errors in self.shaped.errors.items():
                self.add_error(name if name in self.fields else None, sentences(errors))
        return cleaned

    def changes(self) -> dict[str, Any]:
        """What a serializer of changes made of that, for the operation."""
        found: dict[str, Any] = self.shaped.as_changes()
        return found

    def refuse(self, error: DomainError, *, field: str | None) -> None:
        """Show what an operation said, beside a field or above the form."""
        names = ", ".join(error.extra.get("suggested_names", ()))
        self.add_error(field, f"{error.detail} {error.hint} {names}".strip())


class InProject(ShapedForm):
    """Of something new: asks first in which of the projects, by slug."""

    field_order = ("project",)

    project = forms.ChoiceField()

    def __init__(self, *args: Any, projects: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["project"].choices = [(slug, slug) for slug in projects]  # type: ignore[attr-defined]


def sentences(errors: Any) -> list[str]:
    """Every sentence of a serializer's errors, however deep it lies."""
    if isinstance(errors, Mapping):
        return [each for some in errors.values() for each in sentences(some)]
    return (
        [each for some in errors for each in sentences(some)] if isinstance(errors, list) else [str(errors)]
    )
