"""Rows as tests need them, one class per model; what a test is about it says itself."""

from datetime import UTC, datetime
from typing import Any

import factory
from django.db import transaction

from collections_app.drift import Options
from collections_app.models import (
    Artifact,
    ArtifactVersion,
    Collection,
    Group,
    GroupMember,
    Reason,
    RefreshRun,
)
from deployment_sets.models import Deployment, DeploymentSet, SetMember, SetTag, Visibility
from marketplace.content.store import ContentStore
from marketplace.manifest import ContentKind, Manifest as ManifestValue, ManifestFile
from marketplace.models import Entry, EntryTag, Manifest, Source
from marketplace.models.source import SCAN
from skillmeat_site.accounts.models import Project, User
from skillmeat_site.jobs.models import Job, JobStatus, Trigger

LONG_AGO = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SHA = "a" * 40


class ProjectFactory(factory.django.DjangoModelFactory[Project]):
    class Meta:
        model = Project

    slug = factory.Sequence(lambda n: f"project-{n}")
    name = factory.LazyAttribute(lambda made: made.slug.title())


class UserFactory(factory.django.DjangoModelFactory[User]):
    class Meta:
        model = User

    username = factory.Sequence(lambda n: f"user-{n}")


class SourceFactory(factory.django.DjangoModelFactory[Source]):
    """A source that was scanned long ago, in the default project."""

    class Meta:
        model = Source

    project = factory.LazyFunction(Project.objects.default)
    owner = "ada"
    repo_name = factory.Sequence(lambda n: f"tools-{n}")
    repo_url = factory.LazyAttribute(lambda made: f"https://github.com/{made.owner}/{made.repo_name}")
    repo_key = factory.LazyAttribute(lambda made: f"github.com/{made.owner}/{made.repo_name}".casefold())
    ref = "main"
    outcome = "success"
    resolved_sha = SHA
    advanced_at = last_sync_at = created_at = updated_at = LONG_AGO


class ManifestFactory(factory.django.DjangoModelFactory[Manifest]):
    """Of an artifact without files."""

    class Meta:
        model = Manifest
        django_get_or_create = ("digest",)

    digest = "0" * 64
    files = factory.LazyFunction(list)
    size = 0
    wanted_at = LONG_AGO


class EntryFactory(factory.django.DjangoModelFactory[Entry]):
    """A present skill, unchanged in the latest scan."""

    class Meta:
        model = Entry
        skip_postgeneration_save = True

    source = factory.SubFactory(SourceFactory, advanced_at=datetime(2026, 2, 1, tzinfo=UTC))
    type = "skill"
    name = factory.Sequence(lambda n: f"skill-{n}")
    path = factory.LazyAttribute(lambda made: f"skills/{made.name}")
    locator = factory.LazyAttribute(lambda made: made.path)
    search_text = factory.LazyAttribute(
        lambda made: "\n".join(
            [made.name, getattr(made, "title", ""), getattr(made, "description", ""), made.path]
        ).casefold()
    )
    confidence = 90
    manifest = factory.SubFactory(ManifestFactory)
    content_digest = "sha256:" + "0" * 64
    detected_sha = SHA
    first_seen_at = changed_at = LONG_AGO

    @factory.post_generation
    def index_tags(self: Entry, create: bool, extracted: Any, **_: Any) -> None:  # noqa: ARG002, FBT001, RUF100
        tags = sorted({*self.tags, *self.path_tags})
        EntryTag.objects.bulk_create(EntryTag(entry=self, source_id=self.source_id, tag=tag) for tag in tags)


class JobFactory(factory.django.DjangoModelFactory[Job]):
    """A queued scan of `source`."""

    class Meta:
        model = Job

    class Params:
        source = factory.SubFactory(SourceFactory)

    kind = SCAN
    subject_id = factory.LazyAttribute(lambda made: made.source.pk)
    project = factory.LazyAttribute(lambda made: made.source.project)
    status = JobStatus.QUEUED
    trigger = Trigger.MANUAL
    run_after = sent_at = created_at = LONG_AGO


class CollectionFactory(factory.django.DjangoModelFactory[Collection]):
    """An empty collection of the default project."""

    class Meta:
        model = Collection

    project = factory.LazyFunction(Project.objects.default)
    name = factory.Sequence(lambda n: f"collection-{n}")
    created_at = updated_at = LONG_AGO


class ArtifactFactory(factory.django.DjangoModelFactory[Artifact]):
    """A skill that was imported long ago from `entry`, and is as it is upstream.

    `contents` are its files' bytes by path; a type but skill needs its own. `digest` is made of them if it is
    not given.
    """

    class Meta:
        model = Artifact

    class Params:
        contents = factory.LazyFunction(lambda: {"SKILL.md": b"---\nname: x\ndescription: y\n---\n"})
        manifest = factory.LazyAttribute(lambda made: stored(made.contents))
        digest = factory.LazyAttribute(lambda made: f"sha256:{made.manifest.digest}")

    collection = factory.SubFactory(CollectionFactory)
    entry = factory.SubFactory(EntryFactory)
    source = factory.LazyAttribute(lambda made: made.entry and made.entry.source)
    type = "skill"
    name = factory.Sequence(lambda n: f"taken-{n}")
    origin_url = factory.LazyAttribute(
        lambda made: made.source.repo_url if made.source else "https://github.com/ada/gone"
    )
    origin_ref = "main"
    origin_locator = origin_path = factory.LazyAttribute(lambda made: f"skills/{made.name}")
    current = factory.LazyAttribute(lambda made: version(1, made.manifest, made.digest))
    upstream_sha = SHA
    upstream_digest = factory.SelfAttribute("digest")
    upstream_seen_at = created_at = updated_at = LONG_AGO

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **kwargs: Any) -> Artifact:
        with transaction.atomic():  # the two refer to each other, which is checked at its end
            artifact = super()._create(model_class, *args, **kwargs)
            artifact.current.artifact = artifact
            artifact.current.save(force_insert=True)
        return artifact


