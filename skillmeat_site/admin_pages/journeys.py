"""Pages of several steps beneath a model's pages: look, confirm, see what became of it."""

from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.auth import get_permission_codename
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.generic import View

from skillmeat_site.admin_pages.roles import is_editor, operator, projects_of_editor
from skillmeat_site.errors import DomainError


class JourneyPage(View):
    """A view at `<model's pages>/<id>/<slug>/`, with a button on the page of each object.

    Its template extends `admin/journey.html`, which has breadcrumbs, the list of steps, a form with its CSRF
    token, `form` and the button `submit`, and blocks for the rest: `lead`, `body`, `fields`, `buttons`, `after`.

        @added.journey(Source)
        class ExcludePage(JourneyPage):
            slug, label, submit = "exclude", "Exclude…", "Exclude"
            template = "admin/marketplace/exclude.html"

            def get(self, request):
                return self.show(form=ReasonForm())

            def post(self, request):
                form = ReasonForm(request.POST)
                if not form.is_valid():
                    return self.show(form=form)
                catalogue.exclude(entry=self.object, by=operator(request), ...)
                return self.leave("It is excluded.")            # redirects, so that F5 does nothing twice

    Guarantees: only people with the `permission` on the object get here (403), an object that the model's
    list does not have is a 404, every POST has its CSRF token, and a DomainError that `post` lets through is
    shown as a message above the page as `get` gives it.
    """

    model: ClassVar[type[Model]]
    slug: ClassVar[str]
    label: ClassVar[str]
    submit: ClassVar[str] = "Continue"
    template: ClassVar[str] = "admin/journey.html"
    steps: ClassVar[tuple[str, ...]] = ()
    permission: ClassVar[str] = "change"
    of_object: ClassVar[bool] = True
    """False: the page stands beneath the list and is about no object."""
    at_once: ClassVar[bool] = False
    """True: the button sends a POST without a page in between; `get` need not be there."""

    model_admin: ModelAdmin = None  # type: ignore[assignment]  # given by `as_view`, which wants a default
    object: Any

    @classmethod
    def route(cls, model_admin: ModelAdmin) -> URLPattern:
        view = model_admin.admin_site.admin_view(cls.as_view(model_admin=model_admin))
        place = f"<path:object_id>/{cls.slug}/" if cls.of_object else f"{cls.slug}/"
        return path(place, view, name=cls._address_name())

    @classmethod
    def address(cls, obj: Model | None = None) -> str:
        return reverse(f"admin:{cls._address_name()}", args=[obj.pk] if obj is not None else [])

    @classmethod
    def _address_name(cls) -> str:
        return f"{cls.model._meta.app_label}_{cls.model._meta.model_name}_{cls.slug}"

    @classmethod
    def is_open(cls, model_admin: ModelAdmin, request: HttpRequest, obj: Any) -> bool:
        """Whether the button is shown and the page answers. A subclass adds what the object's state says."""
        may = getattr(model_admin, f"has_{cls.permission}_permission")
        return bool(may(request) if cls.permission == "add" else may(request, obj))

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.object = self._find(request)
        if not self.is_open(self.model_admin, request, self.object):
            raise PermissionDenied
        try:
            return super().dispatch(request)
        except DomainError as error:
            messages.error(request, f"{error.detail} {error.hint}".strip())
            return redirect(self._where_it_began()) if self.at_once else self.get(request)

    def get(self, request: HttpRequest) -> HttpResponseBase:
        return redirect(self._where_it_began()) if self.at_once else self.show()

    def show(self, *, step: int = 0, **context: Any) -> TemplateResponse:
        """The page, at one of its `steps`."""
        context |= self.model_admin.admin_site.each_context(self.request)
        context |= {
            "title": self.label.removesuffix("…"),
            "subtitle": str(self.object) if self.object else None,
            "opts": self.model_admin.opts,
            "original": self.object,
            "page": self,
            "steps": list(enumerate(self.steps)),
            "step": step,
            "back": self._where_it_began(),
        }
        return TemplateResponse(self.request, self.template, context)

    def leave(self, sentence: str = "", *, to: str = "", level: int = messages.SUCCESS) -> HttpResponse:
        """End the journey with a message, at the object's page or the list unless `to` says where."""
        if sentence:
            messages.add_message(self.request, level, sentence)
        return redirect(to or self._where_it_began())

    def _find(self, request: HttpRequest) -> Any:
        if not self.of_object:
            return None
        found = self.model_admin.get_object(request, self.kwargs["object_id"])
        if found is None:
            raise Http404
        return found

    def _where_it_began(self) -> str:
        """The page that sent the form with its address as `back`, if it is ours; else the object's, or the list."""
        sent = self.request.POST.get("back", "")
        if url_has_allowed_host_and_scheme(sent, allowed_hosts=None):
            return sent
        meta = self.model._meta
        base = f"admin:{meta.app_label}_{meta.model_name}"
        return (
            reverse(f"{base}_change", args=[self.object.pk]) if self.object else reverse(f"{base}_changelist")
        )


class AddingPage(JourneyPage):
    """A journey beneath the list that adds a row to one of `projects`: those whose editor one is, at least one.

    It asks for Django's permission itself, as `has_add_permission` speaks of Django's own page for adding.
    """

    of_object = False

    @classmethod
    def is_open(cls, model_admin: ModelAdmin, request: HttpRequest, obj: Any) -> bool:
        by, meta = operator(request), model_admin.opts
        may = by.has_perm(f"{meta.app_label}.{get_permission_codename('add', meta)}")
        return may and is_editor(by)

    @property
    def projects(self) -> list[str]:
        return projects_of_editor(self.request)
