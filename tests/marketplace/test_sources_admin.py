"""Operators add, change, map and scan sources in the console, through the operations of the API."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from marketplace.admin import choosing
from marketplace.models import Source
from skillmeat_site.accounts.models import Project, Role, User
from skillmeat_site.audit.models import AuditEvent
from skillmeat_site.jobs.models import Job
from tests.factories import EntryFactory, JobFactory, ProjectFactory, SourceFactory
from tests.github.repositories import Repository
from tests.github.server import GitHub

LIST = "/admin/marketplace/source/"
ADD = "/admin/marketplace/source/add/"


def page(source: Source, name: str = "change") -> str:
    return reverse(f"admin:marketplace_source_{name}", args=[source.pk])


def told(answer: Any) -> str:
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))


def confirmed(tools: Repository, on_github: GitHub, **values: str) -> dict[str, str]:
    """What the second step sends when nothing is added to it."""
    given = {"repo_url": f"{on_github.web_url}/ada/tools", "ref": "", "root_hint": "", "project": "default"}
    return given | {"trust_level": "basic", "tags": "", "indexing_enabled": "on"} | values


# Adding


def test_a_pasted_link_shows_what_it_means_before_anything_is_created(
    console: Client, tools: Repository, on_github: GitHub
) -> None:
    answer = console.post(ADD, {"link": f"{on_github.web_url}/ada/tools/tree/main/skills"})
    form = answer.context["form"]
    assert {name: form[name].value() for name in ("ref", "root_hint", "project")} == {
        "ref": "main",
        "root_hint": "skills",
        "project": "default",
    }
    assert b"Useful things" in answer.content
    assert not Source.objects.exists()


def test_the_default_branch_is_filled_in(console: Client, tools: Repository, on_github: GitHub) -> None:
    answer = console.post(ADD, {"link": f"{on_github.web_url}/ada/tools"})
    assert answer.context["form"]["ref"].value() == "main"


def test_a_confirmed_source_is_created_and_scanned(
    console: Client, operator: User, tools: Repository, on_github: GitHub
) -> None:
    answer = console.post(ADD, confirmed(tools, on_github, tags="Docs, pdf", rescan_interval="3600"))
    source = Source.objects.get()
    assert answer["Location"] == page(source)
    assert (source.ref, source.tags, source.rescan_interval) == ("main", ["docs", "pdf"], 3600)
    assert Job.objects.get().started_by == operator
    assert [event.verb for event in AuditEvent.objects.all()] == ["source.created"]


def test_a_twin_is_linked_instead_of_created(console: Client, tools: Repository, on_github: GitHub) -> None:
    console.post(ADD, confirmed(tools, on_github))
    twin = Source.objects.get()
    answer = console.post(ADD, confirmed(tools, on_github))
    assert Source.objects.count() == 1
    assert f'href="{page(twin)}"' in str(answer.context["form"].errors["repo_url"])


@pytest.mark.parametrize("link", ["", "not a link", "https://gitlab.com/ada/tools"])
def test_a_link_that_is_none_is_an_error_of_the_field(console: Client, link: str, on_github: GitHub) -> None:
    answer = console.post(ADD, {"link": link})
    assert answer.context["form"].errors["link"]


def test_a_repository_that_nobody_sees_may_need_a_token(console: Client, on_github: GitHub) -> None:
    first = console.post(ADD, {"link": f"{on_github.web_url}/ada/secret"})
    assert "access_token" in first.context["unseen"]
    body = {"repo_url": f"{on_github.web_url}/ada/secret", "project": "default", "trust_level": "basic"}
    assert "access_token" in console.post(ADD, body).context["form"].errors["access_token"][0]
    answer = console.post(ADD, body | {"access_token": "very secret"})
    assert answer.context["form"].errors["access_token"]
    assert b"very secret" not in answer.content
    assert not Source.objects.exists()


def test_shapes_are_those_of_the_api(console: Client, tools: Repository, on_github: GitHub) -> None:
    tags = ",".join(f"t{n}" for n in range(21))
    wrong = confirmed(tools, on_github, root_hint="../up", tags=tags, ref="a..b", access_token="two words")
    errors = console.post(ADD, wrong).context["form"].errors
    assert set(errors) == {"root_hint", "tags", "ref", "access_token"}


def test_an_editor_gives_no_trust_above_basic(
    member: Callable[..., User], tools: Repository, on_github: GitHub
) -> None:
    editor = member(Role.EDITOR, is_staff=True)
    _allow(editor, "add_source", "view_source")
    client = Client()
    client.force_login(editor)
    answer = client.post(ADD, confirmed(tools, on_github, trust_level="official"))
    assert "admin" in str(answer.context["form"].errors)
    assert not Source.objects.exists()


def _allow(user: User, *codenames: str) -> None:
    from django.contrib.auth.models import Permission  # noqa: PLC0415  needs the apps

    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))


def test_people_see_the_sources_of_their_projects(member: Callable[..., User]) -> None:
    viewer = member(Role.VIEWER, is_staff=True)
    _allow(viewer, "view_source")
    own, other = SourceFactory(), SourceFactory(project=ProjectFactory(), tags=["concealed"])
    client = Client()
    client.force_login(viewer)
    assert list(client.get(LIST).context["cl"].result_list) == [own]
    assert "concealed" not in client.get(LIST).content.decode()
    assert client.get(page(other, "progress")).status_code == 404
    assert client.post(page(own, "rescan")).status_code == 403


def test_roles_say_in_which_projects_one_may_change_or_delete(member: Callable[..., User]) -> None:
    """Django's permissions alone do not, as they know no projects."""
    viewer, editor = (member(role, is_staff=True) for role in (Role.VIEWER, Role.EDITOR))
    source = SourceFactory()
    answers = []
    for user in (viewer, editor):
        _allow(user, "view_source", "change_source", "delete_source")
        client = Client()
        client.force_login(user)
        act(client, "rescan", source)
        act(client, "delete_selected", source, post="yes")
        answers += [client.post(page(source, name)).status_code for name in ("rescan", "delete")]
        answers.append(Job.objects.count())
    assert answers == [403, 403, 0, 403, 403, 1]


