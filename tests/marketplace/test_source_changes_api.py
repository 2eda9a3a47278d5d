"""`PATCH /marketplace/sources/{id}`, the limit of rescans, exclusions and pasted links."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from marketplace.models import Entry, Source
from marketplace.operations import sources
from marketplace.operations.scans import SourceGone
from skillmeat_site.accounts.models import Role, User
from skillmeat_site.audit.models import AuditEvent
from skillmeat_site.jobs.models import Job, JobStatus, Trigger
from tests.factories import EntryFactory, JobFactory, SourceFactory
from tests.github.faults import BAD_GATEWAY, Stall
from tests.github.repositories import Repository
from tests.github.server import GitHub
from tests.scanning import FILES, Create, Scan, fresh, result

Answer = Any
Patch = Callable[..., Answer]
Client = Callable[..., APIClient]
Member = Callable[..., User]


def url(source: Source, action: str = "") -> str:
    return f"/api/v1/marketplace/sources/{source.public_id}{action}"


@pytest.fixture
def patch(api: APIClient) -> Patch:
    def send(source: Source, body: Any) -> Answer:
        return api.patch(url(source), body)

    return send


def pointers(answer: Answer) -> list[str]:
    return [error["pointer"] for error in answer.json()["errors"]]


CHANGES: dict[str, Any] = {
    "ref": "next",
    "root_hint": "skills",
    "manual_map": {"docs": "skill", "old": None},
    "trust_level": "verified",
    "visibility": "private",
    "description": "Ours",
    "notes": "Ask Ada",
    "enable_frontmatter_detection": True,
    "indexing_enabled": False,
    "rescan_interval": 900,
    "tags": ["b", "a"],
}
SHOWN = {name: value for name, value in CHANGES.items() if name != "notes"} | {"notes": "Ask Ada"}


@pytest.mark.parametrize("name", CHANGES)
def test_each_field_is_changed_by_itself(project: Any, patch: Patch, api: APIClient, name: str) -> None:
    source = SourceFactory()
    before = api.get(url(source)).json()
    answer = patch(source, {name: CHANGES[name]})
    assert answer.status_code == 200, answer.json()
    after = answer.json()
    assert after[name] == SHOWN[name]
    different = {key for key in after if after[key] != before[key]} - {"updated_at", "next_rescan_at"}
    assert different == {name}
    assert api.get(url(source)).json() == after


def test_a_change_starts_no_scan(project: Any, patch: Patch) -> None:
    source = SourceFactory()
    assert patch(source, CHANGES).status_code == 200
    assert Job.objects.count() == 0


@pytest.mark.parametrize(
    ("name", "cleared"),
    [
        ("root_hint", None),
        ("description", None),
        ("notes", None),
        ("visibility", "public"),
        ("rescan_interval", None),
        ("manual_map", {}),
    ],
)
def test_a_null_clears_a_field_that_may_be_empty(project: Any, patch: Patch, name: str, cleared: Any) -> None:
    source = SourceFactory()
    patch(source, CHANGES)
    assert patch(source, {name: None}).json()[name] == cleared


@pytest.mark.parametrize(
    "name",
    ["ref", "trust_level", "enable_frontmatter_detection", "indexing_enabled", "tags", "import_repo_readme"],
)
def test_a_null_where_none_may_be_cannot_be_read(project: Any, patch: Patch, name: str) -> None:
    answer = patch(SourceFactory(), {name: None})
    assert (answer.status_code, pointers(answer)) == (400, [f"/{name}"])


@pytest.mark.parametrize("name", ["repo_url", "access_token", "project", "id", "artifact_count", "Ref"])
def test_what_cannot_be_changed_is_an_unknown_field(project: Any, patch: Patch, name: str) -> None:
    answer = patch(SourceFactory(), {name: "x"})
    assert (answer.status_code, pointers(answer)) == (400, [f"/{name}"])


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"description": "x" * 501}, 422),
        ({"description": 5}, 400),
        ({"notes": "x" * 2001}, 422),
        ({"trust_level": "best"}, 422),
        ({"visibility": "secret"}, 422),
        ({"rescan_interval": 899}, 422),
        ({"rescan_interval": "900"}, 400),
        ({"tags": ["x"] * 3 + [""]}, 422),
        ({"tags": [f"t{n}" for n in range(21)]}, 422),
        ({"tags": "x"}, 400),
        ({"root_hint": "../up"}, 422),
        ({"ref": "a..b"}, 422),
        ({"ref": ""}, 422),
        ({"manual_map": {"a": "nothing"}}, 422),
        ({"manual_map": {"../a": "skill"}}, 422),
        ({"manual_map": []}, 400),
        ({"indexing_enabled": "yes"}, 400),
        ([], 400),
        ({"trust_level": "best", "description": 5}, 400),
    ],
)
def test_a_change_that_makes_no_sense_changes_nothing(
    project: Any, patch: Patch, api: APIClient, body: Any, status: int
) -> None:
    source = SourceFactory()
    before = api.get(url(source)).json()
    assert patch(source, body).status_code == status
    assert api.get(url(source)).json() == before
    assert AuditEvent.objects.count() == 0


def test_tags_replace_those_before(project: Any, patch: Patch, api: APIClient) -> None:
    source = SourceFactory(tags=["old"])
    assert patch(source, {"tags": ["New", "new", "other"]}).json()["tags"] == ["new", "other"]
    ask = lambda tag: len(api.get("/api/v1/marketplace/sources", {"tags": tag}).json()["items"])  # noqa: E731
    assert (ask("old"), ask("new"), ask("other")) == (0, 1, 1)


def test_who_saves_something_else_does_not_bring_tags_back(patch: Patch, api: APIClient) -> None:
    source = SourceFactory(tags=["old"])
    patch(source, {"tags": ["new"]})
    source.save(update_fields=["next_rescan_at"])
    found = [api.get("/api/v1/marketplace/sources", {"tags": tag}).json()["items"] for tag in ("old", "new")]
    assert [len(items) for items in found] == [0, 1]


def test_an_interval_sets_the_time_of_the_next_scan(project: Any, patch: Patch) -> None:
    source = SourceFactory()
    before = timezone.now()
    assert patch(source, {"rescan_interval": 900}).json()["next_rescan_at"]
    source.refresh_from_db()
    assert source.next_rescan_at
    assert timedelta() <= source.next_rescan_at - before - timedelta(seconds=900) < timedelta(seconds=30)
    assert patch(source, {"rescan_interval": None}).json()["next_rescan_at"] is None


def test_a_ref_and_root_of_another_source_is_a_conflict(project: Any, patch: Patch) -> None:
    twin = SourceFactory(ref="next", root_hint="skills")
    source = SourceFactory(repo_key=twin.repo_key, ref="next")
    answer = patch(source, {"root_hint": "skills/"})
    assert (answer.status_code, answer.json()["existing_id"]) == (409, twin.public_id)
    source.refresh_from_db()
    assert source.root_hint == ""


def test_a_change_is_told_in_one_audit_event(project: Any, patch: Patch) -> None:
    source = SourceFactory()
    patch(source, {"notes": "x", "ref": "next"})
    (event,) = AuditEvent.objects.all()
    assert (event.verb, event.object_id, event.facts) == (
        "source.changed",
        source.pk,
        {"fields": ["notes", "ref"]},
    )


def test_a_change_keeps_what_a_scan_has_saved_since_the_source_was_read(project: Any, operator: User) -> None:
    read = SourceFactory(tags=["old"])
    scanned = Source.objects.get(pk=read.pk)
    scanned.counts_by_type, scanned.tags = {"skill": 1}, ["new"]
    scanned.save()
    sources.change(source=read, changes={"notes": "Good."}, by=operator, at=timezone.now())
    assert Source.objects.with_artifact_of("skill").matching("new").get().notes == "Good."


def test_an_empty_change_changes_nothing(project: Any, patch: Patch) -> None:
    source = SourceFactory()
    assert patch(source, {}).json()["updated_at"] == "2026-01-02T03:04:05Z"
    assert AuditEvent.objects.count() == 0


def test_trust_above_basic_is_an_admins_to_give(member: Member, client_of: Client, multi_user: None) -> None:
    source = SourceFactory()
    editor, admin = client_of(member(Role.EDITOR)), client_of(member(Role.ADMIN))
    for level, by_editor in (("verified", 403), ("untrusted", 200), ("basic", 200), ("official", 403)):
        assert editor.patch(url(source), {"trust_level": level}).status_code == by_editor
    assert admin.patch(url(source), {"trust_level": "official"}).status_code == 200
    assert (
        editor.patch(url(source), {"trust_level": "official", "notes": "x"}).status_code == 200
    )  # no change
    assert client_of(member(Role.VIEWER)).patch(url(source), {"notes": "x"}).status_code == 403
    assert client_of(member(None)).patch(url(source), {"notes": "x"}).status_code == 404


def test_a_map_names_directories_that_the_known_tree_has(source: Source, patch: Patch) -> None:
    answer = patch(source, {"manual_map": {"skills/pdf": "skill", "none": "skill", "a/b": None}})
    assert answer.status_code == 422
    assert pointers(answer) == ["/manual_map/a~1b", "/manual_map/none"]
    assert patch(source, {"manual_map": {"skills/pdf": ["agents"], "": "skill"}}).json()["manual_map"] == {
        "skills/pdf": "agent",
        "": "skill",
    }


def test_a_changed_map_is_what_the_next_scan_goes_by(source: Source, patch: Patch, scan: Scan) -> None:
    patch(source, {"manual_map": {"skills/csv": None}})
    assert scan(source).result == result(removed=1, unchanged=2)


def test_another_branch_is_read_by_the_next_scan(
    source: Source, patch: Patch, scan: Scan, tools: Repository
) -> None:
    tools.commit({"skills/pdf/SKILL.md": None}, branch="next")
    assert patch(source, {"ref": "next"}).json()["ref"] == "next"
    assert scan(source).result == result(removed=1, unchanged=2)


def test_description_and_readme_are_fetched_again(
    source: Source, patch: Patch, tools: Repository, on_github: GitHub
) -> None:
    tools.description = "Better things"
    on_github.requests.clear()
    after = patch(source, {"import_repo_description": True, "import_repo_readme": True}).json()
    assert (after["repo_description"], after["repo_readme"]) == ("Better things", "# Tools of Ada\n")
    assert after["last_error"] is None
    assert len(on_github.requests) == 2


def test_a_host_that_fails_leaves_the_old_text_and_says_so(
    source: Source, patch: Patch, on_github: GitHub, tools: Repository
) -> None:
    patch(source, {"import_repo_description": True})
    tools.description = "Better things"
    on_github.fail("/repos/ada/tools$", BAD_GATEWAY, times=9)
    answer = patch(source, {"import_repo_description": True, "notes": "kept"})
    assert answer.status_code == 200
    after = answer.json()
    assert (after["repo_description"], after["notes"]) == ("Useful things", "kept")
    assert "502" in after["last_error"]
    assert after["scan_status"] == "success"


def test_a_host_that_is_slow_is_waited_for_no_longer_than_five_seconds(
    source: Source, patch: Patch, on_github: GitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("marketplace.operations.sources.DESCRIBE_SECONDS", 0.3)
    on_github.fail("/repos/ada/tools", Stall(3), times=9)
    started = timezone.now()
    after = patch(source, {"import_repo_readme": True, "import_repo_description": True}).json()
    assert timezone.now() - started < timedelta(seconds=2)
    assert "did not finish within" in after["last_error"]


def test_no_readme_is_no_error(source: Source, patch: Patch, tools: Repository) -> None:
    tools.commit({"README.md": None})
    after = patch(source, {"import_repo_readme": True}).json()
    assert (after["repo_readme"], after["last_error"]) == (None, None)


# The limit of rescans


def finished(source: Source, ago: timedelta, **values: Any) -> Job:
    ended = timezone.now() - ago
    defaults = {"status": JobStatus.SUCCEEDED, "finished_at": ended, "started_at": ended}
    return JobFactory(source=source, **defaults | values)


def rescan(api: APIClient, source: Source, **body: Any) -> Answer:
    return api.post(url(source, "/rescan"), body)


def test_a_second_rescan_within_five_minutes_is_too_soon(project: Any, api: APIClient) -> None:
    source = SourceFactory()
    finished(source, timedelta(seconds=100))
    for body in ({}, {"force": True}):
        answer = rescan(api, source, **body)
        assert answer.status_code == 429
        assert 198 <= int(answer["Retry-After"]) <= 200
        assert answer.json()["retry_after"] == int(answer["Retry-After"])
        assert answer.json()["type"] == "/problems/rescan_too_soon"
    assert Job.objects.live().count() == 0


def test_after_five_minutes_a_rescan_is_queued(project: Any, api: APIClient) -> None:
    source = SourceFactory()
    finished(source, timedelta(seconds=301))
    assert rescan(api, source).status_code == 202


def test_the_interval_is_a_setting(project: Any, api: APIClient, settings: Any) -> None:
    settings.SKILLMEAT_RESCAN_MIN_INTERVAL = 10
    source = SourceFactory()
    finished(source, timedelta(seconds=11))
    assert rescan(api, source).status_code == 202


def test_without_an_interval_even_a_scan_that_ends_meanwhile_is_no_limit(
    project: Any, api: APIClient, settings: Any
) -> None:
    settings.SKILLMEAT_RESCAN_MIN_INTERVAL = 0
    source = SourceFactory()
    finished(source, timedelta(seconds=-1))
    assert rescan(api, source).status_code == 202


@pytest.mark.parametrize(
    "values",
    [
        {"trigger": Trigger.CREATE},
        {"trigger": Trigger.COMMAND},
        {"trigger": Trigger.SCHEDULE},
        {"status": JobStatus.FAILED},
        {"status": JobStatus.CANCELLED},
    ],
    ids=lambda values: "-".join(values.values()),
)
def test_other_scans_do_not_count(project: Any, api: APIClient, values: dict[str, Any]) -> None:
    source = SourceFactory()
    finished(source, timedelta(seconds=1), **values)
    assert rescan(api, source).status_code == 202


def test_superusers_are_not_limited_and_do_not_count(
    member: Member, client_of: Client, multi_user: None
) -> None:
    source = SourceFactory()
    root = member(None, is_superuser=True)
    finished(source, timedelta(seconds=1), started_by=root)
    assert rescan(client_of(member(Role.EDITOR)), source).status_code == 202
    Job.objects.live().update(
        status=JobStatus.SUCCEEDED, started_at=timezone.now(), finished_at=timezone.now()
    )
    assert rescan(client_of(member(Role.EDITOR)), source).status_code == 429
    assert rescan(client_of(root), source).status_code == 202


@pytest.mark.parametrize("name", ["ref", "root_hint", "manual_map", "enable_frontmatter_detection"])
def test_a_decisive_change_lifts_the_limit(project: Any, api: APIClient, patch: Patch, name: str) -> None:
    source = SourceFactory()
    finished(source, timedelta(seconds=1))
    assert patch(source, {name: CHANGES[name]}).status_code == 200
    assert rescan(api, source).status_code == 202


def test_another_change_does_not_lift_the_limit(project: Any, api: APIClient, patch: Patch) -> None:
    source = SourceFactory()
    finished(source, timedelta(seconds=1))
    patch(source, {"notes": "x", "tags": ["x"], "ref": source.ref, "manual_map": {}})
    assert rescan(api, source).status_code == 429


def test_a_running_scan_is_a_conflict_before_it_is_too_soon(project: Any, api: APIClient) -> None:
    source = SourceFactory()
    finished(source, timedelta(seconds=1))
    JobFactory(source=source)
    assert rescan(api, source).status_code == 409


# Exclusions


def exclusion(entry: Entry) -> str:
    return f"/api/v1/marketplace/artifacts/{entry.public_id}/exclude"


def test_an_excluded_artifact_is_not_listed_nor_counted(api: APIClient, source: Source) -> None:
    entry = source.entries.get(name="pdf")
    answer = api.post(exclusion(entry), {"reason": "outdated"})
    assert answer.status_code == 200
    shown = answer.json()
    assert (shown["excluded_reason"], shown["id"]) == ("outdated", entry.public_id)
    assert shown["excluded_at"]
    assert fresh(source).counts_by_type == {"command": 1, "skill": 1}
    listed = api.get(url(source, "/artifacts")).json()["items"]
    assert {item["name"] for item in listed} == {"csv", "deploy"}
    excluded = api.get(url(source, "/artifacts"), {"excluded": "true"}).json()["items"]
    assert [item["name"] for item in excluded] == ["pdf"]


def test_a_restored_artifact_is_as_before(api: APIClient, source: Source) -> None:
    entry = source.entries.get(name="pdf")
    before = api.get(exclusion(entry).removesuffix("/exclude")).json()
    api.post(exclusion(entry))
    answer = api.delete(exclusion(entry))
    assert (answer.status_code, answer.json()) == (200, before)
    assert fresh(source).counts_by_type == {"command": 1, "skill": 2}
    assert api.delete(exclusion(entry)).status_code == 404
    assert [event.verb for event in AuditEvent.objects.order_by("id")][-2:] == [
        "entry.excluded",
        "entry.restored",
    ]


def test_excluding_again_changes_the_reason_alone(api: APIClient, project: Any) -> None:
    entry = EntryFactory()
    first = api.post(exclusion(entry), {"reason": "old"}).json()
    second = api.post(exclusion(entry), {"reason": None}).json()
    assert (second["excluded_at"], second["excluded_reason"]) == (first["excluded_at"], None)


def test_an_exclusion_survives_rescans(api: APIClient, source: Source, scan: Scan, tools: Repository) -> None:
    api.post(exclusion(source.entries.get(name="pdf")))
    tools.commit({"skills/pdf/SKILL.md": FILES["skills/csv/SKILL.md"]})
    scan(source)
    assert source.entries.exclude(excluded_at=None).count() == 1
    assert fresh(source).artifact_count == 2


@pytest.mark.parametrize(
    ("body", "status"),
    [({"reason": "x" * 501}, 422), ({"reason": 5}, 400), ({"why": "x"}, 400), ([], 400)],
)
def test_an_exclusion_that_makes_no_sense(project: Any, api: APIClient, body: Any, status: int) -> None:
    assert api.post(exclusion(EntryFactory()), body).status_code == status


def test_who_may_exclude(member: Member, client_of: Client, multi_user: None) -> None:
    entry = EntryFactory()
    for role, status in ((None, 404), (Role.VIEWER, 403), (Role.EDITOR, 200)):
        assert client_of(member(role)).post(exclusion(entry)).status_code == status


# Pasted links


def infer(api: APIClient, body: Any) -> Answer:
    return api.post("/api/v1/marketplace/infer-url", body)


def test_a_link_is_understood(api: APIClient, on_github: GitHub) -> None:
    for text in (f"{on_github.web_url}/ada/tools", f"{on_github.web_url}/ada/tools.git/"):
        assert infer(api, {"url": text}).json() == {
            "repo_url": f"{on_github.web_url}/ada/tools",
            "ref": None,
            "root_hint": None,
        }
    assert on_github.requests == []


@pytest.mark.parametrize(
    ("rest", "ref", "root"),
    [
        ("tree/main/skills/pdf", "main", "skills/pdf"),
        ("tree/feature/new/skills", "feature/new", "skills"),
        ("tree/feature/new", "feature/new", None),
        ("blob/feature/new/skills/pdf/SKILL.md", "feature/new", "skills/pdf"),
        ("tree/gone/skills", "gone", "skills"),
        ("pull/3", None, None),
    ],
)
def test_branches_with_slashes_are_told_from_directories(
    api: APIClient, tools: Repository, on_github: GitHub, rest: str, ref: str | None, root: str | None
) -> None:
    tools.commit({"x": b""}, branch="feature/new")
    answer = infer(api, {"repo_url": f"{on_github.web_url}/ada/tools/{rest}"})
    assert answer.status_code == 200
    assert (answer.json()["ref"], answer.json()["root_hint"]) == (ref, root)


def test_a_host_that_cannot_be_asked_is_no_error(
    api: APIClient, tools: Repository, on_github: GitHub
) -> None:
    on_github.fail("/commits/", BAD_GATEWAY, times=9)
    answer = infer(api, {"url": f"{on_github.web_url}/ada/tools/tree/feature/new"})
    assert (answer.json()["ref"], answer.json()["root_hint"]) == ("feature", "new")


@pytest.mark.parametrize(
    "body",
    [{}, {"url": "https://example.org/a/b"}, {"url": 5}, {"url": ""}, {"url": "a/b", "repo_url": "a/b"}],
)
def test_what_is_no_link_to_a_repository_cannot_be_read(api: APIClient, project: Any, body: Any) -> None:
    answer = infer(api, body)
    assert answer.status_code in {400, 422}
    assert pointers(answer)[0] in {"/url", "/repo_url"}


def test_a_create_goes_by_the_link_as_it_stands(create: Create, tools: Repository) -> None:
    assert create(ref="main").root_hint == ""


def test_a_source_that_is_deleted_while_it_is_changed_is_gone(member: Member) -> None:
    source = SourceFactory()
    Source.objects.filter(pk=source.pk).delete()
    with pytest.raises(SourceGone, match="was deleted meanwhile"):
        sources.change(source=source, changes={"notes": "x"}, by=member(Role.ADMIN), at=timezone.now())
