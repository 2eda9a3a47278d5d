"""`/marketplace/search`, on whichever database the tests run: one contract for both engines."""

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from marketplace.models import Entry, SearchDocument, Source
from marketplace.operations import catalogue, sources
from marketplace.search import find, index
from marketplace.search.engines import engine
from skillmeat_site.accounts.models import Project, Role
from tests.factories import EntryFactory, ProjectFactory, SourceFactory, UserFactory
from tests.github.repositories import Repository
from tests.github.server import GitHub
from tests.scanning import Create, Scan, skill

URL = "/api/v1/marketplace/search"
Ask = Callable[..., Any]


@pytest.fixture
def ask(api: APIClient) -> Ask:
    def get(q: str, **parameters: Any) -> Any:
        answer = api.get(URL, {"q": q, **parameters})
        assert answer.status_code == 200, answer.json()
        return answer.json()

    return get


@pytest.fixture
def names(ask: Ask) -> Ask:
    return lambda q, **parameters: [item["name"] for item in ask(q, **parameters)["items"]]


def entry(name: str, body: str = "", **values: Any) -> Entry:
    made = EntryFactory(name=name, **values)
    index.write(made.source, [(made, body)], at=timezone.now())
    return made


def test_a_hit_in_the_name_stands_before_tags_description_and_text(project: Any, names: Ask) -> None:
    source = SourceFactory()
    entry("a", body="It is about invoices.", source=source)
    entry("b", description="About invoices.", source=source)
    entry("c", tags=["invoices"], source=source)
    entry("invoices", source=source)
    assert names("invoices") == ["invoices", "c", "b", "a"]


@pytest.mark.parametrize("query", ["invoices", "about invoices"])
def test_hits_in_the_name_are_found_among_more_hits_than_are_ranked(
    project: Any, names: Ask, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    monkeypatch.setattr(find, "RANKED", 3)
    source = SourceFactory()
    for number in range(6):
        entry(f"x{number}", body="All about invoices.", source=source)
    entry("d", description="About invoices.", source=source)
    entry("about invoices", source=source)
    assert names(query)[:2] == ["about invoices", "d"]


def test_hits_are_counted_up_to_a_number(project: Any, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find, "COUNTED", 3)
    source = SourceFactory()
    entry("pdf a", source=source)
    entry("pdf b", source=source)
    assert ask("pdf")["counts_are_exact"] is True
    entry("pdf c", source=source)
    answer = ask("pdf")
    assert answer["page_info"]["total_count"] == sum(answer["facets"]["type"].values()) == 3
    assert answer["counts_are_exact"] is False


def test_a_new_trust_level_counts_at_once(api: APIClient, project: Any, ask: Ask) -> None:
    first, second = SourceFactory(trust_level="untrusted"), SourceFactory()
    entry("pdf", source=first, title="first")
    entry("pdf", source=second, title="second")
    assert [item["title"] for item in ask("pdf")["items"]] == ["second", "first"]
    body = {"trust_level": "official"}
    assert api.patch(f"/api/v1/marketplace/sources/{first.public_id}", body, format="json").status_code == 200
    answer = ask("pdf")
    assert [item["title"] for item in answer["items"]] == ["first", "second"]
    assert answer["facets"]["trust_level"]["official"] == 1


def test_confidence_and_trust_decide_between_equal_hits(project: Any, ask: Ask) -> None:
    source = SourceFactory()
    for confidence in (40, 90, 60):
        entry("pdf", source=source, confidence=confidence, path=str(confidence), title=f"n{confidence}")
    official = SourceFactory(trust_level="official")
    untrusted = SourceFactory(trust_level="untrusted")
    entry("pdf", source=untrusted, title="n-untrusted")
    entry("pdf", source=official, title="n-official")
    titles = [item["title"] for item in ask("pdf")["items"]]
    assert titles[0] == "n-official"
    assert titles.index("n90") < titles.index("n60") < titles.index("n40")
    assert titles.index("n-untrusted") > titles.index("n90")


def test_all_words_have_to_be_there(project: Any, names: Ask) -> None:
    source = SourceFactory()
    entry("pdf", description="Fill forms", source=source)
    entry("forms", source=source)
    assert names("pdf forms") == ["pdf"]
    assert names("forms pdf xml") == []


def test_the_last_word_may_be_the_beginning_of_one(project: Any, names: Ask) -> None:
    entry("kubernetes deployment")
    assert names("kube") == ["kubernetes deployment"]
    assert names("kubernetes dep") == ["kubernetes deployment"]
    assert names("kube deployment") == []


def test_a_word_is_found_in_its_other_forms(project: Any, names: Ask) -> None:
    entry("review", description="Tests that are failing")
    assert names("testing failed") == ["review"]


def test_names_of_the_repository_are_found(project: Any, names: Ask) -> None:
    entry("x", source=SourceFactory(owner="anthropics", repo_name="cookbook"))
    assert names("anthropics cookbook") == ["x"]


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("C++ templates", "c++"),
        ("\u6570\u636e\u5206\u6790\u5de5\u5177", "\u5206\u6790"),
        ("snake_case", "snake"),
        ("\u00c9clair", "\u00e9clair"),
    ],
)
def test_unusual_words_are_found(project: Any, names: Ask, text: str, query: str) -> None:
    entry(text)
    entry("c" * 3)
    assert names(query) == [text]


