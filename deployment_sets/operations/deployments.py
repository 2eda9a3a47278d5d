"""Deployments: plan, deploy, verify and undo a set in a directory of this server, or pack it for another."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Any, cast

from django.conf import settings
from django.db import transaction

from collections_app.models import Artifact
from deployment_sets import writer
from deployment_sets.bundle import Format, stream
from deployment_sets.models import Deployment, DeploymentSet, ProjectRoot, root_of
from deployment_sets.operations.deployables import read
from deployment_sets.operations.outcomes import result_of
from deployment_sets.operations.resolving import ResolvedSet, resolve
from deployment_sets.planning import OnConflict, Outcome, Plan, Wishes
from deployment_sets.undoing import UndoRefused
from deployment_sets.verifying import Drift
from marketplace.detection.vocabulary import ACTIVE_TYPES
from marketplace.operations.trust import ConfirmationRequired, needs_confirmation
from skillmeat_site.accounts.models import Project, User
from skillmeat_site.audit.recording import record
from skillmeat_site.errors import DomainError, Kind

IN_MEMORY = 4 * 1024**2  # bytes; a larger archive is spooled to the disk


class OutsideRoots(DomainError):
    """Sets are only deployed below directories that the operator has listed in SKILLMEAT_DEPLOY_ROOTS.

    On a server of several users a superuser also has to have granted the directory to the project, in the
    console.
    """

    code = "outside_deploy_roots"
    kind = Kind.FORBIDDEN
    title = "Nothing may be deployed there"
    hint = "Choose a directory below a root, or ask the operator to add one to SKILLMEAT_DEPLOY_ROOTS."


class PlanOutdated(DomainError):
    """The directory or the set has changed since the plan was shown, so something else would be done now."""

    code = "plan_outdated"
    kind = Kind.CONFLICT
    title = "The plan is out of date"
    hint = "Look at the new plan, then confirm it."


class AlreadyUndone(DomainError):
    """A deployment is undone once."""

    code = "already_undone"
    kind = Kind.CONFLICT
    title = "It is undone already"
    hint = "Deploy the set again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Where a set is to go, and how to deal with what is there."""

    project_path: str
    on_conflict: OnConflict = OnConflict.ABORT
    prune: bool = False
    confirm_untrusted: bool = False
    fingerprint: str = ""
    """Of the plan that was agreed to; empty for whatever is to be done now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a deploy would do, and whose sources would have to be trusted for it."""

    result: dict[str, Any]
    fingerprint: str
    is_empty: bool
    untrusted: tuple[Artifact, ...]


def plan(*, deployment_set: DeploymentSet, wanted: Wanted) -> dict[str, Any]:
    """What `deploy` would do now, as its result. Raises OutsideRoots and what `writer.plan` raises."""
    return draft(deployment_set=deployment_set, wanted=wanted).result


def draft(*, deployment_set: DeploymentSet, wanted: Wanted) -> Draft:
    """The plan with what is needed to agree to it. Raises as `plan` does."""
    root, path = _place(wanted.project_path, deployment_set.project)
    resolved = resolve(deployment_set)
    found = writer.plan(root, path, _wishes(deployment_set, resolved, wanted))
    return Draft(
        result=result_of(found, resolved),
        fingerprint=found.fingerprint,
        is_empty=found.is_empty,
        untrusted=tuple(_untrusted(resolved)),
    )


def deploy(*, deployment_set: DeploymentSet, wanted: Wanted, by: User | None, at: datetime) -> Deployment:
    """Put the set's artifacts there.

    Raises OutsideRoots, ConfirmationRequired, PlanOutdated and what `writer.execute` raises.
    The row is written first, so that a deploy which is cut off can be seen, and undone once it was finished.
    """
    root, path = _place(wanted.project_path, deployment_set.project)
    resolved = resolve(deployment_set)
    if not wanted.confirm_untrusted:
        _require_trust(resolved)
    deployment = _begin(deployment_set, wanted, by=by, at=at)
    try:
        done = writer.execute(
            root,
            path,
            _wishes(deployment_set, resolved, wanted),
            read=read,
            undo=area_of(deployment),
            agree=partial(_agree, wanted),
        )
    except DomainError as error:
        if error.extra.get("is_pending"):  # the next run will finish it; then it can still be undone
            raise
        shutil.rmtree(area_of(deployment), ignore_errors=True)
        deployment.delete()
        raise
    deployment.result, deployment.counts = result_of(done, resolved), done.counts()
    deployment.finished_at = at
    with transaction.atomic():
        deployment.save(update_fields=["result", "counts", "finished_at"])
        facts = {"project_path": deployment.project_path, "counts": deployment.counts}
        record("deployment.made", deployment, project=deployment.project, by=by, at=at, **facts)
    return deployment


def undo(*, deployment: Deployment, by: User | None, at: datetime) -> tuple[str, ...]:
    """Take it back; the paths that changed.

    Raises AlreadyUndone, OutsideRoots, UndoRefused and what `writer.undo` raises.
    """
    if deployment.undone_at:
        raise AlreadyUndone(f"It was undone at {deployment.undone_at:%Y-%m-%d %H:%M}.")
    root, path = _place(deployment.project_path, deployment.project)
    _require_latest(deployment)
    changed = writer.undo(root, path, area_of(deployment))
    deployment.undone_at, deployment.undone_by = at, by
    with transaction.atomic():
        deployment.save(update_fields=["undone_at", "undone_by"])
        facts = {"project_path": deployment.project_path, "changed": len(changed)}
        record("deployment.undone", deployment, project=deployment.project, by=by, at=at, **facts)
    shutil.rmtree(area_of(deployment), ignore_errors=True)
    return changed


