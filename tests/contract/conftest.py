"""The worlds that the tests of the contract ask about."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import transaction
from django.test import override_settings

from skillmeat_site.accounts.models import Project
from tests.contract.world import World, settled
from tests.factories import ProjectFactory


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A sweep over the whole schema is no proof that a line is tested, and being traced doubles its time."""
    for item in items:
        if "tests/contract/" in item.nodeid:
            item.add_marker(pytest.mark.no_cover)


def server(place: Path) -> dict[str, Any]:
    """The settings of a server that keeps its files there, deploys to `root` and scans what is on the shelf."""
    content = django_settings.STORAGES["content"] | {"OPTIONS": {"location": place / "data/content"}}
    return {
        "SKILLMEAT_DATA_DIR": place / "data",
        "STORAGES": django_settings.STORAGES | {"content": content},
        "SKILLMEAT_DEPLOY_ROOTS": [place / "root"],
        "SKILLMEAT_LOCAL_REPOSITORIES": [place / "root/shelf"],
    }


@pytest.fixture(scope="module")
def worlds(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[World, World, Path]]:
    """Two worlds, made once for all tests of a module, whose changes are rolled back; and where files are."""
    place = tmp_path_factory.mktemp("world")
    (place / "root/shelf/mine").mkdir(parents=True)
    with django_db_blocker.unblock(), transaction.atomic():
        with override_settings(**server(place)):
            ours = settled(Project.objects.default(), place / "root")
            theirs = settled(ProjectFactory(slug="theirs"), place / "root")
        yield ours, theirs, place
        transaction.set_rollback(True)


@pytest.fixture
def root(worlds: tuple[World, World, Path], settings: Any) -> Path:
    """The directory below which sets may be deployed, and where a repository can be scanned."""
    for name, value in server(worlds[2]).items():
        setattr(settings, name, value)
    return worlds[2] / "root"


@pytest.fixture
def settle(project: Project, root: Path) -> Callable[[], World]:
    """Makes one more world in the default project, for what changes files."""
    return lambda: settled(project, root, deployed=True)


@pytest.fixture
def ours(db: None, root: Path, worlds: tuple[World, World, Path]) -> World:
    return worlds[0]


@pytest.fixture
def theirs(ours: World, worlds: tuple[World, World, Path]) -> World:
    """What belongs to somebody else."""
    return worlds[1]
