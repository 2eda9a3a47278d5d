"""`/api/v1/marketplace/sources`: what clients can do with sources, and how mistakes are told."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from marketplace.detection.vocabulary import ArtifactType
from marketplace.models import Entry, Source
from marketplace.operations import catalogue
from skillmeat_site.accounts.models import Membership, Project, Role, User
from skillmeat_site.audit.models import AuditEvent
from skillmeat_site.jobs.models import Job
from tests.factories import EntryFactory, JobFactory, ProjectFactory, SourceFactory
from tests.github.faults import BAD_GATEWAY, Respond
from tests.github.repositories import Repository
from tests.github.server import GitHub

URL = "/api/v1/marketplace/sources"
TOKEN = "ghp_0123456789abcdefABCDEF"
FILES = {"skills/pdf/SKILL.md": b"---\nname: pdf\ndescription: Use it for PDF files.\n---\nRead.\n"}
Post = Callable[..., Any]


@pytest.fixture
def tools(on_github: GitHub) -> Repository:
    repository = Repository("ada", "tools", FILES, description="Useful things", topics=("claude", "pdf"))
    on_github.add(repository)
    return repository


@pytest.fixture
def post(
    api: APIClient,
    on_github: GitHub,
    django_capture_on_commit_callbacks: Callable[..., AbstractContextManager[Any]],
) -> Post:
    """Posts a source of ada/tools, or what the keywords say; queue messages are really sent."""

    def send(client: APIClient = api, **body: Any) -> Any:
        with django_capture_on_commit_callbacks(execute=True):
            return client.post(URL, {"repo_url": f"{on_github.web_url}/ada/tools"} | body)

    return send


def names(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.json()
    return [item["repo_name"] for item in answer.json()["items"]]


def pointers(answer: Any) -> list[str]:
    return [error["pointer"] for error in answer.json()["errors"]]


# --- create ------------------------------------------------------------------------------------------


def test_a_created_source_is_being_scanned(post: Post, tools: Repository, api: APIClient) -> None:
    answer = post(tags=["Docs", "docs", "PDF"], rescan_interval=900)
    assert answer.status_code == 201
    source = answer.json()
    assert source["scan_status"] == "scanning"
    assert (source["owner"], source["repo_name"], source["ref"]) == ("ada", "tools", "main")
    assert source["tags"] == ["docs", "pdf"]
    assert (source["trust_level"], source["visibility"], source["project"]) == ("basic", "public", "default")
    assert answer["Location"] == f"{URL}/{source['id']}"
    assert api.get(answer["Location"]).json() == source
    job = Job.objects.get()
    assert (job.status, job.trigger, job.subject_public_id) == ("queued", "create", source["id"])


def test_create_asks_github_once(post: Post, tools: Repository, on_github: GitHub) -> None:
    post()
    assert on_github.paths == ["/repos/ada/tools"]


def test_create_writes_audit_events(post: Post, tools: Repository) -> None:
    post()
    assert AuditEvent.objects.get().verb == "source.created"


def test_the_default_branch_is_stored_by_its_name(post: Post, on_github: GitHub) -> None:
    on_github.add(Repository("ada", "tools", FILES, default_branch="trunk"))
    assert post().json()["ref"] == "trunk"


def test_description_and_topics_come_with_the_one_request(post: Post, tools: Repository) -> None:
    source = post(import_repo_description=True).json()
    assert source["repo_description"] == "Useful things"
    assert source["suggested_tags"] == ["claude", "pdf"]


def test_a_deep_link_gives_ref_and_root(post: Post, tools: Repository, on_github: GitHub) -> None:
    source = post(repo_url=f"{on_github.web_url}/ada/tools/tree/main/skills/pdf").json()
    assert (source["ref"], source["root_hint"]) == ("main", "skills/pdf")
    assert source["repo_url"] == f"{on_github.web_url}/ada/tools"


def test_what_is_said_wins_over_the_deep_link(post: Post, tools: Repository, on_github: GitHub) -> None:
    link = f"{on_github.web_url}/ada/tools/tree/main/skills"
    source = post(repo_url=link, ref="v1", root_hint="./agents/").json()
    assert (source["ref"], source["root_hint"]) == ("v1", "agents")


def test_nulls_and_empty_strings_are_as_good_as_absent(post: Post, tools: Repository) -> None:
    nothing = dict.fromkeys(
        ["ref", "root_hint", "access_token", "manual_map", "visibility", "description", "notes"], None
    )
    answer = post(**nothing, rescan_interval=None, project=None)
    assert answer.status_code == 201
    assert post(ref="", root_hint="", description="").status_code == 409


def test_a_manual_map_is_shown_in_one_form(post: Post, tools: Repository) -> None:
    source = post(manual_map={"./a/": ["mcp"], "b": "skills", "c": None}).json()
    assert source["manual_map"] == {"a": "mcp_server", "b": "skill", "c": None}


def test_a_type_that_is_none_is_told_with_its_directory(api: APIClient) -> None:
    body = {"repo_url": "https://github.com/ada/tools", "manual_map": {"a": "skill", "b/c": "spell"}}
    (error,) = api.post(URL, body).json()["errors"]
    assert (error["pointer"], error["code"]) == ("/manual_map", "invalid_choice")
    assert error["detail"].startswith("'b/c': Use one of: skill, ")


UNREADABLE: list[tuple[str, Any]] = [
    *[("/repo_url", value) for value in (None, 5, "", "nonsense", "https://example.org/a/b", ["x"])],
    *[("/ref", value) for value in (5, ["main"])],
    *[("/root_hint", value) for value in (5, {"a": 1})],
    ("/access_token", 5),
    *[("/manual_map", value) for value in ("skills", ["skills"], {"a": 5}, {"a": [5]})],
    *[("/trust_level", value) for value in (5, None)],
    ("/visibility", True),
    *[("/description", value) for value in (5, ["x"])],
    ("/notes", 5),
    *[("/enable_frontmatter_detection", value) for value in ("yes", 1, None)],
    *[("/indexing_enabled", value) for value in ("true", 0, None)],
    ("/import_repo_description", "false"),
    ("/import_repo_readme", None),
    *[("/rescan_interval", value) for value in ("900", 900.0, True)],
    *[("/tags", value) for value in ("docs", None, {"a": 1})],
    ("/tags/0", [5]),
    ("/tags/1", ["docs", None]),
    ("/project", 5),
    ("/unheard_of", 1),
]


@pytest.mark.parametrize(("pointer", "value"), UNREADABLE)
def test_what_cannot_be_read_is_400(api: APIClient, pointer: str, value: Any) -> None:
    body = {"repo_url": "https://github.com/ada/tools", pointer.split("/")[1]: value}
    answer = api.post(URL, body)
    assert answer.status_code == 400, answer.json()
    assert answer["Content-Type"] == "application/problem+json"
    assert pointers(answer) == [pointer]
    assert not Source.objects.exists()


SENSELESS: list[tuple[str, Any]] = [
    *[("/ref", value) for value in ("a" * 256, "a..b", "a b", "-x")],
    *[("/root_hint", value) for value in ("../x", "a/../b", "/etc", "a" * 501)],
    ("/access_token", "a" * 501),
    *[
        ("/manual_map", value)
        for value in ({"../a": "skill"}, {"a": "spell"}, {"/a": "skill"}, {"a": ["skill", "agent"]})
    ],
    *[("/trust_level", value) for value in ("best", "Basic", "")],
    ("/visibility", "secret"),
    ("/description", "a" * 501),
    ("/notes", "a" * 2001),
    *[("/rescan_interval", value) for value in (899, 0, -1, 10**12)],
    ("/tags", [f"t{number}" for number in range(21)]),
    ("/tags/0", ["a" * 51]),
    ("/tags/0", [""]),
]


@pytest.mark.parametrize(("pointer", "value"), SENSELESS)
def test_what_makes_no_sense_is_422(api: APIClient, pointer: str, value: Any) -> None:
    body = {"repo_url": "https://github.com/ada/tools", pointer.split("/")[1]: value}
    answer = api.post(URL, body)
    assert answer.status_code == 422, answer.json()
    assert pointers(answer) == [pointer]
    assert not Source.objects.exists()


def test_unreadable_and_senseless_at_once_is_400_with_both(api: APIClient) -> None:
    body = {"repo_url": "https://github.com/ada/tools", "description": "a" * 501, "notes": 5, "what": 1}
    answer = api.post(URL, body)
    assert answer.status_code == 400
    assert set(pointers(answer)) == {"/description", "/notes", "/what"}


def test_a_missing_repo_url_is_400(api: APIClient) -> None:
    answer = api.post(URL, {})
    assert (answer.status_code, pointers(answer)) == (400, ["/repo_url"])


@pytest.mark.parametrize("body", ["", "{", "[]", '"x"', "null", "NaN"])
def test_a_body_that_is_no_object_is_400(api: APIClient, body: str) -> None:
    assert api.post(URL, body, content_type="application/json").status_code == 400


def test_a_form_is_no_json(api: APIClient) -> None:
    assert api.post(URL, "repo_url=x", content_type="application/x-www-form-urlencoded").status_code == 415


@pytest.mark.parametrize("spelling", ["ADA/Tools", "ada/tools.git", "ada/tools/", "ada/tools/tree/main"])
def test_another_spelling_of_the_same_repository_is_a_conflict(
    post: Post, tools: Repository, on_github: GitHub, spelling: str
) -> None:
    first = post().json()
    answer = post(repo_url=f"{on_github.web_url}/{spelling}")
    assert answer.status_code == 409
    assert answer.json()["existing_id"] == first["id"]
    assert Source.objects.count() == Job.objects.count() == 1


@pytest.mark.parametrize("other", [{"ref": "v1"}, {"root_hint": "skills"}])
def test_another_ref_or_root_is_another_source(post: Post, tools: Repository, other: dict[str, str]) -> None:
    post()
    assert post(**other).status_code == 201


@pytest.mark.parametrize(("key", "status"), [("a\ud800", 400), ("a\0b", 422)])
def test_a_directory_that_no_database_can_keep_is_refused(
    api: APIClient, on_github: GitHub, key: str, status: int
) -> None:
    body = json.dumps({"repo_url": f"{on_github.web_url}/ada/tools", "manual_map": {key: "skill"}})
    assert api.post(URL, body, content_type="application/json").status_code == status
    assert names(api.get(URL)) == []


def test_a_tag_has_fifty_characters_at_most_as_it_is_stored(post: Post, tools: Repository) -> None:
    answer = post(tags=["\u0130" * 50])
    assert answer.status_code == 422 or max(map(len, answer.json()["tags"])) <= 50


@pytest.mark.parametrize("token", ["gh\u00fc", "a b", "a\nb"])
def test_an_access_token_that_cannot_be_is_422(post: Post, tools: Repository, token: str) -> None:
    assert post(access_token=token).status_code == 422


def test_another_host_is_400(post: Post) -> None:
    answer = post(repo_url="http://127.0.0.1:9/none/none")
    assert answer.status_code == 400  # not the host that this server reads


def test_a_repository_that_github_does_not_know_is_422(post: Post, on_github: GitHub) -> None:
    answer = post(repo_url=f"{on_github.web_url}/ada/nothing")
    assert answer.status_code == 422
    assert answer.json()["type"] == "/problems/repository_not_found"
    assert "access_token" in answer.json()["hint"]
    assert not Source.objects.exists()


def test_while_github_is_down_the_source_is_made_and_its_job_tells(
    post: Post, settings: Any, on_github: GitHub, api: APIClient, drain: Callable[[], int]
) -> None:
    settings.SKILLMEAT_GITHUB_API_URL = "http://127.0.0.1:9/api/v3"
    answer = post()
    assert (answer.status_code, answer.json()["ref"]) == (201, "main")
    drain()
    source = api.get(answer["Location"]).json()
    assert source["scan_status"] == "error"
    assert "GitHub" in source["last_error"]
    assert source["artifact_count"] == 0
    assert names(api.get(URL)) == ["tools"]


@pytest.mark.parametrize("fault", [BAD_GATEWAY, Respond(403, b"{}"), Respond(200, b"[]")])
def test_a_github_in_trouble_is_no_error_of_create(
    post: Post, tools: Repository, on_github: GitHub, fault: Any
) -> None:
    on_github.fail("/repos/ada/tools$", fault)
    assert post().status_code == 201


# --- the access token ----------------------------------------------------------------------------------


def stored(source_id: str) -> str:
    """The whole row as the database has it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM marketplace_source WHERE id = %s", [raw_id(source_id)])
        return repr(cursor.fetchone())