@pytest.mark.parametrize(("role", "may"), [(Role.VIEWER, False), (Role.EDITOR, True)])
def test_whoever_may_add_nowhere_is_not_asked_to(member: Callable[..., User], role: Role, may: bool) -> None:
    user = member(role, is_staff=True)
    _allow(user, "view_source", "add_source")
    client = Client()
    client.force_login(user)
    offered = [ADD in client.get(address).content.decode() for address in (LIST, "/admin/")]
    assert (offered, client.get(ADD).status_code) == ([may, may], 200 if may else 403)


# The list


def listed(console: Client, **query: str) -> set[Source]:
    return set(console.get(LIST, query).context["cl"].result_list)


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ({"scan": "failing"}, {"outcome": "error"}),
        ({"scan": "never"}, {"outcome": ""}),
        (
            {"schedule": "due"},
            {"next_rescan_at": timezone.now() - timedelta(hours=1), "rescan_interval": 900},
        ),
        ({"schedule": "scheduled"}, {"rescan_interval": 900}),
        ({"visibility": "private"}, {"private_upstream": True}),
        ({"trust": "official"}, {"trust_level": "official"}),
        ({"tag": "pdf"}, {"tags": ["pdf"]}),
        ({"tag": " PDF "}, {"tags": ["pdf"]}),
        ({"holding": "hook"}, {"counts_by_type": {"hook": 1}}),
        ({"q": "needle"}, {"repo_name": "needle"}),
    ],
    ids=lambda value: "-".join(f"{name}={text}" for name, text in value.items())[:30],
)
def test_the_list_answers_a_question(console: Client, query: dict[str, str], values: dict[str, Any]) -> None:
    meant = SourceFactory(**values)
    if "holding" in query:
        EntryFactory(source=meant, type="hook")
    SourceFactory()
    assert listed(console, **query) == {meant}


def test_a_tag_that_cannot_be_is_on_nothing(console: Client) -> None:
    SourceFactory(tags=["pdf"])
    assert listed(console, tag="p\0") == set()


def test_the_tags_that_most_sources_have_are_offered_first(console: Client) -> None:
    for tags in (["b", "a"], ["b", "a"], ["b"], ["c"], []):
        SourceFactory(tags=tags)
    filters = console.get(LIST).context["cl"].filter_specs
    (tags_offered,) = [spec.lookup_choices for spec in filters if spec.title == "tag"]
    assert tags_offered == [("b", "b (3)"), ("a", "a (2)"), ("c", "c (1)")]


