"""Limits of requests: by user, by address for whoever is not known, and only in multi-user mode."""

import random
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from skillmeat_site.accounts.models import Role, User
from skillmeat_site.api import peers
from skillmeat_site.api.counters import Counters, FileCounters, RedisCounters, Window, shared_counters
from skillmeat_site.configuration import Rate

ME = "/api/v1/me"
MIDDAY = datetime(2026, 5, 1, 12, 0, 15, tzinfo=UTC)

Member = Callable[..., User]
ClientOf = Callable[..., APIClient]


@pytest.fixture
def limits(settings: Any, multi_user: None) -> None:
    settings.SKILLMEAT_THROTTLE_USER = Rate(requests=3, seconds=60)
    settings.SKILLMEAT_THROTTLE_ANONYMOUS = Rate(requests=2, seconds=60)


@pytest.fixture
def address() -> str:
    """One that no other test has: Redis counts for all of them."""
    return f"10.{random.randrange(256)}.{random.randrange(256)}.{random.randrange(256)}"


@pytest.fixture
def stranger(db: None, address: str) -> APIClient:
    return APIClient(REMOTE_ADDR=address)


def statuses(client: APIClient, count: int, path: str = ME, **more: Any) -> list[int]:
    return [client.get(path, **more).status_code for _ in range(count)]


# --- Users -----------------------------------------------------------------------------------------


@time_machine.travel(MIDDAY, tick=False)
def test_a_user_who_asks_too_often_is_told_when_to_come_back(
    member: Member, client_of: ClientOf, limits: None
) -> None:
    client = client_of(member(Role.VIEWER))
    assert statuses(client, 3) == [200] * 3
    response = client.get(ME)
    assert (response.status_code, response["Content-Type"]) == (429, "application/problem+json")
    assert (response["Retry-After"], response.json()["retry_after"]) == ("45", 45)
    assert response.json()["type"] == "/problems/throttled"
    assert "ETag" not in response


def test_the_next_window_begins_anew(member: Member, client_of: ClientOf, limits: None) -> None:
    with time_machine.travel(MIDDAY, tick=False) as clock:
        client = client_of(member(Role.VIEWER))
        assert statuses(client, 4) == [200, 200, 200, 429]
        clock.shift(44)
        assert statuses(client, 1) == [429]
        clock.shift(1)
        assert statuses(client, 4) == [200, 200, 200, 429]


@time_machine.travel(MIDDAY, tick=False)
def test_all_tokens_of_a_user_share_one_limit_and_users_do_not(
    member: Member, client_of: ClientOf, limits: None
) -> None:
    user = member(Role.VIEWER)
    assert statuses(client_of(user), 2) + statuses(client_of(user), 2) == [200, 200, 200, 429]
    assert statuses(client_of(member(Role.VIEWER)), 1) == [200]


@time_machine.travel(MIDDAY, tick=False)
def test_what_is_refused_by_a_limit_changes_nothing(
    member: Member, client_of: ClientOf, limits: None
) -> None:
    client = client_of(member(Role.ADMIN))
    made = [client.post("/api/v1/tokens", {"name": str(n)}).status_code for n in range(4)]
    assert made == [201, 201, 201, 429]


def test_nobody_is_counted_in_single_user_mode(api: APIClient, settings: Any, tmp_path: Path) -> None:
    settings.SKILLMEAT_THROTTLE_USER = settings.SKILLMEAT_THROTTLE_ANONYMOUS = Rate(requests=1, seconds=60)
    assert statuses(api, 3) == [200] * 3
    assert not (settings.SKILLMEAT_DATA_DIR / "cache").exists()


@time_machine.travel(MIDDAY, tick=False)
def test_limits_can_be_switched_off(
    member: Member, client_of: ClientOf, stranger: APIClient, limits: None, settings: Any
) -> None:
    settings.SKILLMEAT_THROTTLE_USER = settings.SKILLMEAT_THROTTLE_ANONYMOUS = None
    assert statuses(client_of(member(Role.VIEWER)), 5) == [200] * 5
    assert statuses(stranger, 5) == [401] * 5


# --- Addresses -------------------------------------------------------------------------------------


@time_machine.travel(MIDDAY, tick=False)
@pytest.mark.parametrize("credentials", [{}, {"Authorization": "Bearer sm_guess"}, {"Cookie": "sessionid=x"}])
def test_an_address_has_few_requests_without_valid_credentials(
    stranger: APIClient, limits: None, credentials: dict[str, str]
) -> None:
    assert statuses(stranger, 4, headers=credentials) == [401, 401, 429, 429]


@time_machine.travel(MIDDAY, tick=False)
def test_every_way_of_being_unknown_counts(stranger: APIClient, limits: None) -> None:
    assert statuses(stranger, 1, "/api/schema") == [200]
    assert statuses(stranger, 1, headers={"Authorization": "Bearer sm_guess"}) == [401]
    assert statuses(stranger, 1, "/api/schema") == [429]


@time_machine.travel(MIDDAY, tick=False)
def test_guessing_is_refused_before_the_database_is_asked(stranger: APIClient, limits: None) -> None:
    guess = {"Authorization": "Bearer sm_guess"}
    statuses(stranger, 2, headers=guess)
    with CaptureQueriesContext(connection) as captured:
        response = stranger.get(ME, headers=guess)
    assert (response.status_code, len(captured)) == (429, 0)
    assert int(response["Retry-After"]) == response.json()["retry_after"] == 45