def raw_id(source_id: str) -> Any:
    key = Source.decode(source_id)
    assert key
    return key.hex if connection.vendor == "sqlite" else key


@pytest.fixture
def private(on_github: GitHub) -> Repository:
    repository = Repository("ada", "tools", FILES, private=True, tokens=frozenset({TOKEN}))
    on_github.add(repository)
    return repository


def test_the_access_token_opens_a_private_repository(
    post: Post, private: Repository, api: APIClient, drain: Callable[[], int]
) -> None:
    answer = post(access_token=TOKEN)
    assert (answer.status_code, answer.json()["visibility"]) == (201, "private")
    drain()
    assert api.get(answer["Location"]).json()["counts_by_type"] == {"skill": 1}


def test_without_the_token_a_private_repository_does_not_exist(post: Post, private: Repository) -> None:
    assert post().json()["type"] == "/problems/repository_not_found"


def test_the_access_token_is_kept_encrypted_and_erased_after_the_scan(
    post: Post, private: Repository, drain: Callable[[], int]
) -> None:
    source_id = post(access_token=TOKEN).json()["id"]
    assert Source.objects.get().access_token
    assert TOKEN not in stored(source_id)
    drain()
    assert Source.objects.get().access_token == ""


def test_the_access_token_is_erased_after_a_failed_scan(
    post: Post, private: Repository, on_github: GitHub, drain: Callable[[], int]
) -> None:
    post(access_token=TOKEN)
    on_github.fail("/commits/", BAD_GATEWAY, times=3)
    drain()
    assert Job.objects.get().status == "failed"
    assert Source.objects.get().access_token == ""


