"""`manage.py add_source`: a repository into the marketplace, and its first scan."""

from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from marketplace.models import Source, TrustLevel
from marketplace.models.source import SCAN
from marketplace.operations import readers, sources
from marketplace.repository import can_be_ref, clean_directory
from skillmeat_site.accounts.models import DEFAULT_PROJECT, Project
from skillmeat_site.api.errors import NotFound
from skillmeat_site.commands import OperatorCommand, Outcome
from skillmeat_site.jobs.models import Job, JobStatus, Trigger
from skillmeat_site.jobs.terminal import Follower, ending


def _ref(text: str) -> str:
    if text and not can_be_ref(text):
        raise ArgumentTypeError("this cannot be the name of a branch, tag or commit")
    return text


def _root(text: str) -> str:
    try:
        return clean_directory(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


class Command(OperatorCommand):
    help = "Add a repository as a source and queue its first scan; a running worker carries it out."
    examples = (
        "https://github.com/anthropics/skills --wait",
        "https://github.com/acme/tools --ref v2 --root plugins --project team --json",
        "file:///srv/repositories/tools --trust-level verified",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "repo_url",
            help="for example https://github.com/anthropics/skills, or file:///... below "
            "SKILLMEAT_LOCAL_REPOSITORIES",
        )
        parser.add_argument(
            "--ref", type=_ref, default="", help="branch, tag or commit (default: the default one)"
        )
        parser.add_argument(
            "--root", type=_root, default="", help="only what lies below this directory counts"
        )
        parser.add_argument("--project", default=DEFAULT_PROJECT, help="slug (default: %(default)s)")
        parser.add_argument(
            "--trust-level",
            choices=TrustLevel.values,
            default=TrustLevel.BASIC.value,
            help="default: %(default)s",
        )
        parser.add_argument("--wait", action="store_true", help="show progress and wait for the scan's end")

    def act(self, *, repo_url: str, wait: bool, **options: Any) -> Outcome:
        source = self._create(repo_url, **options)
        job = Job.objects.get(kind=SCAN, subject_id=source.pk)
        if wait:
            Follower(self.line()).follow(job, str(source))
        self.say(f"{source.public_id} {source} {job.status if job.is_live else ending(job)}")
        failed = job.status in {JobStatus.FAILED, JobStatus.CANCELLED}
        facts = {"source": source.public_id, "job": job.public_id, "status": job.status}
        return Outcome(
            facts=facts | {"result": job.result, "error": job.error},
            failure="The scan did not succeed." if failed else "",
        )

    @staticmethod
    def _create(repo_url: str, **options: Any) -> Source:
        project = Project.objects.filter(slug=options["project"]).first()
        if project is None:
            if options["project"] != DEFAULT_PROJECT:
                raise NotFound(f"There is no project {options['project']!r}.", hint="")
            project = Project.objects.default()
        new = sources.NewSource(
            location=readers.locate(repo_url),
            ref=options["ref"],
            root_hint=options["root"],
            trust_level=options["trust_level"],
        )
        return sources.create(new=new, project=project, by=None, at=timezone.now(), trigger=Trigger.COMMAND)
