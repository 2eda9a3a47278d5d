"""The way from a set to its files in a directory: where, the plan, and the deployment that became of it."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from deployment_sets.admin import marks
from deployment_sets.models import MAX_PATH, Deployment, DeploymentSet, is_plain
from deployment_sets.operations import deployments
from deployment_sets.operations.deployments import Draft, PlanOutdated, Wanted
from deployment_sets.planning import DeployConflicts, OnConflict, Outcome
from marketplace.operations.trust import ConfirmationRequired
from skillmeat_site.admin_pages import JourneyPage, added, address, operator

WHERE, PLAN = range(2)
SUGGESTED = 100
IN_THE_WAY = {
    OnConflict.ABORT: "abort: change nothing",
    OnConflict.SKIP: "skip: leave those files as they are",
    OnConflict.BACKUP: "backup: keep them as <file>.orig-<n>",
}


class WhereForm(forms.Form):
    project_path = forms.CharField(
        label="Directory",
        max_length=MAX_PATH,
        widget=forms.TextInput(attrs={"size": 60, "list": "roots"}),
    )
    on_conflict = forms.ChoiceField(
        label="Files in the way", choices=[(each.value, words) for each, words in IN_THE_WAY.items()]
    )
    prune = forms.BooleanField(required=False, label="Remove unedited files that left the set")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        roots = ", ".join(map(str, settings.SKILLMEAT_DEPLOY_ROOTS)) or "none is configured"
        self.fields["project_path"].help_text = f"An existing directory, at or below: {roots}."

    def clean_project_path(self) -> str:
        path: str = self.cleaned_data["project_path"]
        if not is_plain(path):
            raise forms.ValidationError("Use an absolute path without `.` and `..`.")
        return str(PurePosixPath(path))


class AgreedForm(WhereForm):
    """The plan that was looked at, with the choices that it was made for."""

    fingerprint = forms.CharField(max_length=64)
    confirm_untrusted = forms.BooleanField(required=False)


@added.journey(DeploymentSet)
class DeployPage(JourneyPage):
    slug, label, permission, submit = "deploy", "Deploy…", "use", "Show the plan"
    steps = ("Where", "Plan", "Deployed")
    template = "admin/deployment_sets/deploy.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        last = self.object.deployments.first()
        begin = {"project_path": last.project_path, "prune": last.prune} if last else {}
        return self._where(WhereForm(request.POST or None, initial=begin))

    def post(self, request: HttpRequest) -> HttpResponse:
        if "fingerprint" not in request.POST:
            form = WhereForm(request.POST)
            return self._plan(form) if form.is_valid() else self._where(form)
        agreed = AgreedForm(request.POST)
        if not agreed.is_valid():
            return self._where(WhereForm(request.POST))
        try:
            made = self._deploy(agreed)
        except (PlanOutdated, ConfirmationRequired, DeployConflicts) as error:
            return self._plan(agreed, refused=f"{error.detail} {error.hint}")
        return self.leave("Deployed.", to=address(made))

    def _where(self, form: WhereForm) -> HttpResponse:
        return self.show(step=WHERE, form=form, suggested=list(_suggested()))

    def _deploy(self, agreed: AgreedForm) -> Deployment:
        wanted = _wanted(agreed.cleaned_data)
        return deployments.deploy(
            deployment_set=self.object, wanted=wanted, by=operator(self.request), at=timezone.now()
        )

    def _plan(self, form: forms.Form, refused: str = "") -> HttpResponse:
        chosen = form.cleaned_data
        draft = deployments.draft(deployment_set=self.object, wanted=_wanted(chosen | {"fingerprint": ""}))
        return self.show(
            step=PLAN,
            chosen=chosen,
            draft=draft,
            result=marks.result(draft.result),
            stopped=_stopped(draft, chosen["on_conflict"]),
            refused=refused,
        )


def _wanted(chosen: dict[str, Any]) -> Wanted:
    return Wanted(**chosen | {"on_conflict": OnConflict(chosen["on_conflict"])})


def _stopped(draft: Draft, on_conflict: str) -> str:
    """Why the plan cannot be carried out as it is."""
    if draft.result["conflicts"]:
        return "Two artifacts want one path. Change the set first."
    if draft.result["counts"][Outcome.CONFLICT] and on_conflict == OnConflict.ABORT:
        return "Files are in the way. Go back and choose to skip them or to keep backups."
    return ""


def _suggested() -> Iterator[str]:
    """The roots, and the directories directly below them."""
    for root in map(Path, settings.SKILLMEAT_DEPLOY_ROOTS):
        if root.is_dir():
            yield str(root)
            below = sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
            yield from map(str, below[:SUGGESTED])