def stored(contents: dict[str, bytes]) -> ManifestValue:
    """The manifest of these files, which are stored."""
    content = ContentStore(at=LONG_AGO)
    digests = content.put(list(contents.values()))
    files = [
        ManifestFile(
            path=path,
            kind=ContentKind.FILE,
            mode="100644",
            size=len(data),
            sha=digest[:40],
            digest=digest,
        )
        for (path, data), digest in sorted(zip(contents.items(), digests, strict=True))
    ]
    manifest = ManifestValue(files=tuple(files))
    content.keep({manifest.digest: manifest})
    return manifest


def version(number: int, manifest: ManifestValue, digest: str) -> ArtifactVersion:
    return ArtifactVersion(
        number=number,
        commit=SHA,
        content_digest=digest,
        manifest_id=manifest.digest,
        reason=Reason.IMPORT,
        created_at=LONG_AGO,
    )


def taken(artifact: Artifact, contents: dict[str, bytes]) -> ArtifactVersion:
    """A new version of the artifact with this content, which is stored; it becomes the present one."""
    manifest = stored(contents)
    artifact.current = version(artifact.versions.count() + 1, manifest, f"sha256:{manifest.digest}")
    artifact.current.artifact = artifact
    artifact.current.save(force_insert=True)
    artifact.save()
    return artifact.current


class GroupFactory(factory.django.DjangoModelFactory[Group]):
    """`artifacts` are its members in order."""

    class Meta:
        model = Group
        skip_postgeneration_save = True

    collection = factory.SubFactory(CollectionFactory)
    name = factory.Sequence(lambda n: f"group-{n}")
    created_at = updated_at = LONG_AGO

    @factory.post_generation
    def artifacts(self: Group, create: bool, extracted: Any, **_: Any) -> None:  # noqa: ARG002, FBT001, RUF100
        GroupMember.objects.bulk_create(
            GroupMember(group=self, artifact=artifact, position=position)
            for position, artifact in enumerate(extracted or ())
        )


class DeploymentSetFactory(factory.django.DjangoModelFactory[DeploymentSet]):
    """A project's set. `holding` are its members in order: artifacts, groups and sets."""

    class Meta:
        model = DeploymentSet
        skip_postgeneration_save = True

    project = factory.LazyFunction(Project.objects.default)
    name = factory.Sequence(lambda n: f"set-{n}")
    visibility = Visibility.PROJECT
    created_at = updated_at = LONG_AGO

    @factory.post_generation
    def holding(self: DeploymentSet, create: bool, extracted: Any, **_: Any) -> None:  # noqa: ARG002, FBT001, RUF100
        columns = {Artifact: "artifact_uuid", Group: "group_id", DeploymentSet: "member_set_id"}
        SetMember.objects.bulk_create(
            SetMember(parent=self, position=position, created_at=LONG_AGO, **{columns[type(each)]: each.pk})
            for position, each in enumerate(extracted or ())
        )

    @factory.post_generation
    def index_tags(self: DeploymentSet, create: bool, extracted: Any, **_: Any) -> None:  # noqa: ARG002, FBT001, RUF100
        SetTag.objects.bulk_create(SetTag(deployment_set=self, tag=tag) for tag in self.tags)


class DeploymentFactory(factory.django.DjangoModelFactory[Deployment]):
    """One that was finished and changed nothing."""

    class Meta:
        model = Deployment

    deployment_set = factory.SubFactory(DeploymentSetFactory)
    project = factory.LazyAttribute(lambda made: made.deployment_set.project)
    set_name = factory.LazyAttribute(lambda made: made.deployment_set.name)
    visibility = factory.LazyAttribute(lambda made: made.deployment_set.visibility)
    project_path = "/srv/projects/shop"
    on_conflict = "abort"
    prune = False
    result = factory.LazyFunction(
        lambda: (
            {"counts": {}, "needs": [], "unresolved_count": 0}
            | {name: [] for name in ("artifacts", "files", "conflicts", "remarks")}
        )
    )
    created_at = finished_at = LONG_AGO


class RefreshRunFactory(factory.django.DjangoModelFactory[RefreshRun]):
    """A refresh that ended long ago, of an empty collection."""

    class Meta:
        model = RefreshRun

    collection = factory.SubFactory(CollectionFactory)
    options = factory.LazyFunction(lambda: Options().as_json())
    status = "success"
    counts = factory.LazyFunction(
        lambda: dict.fromkeys(("refreshed_count", "unchanged_count", "skipped_count", "error_count"), 0)
    )
    duration_ms = 5
    started_at = finished_at = LONG_AGO
