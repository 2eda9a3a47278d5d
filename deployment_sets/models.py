"""Sets of artifacts with their ordered members, what was deployed where, and where that is allowed."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from collections_app.models import Artifact, Group
from deployment_sets.resolution import Kind
from skillmeat_site.accounts.models import Project, User
from skillmeat_site.accounts.scoping import ProjectOwnedQuerySet
from skillmeat_site.rows import Row

MAX_NAME = 200
MAX_DESCRIPTION = 500
MAX_DEPTH = 20
MAX_PATH = 1000


class Visibility(models.TextChoices):
    """A private set is its owner's alone; a project set can be read by every member."""

    PRIVATE = "private"
    PROJECT = "project"


class DeploymentSetQuerySet(ProjectOwnedQuerySet["DeploymentSet"]):
    def visible_to(self, user: User) -> Self:
        """As for all that belongs to projects, without the private sets of others."""
        if user.is_superuser:
            return self
        return super().visible_to(user).filter(Q(visibility=Visibility.PROJECT) | Q(owner=user))

    def matching(self, text: str) -> Self:
        """Sets whose name, description or tags contain the text, whatever its case."""
        return self.filter(search_text__contains=text.casefold())


class DeploymentSet(Row):
    id_prefix = "set"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="deployment_sets")
    name = models.CharField(max_length=MAX_NAME)
    description = models.CharField(max_length=MAX_DESCRIPTION, blank=True)
    tags = models.JSONField(default=list, blank=True)
    visibility = models.CharField(max_length=7, choices=Visibility, default=Visibility.PRIVATE)
    owner = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="deployment_sets")
    search_text = models.TextField(editable=False, help_text="What `matching` looks into, case-folded.")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    objects = DeploymentSetQuerySet.as_manager()

    # Of all that lies below, worked out by resolving.measure: artifacts and groups change without a word to
    # this app, so a stored number could not be kept right.
    resolved_count: int
    depth: int

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=["project", "name"], name="set_name_once_per_project"),
            models.CheckConstraint(
                condition=Q(visibility__in=Visibility.values), name="set_visibility_known"
            ),
        )

    def __str__(self) -> str:
        return self.name

    def may_contain(self, inner: DeploymentSet) -> bool:
        """Whoever can read a set can read all that lies in it."""
        alike = self.visibility == Visibility.PRIVATE and self.owner_id == inner.owner_id
        return inner.visibility == Visibility.PROJECT or alike

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.search_text = "\n".join([self.name, self.description, *self.tags]).casefold()
        super().save(*args, **kwargs)


class SetTag(models.Model):
    """The index of `DeploymentSet.tags`: what the filter by tag looks into, written whenever tags are."""

    deployment_set = models.ForeignKey(DeploymentSet, on_delete=models.CASCADE, related_name="tag_rows")
    tag = models.CharField(max_length=50)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["tag", "deployment_set"], name="set_tag_once"),)

    def __str__(self) -> str:
        return self.tag


class SetMemberQuerySet(models.QuerySet["SetMember"]):
    def named(self) -> Self:
        """Annotates `name` (None when the target is gone) and, of an artifact, its `type`."""
        artifact = Artifact.objects.filter(pk=OuterRef("artifact_uuid"))
        group = Group.objects.filter(pk=OuterRef("group_id"))
        return self.annotate(
            name=Coalesce(
                Subquery(artifact.values("name")), Subquery(group.values("name")), "member_set__name"
            ),
            type=Subquery(artifact.values("type")),
        )