def test_the_access_token_is_in_no_answer_log_or_message(
    post: Post, private: Repository, api: APIClient, drain: Callable[[], int], caplog: Any
) -> None:
    caplog.set_level("DEBUG")
    said = [post(access_token=TOKEN).content]
    said += [post(access_token=TOKEN).content, post(access_token=TOKEN, notes=5).content]
    drain()
    said += [api.get(url).content for url in (URL, "/api/v1/jobs")]
    assert TOKEN.encode() not in b"".join(said)
    assert TOKEN not in caplog.text
    assert TOKEN not in json.dumps(list(AuditEvent.objects.values()), default=str)
    assert "access_token" not in json.loads(said[0])


def test_a_refused_token_is_in_no_error(post: Post, private: Repository) -> None:
    answer = post(access_token="wrong-token", description="x" * 501)
    assert b"wrong-token" not in answer.content


# --- read ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", ["nonsense", "src_", "src_" + "0" * 26, "job_" + "0" * 26, "%00", "1"])
def test_an_id_of_nothing_is_404(api: APIClient, wrong: str) -> None:
    SourceFactory()
    for url in (f"{URL}/{wrong}", f"{URL}/{wrong}/artifacts", f"{URL}/{wrong}/jobs"):
        assert api.get(url).status_code == 404
    assert api.delete(f"{URL}/{wrong}").status_code == 404
    assert api.post(f"{URL}/{wrong}/rescan").status_code == 404


