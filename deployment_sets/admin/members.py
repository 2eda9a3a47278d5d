"""The page on which a set's members are added, moved and removed: buttons only, so it works by keyboard."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone

from collections_app.models import Artifact, Group, GroupMember
from deployment_sets.models import DeploymentSet, SetMember
from deployment_sets.operations import members
from deployment_sets.operations.members import NewMember
from deployment_sets.resolution import Kind
from skillmeat_site.admin_pages import JourneyPage, added, operator

ARTIFACT = GroupMember._meta.get_field("artifact")
SET = SetMember._meta.get_field("member_set")


class GroupChoice(forms.ModelChoiceField):
    def label_from_instance(self, obj: Group) -> str:
        """Two collections may have a group of one name."""
        return f"{obj.name} ({obj.collection.name})"


class NewMemberForm(forms.Form):
    """One of the three; autocompletes search by name."""

    artifact = forms.ModelChoiceField(
        Artifact.objects.none(), required=False, widget=AutocompleteSelect(ARTIFACT, admin.site)
    )
    group = GroupChoice(Group.objects.none(), required=False)
    member_set = forms.ModelChoiceField(
        DeploymentSet.objects.none(), required=False, label="Set", widget=AutocompleteSelect(SET, admin.site)
    )

    def __init__(self, *args: Any, of: DeploymentSet, by: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._choices("artifact", Artifact.objects.filter(collection__project=of.project_id))
        self._choices(
            "group", Group.objects.filter(collection__project=of.project_id).select_related("collection")
        )
        others = DeploymentSet.objects.visible_to(by).filter(project=of.project_id).exclude(pk=of.pk)
        self._choices("member_set", others)

    def _choices(self, name: str, rows: Any) -> None:
        field: Any = self.fields[name]
        field.queryset = rows

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if sum(given.get(name) is not None for name in self.fields) != 1 and not self.errors:
            raise forms.ValidationError("Choose exactly one artifact, group or set.")
        return given

    def as_member(self) -> NewMember:
        kinds = {"artifact": Kind.ARTIFACT, "group": Kind.GROUP, "member_set": Kind.SET}
        name, target = next((name, row) for name, row in self.cleaned_data.items() if row is not None)
        return NewMember(kind=kinds[name], target=target.pk)


@added.journey(DeploymentSet)
class MembersPage(JourneyPage):
    slug, label, submit = "members", "Change members…", "Add"
    template = "admin/deployment_sets/members.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._page(NewMemberForm(of=self.object, by=operator(request)))

    def post(self, request: HttpRequest) -> HttpResponse:
        if "move" in request.POST or "remove" in request.POST:
            return self._change(request)
        form = NewMemberForm(request.POST, of=self.object, by=operator(request))
        if not form.is_valid():
            return self._page(form)
        members.add(deployment_set=self.object, new=form.as_member(), by=operator(request), at=timezone.now())
        return self.leave("Added at the end.", to=self.address(self.object))

    def _change(self, request: HttpRequest) -> HttpResponse:
        """`move` is `<id> <position>`, `remove` an id; what was moved has the focus again."""
        by, at = operator(request), timezone.now()
        if "remove" in request.POST:
            members.remove(member=self._member(request.POST["remove"]), by=by, at=at)
            return self.leave("Removed.", to=self.address(self.object))
        text, _, position = request.POST["move"].partition(" ")
        if not position.isdecimal():
            raise Http404
        member = self._member(text)
        moved = members.move(member=member, position=int(position), by=by, at=at)
        way = "down" if moved.position > member.position else "up"
        return self.leave(to=f"{self.address(self.object)}?{way}={moved.public_id}")

    def _member(self, public_id: str) -> SetMember:
        rows = SetMember.objects.filter(parent=self.object, pk__in=[SetMember.decode(public_id)])
        member = rows.select_related("parent__project").first()
        if member is None:
            raise Http404
        return member

    def _page(self, form: NewMemberForm) -> HttpResponse:
        rows = list(self.object.members.named())
        up, down = (self.request.GET.get(way, "") for way in ("up", "down"))
        return self.show(form=form, rows=rows, last=len(rows) - 1, up=up, down=down)
