"""Scans, from the request to the catalogue: the real reader against a GitHub on loopback sockets."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from marketplace.models import Entry, Source, SourceSnapshot
from marketplace.operations import scans, snapshots
from skillmeat_site.accounts.models import Project
from skillmeat_site.errors import DomainError
from skillmeat_site.jobs import operations as jobs, runner
from skillmeat_site.jobs.errors import JobCancelled, JobConflict
from skillmeat_site.jobs.models import Job, JobStatus, Trigger
from tests.factories import JobFactory, SourceFactory
from tests.github.faults import BAD_GATEWAY, Cut, Fault, Garbage, Respond, Truncated
from tests.github.repositories import Repository
from tests.github.server import GitHub
from tests.scanning import FILES, Capture, Create, Drain, Scan, fresh, result, rows, skill, statuses


def test_a_first_scan_fills_the_catalogue(source: Source, tools: Repository) -> None:
    assert statuses(source) == {"pdf": "new", "csv": "new", "deploy": "new"}
    assert source.counts_by_type == {"command": 1, "skill": 2}
    assert source.artifact_count == 3
    assert source.resolved_sha == tools.head
    assert (source.scan_status, source.last_error) == ("success", "")
    assert source.last_sync_at == source.advanced_at


def test_a_first_scan_costs_three_requests(source: Source, on_github: GitHub) -> None:
    asked = [path for path in on_github.paths if "legacy.tar.gz" not in path]  # a redirect's target
    assert len(asked) == 3
    job = Job.objects.get(subject_id=source.pk)
    assert job.github_requests == 3
    assert job.github_bytes > 0


def test_a_job_tells_what_is_left_of_the_quota(source: Source, on_github: GitHub) -> None:
    job = Job.objects.get(subject_id=source.pk)
    assert job.github_remaining == on_github.quota.remaining


def test_a_first_scan_reports_what_it_did(source: Source) -> None:
    job = Job.objects.get(subject_id=source.pk)
    assert (job.status, job.result, job.error) == ("succeeded", result(new=3), None)
    assert job.attempt == 1
    assert job.finished_at
    assert job.events.all()[0].phase == "queued"


def test_everything_is_read_by_commit_id(source: Source, on_github: GitHub, tools: Repository) -> None:
    resolving, *reading = on_github.paths
    assert resolving == "/repos/ada/tools/commits/main"
    assert reading
    assert all(tools.head in path for path in reading)


def test_an_entry_says_where_and_what_it_is(source: Source, tools: Repository) -> None:
    entry = Entry.objects.select_related("source").get(source=source, name="pdf")
    assert (entry.type, entry.path, entry.detected_sha) == ("skill", "skills/pdf", tools.head)
    assert entry.description == "Use it when pdf is needed."
    assert entry.content_digest.startswith("sha256:")
    assert entry.upstream_url == f"{source.repo_url}/tree/{tools.head}/skills/pdf"
    assert entry.signals


def test_the_same_commit_costs_one_request_and_changes_no_entry(
    source: Source, scan: Scan, on_github: GitHub
) -> None:
    before = rows(source)
    job = scan(source)
    assert len(on_github.requests) == 1
    assert job.result == result(unchanged=3) | {"not_modified": True}
    assert rows(source) == before
    assert fresh(source).last_sync_at > source.last_sync_at


def test_a_new_commit_tells_new_updated_removed_and_unchanged(
    source: Source, scan: Scan, tools: Repository
) -> None:
    tools.commit(
        {
            "skills/xml/SKILL.md": skill("xml"),
            "skills/pdf/SKILL.md": skill("pdf", "It writes, too."),
            "skills/csv/SKILL.md": None,
        }
    )
    job = scan(source)
    assert statuses(source) == {"xml": "new", "pdf": "updated", "csv": "removed", "deploy": "unchanged"}
    assert job.result == result(new=1, updated=1, removed=1, unchanged=1)
    assert fresh(source).counts_by_type == {"command": 1, "skill": 2}
    assert fresh(source).resolved_sha == tools.head


def test_an_unchanged_entry_keeps_the_commit_of_its_content(
    source: Source, scan: Scan, tools: Repository
) -> None:
    first = tools.head
    second = tools.commit({"skills/pdf/SKILL.md": skill("pdf", "Other.")})
    scan(source)
    found = dict(Entry.objects.filter(source=source).values_list("name", "detected_sha"))
    assert (found["csv"], found["pdf"]) == (first, second)


def test_a_file_beside_the_document_is_part_of_the_artifact(
    source: Source, scan: Scan, tools: Repository
) -> None:
    tools.commit({"skills/pdf/scripts/run.py": b"print()\n"})
    assert scan(source).result == result(updated=1, unchanged=2)


def test_an_artifact_that_comes_back_is_present_again(source: Source, scan: Scan, tools: Repository) -> None:
    before = Entry.objects.get(source=source, name="csv").pk
    tools.commit({"skills/csv/SKILL.md": None})
    scan(source)
    tools.commit({"skills/csv/SKILL.md": FILES["skills/csv/SKILL.md"]})
    scan(source)
    entry = Entry.objects.with_status().get(source=source, name="csv")
    assert (entry.pk, entry.removed_at, entry.status) == (before, None, "updated")
    assert fresh(source).artifact_count == 3


def test_removed_entries_are_listed_only_when_asked_for(
    source: Source, scan: Scan, tools: Repository, api: Any
) -> None:
    tools.commit({"skills/csv/SKILL.md": None})
    scan(source)
    url = f"/api/v1/marketplace/sources/{source.public_id}/artifacts"
    assert {item["name"] for item in api.get(url).json()["items"]} == {"pdf", "deploy"}
    assert [item["name"] for item in api.get(url, {"status": "removed"}).json()["items"]] == ["csv"]


def test_an_excluded_entry_stays_excluded_and_uncounted(
    source: Source, scan: Scan, tools: Repository
) -> None:
    Entry.objects.filter(source=source, name="pdf").update(excluded_at=timezone.now(), excluded_reason="old")
    tools.commit({"skills/pdf/SKILL.md": skill("pdf", "Other.")})
    scan(source)
    entry = Entry.objects.get(source=source, name="pdf")
    assert entry.excluded_reason == "old"
    assert fresh(source).counts_by_type == {"command": 1, "skill": 1}


FAILURES: dict[str, tuple[str, Fault, str]] = {
    "server errors": ("/commits/", BAD_GATEWAY, "502"),
    "a cut tree": ("/git/trees/", Cut(after=20), "cut"),
    "a cut archive": ("/legacy.tar.gz/", Cut(after=20), "cut"),
    "a damaged archive": ("/legacy.tar.gz/", Garbage(), ""),
    "a vanished repository": ("/commits/", Respond(404, b'{"message": "Not Found"}'), "404"),
    "a vanished branch": ("/commits/", Respond(422, b'{"message": "No commit found"}'), "ref"),
}


@pytest.mark.parametrize(("path", "fault", "words"), FAILURES.values(), ids=FAILURES.keys())
def test_a_failed_scan_changes_nothing_but_the_outcome(
    source: Source, scan: Scan, on_github: GitHub, tools: Repository, path: str, fault: Fault, words: str
) -> None:
    before = rows(source)
    many = {f"skills/s{n}/SKILL.md": skill(f"s{n}") for n in range(30)}  # so that the archive is read
    tools.commit({"skills/csv/SKILL.md": None} | many)
    on_github.fail(path, fault, times=9)
    job = scan(source)
    after = fresh(source)
    assert (job.status, after.scan_status) == ("failed", "error")
    assert rows(source) == before
    assert (after.counts_by_type, after.artifact_count) == (source.counts_by_type, 3)
    assert (after.resolved_sha, after.last_sync_at) == (source.resolved_sha, source.last_sync_at)
    assert words in after.last_error
    assert job.error
    assert after.last_error == f"{job.error['detail']} {job.error['hint']}"
    assert job.error["hint"]


def test_a_scan_after_a_failed_one_catches_up(
    source: Source, scan: Scan, on_github: GitHub, tools: Repository
) -> None:
    tools.commit({"skills/xml/SKILL.md": skill("xml")})
    on_github.fail("/git/trees/", BAD_GATEWAY, times=3)
    assert scan(source).status == "failed"
    assert scan(source).result == result(new=1, unchanged=3)
    assert fresh(source).last_error == ""


def test_one_bad_answer_is_no_failure(source: Source, scan: Scan, on_github: GitHub) -> None:
    on_github.fail("/commits/", BAD_GATEWAY)
    job = scan(source)
    assert (job.status, job.github_requests) == ("succeeded", 2)


def test_a_rate_limit_parks_the_job_until_the_reset(
    source: Source, scan: Scan, on_github: GitHub, tools: Repository
) -> None:
    tools.commit({"skills/csv/SKILL.md": None})
    before = rows(source)
    on_github.quota.remaining = 0
    job = scan(source)
    assert (job.status, fresh(source).scan_status) == ("queued", "scanning")
    assert abs(job.run_after.timestamp() - on_github.quota.reset) < 2
    assert job.error
    assert "rate limit" in job.error["detail"]
    assert (job.lease_until, job.github_remaining) == (None, 0)
    assert rows(source) == before
    assert fresh(source).last_error == ""


def test_a_parked_job_goes_on_when_its_time_has_come(
    source: Source, scan: Scan, on_github: GitHub, tools: Repository
) -> None:
    tools.commit({"skills/csv/SKILL.md": None})
    on_github.quota.remaining = 0
    job = scan(source)
    on_github.quota.remaining = 100
    runner.run(str(job.pk))
    job.refresh_from_db()
    assert job.status == "queued"  # too early: it is not claimed
    Job.objects.filter(pk=job.pk).update(run_after=timezone.now())
    runner.run(str(job.pk))
    job.refresh_from_db()
    assert (job.status, job.error, job.result) == ("succeeded", None, result(removed=1, unchanged=2))


def test_a_parked_scan_keeps_the_access_token(on_github: GitHub, create: Create) -> None:
    on_github.add(Repository("ada", "tools", FILES, private=True, tokens=frozenset({"ghp_mine"})))
    on_github.quota.remaining = 1  # the description
    source = create(access_token="ghp_mine")
    assert Job.objects.get(subject_id=source.pk).status == "queued"
    assert source.access_token


def test_a_forced_scan_reads_again(source: Source, scan: Scan, on_github: GitHub) -> None:
    before = rows(source)
    job = scan(source, force=True)
    assert len(on_github.requests) > 1
    assert job.result == result(unchanged=3)
    assert rows(source) == before


def test_changed_settings_need_no_more_than_the_answer_that_nothing_changed(
    source: Source, scan: Scan, on_github: GitHub
) -> None:
    source.manual_map = {"skills/csv": None}
    source.save()
    job = scan(source)
    assert len(on_github.requests) == 1
    assert job.result == result(removed=1, unchanged=2)
    assert scan(source).result == result(unchanged=2) | {"not_modified": True}


def test_documents_that_only_other_settings_look_at_are_remembered(
    tools: Repository, create: Create, scan: Scan, on_github: GitHub
) -> None:
    tools.commit({"notes/review.md": b"---\ndescription: Review it\n---\nReview $ARGUMENTS\n"})
    source = create()
    source.manual_map = {"notes": "command"}
    source.save()
    assert scan(source).result == result(new=1, unchanged=3)
    assert len(on_github.requests) == 1


def test_a_snapshot_that_cannot_be_read_is_made_anew(source: Source, scan: Scan, tools: Repository) -> None:
    SourceSnapshot.objects.filter(source=source).update(packed=b"damaged")
    tools.commit({"skills/xml/SKILL.md": skill("xml")})
    assert scan(source).result == result(new=1, unchanged=3)
    snapshot = snapshots.recall(source)
    assert snapshot
    assert len(snapshot.tree.files) == 5


def test_a_second_read_of_the_same_commit_does_not_make_old_entries_unchanged(
    source: Source, scan: Scan
) -> None:
    scan(source, force=True)
    assert set(statuses(source).values()) == {"new"}


def test_a_job_cancelled_before_it_began_asks_nothing(
    source: Source, on_github: GitHub, drain: Drain, django_capture_on_commit_callbacks: Capture
) -> None:
    on_github.requests.clear()
    with django_capture_on_commit_callbacks(execute=True):
        job = scans.request(source=source, by=None, at=timezone.now(), trigger=Trigger.MANUAL)
        jobs.cancel(job, by=None, at=timezone.now())
    drain()
    assert on_github.requests == []
    assert fresh(source).scan_status == "success"


def test_a_running_scan_that_is_cancelled_leaves_what_was_before(
    source: Source, on_github: GitHub, tools: Repository
) -> None:
    before, error = rows(source), source.last_error
    tools.commit({"skills/csv/SKILL.md": None})
    waiting = JobFactory(source=source)
    job = jobs.claim(waiting.pk, at=timezone.now())
    assert job
    jobs.cancel(job, by=None, at=timezone.now())
    run = runner.JobRun(job)
    with pytest.raises(JobCancelled):
        scans.execute(run)
    jobs.end(job, JobStatus.CANCELLED, at=timezone.now())
    after = fresh(source)
    assert rows(source) == before
    assert (after.scan_status, after.last_error) == ("success", error)


def test_a_source_deleted_before_its_scan_is_no_crash(project: Project) -> None:
    job = JobFactory(source=SourceFactory())
    Source.objects.all().delete()
    runner.run(str(job.pk))
    job.refresh_from_db()
    assert job.status == "failed"
    assert job.error["type"] == "/problems/source_gone"


def test_a_manual_map_decides_what_a_directory_is(tools: Repository, create: Create) -> None:
    tools.commit({"notes/review.md": b"Review the code.\n"})
    source = create(manual_map={"notes": "agent", "skills/csv": None})
    found = dict(source.entries.values_list("name", "type"))
    assert found == {"pdf": "skill", "deploy": "command", "review": "agent"}


def test_only_what_lies_below_the_root_hint_counts(tools: Repository, create: Create) -> None:
    source = create(root_hint="skills/pdf")
    assert list(source.entries.values_list("name", flat=True)) == ["pdf"]


def test_a_scan_takes_the_readme_along_when_asked(tools: Repository, create: Create) -> None:
    assert create(import_repo_readme=True).repo_readme == "# Tools of Ada\n"


def test_the_readme_is_not_taken_unasked(source: Source) -> None:
    assert source.repo_readme == ""


def test_an_archive_that_alters_files_is_mended_blob_by_blob(
    tools: Repository, create: Create, on_github: GitHub
) -> None:
    tools.archived_as["skills/pdf/SKILL.md"] = None  # export-ignore
    tools.archived_as["skills/csv/SKILL.md"] = b"---\nname: other\n---\n"  # export-subst
    source = create()
    assert set(source.entries.values_list("name", flat=True)) == {"pdf", "csv", "deploy"}
    assert len([path for path in on_github.paths if "/git/blobs/" in path]) == 2


def test_what_an_archive_leaves_out_is_listed_as_incomplete_and_read_bit_by_bit(
    tools: Repository, create: Create, scan: Scan, on_github: GitHub
) -> None:
    tools.commit({f"skills/s{n}/SKILL.md": skill(f"s{n}") for n in range(30)})
    tools.archived_as = {f"skills/s{n}/SKILL.md": None for n in range(30)}  # 20 are read singly
    source = create()
    assert (source.scan_status, source.artifact_count) == ("success", 33)
    assert source.entries.exclude(incomplete="").count() == 10
    job = scan(source)  # the same commit, but there is more to read
    assert (job.status, job.github_requests) == ("succeeded", 11)
    assert source.entries.exclude(incomplete="").count() == 0
    assert source.entries.get(name="s29").description == "Use it when s29 is needed."
    assert scan(source).result == result(unchanged=33) | {"not_modified": True}


def test_manifests_that_an_archive_leaves_out_fail_the_scan_when_they_are_too_many(
    tools: Repository, create: Create
) -> None:
    hooks = b'{"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "true"}]}]}}'
    paths = [f"packages/p{n}/hooks/hooks.json" for n in range(21)]
    tools.commit(dict.fromkeys(paths, hooks) | {path: hooks + b" " * n for n, path in enumerate(paths)})
    tools.archived_as = dict.fromkeys(paths)
    source = create()
    assert source.scan_status == "error"
    assert "leaves out" in source.last_error


def test_line_ends_that_an_archive_converts_are_converted_back(
    tools: Repository, create: Create, on_github: GitHub
) -> None:
    tools.commit({f"skills/s{n}/SKILL.md": skill(f"s{n}") for n in range(30)})
    tools.archived_as = {  # eol=crlf
        f"skills/s{n}/SKILL.md": skill(f"s{n}").replace(b"\n", b"\r\n") for n in range(30)
    }
    source = create()
    assert source.entries.exclude(incomplete="").count() == 0
    assert not [path for path in on_github.paths if "/git/blobs/" in path]


def test_a_tree_listed_in_part_is_completed_from_the_archive(
    tools: Repository, create: Create, on_github: GitHub
) -> None:
    on_github.fail("/git/trees/", Truncated(keep=1))
    source = create()
    assert set(statuses(source)) == {"pdf", "csv", "deploy"}
    assert Job.objects.get(subject_id=source.pk).github_requests == 3


def test_a_renamed_repository_is_followed_and_recorded(
    source: Source, scan: Scan, on_github: GitHub, tools: Repository
) -> None:
    on_github.rename(tools, owner="bob", name="kit")
    tools.commit({"skills/xml/SKILL.md": skill("xml")})
    assert scan(source).status == "succeeded"
    after = fresh(source)
    assert (after.owner, after.repo_name) == ("bob", "kit")


def test_the_first_scan_corrects_an_assumed_branch(on_github: GitHub, create: Create) -> None:
    on_github.add(Repository("ada", "tools", FILES, default_branch="trunk"))
    on_github.fail("/repos/ada/tools$", BAD_GATEWAY)
    source = create()
    assert (source.ref, source.ref_assumed, source.scan_status) == ("trunk", False, "success")


def test_a_corrected_branch_that_is_taken_fails_with_the_others_id(on_github: GitHub, create: Create) -> None:
    on_github.add(Repository("ada", "tools", FILES, default_branch="trunk"))
    twin = create()
    on_github.fail("/repos/ada/tools$", BAD_GATEWAY)
    source = create()
    job = Job.objects.get(subject_id=source.pk)
    assert (job.status, job.error["type"]) == ("failed", "/problems/duplicate_source")  # type: ignore[index]
    assert source.scan_status == "error"
    assert str(twin) in source.last_error
    assert (source.artifact_count, source.entries.count()) == (0, 0)


def test_an_empty_repository_says_so(on_github: GitHub, create: Create) -> None:
    on_github.add(Repository("ada", "tools"))
    source = create()
    assert source.scan_status == "error"
    assert "no commit" in source.last_error.lower() or "empty" in source.last_error.lower()


def test_a_second_request_while_one_is_live_is_a_conflict(project: Project) -> None:
    source = SourceFactory()
    first = scans.request(source=source, by=None, at=timezone.now(), trigger=Trigger.MANUAL)
    with pytest.raises(JobConflict) as caught:
        scans.request(source=source, by=None, at=timezone.now(), trigger=Trigger.MANUAL)
    assert caught.value.extra == {"existing_id": first.public_id}
    assert isinstance(caught.value, DomainError)


def test_a_due_source_is_queued_once(project: Project) -> None:
    now = timezone.now()
    source = SourceFactory(rescan_interval=900, next_rescan_at=now - timedelta(seconds=1))
    SourceFactory(rescan_interval=900, next_rescan_at=now + timedelta(seconds=1))
    SourceFactory()
    (job,) = scans.request_due(at=now)
    assert (job.subject_id, job.trigger) == (source.pk, "schedule")
    assert scans.request_due(at=now) == []
    source.refresh_from_db()
    assert source.next_rescan_at == now + timedelta(seconds=900)


def test_a_due_source_that_is_being_scanned_is_not_queued_again(project: Project) -> None:
    now = timezone.now()
    source = SourceFactory(rescan_interval=900, next_rescan_at=now)
    JobFactory(source=source)
    assert scans.request_due(at=now) == []
    assert Job.objects.filter(subject_id=source.pk).count() == 1


def test_the_end_of_a_scan_sets_the_time_of_the_next(tools: Repository, create: Create) -> None:
    source = create(rescan_interval=3600)
    assert source.next_rescan_at
    assert source.last_sync_at
    assert source.next_rescan_at - source.last_sync_at == timedelta(seconds=3600)


def test_other_repositories_that_a_marketplace_points_to_are_suggested(
    tools: Repository, create: Create
) -> None:
    listed = b'{"name": "m", "owner": {"name": "Ada"}, "plugins": [{"name": "far", "source": %s}]}'
    place = b'{"source": "github", "repo": "bob/far"}'
    tools.commit({".claude-plugin/marketplace.json": listed % place})
    (suggested,) = create().suggested_sources
    assert (suggested["name"], "bob/far" in suggested["url"]) == ("far", True)
