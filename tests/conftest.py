"""What every test stands on: no network but loopback, a queue that is emptied by hand, and people with roles."""

import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_q.brokers import Broker, get_broker
from django_q.conf import Conf
from django_q.signing import SignedPackage
from rest_framework.test import APIClient

from skillmeat_site.accounts.models import Membership, Project, Role, Token, TokenScope, User
from skillmeat_site.jobs import runner

pytest_plugins = ["tests.github.fixtures"]
LOOPBACK = ("127.", "::1", "localhost", "/")


@pytest.fixture(autouse=True)
def only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that reaches for the network fails and names the address."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        host = address if isinstance(address, str | bytes) else address[0]
        if not str(host).startswith(LOOPBACK):
            raise AssertionError(f"a test tried to reach {address!r}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True)
def server_settings(settings: Any, tmp_path: Path) -> None:
    """The product's defaults, whatever the environment of the person who runs the tests says."""
    settings.SKILLMEAT_DATA_DIR = tmp_path / "data"
    location = {"location": tmp_path / "data" / "content"}
    files = {"BACKEND": "marketplace.content.storage.FileStorage", "OPTIONS": location}
    settings.STORAGES = settings.STORAGES | {"content": files}
    if settings.SKILLMEAT_QUEUE_URL:  # where counts of requests would be those of all tests
        settings.CACHES = {"default": settings.CACHES["default"] | {"KEY_PREFIX": str(tmp_path)}}
    settings.WHITENOISE_AUTOREFRESH = True  # every client would look through all static files first
    quick = "django.contrib.auth.hashers.MD5PasswordHasher"  # the product's is slow by design
    settings.PASSWORD_HASHERS = [quick]
    settings.SKILLMEAT_AUTH = "single-user"
    settings.SKILLMEAT_TRUSTED_PROXIES = []
    settings.GITHUB_TOKEN = ""
    settings.SKILLMEAT_GITHUB_API_URL = "http://127.0.0.1:9/api/v3"  # port 9 discards: nobody answers


@pytest.fixture
def project(db: None) -> Project:
    return Project.objects.default()


@pytest.fixture
def api(db: None) -> APIClient:
    """The local operator of single-user mode."""
    return APIClient()


@pytest.fixture
def multi_user(settings: Any) -> None:
    settings.SKILLMEAT_AUTH = "multi-user"


@pytest.fixture
def member(project: Project) -> Callable[..., User]:
    """Makes a user with a role in the project; without a role, a stranger."""

    def make(role: Role | None, **values: Any) -> User:
        user = User.objects.create_user(username=f"{role or 'stranger'}-{User.objects.count()}", **values)
        if role:
            Membership.objects.create(user=user, project=project, role=role)
        return user

    return make


@pytest.fixture
def operator(member: Callable[..., User]) -> User:
    """May do everything, in the console too."""
    return member(Role.ADMIN, is_staff=True, is_superuser=True)


@pytest.fixture
def console(operator: User) -> Client:
    """The operator's browser."""
    client = Client()
    client.force_login(operator)
    return client


@pytest.fixture
def client_of() -> Callable[..., APIClient]:
    """An API client that sends a fresh token of the user."""

    def make(user: User, scope: TokenScope = TokenScope.WRITE) -> APIClient:
        _, secret = Token.objects.issue(user=user, name=f"t{Token.objects.count()}", scope=scope)
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
        return client

    return make


@pytest.fixture(scope="session")
def queue_on_redis(worker_id: str) -> Broker | None:
    """Each test process has a queue of its own; a Redis is shared by all of them."""
    Conf.CLUSTER_NAME = f"test-{worker_id}"
    return get_broker() if django_settings.SKILLMEAT_QUEUE_URL else None


@pytest.fixture(autouse=True)
def empty_queue(queue_on_redis: Broker | None) -> None:
    """What a database rolls back, a Redis keeps."""
    if queue_on_redis:
        queue_on_redis.purge_queue()


@pytest.fixture
def drain(django_capture_on_commit_callbacks: Any) -> Callable[[], int]:
    """Do what workers would: run what the queue's messages name, with real serialisation, in this process."""

    def run() -> int:
        done = 0
        broker = get_broker()
        while broker.queue_size():
            for receipt, payload in broker.dequeue():
                task = SignedPackage.loads(payload)
                broker.acknowledge(receipt)
                assert task["func"] == "skillmeat_site.jobs.runner.run"
                with django_capture_on_commit_callbacks(execute=True):
                    runner.run(*task["args"])
                done += 1
        return done

    return run


@pytest.fixture
def on_github(github: Any, settings: Any) -> Any:
    """The loopback GitHub, and the product's settings pointing to it."""
    settings.SKILLMEAT_GITHUB_API_URL = github.api_url
    settings.SKILLMEAT_GITHUB_WEB_URL = github.web_url
    return github


@pytest.fixture
def caller_named(
    member: Callable[..., User], client_of: Callable[..., APIClient]
) -> Callable[[str], APIClient]:
    """Makes a client of each sort of caller there is, by its name."""

    def expired() -> APIClient:
        at = timezone.now() - timedelta(seconds=1)
        user = member(Role.ADMIN)
        _, secret = Token.objects.issue(user=user, name="old", scope=TokenScope.WRITE, expires_at=at)
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
        return client

    makers: dict[str, Callable[[], APIClient]] = {
        "anonymous": APIClient,
        "stranger": lambda: client_of(member(None)),
        "viewer": lambda: client_of(member(Role.VIEWER)),
        "editor": lambda: client_of(member(Role.EDITOR)),
        "admin": lambda: client_of(member(Role.ADMIN)),
        "superuser": lambda: client_of(member(None, is_superuser=True)),
        "read-only token": lambda: client_of(member(Role.ADMIN), TokenScope.READ),
        "expired token": expired,
    }
    return lambda name: makers[name]()


@pytest.fixture
def on_disk(transactional_db: None, tmp_path: Path) -> Iterator[None]:
    """SQLite in a file, as in production: connections that share one in memory do not wait for each other."""
    if connection.vendor != "sqlite":
        yield
        return
    connection.ensure_connection()
    in_memory, name = connection.connection, connection.settings_dict["NAME"]
    with closing(sqlite3.connect(tmp_path / "db.sqlite3")) as copy:
        in_memory.backup(copy)
    connection.connection, connection.settings_dict["NAME"] = None, str(tmp_path / "db.sqlite3")
    yield
    connection.close()
    connection.connection, connection.settings_dict["NAME"] = in_memory, name