def test_the_upper_case_of_an_id_and_a_trailing_slash_are_404(api: APIClient) -> None:
    source = SourceFactory()
    assert api.get(f"{URL}/{source.public_id}").status_code == 200
    assert api.get(f"{URL}/{source.public_id}/").status_code == 404
    assert api.get(f"{URL}/{source.public_id.upper()}").status_code == 404


def test_a_source_shows_what_is_promised(api: APIClient) -> None:
    source = SourceFactory(counts_by_type={"skill": 2}, artifact_count=2)
    shown = api.get(f"{URL}/{source.public_id}").json()
    assert " ".join(shown) == (
        "id repo_url owner repo_name ref root_hint trust_level visibility scan_status artifact_count "
        "last_sync_at last_error created_at updated_at description notes enable_frontmatter_detection "
        "manual_map repo_description repo_readme tags suggested_tags counts_by_type indexing_enabled "
        "last_indexed_at rescan_interval next_rescan_at resolved_sha project"
    )
    assert shown["created_at"] == "2026-01-02T03:04:05Z"
    assert (shown["counts_by_type"], shown["last_error"]) == ({"skill": 2}, None)


@pytest.mark.parametrize(
    ("outcome", "live", "status"),
    [
        ("", False, "pending"),
        ("success", False, "success"),
        ("error", False, "error"),
        ("error", True, "scanning"),
    ],
)
def test_the_scan_status_follows_from_facts(api: APIClient, outcome: str, live: bool, status: str) -> None:  # noqa: FBT001, RUF100
    source = SourceFactory(outcome=outcome)
    JobFactory(source=source, status="succeeded", finished_at=datetime(2026, 1, 1, tzinfo=UTC))
    if live:
        JobFactory(source=source, status="running")
    assert api.get(f"{URL}/{source.public_id}").json()["scan_status"] == status
    assert names(api.get(URL, {"scan_status": status})) == [source.repo_name]


