"""The environment is read strictly: what is wrong is said with the variable's name."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from skillmeat_site import configuration as env

NAME = "SKILLMEAT_TESTED"
SOMEWHERE = Path("/somewhere")

READERS: dict[str, Callable[[], Any]] = {
    "choice": lambda: env.choice(NAME, ("one", "two")),
    "flag": lambda: env.flag(NAME),
    "positive_int": lambda: env.positive_int(NAME, 7),
    "token": lambda: env.token(NAME),
    "queue": lambda: env.queue(NAME),
    "networks": lambda: env.networks(NAME),
    "directory": lambda: env.directory(NAME, SOMEWHERE),
    "directories": lambda: env.directories(NAME, (SOMEWHERE,)),
    "http_url": lambda: env.http_url(NAME, "https://example.org"),
    "database": lambda: env.database(NAME, SOMEWHERE)["ENGINE"],
    "content": lambda: env.content(NAME, SOMEWHERE)["OPTIONS"],
    "rate": lambda: env.rate(NAME, "5/min"),
    "names": lambda: env.names(NAME, ("default",)),
}


@pytest.mark.parametrize(
    ("reader", "value"),
    [
        ("choice", "three"),
        ("choice", "ONE"),
        ("flag", "yes"),
        ("flag", "1"),
        ("token", "two words"),
        ("token", "two\nlines"),
        ("token", "caf\u00e9"),
        ("queue", "http://127.0.0.1"),
        ("queue", "127.0.0.1:6379"),
        ("queue", "redis://127.0.0.1:many/0"),
        ("positive_int", "0"),
        ("positive_int", "-1"),
        ("positive_int", "many"),
        ("positive_int", "1.5"),
        ("rate", "0/min"),
        ("rate", "many/min"),
        ("rate", "6000"),
        ("rate", "6000/day"),
        ("rate", "6000/min!"),
        ("rate", "OFF"),
        ("networks", "10.0.0.1, nowhere"),
        ("networks", "10.0.0.1/8"),  # host bits set: probably a mistake
        ("directory", __file__),
        ("directories", "relative/place"),
        ("directories", "/absolute:relative"),
        ("http_url", "ftp://example.org"),
        ("http_url", "example.org"),
        ("http_url", "https://"),
        ("http_url", "https://user:secret@example.org"),
        ("http_url", "https://example.org/?token=1"),
        ("http_url", "https://example.org/#part"),
        ("content", "https://bucket/prefix"),
        ("content", "s3:///prefix"),
        ("content", "s3://key:secret@bucket/prefix"),
        ("content", "s3://Bucket_Name"),
        ("content", "s3://bucket/../other"),
        ("content", "s3://bucket?endpoint=ftp://127.0.0.1"),
        ("content", "s3://bucket?endpoint=http://key:secret@127.0.0.1"),
        ("content", "s3://bucket?endpoint="),
        ("content", "s3://bucket?region=here/there"),
        ("content", "s3://bucket?addressing=sideways"),
        ("content", "s3://bucket?secret_key=x"),
        ("content", "s3://[bucket"),
        ("database", "mysql://localhost/skillmeat"),
        ("database", "nonsense"),
        ("database", "postgres://localhost:port/skillmeat"),
    ],
)
def test_a_bad_value_is_refused_by_the_name_of_its_variable(
    monkeypatch: pytest.MonkeyPatch, reader: str, value: str
) -> None:
    monkeypatch.setenv(NAME, value)
    with pytest.raises(ImproperlyConfigured, match=NAME) as caught:
        READERS[reader]()
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("reader", "value", "wanted"),
    [
        ("choice", "two", "two"),
        ("choice", " two ", "two"),
        ("flag", "true", True),
        ("flag", "false", False),
        ("positive_int", "1", 1),
        ("rate", "10/s", (10, 1)),
        ("rate", "6000/min", (6000, 60)),
        ("rate", "1/hour", (1, 3600)),
        ("rate", "off", None),
        ("token", " ghp_0123 ", "ghp_0123"),
        ("queue", "redis://:secret@127.0.0.1:6379/0", "redis://:secret@127.0.0.1:6379/0"),
        ("names", "a, b,,c", ["a", "b", "c"]),
        ("directory", "/other", Path("/other")),
        ("directories", "/one:/two", [Path("/one"), Path("/two")]),
        ("http_url", "http://127.0.0.1:8000/api/v3/", "http://127.0.0.1:8000/api/v3"),
        ("database", "postgres://localhost/skillmeat", "django.db.backends.postgresql"),
        ("database", "postgresql://localhost/skillmeat", "django.db.backends.postgresql"),
        ("database", "sqlite:////var/db.sqlite3", "django.db.backends.sqlite3"),
    ],
)
def test_a_good_value_is_taken(
    monkeypatch: pytest.MonkeyPatch, reader: str, value: str, wanted: object
) -> None:
    monkeypatch.setenv(NAME, value)
    assert READERS[reader]() == wanted


@pytest.mark.parametrize("value", [None, "", "  "])
@pytest.mark.parametrize(
    ("reader", "wanted"),
    [
        ("choice", "one"),
        ("flag", False),
        ("positive_int", 7),
        ("rate", (5, 60)),
        ("token", ""),
        ("queue", ""),
        ("networks", []),
        ("names", ["default"]),
        ("directory", SOMEWHERE),
        ("directories", [SOMEWHERE]),
        ("http_url", "https://example.org"),
        ("database", "django.db.backends.sqlite3"),
    ],
)
def test_an_absent_or_empty_variable_is_its_default(
    monkeypatch: pytest.MonkeyPatch, reader: str, wanted: object, value: str | None
) -> None:
    monkeypatch.delenv(NAME, raising=False)
    if value is not None:
        monkeypatch.setenv(NAME, value)
    assert READERS[reader]() == wanted


def test_networks_may_be_addresses_and_of_both_families(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "10.0.0.1, 192.168.0.0/16,::1")
    assert [str(network) for network in env.networks(NAME)] == ["10.0.0.1/32", "192.168.0.0/16", "::1/128"]


def test_the_generated_key_is_private_and_stays_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(NAME, raising=False)
    file = tmp_path / "made" / "secret-key"
    key = env.secret_key(NAME, file, may_generate=True)
    assert len(key) >= 50
    assert file.stat().st_mode & 0o777 == 0o600
    assert env.secret_key(NAME, file, may_generate=True) == key


def test_two_places_have_two_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(NAME, raising=False)
    one, other = (env.secret_key(NAME, tmp_path / name, may_generate=True) for name in "ab")
    assert one != other


def test_a_key_from_the_environment_leaves_no_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(NAME, "from outside")
    assert env.secret_key(NAME, tmp_path / "key", may_generate=True) == "from outside"
    assert not (tmp_path / "key").exists()


def test_where_no_key_may_be_made_one_has_to_be_given(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(NAME, raising=False)
    with pytest.raises(ImproperlyConfigured, match=NAME):
        env.secret_key(NAME, tmp_path / "key", may_generate=False)
    assert not (tmp_path / "key").exists()


def test_an_empty_key_file_is_no_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(NAME, raising=False)
    (tmp_path / "key").touch(0o600)
    with pytest.raises(ImproperlyConfigured, match="is empty"):
        env.secret_key(NAME, tmp_path / "key", may_generate=True)