class SetMember(Row):
    """Exactly one of an artifact, a group or a set; positions count from 0 without gaps.

    Artifacts and groups are named without foreign keys: when one is deleted, the member stays, unresolved.
    """

    id_prefix = "mem"

    parent = models.ForeignKey(DeploymentSet, on_delete=models.CASCADE, related_name="members")
    position = models.PositiveIntegerField()
    artifact_uuid = models.UUIDField(null=True, db_index=True)
    group_id = models.UUIDField(null=True, db_index=True)
    member_set = models.ForeignKey(
        DeploymentSet, null=True, on_delete=models.RESTRICT, related_name="memberships"
    )
    created_at = models.DateTimeField()

    objects = SetMemberQuerySet.as_manager()

    name: str | None  # annotated by named()
    type: str | None

    class Meta:
        ordering = ("position",)
        constraints = (
            models.UniqueConstraint(fields=["parent", "artifact_uuid"], name="artifact_once_per_set"),
            models.UniqueConstraint(fields=["parent", "group_id"], name="group_once_per_set"),
            models.UniqueConstraint(fields=["parent", "member_set"], name="set_once_per_set"),
            models.CheckConstraint(
                condition=Q(artifact_uuid__isnull=False, group_id=None, member_set=None)
                | Q(artifact_uuid=None, group_id__isnull=False, member_set=None)
                | Q(artifact_uuid=None, group_id=None, member_set__isnull=False),
                name="member_is_exactly_one_thing",
            ),
            models.CheckConstraint(
                condition=Q(member_set=None) | ~Q(member_set=models.F("parent")), name="no_set_in_itself"
            ),
        )

    def __str__(self) -> str:
        return f"{self.position}. {self.kind}"

    @property
    def kind(self) -> Kind:
        if self.artifact_uuid:
            return Kind.ARTIFACT
        return Kind.GROUP if self.group_id else Kind.SET

    @property
    def target(self) -> Any:
        """The id of what it is."""
        return self.artifact_uuid or self.group_id or self.member_set_id


class DeploymentQuerySet(ProjectOwnedQuerySet["Deployment"]):
    def visible_to(self, user: User) -> Self:
        """As for all that belongs to projects, without what others did with private sets."""
        if user.is_superuser:
            return self
        own = Q(deployed_by=user) | Q(deployment_set__owner=user)
        return super().visible_to(user).filter(Q(visibility=Visibility.PROJECT) | own)


class Deployment(Row):
    """One deploy of a set into a project directory; what it takes to undo it lies in the data directory."""

    id_prefix = "dep"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="deployments")
    deployment_set = models.ForeignKey(
        DeploymentSet, null=True, on_delete=models.SET_NULL, related_name="deployments"
    )
    set_name = models.CharField(max_length=MAX_NAME, help_text="As it was then.")
    visibility = models.CharField(max_length=7, choices=Visibility, help_text="Of the set, as it was then.")
    project_path = models.CharField(max_length=MAX_PATH, db_index=True)
    on_conflict = models.CharField(max_length=6)
    prune = models.BooleanField()
    counts = models.JSONField(default=dict, help_text="Files by outcome.")
    result = models.JSONField(default=dict, help_text="All of it: artifacts, files and what they need.")
    deployed_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(
        null=True, help_text="Empty while it runs, and when the server was stopped meanwhile."
    )
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    objects = DeploymentQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.set_name} in {self.project_path}"


class ProjectRoot(Row):
    """A directory below which a project may deploy in multi-user mode; superusers grant it."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="deploy_roots")
    path = models.CharField(
        max_length=MAX_PATH, help_text="Absolute, at or below a directory of SKILLMEAT_DEPLOY_ROOTS."
    )

    class Meta:
        constraints = (models.UniqueConstraint(fields=["project", "path"], name="root_once_per_project"),)

    def __str__(self) -> str:
        return f"{self.project}: {self.path}"

    def clean(self) -> None:
        """What could never be deployed into cannot be granted."""
        if not is_plain(self.path) or root_of(self.path) is None:
            roots = ", ".join(map(str, settings.SKILLMEAT_DEPLOY_ROOTS)) or "empty"
            raise ValidationError({"path": f"Use an absolute path below SKILLMEAT_DEPLOY_ROOTS ({roots})."})


def is_plain(path: str) -> bool:
    """Absolute, and without steps that go up or stay."""
    return path.startswith("/") and "\0" not in path and not {".", ".."} & set(path.split("/"))


def root_of(path: str) -> Path | None:
    """The directory of SKILLMEAT_DEPLOY_ROOTS at or below which this is."""
    roots: list[Path] = settings.SKILLMEAT_DEPLOY_ROOTS
    return next((root for root in roots if Path(path).is_relative_to(root)), None)
