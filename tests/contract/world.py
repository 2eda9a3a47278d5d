"""A project with a row of everything, for tests that ask each operation of the schema."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction

from collections_app.models import Artifact, Collection, Group, RefreshRun
from deployment_sets.models import Deployment, DeploymentSet, ProjectRoot, SetMember
from deployment_sets.operations import deployments
from marketplace.content.store import ContentStore
from marketplace.models import Entry, Source
from marketplace.search import index
from skillmeat_site.accounts.models import Membership, Project, Role, Token, TokenScope, User
from skillmeat_site.audit.models import AuditEvent
from skillmeat_site.audit.recording import record
from skillmeat_site.jobs.models import Job, JobStatus, Trigger
from skillmeat_site.rows import Row
from tests.factories import (
    LONG_AGO,
    SHA,
    ArtifactFactory,
    CollectionFactory,
    DeploymentFactory,
    DeploymentSetFactory,
    EntryFactory,
    GroupFactory,
    JobFactory,
    ManifestFactory,
    RefreshRunFactory,
    SourceFactory,
    UserFactory,
    taken,
)

SKILL = b"---\nname: pdf\n---\nReads PDF files.\n"
FILE = "SKILL.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One project with a row of each kind; `bob` is an editor in it, `newcomer` is nobody yet."""

    project: Project
    source: Source  # idle, never scanned by hand
    entry: Entry  # with a stored file
    excluded: Entry
    job: Job  # queued, of another source
    bob: User
    newcomer: User
    token: Token  # bob's
    event: AuditEvent
    bare: Collection  # empty
    collection: Collection
    artifact: Artifact  # in its second version
    unused: Artifact  # in no group and no set
    group: Group  # with that artifact
    run: RefreshRun
    set: DeploymentSet  # bob's, with the artifact and the group
    member: SetMember
    deployment: Deployment  # of the set
    directory: Path  # where it was deployed
    shelf: Path  # a directory of the server that may be scanned

    @property
    def ids(self) -> frozenset[str]:
        """What must never be read by somebody of another project."""
        fields = (getattr(self, name) for name in self.__slots__)
        return frozenset(row.public_id for row in fields if isinstance(row, Row))

    def name_of(self, place: str) -> str:
        """How an address names the row."""
        return self.project.slug if place == "project" else str(getattr(self, place).public_id)

    def fill(self, body: Any) -> Any:
        """The body with ids and directories for what stands in angle brackets."""
        if isinstance(body, dict):
            return {self.fill(name): self.fill(value) for name, value in body.items()}
        if isinstance(body, list):
            return [self.fill(value) for value in body]
        return re.sub(r"<(\w+)>", self._named, body) if isinstance(body, str) else body

    def _named(self, found: re.Match[str]) -> str:
        meant = getattr(self, found[1])
        return str(meant) if isinstance(meant, Path) else self.name_of(found[1])


def settled(project: Project, root: Path, *, deployed: bool = False) -> World:
    """A world in this project, which may deploy below `root` and scan `root/shelf`.

    `deployed` says whether the set really is where its deployment says.
    """
    source, entry, excluded = _catalogue(project)
    ended = {"status": JobStatus.SUCCEEDED, "finished_at": LONG_AGO, "trigger": Trigger.CREATE}
    JobFactory(source=source, **ended)
    job = JobFactory(source=SourceFactory(project=project))
    job.events.create(seq=1, at=LONG_AGO, phase="resolving")
    bob, newcomer = UserFactory(), UserFactory()
    Membership.objects.create(project=project, user=bob, role=Role.EDITOR)
    token, _ = Token.objects.issue(user=bob, name="his", scope=TokenScope.WRITE)
    collection, bare = CollectionFactory.create_batch(2, project=project)
    artifact = ArtifactFactory(collection=collection, entry=entry)
    taken(artifact, {FILE: SKILL})
    group = GroupFactory(collection=collection, artifacts=[artifact])
    held = DeploymentSetFactory(project=project, owner=bob, tags=["a"], holding=[artifact, group])
    ProjectRoot.objects.get_or_create(project=project, path=str(root))
    directory = root / held.public_id
    directory.mkdir()
    deployment = _deployed(held, directory) if deployed else DeploymentFactory(deployment_set=held)
    with transaction.atomic():
        event = record("source.created", source, project=project, by=bob, at=LONG_AGO)
    return World(
        project=project,
        source=source,
        entry=entry,
        excluded=excluded,
        job=job,
        bob=bob,
        newcomer=newcomer,
        token=token,
        event=event,
        bare=bare,
        collection=collection,
        artifact=artifact,
        unused=ArtifactFactory(collection=collection, entry=None, type="agent", contents={"a.md": SKILL}),
        group=group,
        run=RefreshRunFactory(collection=collection),
        set=held,
        member=held.members.get(position=1),
        deployment=deployment,
        directory=directory,
        shelf=root / "shelf/mine",
    )


def _catalogue(project: Project) -> tuple[Source, Entry, Entry]:
    (digest,) = ContentStore(at=LONG_AGO).put([SKILL])
    file = {"path": FILE, "kind": "file", "mode": "100644", "size": len(SKILL), "sha": SHA, "digest": digest}
    manifest = ManifestFactory(digest=digest, files=[file])
    source = SourceFactory(project=project, tags=["a"])
    entry = EntryFactory(source=source, name="pdf", tags=["a"], manifest=manifest)
    excluded = EntryFactory(source=source, excluded_at=LONG_AGO)
    index.refresh(source, at=LONG_AGO)
    return source, entry, excluded


def _deployed(held: DeploymentSet, directory: Path) -> Deployment:
    wanted = deployments.Wanted(project_path=str(directory))
    made = deployments.deploy(deployment_set=held, wanted=wanted, by=None, at=LONG_AGO)
    AuditEvent.objects.filter(object_id=made.pk).delete()
    return made