# --- list ------------------------------------------------------------------------------------------------


def test_the_newest_source_comes_first(api: APIClient) -> None:
    made = SourceFactory.create_batch(3)
    answer = api.get(URL)
    assert names(answer) == [source.repo_name for source in reversed(made)]
    assert answer.json()["page_info"] == {
        "has_next_page": False,
        "has_previous_page": False,
        "start_cursor": made[2].public_id,
        "end_cursor": made[0].public_id,
        "total_count": None,
    }


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 100])
def test_cursors_lead_through_the_whole_list(api: APIClient, limit: int) -> None:
    made = SourceFactory.create_batch(4)
    found: list[str] = []
    info = {"has_next_page": True, "end_cursor": ""}
    while info["has_next_page"]:
        answer = api.get(URL, {"limit": limit, "cursor": info["end_cursor"]})
        info = answer.json()["page_info"]
        assert info["has_previous_page"] is bool(found)
        found += names(answer)
    assert found == [source.repo_name for source in reversed(made)]


def test_the_cursor_of_a_deleted_source_still_works(api: APIClient) -> None:
    oldest, middle, _ = SourceFactory.create_batch(3)
    cursor = middle.public_id
    middle.delete()
    assert names(api.get(URL, {"cursor": cursor})) == [oldest.repo_name]


def test_an_empty_list_has_no_cursors(api: APIClient) -> None:
    info = api.get(URL).json()["page_info"]
    assert (info["start_cursor"], info["end_cursor"], info["has_next_page"]) == (None, None, False)


def test_a_total_is_counted_only_with_a_filter(api: APIClient) -> None:
    SourceFactory.create_batch(3, trust_level="official")
    SourceFactory()
    info = api.get(URL, {"trust_level": "official", "limit": 1}).json()["page_info"]
    assert (info["total_count"], info["has_next_page"]) == (3, True)
    assert api.get(URL, {"limit": 1}).json()["page_info"]["total_count"] is None


@pytest.mark.parametrize("spelling", ["mcp_server", "mcp", "mcp-server", "mcp_servers"])
def test_the_list_is_filtered_by_artifact_type(api: APIClient, spelling: str) -> None:
    with_server, with_skill, gone, excluded = SourceFactory.create_batch(4)
    now = datetime(2026, 3, 1, tzinfo=UTC)
    EntryFactory.create_batch(2, source=with_server, type="mcp_server")
    EntryFactory(source=with_skill)
    EntryFactory(source=gone, type="mcp_server", removed_at=now)
    EntryFactory(source=excluded, type="mcp_server", excluded_at=now)
    for source in (with_server, with_skill, gone, excluded):
        catalogue.count(source)
        source.save()
    assert names(api.get(URL, {"artifact_type": spelling})) == [with_server.repo_name]