def test_the_list_tells_what_is_scanned_now_and_whose_it_is(console: Client) -> None:
    busy, other = SourceFactory(), SourceFactory(project=ProjectFactory(slug="docs"))
    JobFactory(source=busy)
    assert listed(console, scan="now") == {busy}
    assert listed(console, project="docs") == {other}


def test_the_list_counts_what_sources_hold_by_type(console: Client) -> None:
    SourceFactory(counts_by_type={"hook": 1, "skill": 3})
    assert "<li>skill <b>3</b></li><li>hook <b>1</b></li>" in console.get(LIST).content.decode()


def act(console: Client, action: str, *chosen: Source, **values: str) -> Any:
    sent = {"action": action, "_selected_action": [str(source.pk) for source in chosen]} | values
    return console.post(LIST, sent)


def test_trust_is_asked_for_and_then_set_for_each(console: Client) -> None:
    chosen = SourceFactory.create_batch(2)
    asked = act(console, "set_trust", *chosen)
    assert b'name="trust_level"' in asked.content
    assert set(Source.objects.values_list("trust_level", flat=True)) == {"basic"}
    act(console, "set_trust", *chosen, _sent="1", trust_level="verified")
    assert set(Source.objects.values_list("trust_level", flat=True)) == {"verified"}
    assert AuditEvent.objects.filter(verb="source.changed").count() == 2


@pytest.mark.parametrize(
    ("how", "became"), [("add", ["docs", "pdf"]), ("remove", ["docs"]), ("replace", ["pdf"])]
)
def test_tags_are_added_taken_or_replaced(console: Client, how: str, became: list[str]) -> None:
    source = SourceFactory(tags=["docs", "pdf"] if how == "remove" else ["docs"])
    act(console, "set_tags", source, _sent="1", how=how, tags="PDF")
    source.refresh_from_db()
    assert source.tags == became


def test_tags_that_one_source_cannot_have_are_told_for_that_one(console: Client) -> None:
    full, free = SourceFactory(tags=[f"t{n}" for n in range(20)]), SourceFactory()
    answer = act(console, "set_tags", full, free, _sent="1", how="add", tags="pdf")
    free.refresh_from_db()
    assert free.tags == ["pdf"]
    assert f"{full}: At most 20 tags." in told(answer)


def test_one_request_takes_so_many_rows_and_says_so(console: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "AT_MOST", 1)
    answer = act(console, "rescan", *SourceFactory.create_batch(2))
    assert Job.objects.count() == 1
    assert "Only the first 1 were taken" in told(answer)


def test_a_schedule_is_ended_and_begun(console: Client) -> None:
    source = SourceFactory(rescan_interval=900)
    act(console, "pause", source)
    source.refresh_from_db()
    assert (source.rescan_interval, source.next_rescan_at) == (None, None)
    act(console, "resume", source, _sent="1", rescan_interval="3600")
    source.refresh_from_db()
    assert source.rescan_interval == 3600
    assert source.next_rescan_at is not None


# The page of one source


def test_settings_are_changed_by_the_operation(console: Client) -> None:
    source = SourceFactory(tags=["docs"], import_repo_readme=True, rescan_interval=1234)
    form = console.get(page(source)).context["settings"]
    sent = {name: form[name].value() for name in form.fields if form[name].value() not in (False, None)}
    answer = console.post(
        page(source, "settings"), sent | {"trust_level": "official", "description": "Größe"}
    )
    assert answer.status_code == 302
    source.refresh_from_db()
    assert (source.trust_level, source.description, source.tags) == ("official", "Größe", ["docs"])
    assert (source.rescan_interval, source.import_repo_readme) == (1234, True)
    assert AuditEvent.objects.get().facts["fields"] == ["description", "trust_level"]


def test_settings_that_make_no_sense_are_shown_again(console: Client) -> None:
    twin, source = SourceFactory(repo_key="k", ref="dev"), SourceFactory(repo_key="k")
    sent = {"ref": "dev", "trust_level": "basic", "indexing_enabled": "on"}
    assert str(twin) in str(console.post(page(source, "settings"), sent).context["form"].errors["ref"])
    wrong = console.post(page(source, "settings"), sent | {"ref": "", "tags": "x" * 51})
    assert set(wrong.context["form"].errors) >= {"ref", "tags"}


