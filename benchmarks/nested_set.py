"""Fills an empty installation with a nested set and prints its id: `python -m benchmarks.nested_set OPTIONS`.

A process of its own, because Django reads its settings once. The repository is scanned and imported by the
product itself; its sets lie in each other, each with as many artifacts.
"""

import argparse
import os
import sys
from pathlib import Path

import django
from django.core.management import call_command

from benchmarks.repositories import Author

KB = 1024
IMPORTED_AT_ONCE = 1_000


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.nested_set", description=__doc__)
    parser.add_argument(
        "repository", type=Path, help="the directory to be made, below the local repositories"
    )
    parser.add_argument("--artifacts", type=int, required=True)
    parser.add_argument("--files", type=int, required=True, help="of each artifact")
    parser.add_argument("--depth", type=int, required=True, help="how many sets lie in each other")
    given = parser.parse_args()
    _write_skills(given.repository, given.artifacts, given.files)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "skillmeat_site.settings")
    django.setup()
    call_command("migrate", verbosity=0)
    sys.stdout.write(_filled(given.repository, given.depth))


def _write_skills(repository: Path, artifacts: int, files: int) -> None:
    author = Author(artifacts)
    for number in range(artifacts):
        name = f"{author.word()}-{number}"
        directory = repository / "skills" / name
        (directory / "references").mkdir(parents=True)
        head = f"---\nname: {name}\ndescription: {author.sentence()}\n---\n"
        (directory / "SKILL.md").write_text(head + author.prose(2 * KB))
        for other in range(1, files):
            (directory / "references" / f"{other}.md").write_text(author.prose(2 * KB))


def _filled(repository: Path, depth: int) -> str:
    """The outside id of the outermost set."""
    # Models can be imported after the setup only.
    from django.utils import timezone  # noqa: PLC0415

    from collections_app.models import Artifact  # noqa: PLC0415
    from collections_app.operations import imports  # noqa: PLC0415
    from deployment_sets.models import DeploymentSet, SetMember  # noqa: PLC0415
    from deployment_sets.operations import sets  # noqa: PLC0415
    from marketplace.models import Entry, Source  # noqa: PLC0415
    from skillmeat_site.accounts.models import Project, User  # noqa: PLC0415
    from skillmeat_site.jobs import runner  # noqa: PLC0415
    from skillmeat_site.jobs.models import Job  # noqa: PLC0415

    by, at = User.objects.local_operator(), timezone.now()
    call_command("add_source", f"file://{repository}", stdout=sys.stderr)
    runner.run(str(Job.objects.get().pk))
    entries = [entry.public_id for entry in Entry.objects.order_by("path")]
    for start in range(0, len(entries), IMPORTED_AT_ONCE):
        chosen = entries[start : start + IMPORTED_AT_ONCE]
        imports.import_entries(
            source=Source.objects.get(), entry_ids=chosen, collection=None, wishes={},
            confirm_untrusted=False, by=by, at=at,
        )  # fmt: skip
    uuids = list(Artifact.objects.order_by("name").values_list("pk", flat=True))
    inner: DeploymentSet | None = None
    for level in range(depth):
        settings = sets.Settings(name=f"Level {level}", visibility="project")
        outer = sets.create(settings=settings, project=Project.objects.default(), by=by, at=at)
        held = [{"artifact_uuid": uuid} for uuid in uuids[level::depth]] + (
            [{"member_set": inner}] if inner else []
        )
        SetMember.objects.bulk_create(  # the operation locks and records each, which is not what is measured
            SetMember(parent=outer, position=position, created_at=at, **target)
            for position, target in enumerate(held)
        )
        inner = outer
    return inner.public_id if inner else ""


if __name__ == "__main__":
    main()
