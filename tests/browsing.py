"""What people do on any page of the console, in a browser; `page` is Playwright's."""

import re
from collections.abc import Callable
from typing import Any

Open = Callable[..., Any]
Check = Callable[[Any], None]


def press(page: Any, name: str) -> None:
    """A button, and wait for the page that it leads to."""
    _click(page, page.get_by_role("button", name=name, exact=True))


def follow(page: Any, name: str, *, of: str = "") -> None:
    """A link, and wait for its page; `of` is the row in which it stands, where others have one like it."""
    _click(page, (row(page, of) if of else page).get_by_role("link", name=name, exact=True))


def _click(page: Any, what: Any) -> None:
    with page.expect_navigation():
        what.click()


def row(place: Any, name: str) -> Any:
    """The row of a table, or on a narrow screen the card, that is called so."""
    return place.locator(f'tr:has(th:has-text("{name}"))')


def told(page: Any, sentence: str) -> None:
    """Wait until the page says at its top, in these very letters, what was done."""
    page.locator(".messagelist").get_by_text(re.compile(re.escape(sentence))).wait_for()


def select(page: Any, action: str, *names: str) -> None:
    """Choose rows of a list and start an action with them."""
    for name in names:
        row(page, name).get_by_role("checkbox").check()
    page.get_by_label("Action:").select_option(action)
    press(page, "Go")
