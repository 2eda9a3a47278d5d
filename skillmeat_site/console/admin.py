"""People and projects in the console; every edit is an audit event too."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import UserAdmin
from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from skillmeat_site.access.operations import members
from skillmeat_site.accounts.models import Membership, Project, Role, Token, TokenScope, User
from skillmeat_site.admin_pages import ConsoleAdmin, ReadOnlyInline, ago, badge, chips, operator
from skillmeat_site.admin_pages.filters import OfProject, Question
from skillmeat_site.audit.recording import record
from skillmeat_site.errors import DomainError

Answer = TypeVar("Answer", bound=HttpResponse | None)


class AuditedAdmin(ConsoleAdmin):
    """Whatever Django notes in the console's own log is an audit event in the same transaction."""

    response_action = transaction.atomic(
        admin.ModelAdmin.response_action
    )  # the other views are by themselves

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> LogEntry:
        entry = super().log_addition(request, obj, message)
        self._record("created", request, obj, change=entry.get_change_message())
        return entry

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> LogEntry:
        entry = super().log_change(request, obj, message)
        self._record("updated", request, obj, change=entry.get_change_message())
        return entry

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[LogEntry]:
        for obj in queryset:
            self._record("deleted", request, obj)
        return super().log_deletions(request, queryset)

    def _record(self, done: str, request: HttpRequest, obj: Any, **facts: str) -> None:
        project = obj if isinstance(obj, Project) else getattr(obj, "project", None)
        verb = f"{self.opts.model_name}.{done}"
        record(verb, obj, project=project, by=operator(request), at=timezone.now(), **facts)


def told_when_refused(view: Callable[..., Answer]) -> Callable[..., Answer | HttpResponse]:
    """A view of the console in which what an operation refuses is said on its page; nothing was changed."""

    @wraps(view)
    def shown(self: Any, request: HttpRequest, *args: Any, **kwargs: Any) -> Answer | HttpResponse:
        try:
            return view(self, request, *args, **kwargs)
        except DomainError as error:
            messages.error(request, f"{error.detail} {error.hint}")
            return redirect(request.path)

    return shown


class MembershipInline(ReadOnlyInline):
    model = Membership
    fields = ("user", "role")


class InMembership(OfProject):
    """Users of a project."""

    def of(self, queryset: Any, slug: str) -> QuerySet[Any]:
        return queryset.filter(memberships__project__slug=slug)  # type: ignore[no-any-return]


@admin.register(User)
class OperatorAdmin(AuditedAdmin, UserAdmin):
    """Whoever is deleted leaves his projects first, which the last admin of one cannot; nor can he be locked out."""

    list_display = ("username", "email", "rights", "in_projects", "last_seen")
    list_filter = ("is_active", "is_staff", "is_superuser", InMembership)
    user_change_password = transaction.atomic(UserAdmin.user_change_password)
    changeform_view = told_when_refused(UserAdmin.changeform_view)
    delete_view = told_when_refused(UserAdmin.delete_view)
    response_action = told_when_refused(AuditedAdmin.response_action)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: Any) -> None:
        if "is_active" in form.changed_data and not obj.is_active:
            members.require_admins_beside(user=obj)
        super().save_model(request, obj, form, change)

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        for membership in obj.memberships.all():
            members.remove(membership=membership, by=operator(request), at=timezone.now())
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            self.delete_model(request, user)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("memberships__project")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Who edits users could make himself a superuser, so only superusers do."""
        return operator(request).is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return operator(request).is_superuser

    has_delete_permission = has_change_permission

    @admin.display(description="console")
    def rights(self, user: User) -> SafeString:
        if not user.is_active:
            return badge("locked")
        return badge("superuser" if user.is_superuser else "staff") if user.is_staff else SafeString("no")

    @admin.display(description="projects")
    def in_projects(self, user: User) -> SafeString:
        return chips(f"{each.project} ({each.role})" for each in user.memberships.all())

    @admin.display(description="last login", ordering="last_login")
    def last_seen(self, user: User) -> SafeString:
        return ago(user.last_login)


@admin.register(Project)
class ProjectAdmin(AuditedAdmin):
    list_display = ("slug", "name", "members", "made")
    search_fields = ("slug", "name")
    readonly_fields = ("public_id", "created_at")
    inlines = (MembershipInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Project]:
        rows: Any = super().get_queryset(request)
        counted: QuerySet[Project] = rows.visible_to(operator(request)).annotate(members=Count("memberships"))
        return counted

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and _is_admin_of(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # its sources would go with it, past the operation that ends their scans

    @admin.display(description="members", ordering="members")
    def members(self, project: Any) -> int:
        return int(project.members)

    @admin.display(description="made", ordering="created_at")
    def made(self, project: Project) -> SafeString:
        return ago(project.created_at)


def _is_admin_of(request: HttpRequest, project: Project | None) -> bool:
    mine = Project.objects.with_role(operator(request), Role.ADMIN)
    return project is None or mine.filter(pk=project.pk).exists()


@admin.register(Membership)
class MembershipAdmin(ConsoleAdmin):
    """Its buttons are the API's operations, which keep every project an admin and tell of each change."""

    list_display = ("user", "project", "role")
    list_filter = ("role", OfProject)
    list_select_related = ("user", "project")
    search_fields = ("user__username", "project__slug")
    autocomplete_fields = ("user", "project")
    changeform_view = told_when_refused(ConsoleAdmin.changeform_view)
    delete_view = told_when_refused(ConsoleAdmin.delete_view)
    response_action = told_when_refused(transaction.atomic(ConsoleAdmin.response_action))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        """As in the API, those of projects that one is a member of; admins of a project change them."""
        mine = Project.objects.visible_to(operator(request))
        rows: QuerySet[Membership] = super().get_queryset(request).filter(project__in=mine)
        return rows

    def has_change_permission(self, request: HttpRequest, obj: Membership | None = None) -> bool:
        return super().has_change_permission(request, obj) and _is_admin_of(
            request, obj.project if obj else None
        )

    def has_delete_permission(self, request: HttpRequest, obj: Membership | None = None) -> bool:
        return super().has_delete_permission(request, obj) and _is_admin_of(
            request, obj.project if obj else None
        )

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "project":
            kwargs["queryset"] = Project.objects.with_role(operator(request), Role.ADMIN)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Membership | None = None) -> tuple[str, ...]:
        return ("user", "project") if obj else ()

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: Any) -> None:
        membership, _ = members.put(
            project=obj.project,
            user=obj.user,
            role=Role(obj.role),
            by=operator(request),
            at=timezone.now(),
        )
        obj.pk = membership.pk

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        members.remove(membership=obj, by=operator(request), at=timezone.now())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        for membership in queryset:
            self.delete_model(request, membership)