@pytest.mark.parametrize("artifact_type", ArtifactType)
def test_each_type_is_told_from_the_others(api: APIClient, artifact_type: str) -> None:
    found = SourceFactory(counts_by_type={artifact_type: 1})
    everything = SourceFactory(counts_by_type=dict.fromkeys(ArtifactType, 1))
    SourceFactory(counts_by_type={other: 1 for other in ArtifactType if other != artifact_type})
    SourceFactory()
    names_found = names(api.get(URL, {"artifact_type": artifact_type}))
    assert sorted(names_found) == sorted([found.repo_name, everything.repo_name])


def test_all_tags_must_match(api: APIClient) -> None:
    both = SourceFactory(tags=["docs", "pdf"])
    SourceFactory(tags=["docs"])
    assert names(api.get(URL, {"tags": ["docs", "PDF"]})) == [both.repo_name]
    assert len(names(api.get(URL, {"tags": "docs"}))) == 2
    assert names(api.get(URL, {"tags": ["docs", "none"]})) == []


@pytest.mark.parametrize(
    "tag",
    ["a", "a|b", "|", "#", "c#", "100%", "a_b", "\\", "größe", "文" * 50, "long" * 12, "#" + "0" * 16, "a b"],
)
def test_any_tag_finds_what_has_it_and_nothing_else(api: APIClient, tag: str) -> None:
    tagged = SourceFactory(tags=["first", tag, "last"])
    near = (
        "ab",
        "b",
        "aab",
        "a_bb",
        "axb",
        "1000",
        "c",
        "文" * 49,
        "long" * 11,
        tag + tag,
        f"x{tag}",
        "\\\\",
    )
    for other in near:
        SourceFactory(tags=[other])
    assert names(api.get(URL, {"tags": tag})) == [tagged.repo_name]


@pytest.mark.parametrize("text", ["ÜBERSICHT", "übersicht", "Ada/TOOLS-X", "STRASSE", "größe", "100%_"])
def test_search_knows_no_case(api: APIClient, text: str) -> None:
    found = SourceFactory(repo_name="Tools-X", description="Übersicht der Straße, 100%_ gut", tags=["größe"])
    SourceFactory(description="Anderes, 1000 gut")
    assert names(api.get(URL, {"search": text})) == [found.repo_name]


def test_filters_are_joined_by_and(api: APIClient) -> None:
    found = SourceFactory(tags=["docs"], trust_level="verified")
    SourceFactory(tags=["docs"])
    SourceFactory(trust_level="verified")
    assert names(api.get(URL, {"tags": "docs", "trust_level": "verified"})) == [found.repo_name]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("limit=", "limit"),
        ("limit=-1", "limit"),
        ("limit=1&limit=2", "limit"),
        ("cursor=nonsense", "cursor"),
        ("cursor=job_00000000000000000000000000", "cursor"),
        ("offset=0", "offset"),
        ("unheard_of=1", "unheard_of"),
        ("artifact_type=spell", "artifact_type"),
        ("artifact_type=", "artifact_type"),
        ("trust_level=best", "trust_level"),
        ("scan_status=done", "scan_status"),
        ("tags=", "tags"),
        ("search=" + "a" * 201, "search"),
        ("trust_level=basic&trust_level=basic", "trust_level"),
    ],
)
def test_a_bad_query_is_400_and_named(api: APIClient, query: str, name: str) -> None:
    answer = api.get(f"{URL}?{query}")
    assert answer.status_code == 400
    assert pointers(answer) == [f"?{name}"]


def test_a_query_parameter_on_a_single_source_is_400(api: APIClient) -> None:
    answer = api.get(f"{URL}/{SourceFactory().public_id}?limit=1")
    assert (answer.status_code, pointers(answer)) == (400, ["?limit"])


@pytest.mark.parametrize("name", ["search", "project", "tags"])
def test_a_nul_in_a_filter_is_400(api: APIClient, name: str) -> None:
    answer = api.get(URL, {name: "a\0b"})
    assert (answer.status_code, pointers(answer)) == (400, [f"?{name}"])


# --- delete and rescan -----------------------------------------------------------------------------------


