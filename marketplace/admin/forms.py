"""What people are asked about sources."""

from typing import Any

from django import forms

from marketplace.api.serializers import NewSourceSerializer, SourceChangesSerializer
from marketplace.models import Source, TrustLevel, Visibility
from marketplace.operations.readers import Location
from skillmeat_site.admin_pages.forms import ShapedForm, TagsField, interval_choices

AS_UPSTREAM = [("", "as the host says"), *Visibility.choices]


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
