"""`manage.py add_source`: a repository into the marketplace, and its first scan."""

import json
from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from marketplace.models import Source, TrustLevel
from marketplace.models.source import SCAN
from marketplace.operations import readers, sources
from marketplace.repository import can_be_ref, clean_directory
from skillmeat_site.accounts.models import DEFAULT_PROJECT, Project
from skillmeat_site.errors import DomainError
from skillmeat_site.jobs.models import Job, JobStatus, Trigger
from skillmeat_site.jobs.terminal import Follower


def _ref(text: str) -> str:
    if text and not can_be_ref(text):
        raise ArgumentTypeError("this cannot be the name of a branch, tag or commit")
    return text


def _root(text: str) -> str:
    try:
        return clean_directory(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


class Command(BaseCommand):
    help = "Add a repository as a source and queue its first scan; a running worker carries it out."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("repo_url", help="for example https://github.com/anthropics/skills")
        parser.add_argument(
            "--ref", type=_ref, default="", help="branch, tag or commit (default: the default one)"
        )
        parser.add_argument(
            "--root", type=_root, default="", help="only what lies below this directory counts"
        )
        parser.add_argument("--project", default=DEFAULT_PROJECT, help="slug (default: %(default)s)")
        parser.add_argument("--trust-level", choices=TrustLevel.values, default=TrustLevel.BASIC.value)
        parser.add_argument("--wait", action="store_true", help="show progress and wait for the scan's end")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *, repo_url: str, wait: bool, **options: Any) -> None:
        try:
            source = self._create(repo_url, **options)
        except DomainError as error:
            raise CommandError(f"{error.detail} {error.hint}") from None
        job = Job.objects.get(kind=SCAN, subject_id=source.pk)
        if wait:
            job = Follower().follow(job, str(source))
        if options["json"]:
            self.stdout.write(
                json.dumps({"source": source.public_id, "job": job.public_id, "status": job.status})
            )
        else:
            self.stdout.write(f"{source.public_id} {source} {job.status}")
        if job.status not in {JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.SUCCEEDED}:
            raise CommandError("The scan did not succeed.")

    def _create(self, repo_url: str, **options: Any) -> Source:
        project = Project.objects.filter(slug=options["project"]).first()
        if project is None:
            if options["project"] != DEFAULT_PROJECT:
                raise CommandError(f"There is no project {options['project']!r}.")
            project = Project.objects.default()
        new = sources.NewSource(
            location=readers.locate(repo_url),
            ref=options["ref"],
            root_hint=options["root"],
            trust_level=options["trust_level"],
        )
        return sources.create(new=new, project=project, by=None, at=timezone.now(), trigger=Trigger.COMMAND)