def test_a_deleted_source_is_gone_with_its_catalogue(api: APIClient) -> None:
    entry = EntryFactory()
    url = f"{URL}/{entry.source.public_id}"
    assert api.delete(url).status_code == 204
    assert api.get(url).status_code == api.delete(url).status_code == 404
    assert not Entry.objects.exists()
    assert AuditEvent.objects.filter(verb="source.deleted").exists()


def test_deleting_cancels_a_queued_scan(api: APIClient) -> None:
    job = JobFactory()
    assert api.delete(f"{URL}/{Source.objects.get().public_id}").status_code == 204
    job.refresh_from_db()
    assert job.status == "cancelled"


def test_deleting_asks_a_running_scan_to_stop(api: APIClient) -> None:
    job = JobFactory(status="running")
    assert api.delete(f"{URL}/{Source.objects.get().public_id}").status_code == 204
    job.refresh_from_db()
    assert job.cancel_requested_at


def test_a_rescan_is_accepted_and_names_its_job(api: APIClient) -> None:
    source = SourceFactory()
    answer = api.post(f"{URL}/{source.public_id}/rescan", {"force": True})
    assert answer.status_code == 202
    job = Job.objects.get()
    assert (answer.json()["job_id"], answer.json()["scan_status"]) == (job.public_id, "scanning")
    assert answer["Location"] == f"/api/v1/jobs/{job.public_id}"
    assert (job.trigger, job.force) == ("manual", True)
    assert api.get(answer["Location"]).json()["subject_id"] == source.public_id
    listed = api.get(f"{URL}/{source.public_id}/jobs").json()["items"]
    assert [item["id"] for item in listed] == [job.public_id]


@pytest.mark.parametrize("body", [None, {}, {"force": False}])
def test_the_body_of_a_rescan_is_optional(api: APIClient, body: Any) -> None:
    answer = api.post(f"{URL}/{SourceFactory().public_id}/rescan", body)
    assert (answer.status_code, Job.objects.get().force) == (202, False)


@pytest.mark.parametrize("body", [{"force": "yes"}, {"force": 1}, {"force": None}, {"forse": True}])
def test_the_body_of_a_rescan_is_strict(api: APIClient, body: Any) -> None:
    answer = api.post(f"{URL}/{SourceFactory().public_id}/rescan", body)
    assert (answer.status_code, pointers(answer)) == (400, [f"/{next(iter(body))}"])


@pytest.mark.parametrize("status", ["queued", "running"])
def test_a_rescan_while_one_is_live_is_a_conflict(api: APIClient, status: str) -> None:
    job = JobFactory(status=status)
    answer = api.post(f"{URL}/{Source.objects.get().public_id}/rescan")
    assert answer.status_code == 409
    assert answer.json()["existing_id"] == job.public_id
    assert Job.objects.count() == 1


# --- local repositories ----------------------------------------------------------------------------------


@pytest.fixture
def shelf(settings: Any, tmp_path: Path) -> Path:
    """A directory whose children may be scanned, with one child."""
    skill = tmp_path / "shelf/mine/skills/pdf"
    skill.mkdir(parents=True)
    (skill / "SKILL.md").write_bytes(FILES["skills/pdf/SKILL.md"])
    settings.SKILLMEAT_LOCAL_REPOSITORIES = [tmp_path / "shelf"]
    return tmp_path / "shelf"


def test_a_directory_on_the_shelf_can_be_scanned(
    post: Post, shelf: Path, api: APIClient, drain: Callable[[], int]
) -> None:
    answer = post(repo_url=(shelf / "mine").as_uri())
    assert answer.status_code == 201
    drain()
    source = api.get(answer["Location"]).json()
    assert (source["owner"], source["repo_name"], source["scan_status"]) == ("local", "mine", "success")
    assert source["counts_by_type"] == {"skill": 1}


@pytest.mark.parametrize("place", ["..", "../outside", "mine/../../outside", "link"])
def test_a_directory_elsewhere_is_refused(post: Post, shelf: Path, place: str) -> None:
    (shelf / "../outside").mkdir()
    (shelf / "link").symlink_to(shelf / "../outside")
    answer = post(repo_url=f"file://{shelf}/{place}")
    assert answer.status_code == 422, answer.json()
    assert pointers(answer) == ["/repo_url"]
    assert not Source.objects.exists()


