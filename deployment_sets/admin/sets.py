"""The pages of sets: the list, one with what it holds and stands for, and making, changing and cloning them."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from deployment_sets.admin.contents import resolved_preview, tree
from deployment_sets.admin.forms import NewSetForm, SetForm
from deployment_sets.admin.marks import recent
from deployment_sets.admin.members import MembersPage
from deployment_sets.models import Deployment, DeploymentSet
from deployment_sets.operations import resolving, sets
from deployment_sets.operations.sets import PrivateInside, SetExists
from skillmeat_site.accounts.models import Project, Role
from skillmeat_site.admin_pages import (
    AddingPage,
    JourneyPage,
    ShownAdmin,
    added,
    address,
    ago,
    badge,
    chips,
    code,
    facts,
    has_role,
    link,
    operator,
)
from skillmeat_site.admin_pages.filters import OfProject
from skillmeat_site.errors import DomainError

FIELDS = {SetExists.code: "name", PrivateInside.code: "visibility"}


class SetChangeList(ChangeList):
    """A page of the list; all its sets are measured together."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows = list(self.result_list)
        resolving.measure(rows)
        self.result_list = rows


@admin.register(DeploymentSet)
class DeploymentSetAdmin(ShownAdmin):
    """As in the API: editors clone and deploy what they see; its owner and project admins change and delete it."""

    list_display = ("name", "project", "owner", "access", "members_count", "artifacts", "levels", "deployed")
    list_filter = ("visibility", OfProject)
    list_select_related = ("project", "owner")
    search_fields = ("search_text",)
    ordering = ("-id",)  # grouped rows lose that of the model, and autocompletes page through them

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:
        return SetChangeList

    def get_queryset(self, request: HttpRequest) -> QuerySet[DeploymentSet]:
        seen = Deployment.objects.visible_to(operator(request))
        last = seen.filter(deployment_set=OuterRef("pk")).order_by("-id")
        rows: QuerySet[DeploymentSet] = super().get_queryset(request)
        return rows.annotate(
            held=Count("members"),
            last_deployment=Subquery(last.values("pk")[:1]),
            last_deployed_at=Subquery(last.values("created_at")[:1]),
        )

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and _is_in_charge(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may = request.user.has_perm("deployment_sets.delete_deploymentset")
        return may and _is_in_charge(request, obj)

    def has_use_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """To clone and deploy it."""
        may = request.user.has_perm("deployment_sets.change_deploymentset")
        return may and has_role(request, obj, Role.EDITOR)

    def shown(self, obj: Any) -> list[SafeString]:
        return [_facts(obj)]

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """The operation takes a set out of the sets that contain it, so nothing stands in its way."""
        return (
            [str(each) for each in objs],
            {self.opts.verbose_name_plural: len(objs)},
            self.refused(request, objs),
            [],
        )

    def delete_model(self, request: HttpRequest, obj: DeploymentSet) -> None:
        sets.delete(deployment_set=obj, by=operator(request), at=timezone.now())

    @admin.display(description="visibility", ordering="visibility")
    def access(self, deployment_set: DeploymentSet) -> SafeString:
        return badge(deployment_set.visibility)

    @admin.display(description="members", ordering="held")
    def members_count(self, deployment_set: Any) -> int:
        return int(deployment_set.held)

    @admin.display(description="artifacts")
    def artifacts(self, deployment_set: DeploymentSet) -> int:
        return deployment_set.resolved_count

    @admin.display(description="depth")
    def levels(self, deployment_set: DeploymentSet) -> int:
        return deployment_set.depth

    @admin.display(description="deployed", ordering="last_deployed_at")
    def deployed(self, deployment_set: Any) -> SafeString:
        return _deployed(deployment_set)


def _deployed(deployment_set: Any) -> SafeString:
    if deployment_set.last_deployment is None:
        return ago(None)
    return link(Deployment(pk=deployment_set.last_deployment), ago(deployment_set.last_deployed_at))


def _facts(deployment_set: Any) -> SafeString:
    return facts(
        [
            ("id", code(deployment_set.public_id)),
            ("project", deployment_set.project),
            ("owner", deployment_set.owner),
            ("visibility", badge(deployment_set.visibility)),
            ("description", deployment_set.description),
            ("tags", chips(deployment_set.tags)),
            ("deployed", _deployed(deployment_set)),
            ("made", ago(deployment_set.created_at)),
            ("changed", ago(deployment_set.updated_at)),
        ]
    )


def _is_in_charge(request: HttpRequest, obj: DeploymentSet | None) -> bool:
    is_owner = obj is not None and obj.owner_id == operator(request).pk
    return has_role(request, obj, Role.EDITOR if is_owner else Role.ADMIN)


@added.panel(DeploymentSet)
def holds(request: HttpRequest, deployment_set: DeploymentSet) -> SafeString:
    return format_html('<section class="module"><h2>Members</h2>{}</section>', tree(deployment_set))


@added.panel(DeploymentSet)
def stands_for(request: HttpRequest, deployment_set: DeploymentSet) -> SafeString:
    return format_html(
        '<section class="module"><h2>What it stands for</h2>{}</section>', resolved_preview(deployment_set)
    )


@added.panel(DeploymentSet)
def last_deployments(request: HttpRequest, deployment_set: DeploymentSet) -> SafeString:
    shown = recent(operator(request), deployment_set)
    return format_html('<section class="module"><h2>Deployments</h2>{}</section>', shown)


@added.journey(DeploymentSet)
class NewPage(AddingPage):
    """An empty set; whoever makes it owns it."""

    slug, label, submit = "new", "Add set…", "Add"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show(form=NewSetForm(projects=self.projects))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = NewSetForm(request.POST, projects=self.projects)
        if form.is_valid():
            project = Project.objects.get(slug=form.cleaned_data["project"])
            try:
                made = sets.create(
                    settings=form.settings(), project=project, by=operator(request), at=timezone.now()
                )
            except DomainError as error:
                form.refuse(error, field=FIELDS.get(error.code))
            else:
                return self.leave("It is there, and empty.", to=MembersPage.address(made))
        return self.show(form=form)


@added.journey(DeploymentSet)
class EditPage(JourneyPage):
    slug, label, submit = "edit", "Edit…", "Save"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show(form=SetForm.of(self.object))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = SetForm.of(self.object, request.POST)
        if form.is_valid():
            if not form.has_changed():
                return self.leave("Nothing was changed.")
            try:
                sets.replace(
                    deployment_set=self.object,
                    settings=form.settings(),
                    by=operator(request),
                    at=timezone.now(),
                )
            except DomainError as error:
                form.refuse(error, field=FIELDS.get(error.code))
            else:
                return self.leave("Saved.")
        return self.show(form=form)


@added.journey(DeploymentSet)
class ClonePage(JourneyPage):
    slug, label, permission, at_once = "clone", "Clone", "use", True

    def post(self, request: HttpRequest) -> HttpResponse:
        copy = sets.clone(deployment_set=self.object, by=operator(request), at=timezone.now())
        return self.leave(f"{copy} was made; it is yours.", to=address(copy))
