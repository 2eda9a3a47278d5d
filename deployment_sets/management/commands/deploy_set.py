"""`manage.py deploy_set`: a set into a directory of this machine, or the plan of it."""

from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.db.models import Q
from django.utils import timezone

from deployment_sets.models import DeploymentSet, is_plain
from deployment_sets.operations import deployments
from deployment_sets.operations.deployments import Wanted
from deployment_sets.operations.outcomes import FAILED
from deployment_sets.planning import OnConflict
from skillmeat_site.accounts.models import DEFAULT_PROJECT
from skillmeat_site.api.errors import NotFound
from skillmeat_site.commands import OperatorCommand, Outcome


def _directory(text: str) -> str:
    path = str(Path(text).expanduser().absolute())
    if not is_plain(path):
        raise ArgumentTypeError("use a path without `..`")
    return path


class Command(OperatorCommand):
    help = (
        "Deploy a set into a project directory below SKILLMEAT_DEPLOY_ROOTS and show what became of each file. "
        "The same deploy twice changes nothing. The exit code is 1 when it was refused or an artifact failed."
    )
    examples = (
        "web /srv/projects/shop --dry-run",
        "set_01m7... /srv/projects/shop --on-conflict backup --prune --json",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("set", help="a set's id, or its name in the project")
        parser.add_argument("project_path", type=_directory, help="an existing directory")
        parser.add_argument("--project", default=DEFAULT_PROJECT, help="slug (default: %(default)s)")
        parser.add_argument("--dry-run", action="store_true", help="only show what would be done")
        parser.add_argument(
            "--on-conflict",
            choices=[choice.value for choice in OnConflict],
            default=OnConflict.ABORT.value,
            help="what to do about files that were edited there or are not ours (default: %(default)s)",
        )
        parser.add_argument("--prune", action="store_true", help="remove unedited files that left the set")
        parser.add_argument(
            "--confirm-untrusted", action="store_true", help="deploy hooks of untrusted sources"
        )

    def act(self, *, dry_run: bool, **options: Any) -> Outcome:
        wanted = Wanted(
            project_path=options["project_path"],
            on_conflict=OnConflict(options["on_conflict"]),
            prune=options["prune"],
            confirm_untrusted=options["confirm_untrusted"],
        )
        answer = self._answer(_named(options["set"], options["project"]), wanted, dry_run=dry_run)
        self.say(_table(answer))
        failed = [each["uuid"] for each in answer["artifacts"] if each["outcome"] == FAILED]
        return Outcome(
            facts=answer,
            failure=f"{len(failed)} artifacts could not be deployed: {', '.join(failed)}" if failed else "",
        )

    @staticmethod
    def _answer(deployment_set: DeploymentSet, wanted: Wanted, *, dry_run: bool) -> dict[str, Any]:
        if dry_run:
            result = deployments.plan(deployment_set=deployment_set, wanted=wanted)
            return {"deployment_id": None, "dry_run": True, **result}
        made = deployments.deploy(deployment_set=deployment_set, wanted=wanted, by=None, at=timezone.now())
        return {"deployment_id": made.public_id, "dry_run": False, **made.result}


def _named(name: str, project: str) -> DeploymentSet:
    sets = DeploymentSet.objects.select_related("project")
    found = sets.filter(Q(pk=DeploymentSet.decode(name)) | Q(name=name, project__slug=project)).first()
    if found is None:
        raise NotFound(f"There is no set {name!r} in the project {project!r}.", hint="")
    return found


def _table(answer: dict[str, Any]) -> str:
    """A line per file, then what has to be known."""
    rows = [
        f"{each['outcome']:<10} {each['path']}" + (f" ({each['reason']})" if each["reason"] else "")
        for each in answer["files"]
    ]
    rows += [f"{'conflict':<10} {each['path']} (two artifacts want it)" for each in answer["conflicts"]]
    rows += [f"note       {each['path']} {each['reason']}" for each in answer["remarks"]]
    rows += [f"error      {each['error']['detail']}" for each in answer["artifacts"] if each["error"]]
    if answer["needs"]:
        rows.append(f"Environment variables to set: {', '.join(answer['needs'])}")
    done = "Nothing was written." if answer["dry_run"] else f"Deployed as {answer['deployment_id']}."
    counts = ", ".join(f"{number} {name}" for name, number in answer["counts"].items() if number)
    return "\n".join([*rows, f"{done} {counts or 'No files.'}"])
