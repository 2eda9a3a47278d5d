"""The worlds that the tests of the contract ask about."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skillmeat_site.accounts.models import Project
from tests.contract.world import World, settled
from tests.factories import ProjectFactory


@pytest.fixture
def root(tmp_path: Path, settings: Any) -> Path:
    """A directory of the server below which sets may be deployed, and where a repository can be scanned."""
    made = tmp_path / "root"
    (made / "shelf/mine").mkdir(parents=True)
    settings.SKILLMEAT_DEPLOY_ROOTS = [made]
    settings.SKILLMEAT_LOCAL_REPOSITORIES = [made / "shelf"]
    return made


@pytest.fixture
def settle(project: Project, root: Path) -> Callable[..., World]:
    """Makes a world in the default project."""
    return lambda **how: settled(project, root, **how)


@pytest.fixture
def ours(settle: Callable[..., World]) -> World:
    return settle()


@pytest.fixture
def theirs(ours: World, root: Path) -> World:
    """What belongs to somebody else."""
    return settled(ProjectFactory(slug="theirs"), root)
