"""pytest fixtures: a started GitHub without repositories, one for each test that asks."""

from collections.abc import Iterator

import pytest

from tests.github.server import GitHub


@pytest.fixture
def github() -> Iterator[GitHub]:
    with GitHub() as server:
        yield server
