"""Contents as objects: few requests, faults that say what is wrong, and nothing of the credentials anywhere."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from marketplace.content import store, upkeep
from marketplace.content.storage import ContentUnavailable
from marketplace.content.store import ContentStore
from marketplace.models import Blob, Source
from skillmeat_site import configuration
from tests.github.repositories import Repository
from tests.scanning import Create

LONG_AGO = timezone.now() - timedelta(days=3)
pytestmark = pytest.mark.django_db
KNOWN = [str(n).encode() for n in range(60)]


def put(contents: list[bytes]) -> list[str]:
    return ContentStore(at=LONG_AGO).put(contents)


def test_what_the_database_knows_costs_no_request(asked_of_objects: list[str]) -> None:
    put(KNOWN)
    assert asked_of_objects == ["PutObject"] * len(KNOWN)
    put([*KNOWN, b"new"])
    assert asked_of_objects == ["PutObject"] * (len(KNOWN) + 1)


def test_reading_costs_one_request(asked_of_objects: list[str]) -> None:
    (digest,) = put([b"one"])
    assert store.read(digest) == b"one"
    assert asked_of_objects == ["PutObject", "GetObject"]


def test_garbage_goes_in_one_request(asked_of_objects: list[str]) -> None:
    put(KNOWN)
    asked_of_objects.clear()
    upkeep.collect_garbage(before=timezone.now(), dry_run=False, progress=lambda *_: None)
    assert asked_of_objects.count("DeleteObjects") == 1
    assert len(asked_of_objects) == 2  # the other looks for leftovers, which objects never have


@pytest.fixture
def gone(objects: Any, settings: Any) -> None:
    """A bucket that does not exist."""
    options = settings.STORAGES["content"]["OPTIONS"] | {"bucket": "no-such-bucket"}
    content = settings.STORAGES["content"] | {"OPTIONS": options}
    settings.STORAGES = settings.STORAGES | {"content": content}


@pytest.fixture
def silent(objects: Any, settings: Any) -> None:
    """A server that is not there."""
    options = settings.STORAGES["content"]["OPTIONS"] | {"endpoint": "http://127.0.0.1:9"}
    content = settings.STORAGES["content"] | {"OPTIONS": options}
    settings.STORAGES = settings.STORAGES | {"content": content}


@pytest.mark.parametrize(
    ("fault", "reason"), [("gone", "NoSuchBucket"), ("silent", "EndpointConnectionError")]
)
def test_a_store_that_cannot_be_asked_is_no_damage(
    request: pytest.FixtureRequest, objects: Any, fault: str, reason: str
) -> None:
    (digest,) = put([b"one"])
    request.getfixturevalue(fault)
    with pytest.raises(ContentUnavailable, match=reason):
        store.read(digest)
    with pytest.raises(ContentUnavailable, match=reason):
        put([b"two"])
    with pytest.raises(ContentUnavailable, match=reason):
        upkeep.check(dry_run=False, progress=lambda *_: None)
    with pytest.raises(ContentUnavailable, match=reason):
        upkeep.collect_garbage(before=timezone.now(), dry_run=False, progress=lambda *_: None)
    assert Blob.objects.filter(pk=digest).exists()


def test_a_scan_fails_with_the_reason_while_the_store_is_gone(
    gone: None, tools: Repository, create: Create
) -> None:
    source = create()
    assert source.scan_status == "error"
    assert "NoSuchBucket" in source.last_error
    assert "SKILLMEAT_CONTENT_URL" in source.last_error


def test_files_of_an_artifact_are_shown_from_there(source_on_objects: Source, api: APIClient) -> None:
    entry = source_on_objects.entries.get(name="pdf")
    answer = api.get(f"/api/v1/marketplace/artifacts/{entry.public_id}/files/SKILL.md")
    assert answer.status_code == 200
    assert b"name: pdf" in answer.content


def test_credentials_are_in_no_log(objects: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        put([b"one"])
    assert "made-up" not in caplog.text


@pytest.fixture
def source_on_objects(objects: Any, tools: Repository, create: Create) -> Source:
    return create()


def test_a_bucket_alone_is_an_address(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("SKILLMEAT_CONTENT_URL", "s3://contents")
    said = configuration.content("SKILLMEAT_CONTENT_URL", tmp_path)["OPTIONS"]
    assert said == {
        "bucket": "contents",
        "prefix": "",
        "endpoint": None,
        "region": None,
        "addressing": "auto",
    }
