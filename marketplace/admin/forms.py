"""Forms that speak the API's shapes: what a field may be is said once, by the serializers."""

from collections.abc import Mapping
from typing import Any

from django import forms
from rest_framework.serializers import Serializer

from marketplace.api.serializers import NewSourceSerializer, SourceChangesSerializer
from marketplace.models import Source, TrustLevel, Visibility
from marketplace.operations.readers import Location
from skillmeat_site.errors import DomainError

INTERVALS = {
    "": "only when somebody asks",
    "900": "every 15 minutes",
    "3600": "every hour",
    "21600": "every 6 hours",
    "86400": "every day",
    "604800": "every week",
}
AS_UPSTREAM = [("", "as the host says"), *Visibility.choices]


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

    def body(self) -> Mapping[str, Any]:
        """What was typed, as a client of the API would send it."""
        raise NotImplementedError

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        self.shaped = self.shape(data=self.body())
        if not self.shaped.is_valid():
            for name, errors in self.shaped.errors.items():
                self.add_error(name if name in self.fields else None, sentences(errors))
        return cleaned

    def refuse(self, error: DomainError, *, fields: Mapping[str, str]) -> None:
        """Show what an operation said beside the field that its code belongs to; else above the form."""
        self.add_error(fields.get(error.code), f"{error.detail} {error.hint}".strip())


def sentences(errors: Any) -> list[str]:
    """Every sentence of a serializer's errors, however deep it lies."""
    if isinstance(errors, Mapping):
        return [each for some in errors.values() for each in sentences(some)]
    return (
        [each for some in errors for each in sentences(some)] if isinstance(errors, list) else [str(errors)]
    )


class DecidedForm(ShapedForm):
    """What people decide about a source, at first and later on. Empty fields are sent as null."""

    ref = forms.CharField(label="Branch, tag or commit", required=False)
    root_hint = forms.CharField(
        label="Only below", required=False, help_text="A directory; empty is the whole repository."
    )
    trust_level = forms.ChoiceField(label="Trust", choices=TrustLevel.choices, initial=TrustLevel.BASIC)
    tags = TagsField()
    rescan_interval = forms.ChoiceField(label="Scan again", choices=interval_choices, required=False)
    description = forms.CharField(required=False)
    notes = forms.CharField(widget=forms.Textarea(attrs={"rows": 3}), required=False)
    visibility = forms.ChoiceField(choices=AS_UPSTREAM, required=False)
    enable_frontmatter_detection = forms.BooleanField(
        label="Judge by frontmatter too",
        required=False,
        help_text="Markdown outside the usual places counts when its frontmatter says what it is.",
    )
    indexing_enabled = forms.BooleanField(label="Found by the search", required=False, initial=True)
    import_repo_description = forms.BooleanField(label="Fetch the repository's description", required=False)
    import_repo_readme = forms.BooleanField(label="Fetch the repository's README", required=False)

    def body(self) -> dict[str, Any]:
        said = {name: value if value != "" else None for name, value in self.cleaned_data.items()}
        seconds = said.get("rescan_interval")
        return said | {"rescan_interval": seconds and int(seconds)}


class SettingsForm(DecidedForm):
    """Only what differs from the source is sent, so that nothing is fetched again unasked."""

    shape = SourceChangesSerializer

    def __init__(self, data: Any = None, *, source: Source) -> None:
        shown = {name: getattr(source, name) for name in self.base_fields if name != "visibility"}
        shown |= {"visibility": source.visibility_set, "rescan_interval": str(source.rescan_interval or "")}
        super().__init__(data, initial=shown)
        self.fields["ref"].required = True
        self.fields["rescan_interval"].choices = interval_choices(source.rescan_interval)  # type: ignore[attr-defined]

    def body(self) -> dict[str, Any]:
        return {name: value for name, value in super().body().items() if name in self.changed_data}

    def changes(self) -> dict[str, Any]:
        found: dict[str, Any] = self.shaped.as_changes()
        return found


class LinkForm(forms.Form):
    """Anything that one has in the clipboard."""

    link = forms.CharField(
        label="Link",
        max_length=2000,
        widget=forms.TextInput(
            attrs={"autofocus": True, "placeholder": "https://github.com/owner/repository"}
        ),
        help_text="Any link into a repository: its page, a branch, a directory, a file, or what git clone takes.",
    )


class NewSourceForm(DecidedForm):
    """What was understood of a link, to be confirmed."""

    shape = NewSourceSerializer
    field_order = ("repo_url", "ref", "root_hint", "project", "access_token", "trust_level", "tags")

    repo_url = forms.CharField(label="Repository", widget=forms.TextInput(attrs={"readonly": True}))
    project = forms.ChoiceField()
    access_token = forms.CharField(
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="For a private repository: it serves the first scan and is then forgotten.",
    )

    def __init__(self, data: Any = None, *, projects: list[str], location: Location | None = None) -> None:
        super().__init__(data, initial={"project": next(iter(projects), None)})
        if location:
            self.initial.update(repo_url=location.url, ref=location.ref, root_hint=location.root)
        self.fields["project"].choices = [(slug, slug) for slug in projects]  # type: ignore[attr-defined]
        self.fields["ref"].widget.attrs["placeholder"] = "the default branch"
