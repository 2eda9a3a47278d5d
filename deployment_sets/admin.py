"""Sets in the console; whatever is changed there goes through the operations."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from deployment_sets.models import Deployment, DeploymentSet, ProjectRoot, SetMember
from deployment_sets.operations import deployments, members, resolving, sets
from deployment_sets.operations.deployments import Wanted
from deployment_sets.resolution import Path
from skillmeat_site.admin_pages import ReadOnlyAdmin, ReadOnlyInline, badge, operator
from skillmeat_site.console.admin import AuditedAdmin
from skillmeat_site.errors import DomainError

SET_SETTINGS = ("name", "description", "visibility")


class MemberInline(ReadOnlyInline):
    """Members are moved and removed here; they are added through the API."""

    model = SetMember
    fk_name = "parent"
    can_delete = True
    show_change_link = False
    fields = ("position", "kind", "target_name")
    readonly_fields = ("kind", "target_name")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("deployment_sets.change_deploymentset")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).named()  # type: ignore[attr-defined,no-any-return]

    @admin.display(description="name")
    def target_name(self, member: SetMember) -> str:
        return member.name or "(deleted)"


@admin.register(DeploymentSet)
class DeploymentSetAdmin(admin.ModelAdmin):
    list_display = ("name", "project", "owner", "access", "members_count", "updated_at")
    list_filter = ("visibility", "project")
    list_select_related = ("project", "owner")
    search_fields = ("search_text",)
    inlines = (MemberInline,)
    fieldsets = (
        (None, {"fields": ("public_id", "project", "owner", "tags", *SET_SETTINGS)}),
        ("What it stands for", {"fields": ("tree", "resolved")}),
        ("What a deploy would do now", {"fields": ("deploy_plan",)}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: DeploymentSet | None = None) -> list[str]:
        shown = [str(name) for _, options in self.fieldsets for name in options["fields"]]
        return [name for name in shown if name not in SET_SETTINGS]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: DeploymentSet, form: Any, change: bool) -> None:
        if not form.changed_data:
            return
        chosen = {name: form.cleaned_data[name] for name in SET_SETTINGS}
        settings = sets.Settings(**chosen, tags=tuple(obj.tags))
        try:
            sets.replace(deployment_set=obj, settings=settings, by=operator(request), at=timezone.now())
        except DomainError as error:
            self.message_user(request, f"Not changed: {error.detail} {error.hint}", messages.ERROR)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Removals first, then moves in the order of the page; each stands for itself."""
        formset.save(commit=False)
        for member in formset.deleted_objects:
            members.remove(member=member, by=operator(request), at=timezone.now())
        for member, _ in formset.changed_objects:
            try:
                members.move(member=member, position=member.position, by=operator(request), at=timezone.now())
            except DomainError as error:
                self.message_user(request, f"Not moved: {error.detail}", messages.ERROR)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """The operation takes a set out of the sets that contain it, so nothing stands in its way."""
        return [str(each) for each in objs], {self.opts.verbose_name_plural: len(objs)}, set(), []

    def delete_model(self, request: HttpRequest, obj: DeploymentSet) -> None:
        sets.delete(deployment_set=obj, by=operator(request), at=timezone.now())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[DeploymentSet]) -> None:
        for deployment_set in queryset.select_related("project"):
            self.delete_model(request, deployment_set)

    @admin.display(description="visibility", ordering="visibility")
    def access(self, deployment_set: DeploymentSet) -> SafeString:
        return badge(deployment_set.visibility)

    @admin.display(description="members")
    def members_count(self, deployment_set: DeploymentSet) -> int:
        return deployment_set.members.count()

    @admin.display(description="sets and groups")
    def tree(self, deployment_set: DeploymentSet) -> SafeString:
        rows = (
            (f"{'— ' * level}{each.name}", each.kind) for level, each in resolving.outline(deployment_set)
        )
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{} ({})</li>", rows))

    @admin.display(description="artifacts")
    def resolved(self, deployment_set: DeploymentSet) -> SafeString:
        found = resolving.resolve(deployment_set)
        lines = [(f"{each.artifact}", _way(each.path)) for each in found.artifacts]
        lines += [
            (f"missing {each.member.kind} {each.member.target}", _way(each.path)) for each in found.unresolved
        ]
        lines += [("conflict", each.path) for each in found.conflicts()]
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{} ({})</li>", lines))

    @admin.display(description="where it was deployed last")
    def deploy_plan(self, deployment_set: DeploymentSet) -> SafeString | str:
        last = deployment_set.deployments.first()
        if last is None:
            return "It has not been deployed yet."
        try:
            found = deployments.plan(
                deployment_set=deployment_set, wanted=Wanted(project_path=last.project_path)
            )
        except DomainError as error:
            return f"{last.project_path}: {error.detail}"
        lines = [(each["outcome"], each["path"]) for each in found["files"]]
        return format_html("{}<ul>{}</ul>", last.project_path, format_html_join("", "<li>{} {}</li>", lines))


def _way(path: Path) -> str:
    return " → ".join(step.name for step in path)


@admin.register(Deployment)
class DeploymentAdmin(ReadOnlyAdmin):
    list_display = ("set_name", "project_path", "project", "deployed_by", "created_at", "undone_at")
    list_filter = ("project",)
    list_select_related = ("project", "deployed_by")
    search_fields = ("set_name", "project_path")
    readonly_fields = ("public_id",)


@admin.register(ProjectRoot)
class ProjectRootAdmin(AuditedAdmin):
    """Only superusers grant directories of the server to projects."""

    list_display = ("project", "path")
    list_filter = ("project",)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return operator(request).is_superuser

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return operator(request).is_superuser

    has_add_permission = has_change_permission = has_delete_permission = has_view_permission