def _require_latest(deployment: Deployment) -> None:
    """A later deploy may have written the same bytes into a file, which the writer cannot see."""
    places = Deployment.objects.filter(project_path=deployment.project_path, undone_at=None)
    own = _written(deployment)
    for later in places.filter(pk__gt=deployment.pk):
        if touched := sorted(own & _written(later)):
            raise UndoRefused(
                f"{touched[0]} was changed by a later deploy, {later.public_id}.", paths=touched
            )


def _written(deployment: Deployment) -> set[str]:
    """The files that it wrote or removed as a whole; merged ones are taken apart entry by entry."""
    whole = {Outcome.CREATE, Outcome.UPDATE, Outcome.REMOVE}
    return {row["path"] for row in deployment.result.get("files", ()) if row["outcome"] in whole}


def can_be_undone(deployment: Deployment) -> bool:
    """Whether it was not undone yet, and what that takes is still kept."""
    return deployment.undone_at is None and area_of(deployment).is_dir()


def prune(*, before: datetime, dry_run: bool = False) -> int:
    """Forget what it takes to undo deployments that were made before this; how many.

    They stay in the history, and undoing one raises UndoMissing. What belongs to no deployment any more goes, too.
    """
    areas = (
        list(_areas().iterdir()) if _areas().is_dir() else []
    )  # first, since rows stand before their areas
    recent = {row.public_id for row in Deployment.objects.filter(created_at__gte=before).only("pk")}
    old = [area for area in areas if area.name not in recent]
    for area in () if dry_run else old:
        shutil.rmtree(area, ignore_errors=True)
    return len(old)


def verify(*, deployment: Deployment) -> Drift:
    """How the directory differs from its lock, and from the set as it is now while there is one."""
    root, path = _place(deployment.project_path, deployment.project)
    wishes = None
    if deployment.deployment_set:
        wishes = Wishes(layout=resolve(deployment.deployment_set).laid_out())
    return writer.verify(root, path, wishes)


def bundle(*, deployment_set: DeploymentSet, archive: Format, confirm_untrusted: bool = False) -> IO[bytes]:
    """The set as an archive, whole, so that what fails fails before a byte is sent.

    Raises ConfirmationRequired, DeployConflicts and ArtifactUnusable.
    """
    resolved = resolve(deployment_set)
    if not confirm_untrusted:
        _require_trust(resolved)
    wishes = Wishes(layout=resolved.laid_out(), set_id=deployment_set.public_id, set_name=deployment_set.name)
    with ExitStack() as unless_whole:
        file = unless_whole.enter_context(SpooledTemporaryFile(max_size=IN_MEMORY))
        file.writelines(stream(wishes, read=read, archive=archive))
        file.seek(0)
        unless_whole.pop_all()  # from here on the caller closes it
    return cast("IO[bytes]", file)


def _place(project_path: str, project: Project) -> tuple[Path, Path]:
    """The root, which is trusted, and the directory below it, to which the writer goes step by step."""
    root, path = root_of(project_path), Path(project_path)
    if root is None:
        raise OutsideRoots(f"{project_path} is not below a directory of SKILLMEAT_DEPLOY_ROOTS.")
    granted = ProjectRoot.objects.filter(project=project).values_list("path", flat=True)
    if settings.SKILLMEAT_AUTH == "multi-user" and not any(map(path.is_relative_to, granted)):
        raise OutsideRoots(
            f"{project_path} is not below a directory that was granted to {project}.",
            hint="SKILLMEAT_DEPLOY_ROOTS is not enough here: a superuser grants it to the project, in the console.",
        )
    return root, path


def area_of(deployment: Deployment) -> Path:
    """Where the writer keeps what it takes to undo it."""
    return _areas() / deployment.public_id


def _areas() -> Path:
    return Path(settings.SKILLMEAT_DATA_DIR) / "undo"


def _wishes(deployment_set: DeploymentSet, resolved: ResolvedSet, wanted: Wanted) -> Wishes:
    return Wishes(
        layout=resolved.laid_out(),
        set_id=deployment_set.public_id,
        set_name=deployment_set.name,
        on_conflict=wanted.on_conflict,
        prune=wanted.prune,
    )


def _agree(wanted: Wanted, found: Plan) -> None:
    if wanted.fingerprint not in {"", found.fingerprint}:
        raise PlanOutdated(f"{wanted.project_path} or the set has changed since the plan was made.")


def _untrusted(resolved: ResolvedSet) -> Iterator[Artifact]:
    """What would run by itself although nobody vouches for where it comes from."""
    active = resolved.rows().filter(type__in=ACTIVE_TYPES).select_related("source").order_by("type", "name")
    return (each for each in active if needs_confirmation(each.type, each.source))


def _require_trust(resolved: ResolvedSet) -> None:
    doubtful = list(_untrusted(resolved))
    if doubtful:
        names = ", ".join(map(str, doubtful[:5]))
        raise ConfirmationRequired(
            f"From untrusted sources: {names}.", artifacts=[str(each.pk) for each in doubtful]
        )


def _begin(deployment_set: DeploymentSet, wanted: Wanted, *, by: User | None, at: datetime) -> Deployment:
    return Deployment.objects.create(
        project=deployment_set.project,
        deployment_set=deployment_set,
        set_name=deployment_set.name,
        visibility=deployment_set.visibility,
        project_path=wanted.project_path,
        on_conflict=wanted.on_conflict,
        prune=wanted.prune,
        deployed_by=by,
        created_at=at,
    )