def test_a_scan_is_asked_for_and_stopped(console: Client) -> None:
    source = SourceFactory()
    console.post(page(source, "rescan"))
    job = Job.objects.get()
    assert f'data-progress="{page(source, "progress")}"'.encode() in console.get(page(source)).content
    assert console.post(page(source, "force-rescan")).status_code == 403
    console.post(page(source, "stop"))
    job.refresh_from_db()
    assert job.status == "cancelled"
    assert b"data-progress" not in console.get(page(source, "progress")).content


def test_progress_says_how_far_the_scan_is(console: Client) -> None:
    job = JobFactory(status="running", phase="reading files", done=1, total=4)
    answer = console.get(reverse("admin:marketplace_source_progress", args=[job.subject_id]))
    assert b'value="25"' in answer.content
    assert b"reading files" in answer.content
    assert b"<html" not in answer.content


def test_the_page_costs_the_same_for_one_row_and_for_many(console: Client) -> None:
    small, large = SourceFactory(), SourceFactory()
    for source, count in ((small, 1), (large, 30)):
        EntryFactory.create_batch(count, source=source)
        EntryFactory.create_batch(count, source=source, excluded_at=timezone.now())
        JobFactory.create_batch(count, source=source, status="succeeded", finished_at=timezone.now())
    console.get(page(small))
    assert _cost(console, page(small)) == _cost(console, page(large))


def test_the_list_costs_the_same_for_one_row_and_for_many(console: Client) -> None:
    SourceFactory(tags=["docs"])
    console.get(LIST)
    one = _cost(console, LIST)
    for number in range(40):
        JobFactory(source=SourceFactory(project=ProjectFactory(), tags=["docs", f"t{number}"]))
    assert _cost(console, LIST) == one


def _cost(console: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert console.get(address).status_code == 200
    return len(captured)


# The manual map


def test_the_map_shows_folders_and_what_is_detected_in_them(console: Client, source: Source) -> None:
    answer = console.get(page(source, "manual-map"))
    found = {folder.path: (folder.files, str(folder.held)) for folder in answer.context["folders"]}
    assert found["skills"][0] == 2
    assert "skill" in found["skills/pdf"][1]
    assert "command" in found[".claude/commands"][1]


def test_a_preview_tells_and_saves_nothing(console: Client, source: Source) -> None:
    sent = {"type:skills/pdf": "nothing", "type:skills": "", "_preview": "1"}
    answer = console.post(page(source, "manual-map"), sent)
    assert (answer.context["foreseen"]["changes"], answer.context["foreseen"]["unchanged"]) == (1, 2)
    chosen = {folder.path: folder.chosen for folder in answer.context["folders"]}
    assert chosen["skills/pdf"] == "nothing"
    source.refresh_from_db()
    assert source.manual_map == {}


def test_a_map_is_saved_and_scanned_by(console: Client, source: Source) -> None:
    console.post(page(source, "manual-map"), {"type:skills/pdf": "nothing", "_scan": "1"})
    source.refresh_from_db()
    assert source.manual_map == {"skills/pdf": None}
    assert Job.objects.live().get().subject_id == source.pk


def test_a_look_into_a_folder_keeps_what_was_chosen_elsewhere(console: Client, source: Source) -> None:
    sent = {"type:.claude": "nothing", "below": "skills"}
    answer = console.post(page(source, "manual-map"), sent)
    assert [folder.path for folder in answer.context["folders"]] == ["skills", "skills/csv", "skills/pdf"]
    assert answer.context["elsewhere"] == [("type:.claude", ".claude", "nothing")]


@pytest.mark.parametrize("sent", [{"type:none": "skill"}, {"type:skills": "poem"}, {"type:../up": "skill"}])
def test_a_map_that_makes_no_sense_is_told(console: Client, source: Source, sent: dict[str, str]) -> None:
    answer = console.post(page(source, "manual-map"), sent)
    assert answer.status_code == 200
    assert told(answer)
    source.refresh_from_db()
    assert source.manual_map == {}


def test_a_source_that_was_never_scanned_has_no_folders(console: Client, project: Project) -> None:
    source = SourceFactory()
    assert b"after the first scan" in console.get(page(source, "manual-map")).content
    answer = console.post(page(source, "manual-map"), {"_preview": "1"})
    assert "Scan it first" in told(answer)
