"""Adding a source: one pasted link, what was understood of it, and a confirmation."""

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.utils.html import format_html

from marketplace.admin.forms import LinkForm, NewSourceForm
from marketplace.api.permissions import require_place, require_trust
from marketplace.models import Source
from marketplace.operations import readers, sources
from marketplace.operations.sources import NewSource, SourceExists
from marketplace.repository import RepositoryNotFound
from skillmeat_site.accounts.scoping import project_for_writing
from skillmeat_site.admin_pages import AddingPage, address, operator
from skillmeat_site.errors import DomainError

FIELDS = {
    "repository_not_found": "access_token",
    "source_exists": "repo_url",
    "role_required": "project",
    "unknown_project": "project",
}


class AddPage(AddingPage):
    """The host is asked what it knows before anything is written; the source is created when that is confirmed."""

    model = Source
    slug, label = "add", "Add a source"
    steps = ("Paste a link", "Confirm")
    template = "admin/marketplace/source/add.html"

    def get(self, request: HttpRequest) -> HttpResponseBase:
        return self.show(form=LinkForm())

    def post(self, request: HttpRequest) -> HttpResponseBase:
        return self._create(request) if "repo_url" in request.POST else self._look(request)

    def _look(self, request: HttpRequest) -> HttpResponseBase:
        form = LinkForm(request.POST)
        if form.is_valid():
            try:
                location = readers.infer(form.cleaned_data["link"])
            except DomainError as error:
                form.add_error("link", f"{error.detail} {error.hint}")
            else:
                return self._confirm(request, location)
        return self.show(form=form)

    def _confirm(self, request: HttpRequest, location: readers.Location) -> HttpResponseBase:
        form = NewSourceForm(projects=self.projects, location=location)
        said, unseen = None, ""
        try:
            said = sources.describe(location)
        except RepositoryNotFound as error:
            unseen = f"{error.detail} {error.hint}"
        if said is not None and not location.ref:
            form.initial["ref"] = said.default_branch
        known: Any = Source.objects.filter(repo_key=location.key)
        twins = known.visible_to(operator(request))[:5]
        return self.show(step=1, form=form, location=location, said=said, unseen=unseen, twins=twins)

    def _create(self, request: HttpRequest) -> HttpResponseBase:
        form = NewSourceForm(request.POST, projects=self.projects)
        if form.is_valid():
            try:
                source = self._created(request, form)
            except SourceExists as error:
                form.add_error("repo_url", _link_to_twin(error))
            except DomainError as error:
                form.refuse(error, field=FIELDS.get(error.code))
            else:
                return self.leave(f"{source} was added; its scan is queued.", to=address(source))
        return self.show(step=1, form=form)

    def _created(self, request: HttpRequest, form: NewSourceForm) -> Source:
        values, by = form.shaped.validated_data, operator(request)
        new: NewSource = form.shape.as_new_source(values)
        project = project_for_writing(by, values["project"])
        require_place(by, project, new.location)
        require_trust(by, project, new.trust_level)
        return sources.create(new=new, project=project, by=by, at=timezone.now())


def _link_to_twin(error: SourceExists) -> Any:
    twin = Source.objects.filter(pk__in=[Source.decode(error.extra["existing_id"])]).get()
    return format_html('{} <a href="{}">Open {}</a>', error.detail, address(twin), twin)
