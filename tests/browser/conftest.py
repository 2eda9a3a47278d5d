"""A real browser on a real server: Playwright drives Debian's Chromium, which has to be there.

Each test has its own database and server; what the browser does is watched, and a test fails when a page logs an
error, asks for a file that is not there, or asks any other host for anything.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, cast

import pytest
from django.conf import settings as django_settings
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.test import Client
from django.test.testcases import LiveServerThread, QuietWSGIRequestHandler

from skillmeat_site.accounts.models import Membership, Project, Role, User

playwright = pytest.importorskip(
    "playwright.sync_api", reason="no Playwright: pip install -r requirements-dev.txt"
)
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe: see requirements-dev.txt")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
BAD_REQUEST = 400
RULES = [
    "wcag2a",
    "wcag2aa",
    "wcag21a",
    "wcag21aa",
    "wcag22aa",
]  # and no preload: axe would look for imported style sheets in the wrong place


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser/" in item.nodeid:
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.any_database)
            item.add_marker(pytest.mark.no_cover)


class Screen(NamedTuple):
    width: int
    height: int
    scheme: str

    def __str__(self) -> str:
        return f"{self.width}-{self.scheme}"


DESK = Screen(1280, 900, "light")
PHONE = Screen(390, 844, "dark")


@pytest.fixture
def shop(tmp_path: Path, settings: Any) -> Path:
    """An empty directory that one may deploy into."""
    made = tmp_path / "projects/shop"
    made.mkdir(parents=True)
    settings.SKILLMEAT_DEPLOY_ROOTS = [made.parent]
    return made


@pytest.fixture(params=[DESK, PHONE], ids=str)
def screen(request: pytest.FixtureRequest) -> Screen:
    """A test that asks for it runs on both."""
    return cast("Screen", request.param)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """The browser. Playwright keeps an event loop in this thread, in which Django would not ask the database."""
    if CHROMIUM is None:
        pytest.skip("no Chromium: apt-get install chromium")
    with pytest.MonkeyPatch.context() as patch, playwright.sync_playwright() as driver:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class QuietServer(LiveServerThread):
    """Django's, without its lines on stderr."""

    def _create_server(self, connections_override: Any = None) -> Any:
        return self.server_class((self.host, self.port), QuietWSGIRequestHandler, allow_reuse_address=False)


@pytest.fixture
def server(on_disk: None) -> Iterator[str]:
    """The address of the product, served from threads of this process, with the test's database."""
    thread = QuietServer("127.0.0.1", StaticFilesHandler)
    thread.daemon = True
    thread.start()
    thread.is_ready.wait()
    if thread.error:
        raise thread.error
    yield f"http://127.0.0.1:{thread.port}"
    thread.terminate()


@pytest.fixture
def operator(server: str, project: Project) -> User:
    user = User.objects.create_user("operator", password="a good secret", is_staff=True, is_superuser=True)
    Membership.objects.create(user=user, project=project, role=Role.ADMIN)
    return user


Open = Callable[..., Any]


@pytest.fixture
def visit(chromium: Any, server: str, operator: User) -> Iterator[Open]:
    """Opens a page of the console on a screen, logged in unless told otherwise; what it does is watched."""
    complaints: list[str] = []
    contexts: list[Any] = []

    def open_page(path: str, screen: Screen = DESK, *, logged_in: bool = True) -> Any:
        size = {"width": screen.width, "height": screen.height}
        context = chromium.new_context(base_url=server, viewport=size, color_scheme=screen.scheme)
        contexts.append(context)
        _watch(context, server, complaints)
        if logged_in:
            client = Client()
            client.force_login(operator)
            name = django_settings.SESSION_COOKIE_NAME
            context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": server}])
        page = context.new_page()
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def _watch(context: Any, server: str, complaints: list[str]) -> None:
    def logged(message: Any) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(f"{message.type}: {message.text}")

    def asked(request: Any) -> None:
        if not request.url.startswith((server, "data:")):
            complaints.append(f"asked for {request.url}")

    def answered(response: Any) -> None:
        if response.status >= BAD_REQUEST:
            complaints.append(f"{response.status} for {response.url}")

    context.on("console", logged)
    context.on("weberror", lambda error: complaints.append(f"script: {error.error}"))
    context.on("request", asked)
    context.on("response", answered)


@pytest.fixture
def sound() -> Callable[[Any], None]:
    """Asserts that everybody can use the page: axe finds nothing against WCAG 2.2 AA, and nothing is cut off."""

    def check(page: Any) -> None:
        found = axe.Axe().run(page, options={"runOnly": RULES, "preload": False}).response["violations"]
        named = [
            (each["id"], node["target"], node["failureSummary"]) for each in found for node in each["nodes"]
        ]
        assert named == [], page.url
        too_wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert too_wide <= 0, f"{page.url} is {too_wide} pixels too wide"

    return check
