"""A new secret key: what the old one signed and sealed can be read as long as it is named as a fallback."""

from typing import Any

import pytest
from django.test import Client

from marketplace.operations.credentials import CredentialUnreadable, seal, unseal
from tests.factories import UserFactory

OLD, NEW = "the old key, " * 5, "the new key, " * 5


@pytest.fixture
def rotated(settings: Any) -> Any:
    """Begins with the old key; `rotated()` makes the new one the key, with or without the old as a fallback."""
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = OLD, []

    def rotate(*fallbacks: str) -> None:
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, list(fallbacks)

    return rotate


def test_a_sealed_token_can_be_read_while_its_key_is_a_fallback(rotated: Any) -> None:
    sealed = seal("s3cret")
    rotated(OLD)
    assert unseal(sealed) == "s3cret"
    rotated()
    with pytest.raises(CredentialUnreadable):
        unseal(sealed)


def test_what_is_sealed_after_a_rotation_needs_no_fallback(rotated: Any) -> None:
    rotated(OLD)
    sealed = seal("s3cret")
    rotated()
    assert unseal(sealed) == "s3cret"


@pytest.mark.parametrize(("fallbacks", "still_in"), [((OLD,), True), ((), False)])
def test_people_stay_logged_in_while_the_old_key_is_a_fallback(
    rotated: Any, db: None, multi_user: None, fallbacks: tuple[str, ...], still_in: bool
) -> None:
    browser = Client()
    browser.force_login(UserFactory(is_staff=True, is_superuser=True))
    assert browser.get("/admin/").status_code == 200
    rotated(*fallbacks)
    assert (browser.get("/admin/").status_code == 200) is still_in
