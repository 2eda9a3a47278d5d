"""`manage.py deploy_set`: a set into a directory of this machine, or the plan of it."""

import json
from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q
from django.utils import timezone

from deployment_sets.models import DeploymentSet, is_plain
from deployment_sets.operations import deployments
from deployment_sets.operations.deployments import Wanted
from deployment_sets.operations.outcomes import FAILED
from deployment_sets.planning import OnConflict
from skillmeat_site.accounts.models import DEFAULT_PROJECT
from skillmeat_site.errors import DomainError


def _directory(text: str) -> str:
    path = str(Path(text).expanduser().absolute())
    if not is_plain(path):
        raise ArgumentTypeError("use a path without `..`")
    return path


class Command(BaseCommand):
    help = "Deploy a set into a project directory below SKILLMEAT_DEPLOY_ROOTS and show what became of each file."

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
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *, dry_run: bool, **options: Any) -> None:
        wanted = Wanted(
            project_path=options["project_path"],
            on_conflict=OnConflict(options["on_conflict"]),
            prune=options["prune"],
            confirm_untrusted=options["confirm_untrusted"],
        )
        try:
            answer = self._answer(_named(options["set"], options["project"]), wanted, dry_run=dry_run)
        except DomainError as error:
            raise CommandError(f"{error.detail} {error.hint}") from None
        self.stdout.write(json.dumps(answer) if options["json"] else _table(answer))
        if failed := [each["uuid"] for each in answer["artifacts"] if each["outcome"] == FAILED]:
            raise CommandError(f"{len(failed)} artifacts could not be deployed: {', '.join(failed)}")

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
        raise CommandError(f"There is no set {name!r} in the project {project!r}.")
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