def test_a_directory_that_is_no_longer_allowed_is_not_scanned(
    post: Post, shelf: Path, settings: Any, drain: Callable[[], int]
) -> None:
    post(repo_url=(shelf / "mine").as_uri())
    settings.SKILLMEAT_LOCAL_REPOSITORIES = []
    drain()
    assert Job.objects.get().status == "failed"
    assert not Entry.objects.exists()


# --- projects and roles ------------------------------------------------------------------------------------

Member = Callable[..., User]
ClientOf = Callable[..., APIClient]


@pytest.mark.usefixtures("multi_user")
class TestProjects:
    def test_without_credentials_nothing_is_shown(self, api: APIClient) -> None:
        answer = api.get(URL)
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"].startswith("Bearer")

    def test_sources_of_other_projects_do_not_exist(self, member: Member, client_of: ClientOf) -> None:
        mine, theirs = SourceFactory(), SourceFactory(project=ProjectFactory())
        client = client_of(member(Role.ADMIN))
        assert names(client.get(URL)) == [mine.repo_name]
        assert names(client.get(URL, {"project": theirs.project.slug})) == []
        url = f"{URL}/{theirs.public_id}"
        asked = [client.get(url), client.delete(url), client.post(f"{url}/rescan"), client.get(f"{url}/jobs")]
        assert {answer.status_code for answer in asked} == {404}
        assert Source.objects.count() == 2

    def test_the_list_is_filtered_by_project(self, member: Member, client_of: ClientOf) -> None:
        mine, ours = SourceFactory(), SourceFactory(project=ProjectFactory())
        user = member(Role.VIEWER)
        Membership.objects.create(user=user, project=ours.project, role=Role.VIEWER)
        client = client_of(user)
        assert len(names(client.get(URL))) == 2
        assert names(client.get(URL, {"project": ours.project.slug})) == [ours.repo_name]
        assert names(client.get(URL, {"project": mine.project.public_id})) == [mine.repo_name]

    def test_the_same_repository_may_be_in_two_projects(
        self, post: Post, tools: Repository, member: Member, client_of: ClientOf
    ) -> None:
        user, other = member(Role.EDITOR), ProjectFactory()
        Membership.objects.create(user=user, project=other, role=Role.EDITOR)
        client = client_of(user)
        assert post(client).status_code == 400  # which of the two?
        assert post(client, project="default").status_code == 201
        assert post(client, project=other.public_id).json()["project"] == other.slug

    @pytest.mark.parametrize(
        ("role", "create", "rescan", "delete"),
        [(Role.VIEWER, {400, 403}, 403, 403), (Role.EDITOR, {201}, 202, 403), (Role.ADMIN, {201}, 202, 204)],
    )
    def test_roles_decide_what_is_allowed(  # noqa: PLR0917, RUF100
        self,
        post: Post,
        tools: Repository,
        member: Member,
        client_of: ClientOf,
        role: Role,
        create: set[int],
        rescan: int,
        delete: int,
    ) -> None:
        source, client = SourceFactory(), client_of(member(role))
        assert post(client).status_code in create
        assert client.post(f"{URL}/{source.public_id}/rescan").status_code == rescan
        assert client.delete(f"{URL}/{source.public_id}").status_code == delete

    def test_only_admins_trust_above_basic_and_read_directories(
        self, post: Post, tools: Repository, shelf: Path, member: Member, client_of: ClientOf
    ) -> None:
        editor, admin = client_of(member(Role.EDITOR)), client_of(member(Role.ADMIN))
        for body in ({"trust_level": "verified"}, {"repo_url": (shelf / "mine").as_uri()}):
            assert post(editor, **body).status_code == 403
            assert post(admin, **body).status_code == 201

    def test_a_project_that_one_is_not_in_does_not_exist(
        self, post: Post, tools: Repository, member: Member, client_of: ClientOf
    ) -> None:
        other = ProjectFactory()
        client = client_of(member(Role.EDITOR))
        unknown = post(client, project="nothing").status_code
        assert post(client, project=other.slug).status_code == unknown
        assert unknown in {400, 404, 422}
        assert Project.objects.filter(pk=other.pk).exists()
