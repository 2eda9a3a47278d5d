"""The pages of deployments: the list, what one did, its drift, and its undo."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import pluralize
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from deployment_sets.admin import marks
from deployment_sets.models import Deployment
from deployment_sets.operations import deployments
from skillmeat_site.accounts.models import Role
from skillmeat_site.admin_pages import (
    JourneyPage,
    ReadOnlyAdmin,
    ShownAdmin,
    added,
    ago,
    badge,
    code,
    facts,
    has_role,
    link,
    operator,
)
from skillmeat_site.admin_pages.filters import OfProject
from skillmeat_site.errors import DomainError


@admin.register(Deployment)
class DeploymentAdmin(ReadOnlyAdmin, ShownAdmin):
    list_display = ("set_name", "directory", "state", "files", "project", "deployed_by", "when")
    list_filter = (OfProject,)
    list_select_related = ("project", "deployed_by")
    search_fields = ("set_name", "project_path")

    def shown(self, obj: Deployment) -> list[SafeString]:
        return [_facts(obj)]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Deployment]:
        rows: QuerySet[Deployment] = super().get_queryset(request)
        return rows.select_related("project", "deployed_by", "undone_by", "deployment_set").defer("result")

    @admin.display(description="state")
    def state(self, deployment: Deployment) -> SafeString:
        return marks.state(deployment)

    @admin.display(description="directory", ordering="project_path")
    def directory(self, deployment: Deployment) -> SafeString:
        return code(deployment.project_path)

    @admin.display(description="files")
    def files(self, deployment: Deployment) -> SafeString:
        return marks.counts(deployment.counts)

    @admin.display(description="deployed", ordering="created_at")
    def when(self, deployment: Deployment) -> SafeString:
        return ago(deployment.created_at)


def _facts(deployment: Deployment) -> SafeString:
    deployment_set, undone = deployment.deployment_set, deployment.undone_at
    return facts(
        [
            ("state", marks.state(deployment)),
            ("set", link(deployment_set) if deployment_set else f"{deployment.set_name} (deleted)"),
            ("directory", code(deployment.project_path)),
            ("files", marks.counts(deployment.counts)),
            ("files in the way", deployment.on_conflict),
            ("files that left the set", "removed" if deployment.prune else "kept"),
            ("deployed", ago(deployment.created_at)),
            ("by", deployment.deployed_by),
            ("undone", format_html("{} by {}", ago(undone), deployment.undone_by) if undone else ""),
            ("project", deployment.project),
            ("id", code(deployment.public_id)),
        ]
    )


@added.panel(Deployment)
def what_it_did(request: HttpRequest, deployment: Deployment) -> SafeString:
    if not deployment.result:
        sentence = "It was cut off. The next deploy into this directory finishes what it began."
        return format_html('<section class="module"><h2>What it did</h2><p>{}</p></section>', sentence)
    return format_html(
        '<section class="module"><h2>What it did</h2>{}</section>', marks.result(deployment.result)
    )


class DeploymentPage(JourneyPage):
    permission = "view"
    verb = "view"

    @classmethod
    def is_open(cls, model_admin: Any, request: HttpRequest, obj: Any) -> bool:
        return super().is_open(model_admin, request, obj) and request.user.has_perm(
            f"deployment_sets.{cls.verb}_deployment"
        )


@added.journey(Deployment)
class VerifyPage(DeploymentPage):
    slug, label = "verify", "Verify"
    template = "admin/deployment_sets/verify.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        try:
            drift = deployments.verify(deployment=self.object)
        except DomainError as error:
            return self.show(refused=f"{error.detail} {error.hint}")
        rows = [
            (code(path), badge(kind))
            for kind in ("edited", "missing", "extra", "outdated")
            for path in getattr(drift, kind)
        ]
        return self.show(drift=drift, found=marks.cut(rows, ("Path", "Drift"), caption="Drift"))


@added.journey(Deployment)
class UndoPage(DeploymentPage):
    slug, label, submit = "undo", "Undo…", "Undo"
    template = "admin/deployment_sets/undo.html"
    verb = "change"

    @classmethod
    def is_open(cls, model_admin: Any, request: HttpRequest, obj: Any) -> bool:
        may = super().is_open(model_admin, request, obj) and has_role(request, obj, Role.EDITOR)
        return may and deployments.can_be_undone(obj)

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show(result=marks.result(self.object.result) if self.object.result else "")

    def post(self, request: HttpRequest) -> HttpResponse:
        paths = deployments.undo(deployment=self.object, by=operator(request), at=timezone.now())
        number = len(paths)
        are = pluralize(number, "is as it was,are as they were")
        return self.leave(f"Undone: {number} file{pluralize(number)} {are}.")