@pytest.mark.parametrize(
    "query",
    [
        '"', "'", "*", "a AND", "NEAR(a b)", "name:x", "(", "a OR b", "-x", "^a", "a" * 10_000, "\U0001f600",
        "x' OR '1'='1", "a & b | !c", ":*", "\\", "%", "a\u202eb", "'; DROP TABLE x; --", "{a b}: c", "+ +",
    ],
)  # fmt: skip
def test_anything_can_be_typed(project: Any, ask: Ask, query: str) -> None:
    entry("abc")
    assert ask(query)["page_info"]["total_count"] in {0, 1}


@pytest.mark.parametrize("parameters", [{}, {"q": ""}, {"q": "  "}])
def test_a_search_for_nothing_cannot_be_read(api: APIClient, parameters: dict[str, str]) -> None:
    answer = api.get(URL, parameters)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "?q")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("type", "nothing"), ("trust_level", "best"), ("min_confidence", "101"), ("source", "src_x"),
        ("offset", "1001"), ("limit", "101"), ("limit", "0"), ("page", "2"), ("type", ""),
    ],
)  # fmt: skip
def test_a_bad_parameter_is_named(api: APIClient, project: Any, name: str, value: str) -> None:
    answer = api.get(URL, {"q": "x", name: value})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, f"?{name}")


def test_filters_narrow_the_hits(project: Any, names: Ask) -> None:
    trusted = SourceFactory(trust_level="verified")
    entry("pdf one", type="agent", source=trusted, tags=["docs", "forms"])
    entry("pdf two", confidence=40, tags=["docs"])
    assert set(names("pdf")) == {"pdf one", "pdf two"}
    assert names("pdf", type="agents") == ["pdf one"]
    assert names("pdf", trust_level="verified") == ["pdf one"]
    assert names("pdf", min_confidence=41) == ["pdf one"]
    assert names("pdf", source=trusted.public_id) == ["pdf one"]
    assert names("pdf", tags=["docs", "forms"]) == ["pdf one"]
    assert names("pdf", tags="docs", type="skill") == ["pdf two"]
    assert names("pdf", source=SourceFactory().public_id) == []


def test_facets_count_all_hits(project: Any, ask: Ask) -> None:
    source, official = SourceFactory(), SourceFactory(trust_level="official")
    for number in range(3):
        entry(f"pdf {number}", source=source)
    entry("pdf x", type="agent", source=official)
    found = ask("pdf", limit=1)
    assert found["facets"] == {
        "type": {"skill": 3, "agent": 1},
        "trust_level": {"basic": 3, "official": 1},
    }
    assert found["page_info"] == {
        "total_count": 4, "limit": 1, "offset": 0, "has_next_page": True, "has_previous_page": False,
    }  # fmt: skip


def test_pages_hold_every_hit_once(project: Any, names: Ask) -> None:
    source = SourceFactory()
    for number in range(7):
        entry(f"pdf{number}", source=source)
    paged = [name for offset in range(0, 9, 3) for name in names("pdf", limit=3, offset=offset)]
    assert sorted(paged) == [f"pdf{number}" for number in range(7)]


def test_highlights_are_ranges_of_plain_text(project: Any, ask: Ask) -> None:
    entry("pdf-tools", title="All about PDF", description="<b>Fill</b> pdf forms")
    (item,) = ask("pdf fill")["items"]
    marked = [(one["field"], item[one["field"]][one["start"] : one["end"]]) for one in item["highlights"]]
    assert marked == [("name", "pdf"), ("title", "PDF"), ("description", "Fill"), ("description", "pdf")]


# What can be found


def test_what_a_scan_finds_can_be_found_by_its_text(source: Source, names: Ask) -> None:
    assert set(names("reads")) == {"pdf", "csv"}
    assert names("deploy arguments") == ["deploy"]
    assert source.last_indexed_at


def test_changes_and_removals_are_right_after_the_scan(
    source: Source, scan: Scan, tools: Repository, names: Ask
) -> None:
    tools.commit({"skills/csv/SKILL.md": None, "skills/pdf/SKILL.md": skill("pdf", "It writes.")})
    scan(source)
    assert (names("reads"), names("writes"), names("csv")) == ([], ["pdf"], [])


