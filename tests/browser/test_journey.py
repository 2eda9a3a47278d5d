"""The whole way in a browser: from a pasted link to files in a directory, and back."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from deployment_sets.models import DeploymentSet
from skillmeat_site.accounts.models import Project
from skillmeat_site.jobs.models import Worker
from tests.factories import ArtifactFactory, CollectionFactory, DeploymentSetFactory
from tests.github.repositories import Repository
from tests.scanning import FILES, Drain

Open = Callable[..., Any]
Check = Callable[[Any], None]


@pytest.fixture
def web(project: Project) -> DeploymentSet:
    """An empty set, beside a collection in which the name of what will be imported is taken."""
    now = timezone.now()
    Worker.objects.create(host="here", pid=1, started_at=now, seen_at=now)
    ArtifactFactory(name="pdf", collection=CollectionFactory(name="Ours"))
    made: DeploymentSet = DeploymentSetFactory(name="web", visibility="project")
    return made


def test_a_pasted_link_becomes_files_in_a_directory_and_goes_again(
    visit: Open, sound: Check, on_github: Any, drain: Drain, web: DeploymentSet, shop: Path, screen: Any
) -> None:
    on_github.add(Repository("ada", "tools", FILES))
    page = visit("/admin/marketplace/source/add/", screen)
    press = lambda name: page.get_by_role("button", name=name, exact=True).click()  # noqa: E731

    page.get_by_label("Link").fill(f"{on_github.web_url}/ada/tools")
    press("Look at it")
    press("Add and scan")
    page.locator("[data-progress]").wait_for()
    drain()
    page.locator("#catalogue").get_by_role("link", name="pdf", exact=True).wait_for()

    page.get_by_role("link", name="Import…").click()
    page.get_by_label("Collection").select_option("Ours")
    page.get_by_label("skill", exact=True).check()
    press("Choose")
    page.get_by_label("What to do with pdf").select_option("rename")
    page.get_by_label("New name of pdf").fill("pdf-of-ada")
    sound(page)
    press("Import")
    page.get_by_role("link", name="pdf-of-ada").wait_for()

    page.goto(reverse("admin:deployment_sets_deploymentset_members", args=[web.pk]))
    page.locator("#id_artifact + .select2").click()
    page.locator(".select2-search__field").fill("pdf-of-ada")
    page.get_by_role("option", name="pdf-of-ada").click()
    press("Add")
    page.get_by_role("button", name="Remove pdf-of-ada").wait_for()

    page.goto(reverse("admin:deployment_sets_deploymentset_deploy", args=[web.pk]))
    page.get_by_label("Directory").fill(str(shop))
    press("Show the plan")
    page.get_by_text(".claude/skills/pdf-of-ada/SKILL.md").wait_for()
    sound(page)
    assert not list(shop.iterdir())
    press("Deploy")
    page.get_by_role("link", name="Undo…").click()
    assert (shop / ".claude/skills/pdf-of-ada/SKILL.md").read_bytes() == FILES["skills/pdf/SKILL.md"]
    press("Undo")
    page.get_by_text("files are as they were").wait_for()
    sound(page)
    assert not (shop / ".claude").exists()
