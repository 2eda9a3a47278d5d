"""What a set holds, as nested lists, and what it stands for, as a table."""

from collections.abc import Iterator, Mapping
from uuid import UUID

from django.template.defaultfilters import pluralize
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from deployment_sets.admin.marks import cut
from deployment_sets.models import DeploymentSet
from deployment_sets.operations import resolving
from deployment_sets.operations.deployables import Taken
from deployment_sets.resolution import Container, Member, Path
from skillmeat_site.admin_pages import badge, code

SHOWN = 500


def tree(deployment_set: DeploymentSet) -> SafeString:
    """Sets and groups as nested details; each is opened where it is met first, so sharing costs nothing."""
    containers, artifacts = resolving.contents(deployment_set)
    root = containers[deployment_set.pk]
    if not root.members:
        return format_html('<p class="quiet">{}</p>', "It has no members yet.")
    return _Tree(containers, artifacts).listed(root)


class _Tree:
    def __init__(self, containers: Mapping[UUID, Container], artifacts: Mapping[UUID, Taken]) -> None:
        self._containers, self._artifacts = containers, artifacts
        self._opened: set[UUID] = set()
        self._left = SHOWN

    def listed(self, container: Container) -> SafeString:
        self._opened.add(container.id)
        items = format_html_join("", "<li>{}</li>", ((each,) for each in self._items(container)))
        return format_html('<ul class="tree">{}</ul>', items)

    def _items(self, container: Container) -> Iterator[SafeString]:
        for number, member in enumerate(container.members):
            if self._left <= 0:
                yield format_html('<span class="quiet">… and {} more</span>', len(container.members) - number)
                return
            self._left -= 1
            yield self._item(member)

    def _item(self, member: Member) -> SafeString:
        inner, artifact = self._containers.get(member.target), self._artifacts.get(member.target)
        if inner is None:
            return (
                format_html('{} <span class="quiet">{}</span>', artifact.name, artifact.type)
                if artifact
                else format_html("{} {} {}", badge("missing"), member.kind, code(str(member.target)))
            )
        head = format_html('{} <span class="quiet">{}, {}</span>', inner.name, inner.kind, len(inner.members))
        if inner.id in self._opened:
            return format_html('{} <span class="quiet">(shown above)</span>', head)
        return format_html("<details open><summary>{}</summary>{}</details>", head, self.listed(inner))


def resolved_preview(deployment_set: DeploymentSet) -> SafeString:
    """The artifacts in order with their way, and what is wrong with them."""
    found = resolving.resolve(deployment_set)
    names = {each.artifact.uuid: each.artifact.name for each in found.artifacts}
    conflicts = [
        (code(each.path), ", ".join(names[owner] for owner in each.owners)) for each in found.conflicts()
    ]
    unresolved = [
        (code(str(each.member.target)), each.member.kind, _way(each.path)) for each in found.unresolved
    ]
    artifacts = [
        (each.artifact.name, each.artifact.type, each.artifact.version, _way(each.path))
        for each in found.artifacts
    ]
    number, depth = found.resolved_count, found.depth
    caption = f"{number:,} artifact{pluralize(number)}, {depth} set{pluralize(depth)} deep"
    return format_html(
        "{}{}{}",
        cut(conflicts, ("Path", "Artifacts that want it"), caption="Conflicts") if conflicts else "",
        cut(unresolved, ("Gone", "Kind", "Through"), caption="Unresolved") if unresolved else "",
        cut(artifacts, ("Artifact", "Type", "Version", "Through"), caption=caption, empty="No artifacts."),
    )


def _way(path: Path) -> str:
    return " → ".join(step.name for step in path)