def test_excluded_artifacts_are_not_found_until_they_are_restored(
    source: Source, api: APIClient, names: Ask
) -> None:
    url = f"/api/v1/marketplace/artifacts/{source.entries.get(name='pdf').public_id}/exclude"
    api.post(url)
    assert names("reads") == ["csv"]
    api.delete(url)
    assert set(names("reads")) == {"pdf", "csv"}


def test_a_source_that_is_not_indexed_is_not_found(
    source: Source, api: APIClient, names: Ask, scan: Scan, tools: Repository
) -> None:
    url = f"/api/v1/marketplace/sources/{source.public_id}"
    assert api.patch(url, {"indexing_enabled": False}).json()["last_indexed_at"] is None
    assert names("reads") == []
    tools.commit({"skills/xml/SKILL.md": skill("xml")})
    scan(source)
    assert names("reads") == []
    assert api.patch(url, {"indexing_enabled": True}).json()["last_indexed_at"]
    assert set(names("reads")) == {"pdf", "csv", "xml"}


def test_a_deleted_source_is_not_found(source: Source, api: APIClient, names: Ask) -> None:
    api.delete(f"/api/v1/marketplace/sources/{source.public_id}")
    assert names("reads") == []
    assert SearchDocument.objects.count() == 0


def test_a_renamed_repository_is_found_by_its_new_name(
    source: Source, scan: Scan, on_github: GitHub, tools: Repository, names: Ask
) -> None:
    on_github.rename(tools, owner="bob", name="kit")
    tools.commit({"README.md": b"new"})
    scan(source)
    assert (len(names("bob kit")), names("ada tools")) == (3, [])


def test_what_belongs_to_other_projects_is_not_found(
    member: Any, client_of: Any, multi_user: None, project: Project
) -> None:
    entry("pdf mine")
    entry("pdf theirs", source=SourceFactory(project=ProjectFactory()))

    def found(client: APIClient) -> set[str]:
        return {item["name"] for item in client.get(URL, {"q": "pdf"}).json()["items"]}

    assert found(client_of(member(Role.VIEWER))) == {"pdf mine"}
    assert found(client_of(member(None))) == set()
    assert found(client_of(member(None, is_superuser=True))) == {"pdf mine", "pdf theirs"}
    assert APIClient().get(URL, {"q": "pdf"}).status_code == 401


def test_the_index_can_be_made_anew(source: Source, names: Ask) -> None:
    SearchDocument.objects.all().delete()
    assert names("reads") == []
    out = StringIO()
    call_command("rebuild_search_index", stdout=out)
    assert out.getvalue() == "3 artifacts of 1 sources can be found.\n"
    assert set(names("reads")) == {"pdf", "csv"}


def test_installing_the_index_again_changes_nothing(source: Source, names: Ask) -> None:
    engine().install()
    engine().rebuild()
    assert set(names("reads")) == {"pdf", "csv"}


def test_a_search_for_many_hits_takes_no_more_queries_than_one_for_one(project: Any, api: APIClient) -> None:
    source = SourceFactory()
    entry("one xml", source=source)
    for number in range(30):
        entry(f"pdf {number}", source=source)
    api.get(URL, {"q": "warm"})
    costs = []
    for query in ("xml", "pdf"):
        with CaptureQueriesContext(connection) as captured:
            api.get(URL, {"q": query})
        costs.append(len(captured))
    assert costs[1] <= costs[0] <= 8


def test_a_source_can_be_created_without_being_indexed(create: Create, tools: Repository, names: Ask) -> None:
    create(indexing_enabled=False)
    assert names("reads") == []


def test_an_entry_that_was_read_before_the_index_was_switched_off_is_not_indexed(
    project: Any, names: Ask
) -> None:
    by, at = UserFactory(), timezone.now()
    read_before = entry("pdf", excluded_at=at)
    source = Source.objects.get(pk=read_before.source_id)
    sources.change(source=source, changes={"indexing_enabled": False}, by=by, at=at)
    catalogue.restore(entry=read_before, by=by, at=at)
    assert names("pdf") == []


def test_a_source_that_was_read_before_its_trust_changed_is_indexed_with_the_new_one(
    project: Any, ask: Ask
) -> None:
    by, at = UserFactory(), timezone.now()
    read_before = SourceFactory(indexing_enabled=False)
    EntryFactory(name="pdf", source=read_before)
    source = Source.objects.get(pk=read_before.pk)
    sources.change(source=source, changes={"trust_level": "official"}, by=by, at=at)
    sources.change(source=read_before, changes={"indexing_enabled": True}, by=by, at=at)
    assert ask("pdf")["facets"]["trust_level"]["official"] == 1
