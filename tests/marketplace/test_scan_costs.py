"""What scans cost at GitHub, in requests: the contract's budgets, counted by the server and by the job."""

import pytest

from marketplace.models import Blob, Entry, Source
from skillmeat_site.jobs.models import Job
from tests.github.repositories import File, Repository
from tests.github.server import GitHub
from tests.scanning import FILES, Create, Scan, result, skill


def many(count: int, text: str = "It reads files.") -> dict[str, File | None]:
    return {
        f"skills/s{n}/{name}": skill(f"s{n}", text) for n in range(count) for name in ("SKILL.md", "more.md")
    }


def cost(on_github: GitHub) -> int:
    """Requests, of which following a redirect to the archive's host is none."""
    return len([path for path in on_github.paths if "legacy.tar.gz" not in path])


@pytest.mark.parametrize("count", [1, 7, 60])
def test_a_first_scan_is_three_requests_whatever_it_finds(
    on_github: GitHub, create: Create, count: int
) -> None:
    on_github.add(Repository("ada", "tools", {**FILES, **many(count)}))
    source = create()
    assert source.artifact_count == 3 + count
    assert cost(on_github) == Job.objects.get(subject_id=source.pk).github_requests == 3


def test_a_first_scan_of_nothing_is_two_requests(on_github: GitHub, create: Create) -> None:
    on_github.add(Repository("ada", "tools", {"main.c": b"int main;"}))
    assert create().scan_status == "success"
    assert cost(on_github) <= 3


@pytest.mark.parametrize("changed", [1, 5, 20])
def test_few_changes_are_read_one_by_one(
    source: Source, scan: Scan, on_github: GitHub, tools: Repository, changed: int
) -> None:
    tools.commit({f"skills/s{n}/SKILL.md": skill(f"s{n}") for n in range(changed)})
    job = scan(source)
    assert job.result == result(new=changed, unchanged=3)
    assert cost(on_github) == job.github_requests == 2 + changed


def test_many_changes_are_read_from_the_archive(
    source: Source, scan: Scan, on_github: GitHub, tools: Repository
) -> None:
    tools.commit({f"skills/s{n}/SKILL.md": skill(f"s{n}") for n in range(21)})
    job = scan(source)
    assert job.result == result(new=21, unchanged=3)
    assert cost(on_github) == job.github_requests == 3


def test_a_new_plugin_with_many_files_is_read_from_the_archive_at_once(
    source: Source, scan: Scan, on_github: GitHub, tools: Repository
) -> None:
    tools.commit(
        {".claude/plugins/p/.claude-plugin/plugin.json": b'{"name": "p"}'}
        | {f".claude/plugins/p/data/{n}.txt": str(n).encode() for n in range(40)}
    )
    assert scan(source).result == result(new=1, unchanged=3)
    assert cost(on_github) == 3


def test_many_new_files_in_a_known_skill_are_read_from_the_archive_at_once(
    source: Source, scan: Scan, on_github: GitHub, tools: Repository
) -> None:
    tools.commit(
        {".claude/commands/deploy.md": b"Deploy it.\n"}
        | {f"skills/pdf/data/{n}.txt": str(n).encode() for n in range(40)}
    )
    assert scan(source).result == result(updated=2, unchanged=1)
    assert cost(on_github) == 3


def test_what_concerns_no_artifact_costs_nothing_more(
    source: Source, scan: Scan, on_github: GitHub, tools: Repository
) -> None:
    tools.commit({f"src/{n}.c": str(n).encode() for n in range(200)} | {"README.md": b"# New\n"})
    assert scan(source).result == result(unchanged=3)
    assert cost(on_github) == 2


def test_a_removal_costs_nothing_more(
    source: Source, scan: Scan, on_github: GitHub, tools: Repository
) -> None:
    tools.commit({"skills/csv/SKILL.md": None})
    assert scan(source).result == result(removed=1, unchanged=2)
    assert cost(on_github) == 2


def test_a_move_costs_nothing_more(source: Source, scan: Scan, on_github: GitHub, tools: Repository) -> None:
    tools.commit({"skills/csv/SKILL.md": None, "tables/skills/csv/SKILL.md": FILES["skills/csv/SKILL.md"]})
    scan(source)
    assert cost(on_github) == 2


def test_a_changed_file_beside_the_document_is_one_request_more(
    source: Source, scan: Scan, on_github: GitHub, tools: Repository
) -> None:
    tools.commit({"skills/pdf/run.py": b"print()\n"})
    assert scan(source).result == result(updated=1, unchanged=2)
    assert cost(on_github) == 3


def test_a_file_of_another_source_is_stored_once(create: Create, on_github: GitHub) -> None:
    on_github.add(Repository("ada", "tools", FILES))
    create()
    before = Blob.objects.count()
    create(root_hint="skills")
    assert Blob.objects.count() == before
    assert Entry.objects.count() == 5


def test_progress_names_every_step(source: Source) -> None:
    job = Job.objects.get(subject_id=source.pk)
    phases = list(job.events.values_list("phase", flat=True))
    steps = ["resolving", "reading tree", "downloading", "reading documents", "detecting", "storing files"]
    assert [phase for phase in phases if phase in steps] == steps