@time_machine.travel(MIDDAY, tick=False)
def test_valid_credentials_are_not_counted_against_the_address(
    member: Member, client_of: ClientOf, address: str, limits: None
) -> None:
    clients = [client_of(member(Role.VIEWER)) for _ in range(2)]
    assert [statuses(client, 3, REMOTE_ADDR=address) for client in clients] == [[200] * 3] * 2


@time_machine.travel(MIDDAY, tick=False)
def test_a_login_of_the_console_works_where_tokens_were_guessed(
    member: Member, stranger: APIClient, limits: None
) -> None:
    statuses(stranger, 3, headers={"Authorization": "Bearer sm_guess"})
    stranger.force_login(member(Role.VIEWER))
    assert statuses(stranger, 1) == [200]


@time_machine.travel(MIDDAY, tick=False)
def test_another_address_has_requests_of_its_own(stranger: APIClient, limits: None) -> None:
    statuses(stranger, 3)
    assert statuses(stranger, 1, REMOTE_ADDR="11.1.2.3") in ([401], [429])
    assert statuses(stranger, 1) == [429]


@time_machine.travel(MIDDAY, tick=False)
def test_what_a_stranger_says_of_his_address_is_not_believed(stranger: APIClient, limits: None) -> None:
    claims = [stranger.get(ME, headers={"X-Forwarded-For": f"192.0.2.{n}"}).status_code for n in range(3)]
    assert claims == [401, 401, 429]


@pytest.mark.parametrize(
    ("remote", "forwarded", "wanted"),
    [
        ("192.0.2.1", "", "192.0.2.1"),
        ("192.0.2.1", "198.51.100.7", "192.0.2.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "203.0.113.9, 198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "203.0.113.9, 198.51.100.7,10.0.0.2", "198.51.100.7"),
        ("10.0.0.1", "203.0.113.9, nonsense", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.2, 10.0.0.3", "10.0.0.2"),
        ("::ffff:10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("10.0.0.1", "fe80::1%eth0", "fe80::"),
        ("", "198.51.100.7", "unknown"),
    ],
)
def test_a_client_behind_our_own_proxies_is_known_by_what_they_say(
    rf: Any, settings: Any, remote: str, forwarded: str, wanted: str
) -> None:
    settings.SKILLMEAT_TRUSTED_PROXIES = [ip_network("10.0.0.0/8")]
    request = rf.get(ME, REMOTE_ADDR=remote, headers={"X-Forwarded-For": forwarded} if forwarded else {})
    assert peers.household(peers.client(request)) == wanted


# --- Counting --------------------------------------------------------------------------------------


@pytest.fixture(params=["files", "redis"])
def counters(request: pytest.FixtureRequest, settings: Any, tmp_path: Path) -> Counters:
    if request.param == "files":
        return FileCounters(tmp_path / "throttle")
    if not settings.SKILLMEAT_QUEUE_URL:
        pytest.skip("no Redis: SKILLMEAT_QUEUE_URL is not set")
    return RedisCounters()


def test_the_queue_decides_who_counts(settings: Any) -> None:
    settings.SKILLMEAT_QUEUE_URL = ""
    assert shared_counters() == FileCounters(settings.SKILLMEAT_DATA_DIR / "cache" / "throttle")
    settings.SKILLMEAT_QUEUE_URL = "redis://127.0.0.1:6379/15"
    assert isinstance(shared_counters(), RedisCounters)


def test_hits_are_counted_by_window_and_key(counters: Counters, address: str) -> None:
    now, later = Window(seconds=60, number=7), Window(seconds=60, number=8)
    assert [counters.hit(now, address) for _ in range(3)] == [1, 2, 3]
    assert (counters.count(now, address), counters.count(now, f"{address}0")) == (3, 0)
    assert counters.count(later, address) == 0
    assert counters.hit(later, address) == 1
    assert counters.hit(Window(seconds=3600, number=7), address) == 1


def test_no_hit_is_lost_when_many_come_at_once(counters: Counters, address: str) -> None:
    window = Window(seconds=60, number=7)

    def hit() -> None:
        for _ in range(50):
            counters.hit(window, address)

    threads = [threading.Thread(target=hit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counters.count(window, address) == 200


def test_windows_that_are_over_leave_no_files(tmp_path: Path) -> None:
    counters = FileCounters(tmp_path)
    for number in range(5):
        counters.hit(Window(seconds=60, number=number), "a")
    counters.hit(Window(seconds=3600, number=1), "a")
    assert sorted(str(file.relative_to(tmp_path)) for file in tmp_path.rglob("a")) == ["3600/1/a", "60/4/a"]


def test_a_window_ends_when_the_next_one_begins() -> None:
    with time_machine.travel(MIDDAY, tick=False) as clock:
        window = Window.now(60)
        assert window.left == 45
        clock.shift(44.5)
        assert (Window.now(60), window.left) == (window, 1)
        clock.shift(0.5)
        assert Window.now(60).number == window.number + 1


def test_counters_that_are_out_of_order_refuse_nobody(
    stranger: APIClient, limits: None, settings: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings.SKILLMEAT_QUEUE_URL = ""
    settings.SKILLMEAT_DATA_DIR = tmp_path / "a file"
    settings.SKILLMEAT_DATA_DIR.touch()
    assert statuses(stranger, 4, headers={"Authorization": "Bearer sm_guess"}) == [401] * 4
    assert "cannot be counted" in caplog.text
