"""The kit of the console's pages: marks, rows done one by one, journeys, and what apps add to others' pages."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.messages import get_messages
from django.http import HttpRequest, HttpResponseBase
from django.test import Client, RequestFactory
from django.urls import path, reverse
from django.utils.html import format_html

from skillmeat_site import urls
from skillmeat_site.accounts.models import Project, Role, User
from skillmeat_site.admin_pages import (
    JourneyPage,
    added,
    ago,
    badge,
    bar,
    chips,
    code,
    each_row,
    facts,
    table,
)
from skillmeat_site.console import charts, panels
from skillmeat_site.errors import DomainError
from tests.factories import ProjectFactory

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "shape"),
    [("success", "✓"), ("failed", "✕"), ("running", "▸"), ("untrusted", "!"), ("odd", "○")],
)
def test_a_badge_says_with_a_word_and_a_shape_what_its_colour_says(status: str, shape: str) -> None:
    assert f'aria-hidden="true">{shape}</span>{status}</span>' in badge(status)


@pytest.mark.parametrize(
    ("distance", "words"),
    [
        (timedelta(seconds=-3), "just now"),
        (timedelta(seconds=3), "in a moment"),
        (timedelta(minutes=-3), "3\xa0minutes ago"),
        (timedelta(hours=2, minutes=9), "in 2\xa0hours"),
        (timedelta(days=-400), "1\xa0year ago"),
    ],
)
def test_a_time_is_told_in_words(distance: timedelta, words: str) -> None:
    assert f">{words}</time>" in ago(NOW + distance, NOW)


def test_a_time_has_its_exact_utc_time_as_title() -> None:
    assert 'datetime="2026-05-04T12:00:00Z" title="2026-05-04 12:00:00 UTC"' in ago(NOW, NOW)
    assert "never" in ago(None, NOW)


def test_a_bar_shows_its_number_and_stays_in_its_frame() -> None:
    assert 'width="40" height="8"' in bar(40)
    assert ">40%<" in bar(40)
    assert 'width="100" height="8"' in bar(250)
    assert "—" in bar(None)


def test_counts_are_sorted_and_types_without_any_are_left_out() -> None:
    assert chips({"agent": 2, "skill": 1200, "hook": 0}) == (
        '<ul class="chips"><li>skill <b>1,200</b></li><li>agent <b>2</b></li></ul>'
    )
    assert chips([]) == ""


def test_marks_escape_what_a_repository_says() -> None:
    bad = "<script>"
    marks = (badge(bad), chips([bad]), chips({bad: 1}), code(bad, chars=3), facts([(bad, bad)]))
    marks += (table([bad], [[bad]], caption=bad), table(["a", bad], [[bad, bad]]), bar(1, bad))
    marks += (
        charts.bars(bad, [(bad, 1)]),
        charts.columns(bad, [bad], [part(bad, 1)]),
    )
    assert [mark for mark in marks if bad in mark] == []


def test_a_table_names_its_cells_for_narrow_screens() -> None:
    assert '<td data-label="Status">fine</td>' in table(["name", "status"], [["pdf", "fine"]])
    assert table(["name"], [], empty="None yet.") == '<p class="quiet">None yet.</p>'


def part(name: str, *values: int, tone: str = "good") -> charts.Series:
    return charts.Series(name=name, tone=tone, values=values)


def test_columns_are_stacked_to_the_height_of_the_tallest() -> None:
    chart = charts.columns(
        "Scans", ["Monday", "Tuesday"], [part("good", 3, 0), part("failed", 1, 2, tone="bad")]
    )
    assert '<rect class="tone-good" x="0" y="25.0" width="8" height="75.0"/>' in chart
    assert '<rect class="tone-bad" x="0" y="0.0" width="8" height="25.0"/>' in chart
    assert '<rect class="tone-bad" x="10" y="50.0" width="8" height="50.0"/>' in chart


def test_a_chart_is_told_in_words_and_as_a_table_too() -> None:
    chart = charts.columns(
        "Scans", ["Monday", "Tuesday"], [part("good", 3, 0), part("failed", 1, 2, tone="bad")]
    )
    assert '<desc id="scans-desc">3 good, 3 failed</desc>' in chart
    assert "<title>Monday: 3 good, 1 failed</title>" in chart
    assert '<tr><th scope="row">Tuesday</th><td>0</td><td>2</td></tr>' in chart


def test_charts_of_nothing_are_drawn_all_the_same() -> None:
    assert "<svg" in charts.histogram("Confidence", [], [])
    assert "<svg" in charts.columns("Scans", ["Monday"], [part("good", 0)])
    assert "<table" in charts.bars("Types", [])


class Odd(DomainError):
    """Made for these tests."""

    hint = ""


@pytest.fixture
def asked(rf: RequestFactory) -> HttpRequest:
    request = rf.get("/")
    request._messages = Notes()  # type: ignore[attr-defined]
    return request


class Notes(list[tuple[int, str]]):
    def add(self, level: int, message: str, extra_tags: str = "") -> None:
        self.append((level, message))


def test_one_row_that_fails_does_not_stop_the_others(asked: HttpRequest) -> None:
    def act(number: int) -> None:
        if number % 2:
            raise Odd(f"{number} is odd.", hint="Add one.")

    assert each_row(asked, range(4), act, done="Halved") == 2
    assert [text for _, text in asked._messages] == [
        "Halved: 0, 2.",
        "1: 1 is odd. Add one.",
        "3: 3 is odd. Add one.",
    ]


def test_a_hundred_rows_are_no_hundred_messages(asked: HttpRequest) -> None:
    def act(number: int) -> None:
        if number >= 50:
            raise Odd("No.")

    each_row(asked, range(100), act, done="Done")
    said = [text for _, text in asked._messages]
    assert said[0] == "Done: 0, 1, 2, 3, 4 and 45 more."
    assert said[-1] == "30 more could not be done."
    assert len(said) == 22


class Wave(JourneyPage):
    slug, label, submit = "wave", "Wave…", "Wave now"
    steps = ("Look", "Wave")

    def post(self, request: HttpRequest) -> HttpResponseBase:
        if self.object.name == "Shy":
            raise Odd("It is shy.", hint="Leave it alone.")
        return self.leave(f"Waved at {self.object}.")


class Ring(JourneyPage):
    slug, label, at_once = "ring", "Ring", True

    @classmethod
    def is_open(cls, model_admin: admin.ModelAdmin, request: HttpRequest, obj: Any) -> bool:
        return super().is_open(model_admin, request, obj) and obj.name != "Deaf"

    def post(self, request: HttpRequest) -> HttpResponseBase:
        raise Odd("No bell.")


class Gather(JourneyPage):
    slug, label, of_object = "gather", "Gather", False


@pytest.fixture
def journeys(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """The three journeys on the pages of a project, as if an app had added them before the server started."""
    monkeypatch.setitem(added._journeys, Project, [])
    monkeypatch.setitem(
        added._panels, Project, [lambda _, project: format_html("<p>Panel of {}</p>", project)]
    )
    for page in (Wave, Ring, Gather):
        added.journey(Project)(page)
    settings.ROOT_URLCONF = ModuleType("addresses")
    settings.ROOT_URLCONF.urlpatterns = [*urls.urlpatterns[:-1], path("admin/", admin.site.urls)]


def notices(answer: Any) -> list[str]:
    return [str(message) for message in get_messages(answer.wsgi_request)]


def page_of(project: Project) -> str:
    return reverse("admin:accounts_project_change", args=[project.pk])


def test_the_page_of_an_object_has_the_buttons_and_panels_that_apps_added(
    console: Client, journeys: None, project: Project
) -> None:
    page = console.get(page_of(project)).content.decode()
    assert f'<a href="{Wave.address(project)}">Wave…</a>' in page
    assert f'action="{Ring.address(project)}"' in page
    assert "<p>Panel of default</p>" in page
    assert "Gather" not in page
    listed = console.get(reverse("admin:accounts_project_changelist")).content.decode()
    assert f'<a href="{Gather.address()}">Gather</a>' in listed
    assert "Wave" not in listed


def test_a_journey_shows_its_steps_and_where_it_began(
    console: Client, journeys: None, project: Project
) -> None:
    page = console.get(Wave.address(project)).content.decode()
    assert '<li aria-current="step">Look</li>' in page
    assert 'value="Wave now"' in page
    assert "csrfmiddlewaretoken" in page
    assert f'<a href="{page_of(project)}">default</a>' in page


def test_a_journey_ends_with_a_message_where_it_began(
    console: Client, journeys: None, project: Project
) -> None:
    answer = console.post(Wave.address(project))
    assert (answer.status_code, answer["Location"]) == (302, page_of(project))
    assert notices(answer) == ["Waved at default."]


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_a_journey_leads_back_to_the_page_that_sent_it_and_to_no_other_site(
    console: Client, journeys: None, project: Project, elsewhere: str
) -> None:
    assert console.post(Wave.address(project), {"back": "/admin/"})["Location"] == "/admin/"
    assert console.post(Wave.address(project), {"back": elsewhere})["Location"] == page_of(project)


def test_what_an_operation_refuses_is_said_on_the_same_page(console: Client, journeys: None) -> None:
    answer = console.post(Wave.address(ProjectFactory(name="Shy")))
    assert answer.status_code == 200
    assert "It is shy. Leave it alone." in answer.content.decode()


def test_a_button_without_a_page_leads_back_even_when_it_is_refused(
    console: Client, journeys: None, project: Project
) -> None:
    answer = console.post(Ring.address(project))
    assert (answer.status_code, answer["Location"]) == (302, page_of(project))
    assert notices(answer) == ["No bell."]
    assert console.get(Ring.address(project))["Location"] == page_of(project)


def test_a_journey_is_closed_to_those_who_may_not_and_when_the_object_does_not_allow_it(
    console: Client, journeys: None, project: Project, member: Callable[..., User]
) -> None:
    deaf = ProjectFactory(name="Deaf")
    assert console.post(Ring.address(deaf)).status_code == 403
    assert "Ring" not in console.get(page_of(deaf)).content.decode()
    clerk = Client()
    clerk.force_login(member(Role.ADMIN, is_staff=True))
    assert clerk.get(Wave.address(project)).status_code == 403
    assert Client().get(Wave.address(project)).status_code == 302


def test_a_journey_of_an_object_that_is_gone_is_a_404(
    console: Client, journeys: None, project: Project
) -> None:
    address = Wave.address(project).replace(str(project.pk), str(ProjectFactory.build().pk))
    assert console.get(address).status_code == 404


def test_a_journey_wants_a_csrf_token(operator: User, journeys: None, project: Project) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(operator)
    assert strict.post(Wave.address(project)).status_code == 403


def test_the_home_page_shows_panels_in_order_to_those_who_may(
    monkeypatch: pytest.MonkeyPatch, member: Callable[..., User], console: Client
) -> None:
    monkeypatch.setattr(panels, "_panels", {})
    monkeypatch.setattr(panels.Panel, "template", "admin/tools.html")
    for name, order, shown in (("Second", 2, {}), ("First", 1, {}), ("Unseen", 3, None)):
        panels.register(panels.Panel(name=name, title=name, order=order, facts=lambda _, shown=shown: shown))
    panels.register(
        panels.Panel(name="Third", title="Third", order=3, needs="accounts.view_user", facts=lambda _: {})
    )
    clerk = SimpleNamespace(user=member(Role.ADMIN, is_staff=True))
    assert [each.panel.title for each in panels.shown(clerk)] == ["First", "Second"]  # type: ignore[arg-type]
    page = console.get(reverse("admin:index")).content.decode()
    assert page.index("First") < page.index("Second") < page.index("Third")
    assert "Unseen" not in page
