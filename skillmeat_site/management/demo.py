"""The second half of the main job: what a scan found is imported, and deployed into a demo project."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from django.conf import settings

from collections_app.models import Artifact
from collections_app.operations import imports
from deployment_sets.models import DeploymentSet, Visibility
from deployment_sets.operations import deployments, members, sets
from deployment_sets.operations.deployments import Wanted
from deployment_sets.resolution import Kind
from marketplace.models import Entry, Source
from skillmeat_site.accounts.models import User

SET = "Demo"
AT_MOST = 50
SHOWN = 40


def take_and_deploy(source: Source, *, at: datetime) -> str:
    """Import up to `AT_MOST` of the source's artifacts and deploy them as a set; what was done, for people.

    What is there from an earlier run stays as it is. Raises what importing and deploying raise.
    """
    by = User.objects.local_operator()
    entries = Entry.objects.filter(source=source, incomplete="").counted().order_by("-confidence", "path")
    ids = [entry.public_id for entry in entries[:AT_MOST]]
    if not ids:
        return ""
    result = imports.import_entries(
        source=source, entry_ids=ids, collection=None, wishes={}, confirm_untrusted=False, by=by, at=at
    )
    artifacts = Artifact.objects.filter(source=source).order_by("id")[:AT_MOST]
    deployment_set = _filled_set(list(artifacts), source, by=by, at=at)
    project = settings.SKILLMEAT_DATA_DIR / "projects" / "demo"
    project.mkdir(parents=True, exist_ok=True)
    made = deployments.deploy(
        deployment_set=deployment_set, wanted=Wanted(project_path=str(project)), by=by, at=at
    )
    taken = f"Imported {len(result.imported)}, {len(result.skipped)} were there, {len(result.conflicts)} conflicts."
    done = ", ".join(f"{count} {name}" for name, count in made.counts.items() if count)
    return "\n".join(
        [
            taken,
            f"Deployed the set {deployment_set.name} into {project}: {done or 'nothing to do'}.",
            *_tree(project),
            "",
        ]
    )


def _filled_set(artifacts: list[Artifact], source: Source, *, by: User, at: datetime) -> DeploymentSet:
    name = f"{SET} {source.owner}/{source.repo_name}"[:200]
    found = DeploymentSet.objects.filter(project=source.project, name=name).first()
    if found is None:
        chosen = sets.Settings(name=name, visibility=Visibility.PROJECT)
        found = sets.create(settings=chosen, project=source.project, by=by, at=at)
    held = set(found.members.values_list("artifact_uuid", flat=True))
    for artifact in artifacts:
        if artifact.pk not in held:
            new = members.NewMember(kind=Kind.ARTIFACT, target=artifact.pk)
            members.add(deployment_set=found, new=new, by=by, at=at)
    return found


def _tree(directory: Path) -> Iterator[str]:
    files = sorted(path.relative_to(directory) for path in directory.rglob("*") if path.is_file())
    yield from (f"  {path}" for path in files[:SHOWN])
    if len(files) > SHOWN:
        yield f"  ... and {len(files) - SHOWN} more"