class Validity(Question):
    title, parameter_name = "validity", "validity"
    answers = {
        "valid": ("valid", lambda rows: rows.exclude(expires_at__lte=timezone.now())),
        "expired": ("expired", lambda rows: rows.filter(expires_at__lte=timezone.now())),
        "unused": ("never used", lambda rows: rows.filter(last_used_at=None)),
    }


@admin.register(Token)
class TokenAdmin(AuditedAdmin):
    """Making a token shows its secret once; afterwards it can be looked at and revoked (deleted)."""

    list_display = ("name", "user", "scope", "validity", "made", "expires", "last_used")
    list_filter = (Validity, "scope")
    list_select_related = ("user",)
    search_fields = ("name", "user__username")
    fields = ("user", "name", "scope", "expires_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Token]:
        """One's own; superusers see and revoke everybody's."""
        rows: Any = super().get_queryset(request)
        mine: QuerySet[Token] = rows if operator(request).is_superuser else rows.visible_to(operator(request))
        return mine

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """A token is its user's whole authority, so only superusers make them for others."""
        if not operator(request).is_superuser:
            kwargs["queryset"] = User.objects.filter(pk=operator(request).pk)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Token, form: Any, change: Any) -> None:
        issued, obj.secret = Token.objects.issue(  # type: ignore[attr-defined]  # for `response_add` alone
            user=obj.user, name=obj.name, scope=TokenScope(obj.scope), expires_at=obj.expires_at
        )
        obj.pk = issued.pk

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        """The page with the secret, in this answer and nowhere else: no session and no cookie ever has it."""
        context = self.admin_site.each_context(request) | {
            "title": "Copy this token now",
            "opts": self.opts,
            "original": obj,
            "back": reverse("admin:accounts_token_changelist"),
            "secret": obj.secret,
        }
        return TemplateResponse(request, "admin/accounts/issued.html", context)

    @admin.display(description="state")
    def validity(self, token: Token) -> SafeString:
        return badge("valid" if token.is_valid(timezone.now()) else "expired")

    @admin.display(description="made", ordering="created_at")
    def made(self, token: Token) -> SafeString:
        return ago(token.created_at)

    @admin.display(description="expires", ordering="expires_at")
    def expires(self, token: Token) -> SafeString:
        return ago(token.expires_at)

    @admin.display(description="last used", ordering="last_used_at")
    def last_used(self, token: Token) -> SafeString:
        return ago(token.last_used_at)
