"""`POST /collections/{id}/refresh`: what is compared, taken over and reported, and what it costs at GitHub."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.forms.models import model_to_dict
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from collections_app.drift import Mode, Options
from collections_app.models import Artifact, Collection, RefreshRun
from collections_app.operations import refreshes
from marketplace.models import Blob, Entry, Source
from skillmeat_site.accounts.models import Role, User
from skillmeat_site.audit.models import AuditEvent
from tests.collections_app.conftest import AddSource, Import, Rescan
from tests.factories import ArtifactFactory, CollectionFactory, RefreshRunFactory
from tests.github.faults import BAD_GATEWAY, Respond, Stall
from tests.github.repositories import Repository
from tests.github.server import GitHub
from tests.scanning import rows, skill

Client = Callable[..., APIClient]
Member = Callable[..., User]
Refresh = Callable[..., Any]
NEW_PDF = {"skills/pdf/SKILL.md": b"---\nname: pdf\ndescription: Newer.\nlicense: MIT\n---\nRead it.\n"}
NOTHING = {"refreshed_count": 0, "unchanged_count": 0, "skipped_count": 0, "error_count": 0}


def url(collection: Collection, what: str = "refresh") -> str:
    return f"/api/v1/collections/{collection.public_id}/{what}"


@pytest.fixture
def refresh(api: APIClient) -> Refresh:
    """Refreshes through the API; the body of the 200."""

    def run(collection: Collection, mode: str = "metadata", **body: Any) -> Any:
        answer = api.post(url(collection), {"mode": mode} | body)
        assert answer.status_code == 200, answer.json()
        return answer.json()

    return run


def counts(answer: Any) -> dict[str, int]:
    return {name: answer["result"][name] for name in NOTHING}


def entry_of(answer: Any, name: str) -> Any:
    return next(each for each in answer["result"]["entries"] if each["name"] == name)


def state(collection: Collection) -> list[dict[str, Any]]:
    return [model_to_dict(each) for each in collection.artifacts.order_by("id")]


# --- Costs ---


def test_nothing_changed_is_one_request_for_each_repository(
    add_source: AddSource, import_all: Import, refresh: Refresh, on_github: GitHub
) -> None:
    for name in ("a", "b", "c"):
        files = {f"skills/{name}{n}/SKILL.md": skill(f"{name}{n}") for n in range(10)}
        import_all(add_source(f"ada/{name}", files))
    on_github.requests.clear()
    collection = Collection.objects.get()
    quota = on_github.quota.remaining
    for mode in ("metadata", "check", "sync", "metadata"):
        answer = refresh(collection, mode)
        assert (answer["status"], counts(answer)) == ("success", NOTHING | {"unchanged_count": 30})
        assert len(on_github.requests) == 3
        on_github.requests.clear()
    assert on_github.quota.remaining == quota  # conditional requests cost nothing


def test_a_refresh_costs_the_same_queries_however_many_artifacts_it_looks_at(
    add_source: AddSource, import_all: Import, refresh: Refresh, on_github: GitHub
) -> None:
    costs: dict[int, list[int]] = {3: [], 18: []}
    for size, queries in costs.items():
        many = Repository(
            "ada", f"of-{size}", {f"skills/{n}/SKILL.md": skill(f"s{size}-{n}") for n in range(size)}
        )
        on_github.add(many)
        collection = CollectionFactory()
        import_all(add_source(f"ada/of-{size}"), collection=collection.public_id)
        for changes in ({}, {f"skills/{n}/SKILL.md": skill(f"s{size}-{n}", "Better.") for n in range(size)}):
            many.commit(changes)
            for mode in ("check", "metadata", "sync"):
                with CaptureQueriesContext(connection) as captured:
                    refresh(collection, mode)
                queries.append(len(captured))
    assert costs[3] == costs[18]


def test_after_a_sync_nothing_is_asked_twice(
    collection: Collection, tools: Repository, refresh: Refresh, on_github: GitHub
) -> None:
    tools.commit(NEW_PDF)
    refresh(collection, "sync")
    assert len(on_github.requests) == 3  # commit, tree, the one changed document
    on_github.requests.clear()
    quota = on_github.quota.remaining
    assert counts(refresh(collection, "sync")) == NOTHING | {"unchanged_count": 3}
    assert len(on_github.requests) == 1
    assert on_github.quota.remaining == quota


def test_two_sources_of_one_repository_are_asked_once(
    add_source: AddSource,
    source: Source,
    import_all: Import,
    tools: Repository,
    refresh: Refresh,
    on_github: GitHub,
) -> None:
    import_all(source, only="csv")
    import_all(add_source(root_hint="skills"), only="pdf")
    collection = Collection.objects.get()
    tools.commit(NEW_PDF)
    assert counts(refresh(collection)) == NOTHING | {"unchanged_count": 1, "refreshed_count": 1}
    assert len([path for path in on_github.paths if "/commits/" in path]) == 1
    assert len([path for path in on_github.paths if "/git/trees/" in path]) == 1


def test_what_a_later_scan_has_found_is_not_asked_again(
    collection: Collection,
    source: Source,
    tools: Repository,
    rescan: Rescan,
    refresh: Refresh,
    on_github: GitHub,
) -> None:
    tools.commit(NEW_PDF)
    rescan(source)
    answer = refresh(collection, "sync")
    assert entry_of(answer, "pdf")["outcome"] == "refreshed"
    assert len(on_github.requests) == 1


# --- Modes ---


def test_metadata_takes_over_the_words_and_no_content(
    pdf: Artifact, collection: Collection, tools: Repository, refresh: Refresh
) -> None:
    head = tools.commit(NEW_PDF)
    answer = refresh(collection)
    assert counts(answer) == NOTHING | {"refreshed_count": 1, "unchanged_count": 2}
    entry = entry_of(answer, "pdf")
    assert entry == {
        "artifact_uuid": str(pdf.pk),
        "type": "skill",
        "name": "pdf",
        "outcome": "refreshed",
        "changes": [
            {"field": "description", "old": "Use it when pdf is needed.", "new": "Newer."},
            {"field": "license", "old": "", "new": "MIT"},
        ],
        "reason": None,
        "error": None,
        "current_sha": pdf.current.commit,
        "upstream_sha": head,
        "update_available": True,
    }
    pdf.refresh_from_db()
    assert (pdf.description, pdf.license, pdf.versions.count()) == ("Newer.", "MIT", 1)


def test_sync_makes_a_new_version(
    pdf: Artifact, collection: Collection, tools: Repository, refresh: Refresh, api: APIClient
) -> None:
    head = tools.commit(NEW_PDF)
    entry = entry_of(refresh(collection, "sync"), "pdf")
    assert [change["field"] for change in entry["changes"]] == ["description", "license", "content"]
    assert (entry["current_sha"], entry["upstream_sha"], entry["update_available"]) == (head, head, False)
    versions = api.get(f"/api/v1/artifacts/{pdf.pk}/versions").json()["items"]
    assert [(each["number"], each["reason"], each["commit"]) for each in versions] == [
        (2, "sync", head),
        (1, "import", pdf.current.commit),
    ]
    files = f"/api/v1/artifacts/{pdf.pk}/files/SKILL.md"
    assert api.get(files).content == NEW_PDF["skills/pdf/SKILL.md"]
    assert b"It reads files." in api.get(f"{files}?version=1").content


@pytest.mark.parametrize("body", [{"mode": "check"}, {"mode": "sync", "dry_run": True}])
def test_a_check_or_dry_run_reports_and_changes_nothing(
    collection: Collection, tools: Repository, refresh: Refresh, body: dict[str, Any]
) -> None:
    tools.commit(NEW_PDF)
    before, blobs = state(collection), Blob.objects.count()
    answer = refresh(collection, **body)
    entry = entry_of(answer, "pdf")
    assert [change["field"] for change in entry["changes"]] == ["description", "license", "content"]
    assert entry["update_available"] is True
    assert (state(collection), Blob.objects.count()) == (before, blobs)


def test_the_catalogue_is_not_written(
    collection: Collection, source: Source, tools: Repository, refresh: Refresh
) -> None:
    tools.commit(NEW_PDF)
    before, sha = rows(source), source.resolved_sha
    refresh(collection, "sync")
    source.refresh_from_db()
    assert (rows(source), source.resolved_sha) == (before, sha)


def test_what_people_edited_is_kept(
    pdf: Artifact, collection: Collection, tools: Repository, refresh: Refresh, api: APIClient
) -> None:
    api.patch(f"/api/v1/artifacts/{pdf.pk}", {"description": "Ours"})
    tools.commit(NEW_PDF)
    entry = entry_of(refresh(collection), "pdf")
    assert [change["field"] for change in entry["changes"]] == ["license"]
    pdf.refresh_from_db()
    assert pdf.description == "Ours"


def test_new_content_over_an_edit_is_a_conflict_unless_forced(
    pdf: Artifact, collection: Collection, tools: Repository, refresh: Refresh, api: APIClient
) -> None:
    api.patch(f"/api/v1/artifacts/{pdf.pk}", {"description": "Ours"})
    tools.commit(NEW_PDF)
    answer = refresh(collection, "sync")
    entry = entry_of(answer, "pdf")
    assert (entry["outcome"], entry["changes"], entry["update_available"]) == ("conflict", [], True)
    assert counts(answer) == NOTHING | {"skipped_count": 1, "unchanged_count": 2}
    pdf.refresh_from_db()
    assert (pdf.description, pdf.versions.count()) == ("Ours", 1)
    assert entry_of(refresh(collection, "sync", force=True), "pdf")["outcome"] == "refreshed"
    pdf.refresh_from_db()
    assert (pdf.description, pdf.edited_fields, pdf.versions.count()) == ("Newer.", [], 2)


def test_a_rollback_stays_until_upstream_goes_on(
    pdf: Artifact, collection: Collection, tools: Repository, refresh: Refresh, api: APIClient
) -> None:
    tools.commit(NEW_PDF)
    refresh(collection, "sync")
    assert api.post(f"/api/v1/artifacts/{pdf.pk}/rollback", {"version": 1}).status_code == 200
    entry = entry_of(refresh(collection, "sync"), "pdf")
    assert (entry["outcome"], entry["update_available"]) == ("unchanged", True)
    tools.commit({"skills/pdf/more.md": b"More\n"})
    assert entry_of(refresh(collection, "sync"), "pdf")["outcome"] == "conflict"


def test_nothing_is_made_blank(
    pdf: Artifact, collection: Collection, tools: Repository, refresh: Refresh
) -> None:
    tools.commit({"skills/pdf/SKILL.md": b"---\nname: pdf\n---\n"})
    refresh(collection, "sync")
    pdf.refresh_from_db()
    assert pdf.description == "Use it when pdf is needed."


def test_fields_and_filters_narrow_what_is_refreshed(
    collection: Collection, tools: Repository, refresh: Refresh, on_github: GitHub
) -> None:
    tools.commit(NEW_PDF | {"skills/csv/SKILL.md": NEW_PDF["skills/pdf/SKILL.md"].replace(b"pdf", b"csv")})
    answer = refresh(collection, fields=["license"], artifact_filter={"type": "skills", "name_pattern": "P*"})
    (entry,) = answer["result"]["entries"]
    assert [change["field"] for change in entry["changes"]] == ["license"]
    on_github.requests.clear()
    assert refresh(collection, artifact_filter={"type": "hook"})["result"]["entries"] == []
    assert on_github.requests == []
    # What was left out then is taken over now, although nothing is new upstream.
    assert entry_of(refresh(collection), "pdf")["changes"][0]["field"] == "description"


def test_an_artifact_that_is_gone_upstream_is_skipped_and_kept(
    pdf: Artifact, collection: Collection, tools: Repository, refresh: Refresh, on_github: GitHub
) -> None:
    tools.commit({"skills/pdf/SKILL.md": None})
    for _ in range(2):
        on_github.requests.clear()
        answer = refresh(collection, "sync")
        entry = entry_of(answer, "pdf")
        assert (entry["outcome"], entry["update_available"]) == ("skipped", False)
        assert "not in the repository" in entry["reason"]
        assert answer["status"] == "success"
    assert len(on_github.requests) == 1
    tools.commit(NEW_PDF)
    assert entry_of(refresh(collection, "sync"), "pdf")["outcome"] == "refreshed"


PDF = {"skills/pdf/SKILL.md": None, "documents/pdf/SKILL.md": skill("pdf")}


@pytest.mark.parametrize("is_orphan", [False, True])
def test_what_moved_upstream_is_followed_before_any_scan(
    collection: Collection,
    source: Source,
    tools: Repository,
    refresh: Refresh,
    api: APIClient,
    is_orphan: bool,
) -> None:
    if is_orphan:
        api.delete(f"/api/v1/marketplace/sources/{source.public_id}")
    tools.commit(PDF)
    for _ in range(2):
        assert counts(refresh(collection)) == NOTHING | {"unchanged_count": 3}
    tools.commit({"documents/pdf/SKILL.md": skill("pdf", "Better.")})
    assert entry_of(refresh(collection, "sync"), "pdf")["outcome"] == "refreshed"
    pdf = collection.artifacts.get(name="pdf")
    assert (pdf.versions.count(), pdf.origin_path) == (2, "documents/pdf")


def test_a_copy_that_was_always_there_is_not_where_something_has_moved(
    add_source: AddSource, import_all: Import, refresh: Refresh, on_github: GitHub
) -> None:
    twins = Repository("ada", "twins", {f"{place}/pdf/SKILL.md": skill("pdf") for place in ("a", "b")})
    on_github.add(twins)
    import_all(add_source("ada/twins"))  # the second is skipped as identical
    twins.commit({"a/pdf/SKILL.md": None})
    answer = refresh(Collection.objects.get(), "sync")
    assert "not in the repository" in entry_of(answer, "pdf")["reason"]


def test_without_its_source_a_repository_is_read_as_the_source_said(
    add_source: AddSource, import_all: Import, refresh: Refresh, api: APIClient, on_github: GitHub
) -> None:
    notes = Repository("ada", "notes", {"prompts/review.md": b"Review it.\n"})
    on_github.add(notes)
    source = add_source("ada/notes", manual_map={"prompts": "command"})
    import_all(source)
    api.delete(f"/api/v1/marketplace/sources/{source.public_id}")
    notes.commit({"prompts/review.md": b"Review it twice.\n"})
    answer = refresh(Collection.objects.get(), "sync")
    assert counts(answer) == NOTHING | {"refreshed_count": 1}


def test_an_artifact_without_its_source_is_asked_by_its_origin(
    collection: Collection,
    source: Source,
    tools: Repository,
    refresh: Refresh,
    api: APIClient,
    on_github: GitHub,
) -> None:
    api.delete(f"/api/v1/marketplace/sources/{source.public_id}")
    assert counts(refresh(collection, "sync")) == NOTHING | {"unchanged_count": 3}
    assert len(on_github.requests) == 1
    tools.commit(NEW_PDF)
    assert entry_of(refresh(collection, "sync"), "pdf")["outcome"] == "refreshed"
    assert Entry.objects.count() == 0
    on_github.requests.clear()
    assert counts(refresh(collection, "sync")) == NOTHING | {"unchanged_count": 3}
    assert len(on_github.requests) == 1


def test_a_plugins_members_follow_its_content(
    add_source: AddSource, import_all: Import, refresh: Refresh, on_github: GitHub
) -> None:
    toolbox = Repository(
        "ada",
        "toolbox",
        {".claude-plugin/plugin.json": b'{"name": "toolbox"}', "skills/a/SKILL.md": skill("a")},
    )
    on_github.add(toolbox)
    import_all(add_source("ada/toolbox"), only="toolbox")
    collection = Collection.objects.get()
    toolbox.commit({"skills/b/SKILL.md": skill("b")})
    refresh(collection, "sync")
    assert [member["name"] for member in collection.artifacts.get().members] == ["a", "b"]


# --- Faults of the other side ---


def two_repositories(add_source: AddSource, import_all: Import) -> Collection:
    for name in ("one", "two"):
        import_all(add_source(f"ada/{name}", {f"skills/{name}/SKILL.md": skill(name)}))
    return Collection.objects.get()


def test_a_fault_of_github_is_an_entrys_error(
    add_source: AddSource, import_all: Import, refresh: Refresh, on_github: GitHub
) -> None:
    collection = two_repositories(add_source, import_all)
    on_github.fail("/repos/ada/one/", BAD_GATEWAY, times=9)
    answer = refresh(collection)
    assert answer["status"] == "partial"
    assert counts(answer) == NOTHING | {"error_count": 1, "unchanged_count": 1}
    entry = entry_of(answer, "one")
    assert entry["error"]["type"] == "/problems/repository_unavailable"
    assert entry["error"]["hint"]
    on_github.mend()
    on_github.fail("/repos/", Respond(404, b"{}"), times=99)
    assert refresh(collection)["status"] == "error"


def test_a_rate_limit_stops_the_asking_and_says_when_it_resets(
    add_source: AddSource, import_all: Import, refresh: Refresh, on_github: GitHub
) -> None:
    for n in range(12):
        import_all(add_source(f"ada/r{n:02}", {f"skills/s{n}/SKILL.md": skill(f"s{n}")}))
    on_github.requests.clear()
    on_github.quota.remaining = 0
    answer = refresh(Collection.objects.get())
    assert (answer["status"], counts(answer)) == ("error", NOTHING | {"skipped_count": 12})
    reset = time.strftime("%Y-%m-%dT%H:%M", time.gmtime(on_github.quota.reset))
    assert all(reset in each["reason"] for each in answer["result"]["entries"])
    assert len(on_github.requests) <= 8


def test_what_is_not_reached_in_time_is_skipped(
    add_source: AddSource, import_all: Import, on_github: GitHub
) -> None:
    collection = two_repositories(add_source, import_all)
    on_github.fail("/repos/ada/one/", Stall(20), times=9)
    began = time.monotonic()
    run = refreshes.refresh(collection=collection, options=Options(), by=None, at=timezone.now(), seconds=1)
    assert time.monotonic() - began < 5
    assert run.status == "partial"
    outcomes = {entry["name"]: (entry["outcome"], entry["reason"]) for entry in run.entries}
    assert outcomes["two"] == ("unchanged", None)
    assert outcomes["one"][0] == "skipped"
    assert "time of this refresh" in outcomes["one"][1]


def test_repositories_are_asked_a_few_at_a_time(
    add_source: AddSource, import_all: Import, refresh: Refresh, on_github: GitHub
) -> None:
    for n in range(4):
        import_all(add_source(f"ada/r{n}", {f"skills/s{n}/SKILL.md": skill(f"s{n}")}))
    on_github.fail("/commits/", Stall(1), times=4)
    began = time.monotonic()
    assert counts(refresh(Collection.objects.get())) == NOTHING | {"unchanged_count": 4}
    assert time.monotonic() - began < 3


# --- One at a time, kept and told ---


def test_while_a_refresh_runs_another_is_a_conflict(
    collection: Collection, api: APIClient, on_github: GitHub
) -> None:
    running = RefreshRunFactory(
        collection=collection,
        status="",
        finished_at=None,
        started_at=timezone.now(),
        alive_until=timezone.now() + timedelta(seconds=30),
    )
    answer = api.post(url(collection))
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/refresh_running")
    assert answer.json()["existing_id"] == running.public_id
    assert on_github.requests == []
    assert api.post(url(CollectionFactory())).status_code == 200


def test_a_refresh_whose_process_died_blocks_nobody_for_long(
    collection: Collection, refresh: Refresh
) -> None:
    now = timezone.now()
    dead = RefreshRunFactory(
        collection=collection,
        status="",
        finished_at=None,
        started_at=now - timedelta(seconds=90),
        alive_until=now - timedelta(seconds=30),
    )
    assert refresh(collection)["status"] == "success"
    dead.refresh_from_db()
    assert (dead.status, dead.finished_at is None) == ("error", False)


def test_a_refresh_that_counted_as_dead_saves_nothing(
    collection: Collection, tools: Repository, on_github: GitHub
) -> None:
    tools.commit(NEW_PDF)
    before = state(collection)
    run = refreshes._begin(collection, Options(mode=Mode.SYNC), by=None, at=timezone.now())
    RefreshRun.objects.update(status="error", finished_at=timezone.now())
    with pytest.raises(refreshes.RefreshLost):
        refreshes._carry_out(
            run, Options(mode=Mode.SYNC), seconds=5, usage=refreshes.Usage(), tick=lambda *_: None
        )
    assert state(collection) == before


def test_every_refresh_is_kept(collection: Collection, refresh: Refresh, api: APIClient) -> None:
    answer = refresh(collection, "check")
    (run,) = api.get(url(collection, "refreshes")).json()["items"]
    assert (run["mode"], run["status"], run["counts"]) == ("check", "success", counts(answer))
    assert run["request_id"] == answer["request_id"]
    shown = api.get(url(collection, f"refreshes/{run['id']}")).json()
    assert shown["entries"] == answer["result"]["entries"]
    assert api.get(url(CollectionFactory(), f"refreshes/{run['id']}")).status_code == 404


def test_a_refresh_is_logged_with_collection_and_duration(
    collection: Collection, refresh: Refresh, caplog: pytest.LogCaptureFixture
) -> None:
    took = refresh(collection)["took_ms"]
    (line,) = [each for each in caplog.records if each.message == "Collection refreshed"]
    assert (line.collection_id, line.duration_ms) == (collection.public_id, took)  # type: ignore[attr-defined]


def test_a_refresh_is_told_when_it_starts_and_when_it_has_ended(
    collection: Collection, refresh: Refresh
) -> None:
    before = AuditEvent.objects.count()
    refresh(collection, "sync")
    events = AuditEvent.objects.order_by("id")[before:]
    assert [event.verb for event in events] == ["refresh.requested", "collection.refreshed"]
    assert events[1].facts["unchanged_count"] == 3


# --- Requests ---


@pytest.mark.parametrize(
    ("name", "mode"),
    [("metadata_only", "metadata"), ("check_only", "check"), ("metadata", "metadata"), ("sync", "sync")],
)
def test_modes_have_short_and_long_names(project: Any, api: APIClient, name: str, mode: str) -> None:
    collection = CollectionFactory()
    assert api.post(url(collection), {"mode": name}).status_code == 200
    assert api.post(f"{url(collection)}?mode={name}").status_code == 200
    assert [run.options["mode"] for run in RefreshRun.objects.all()] == [mode, mode]


def test_the_querys_mode_wins_and_the_body_may_be_absent(project: Any, api: APIClient) -> None:
    collection = CollectionFactory()
    assert api.post(f"{url(collection)}?mode=check", {"mode": "sync"}).status_code == 200
    answer = api.post(url(collection))
    assert [run.options["mode"] for run in RefreshRun.objects.all()] == ["metadata", "check"]
    assert list(answer.json()) == ["status", "timestamp", "request_id", "result", "took_ms"]
    assert list(answer.json()["result"]) == [*NOTHING, "entries", "duration_ms"]
    assert answer.json()["request_id"] == answer["X-Request-ID"]
    assert answer.json()["timestamp"].endswith("Z")


@pytest.mark.parametrize(
    ("query", "body", "status", "pointer"),
    [
        ("?mode=all", {}, 400, "?mode"),
        ("?mode=", {}, 400, "?mode"),
        ("?dry_run=true", {}, 400, "?dry_run"),
        ("", {"mode": "all"}, 400, "/mode"),
        ("", {"mode": 5}, 400, "/mode"),
        ("", {"mode": None}, 400, "/mode"),
        ("", {"artifact_filter": {"path": "x"}}, 400, "/artifact_filter/path"),
        ("", {"artifact_filter": "skill"}, 400, "/artifact_filter"),
        ("", {"artifact_filter": {"type": "thing"}}, 422, "/artifact_filter/type"),
        ("", {"artifact_filter": {"name_pattern": "x" * 201}}, 422, "/artifact_filter/name_pattern"),
        ("", {"artifact_filter": {"name_pattern": 5}}, 400, "/artifact_filter/name_pattern"),
        ("", {"fields": ["name"]}, 422, "/fields/0"),
        ("", {"fields": "license"}, 400, "/fields"),
        ("", {"fields": []}, 422, "/fields"),
        ("", {"dry_run": "yes"}, 400, "/dry_run"),
        ("", {"force": 1}, 400, "/force"),
        ("", {"forced": True}, 400, "/forced"),
    ],
)
def test_a_refresh_that_cannot_be_read_or_makes_no_sense(
    project: Any, api: APIClient, query: str, body: Any, status: int, pointer: str
) -> None:
    answer = api.post(url(CollectionFactory()) + query, body)
    assert answer.status_code == status
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert RefreshRun.objects.count() == 0


def test_refreshing_is_an_editors_and_viewers_read(
    member: Member, client_of: Client, multi_user: None
) -> None:
    collection = CollectionFactory()
    clients = {role: client_of(member(role)) for role in (None, Role.VIEWER, Role.EDITOR)}
    assert {role: client.post(url(collection)).status_code for role, client in clients.items()} == {
        None: 404,
        Role.VIEWER: 403,
        Role.EDITOR: 200,
    }
    runs = {role: client.get(url(collection, "refreshes")).status_code for role, client in clients.items()}
    assert runs == {None: 404, Role.VIEWER: 200, Role.EDITOR: 200}


# --- What people do meanwhile ---


def test_what_is_edited_meanwhile_is_kept(pdf: Artifact, collection: Collection, tools: Repository) -> None:
    tools.commit(NEW_PDF)
    run = refreshes._begin(collection, Options(mode=Mode.SYNC), by=None, at=timezone.now())
    artifacts = refreshes._chosen(collection, Options())
    findings = refreshes.upstream.look(
        artifacts,
        Options(mode=Mode.SYNC),
        at=timezone.now(),
        seconds=5,
        usage=refreshes.Usage(),
        tick=lambda *_: None,
    )
    Artifact.objects.filter(pk=pdf.pk).update(description="Ours", edited_fields=["description"])
    collection.artifacts.get(name="csv").delete()
    Artifact.objects.filter(name="deploy").update(origin_locator="elsewhere")
    taking = refreshes.TakingOver(run, Options(mode=Mode.SYNC), artifacts, findings, at=timezone.now())
    outcomes = {entry["name"]: entry["outcome"] for entry in taking.apply()}
    assert outcomes == {"pdf": "conflict", "deploy": "skipped"}
    pdf.refresh_from_db()
    assert pdf.description == "Ours"


# --- What keeps a refresh alive, and what ends it ---


def test_a_refresh_that_goes_on_keeps_its_lease(project: Any) -> None:
    run = refreshes._begin(
        CollectionFactory(), Options(), by=None, at=timezone.now(), alive_until=timezone.now()
    )
    pulse = refreshes._Pulse(run)
    pulse()
    pulse._beaten_at -= refreshes.RENEW_AFTER_SECONDS
    pulse()
    run.refresh_from_db()
    assert run.alive_until
    assert run.alive_until > timezone.now() + timedelta(seconds=30)
    RefreshRun.objects.update(status="error", finished_at=timezone.now())
    pulse._beaten_at -= refreshes.RENEW_AFTER_SECONDS
    with pytest.raises(refreshes.RefreshLost):
        pulse()


def test_a_failure_of_our_own_leaves_nothing_that_blocks(project: Any, api: APIClient) -> None:
    collection = CollectionFactory()
    run = refreshes._begin(collection, Options(), by=None, at=timezone.now(), alive_until=timezone.now())
    with pytest.raises(RuntimeError), refreshes._given_up_on_failure(run):
        raise RuntimeError
    assert api.get(url(collection, "refreshes")).json()["items"][0]["status"] == "error"
    assert api.post(url(collection)).status_code == 200


def test_an_address_that_is_not_allowed_any_more_is_an_entrys_error(project: Any, refresh: Refresh) -> None:
    artifact = ArtifactFactory(entry=None, origin_url="file:///etc")
    answer = refresh(artifact.collection)
    assert answer["status"] == "error"
    assert entry_of(answer, artifact.name)["error"]["detail"]


def test_a_tree_that_makes_no_sense_is_an_entrys_error(
    collection: Collection, tools: Repository, refresh: Refresh, on_github: GitHub
) -> None:
    tools.commit(NEW_PDF)
    on_github.fail("/git/trees/", Respond(200, b'{"tree": 5}', {"Content-Type": "application/json"}), times=9)
    answer = refresh(collection, "sync")
    assert (answer["status"], counts(answer)) == ("error", NOTHING | {"error_count": 3})


def test_content_that_cannot_be_stored_whole_is_an_entrys_error(
    pdf: Artifact, collection: Collection, tools: Repository, refresh: Refresh, settings: Any
) -> None:
    settings.SKILLMEAT_MAX_FILE_BYTES = 1000
    tools.commit({"skills/pdf/data.bin": b"x" * 1001})
    entry = entry_of(refresh(collection, "sync"), "pdf")
    assert (entry["outcome"], entry["error"]["type"]) == ("error", "/problems/entry_incomplete")
    assert pdf.versions.count() == 1
