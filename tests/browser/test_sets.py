"""Sets and what becomes of them on the disk, in a browser: made, ordered, cloned, and deployed over edited files."""

from pathlib import Path
from typing import Any

from django.urls import reverse
from django.utils import timezone

from deployment_sets.models import DeploymentSet
from deployment_sets.operations import deployments
from deployment_sets.operations.deployments import Wanted
from skillmeat_site.accounts.models import User
from tests.browsing import Check, Open, follow, press, row, told
from tests.factories import ArtifactFactory, CollectionFactory, DeploymentSetFactory, GroupFactory
from tests.sets import holds


def focused(page: Any) -> Any:
    """What the button that has the focus does."""
    return page.evaluate("document.activeElement.getAttribute('aria-label')")


def add_artifact(page: Any, name: str) -> None:
    page.locator("#id_artifact + .select2").click()
    page.locator(".select2-search__field").fill(name)
    page.get_by_role("option", name=name).click()
    press(page, "Add")


def test_a_set_is_made_filled_ordered_renamed_and_cloned(
    visit: Open, sound: Check, operator: User, screen: Any
) -> None:
    ours = CollectionFactory(name="Ours")
    pdf, csv = (ArtifactFactory(name=name, collection=ours) for name in ("pdf", "csv"))
    docs = GroupFactory(name="docs", collection=ours)
    page = visit(reverse("admin:deployment_sets_deploymentset_changelist"), screen)
    follow(page, "Add set…")
    page.get_by_label("Name").fill("web")
    page.get_by_label("Tags").fill("shop, docs")
    sound(page)
    press(page, "Add")
    told(page, "It is there, and empty.")

    add_artifact(page, "pdf")
    add_artifact(page, "csv")
    page.get_by_label("Group").select_option("docs (Ours)")
    press(page, "Add")
    press(page, "Move docs up")
    assert focused(page) == "Move docs up"
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert focused(page) == "Move docs down"  # it has arrived at the top
    sound(page)
    made = DeploymentSet.objects.get()
    assert holds(made) == [docs.pk, pdf.pk, csv.pk]

    follow(page, "Cancel")
    follow(page, "Edit…")
    page.get_by_label("Name").fill("shop")
    sound(page)
    press(page, "Save")
    page.get_by_role("heading", name="shop", exact=True).wait_for()
    sound(page)
    press(page, "Clone")
    told(page, "shop (copy) was made; it is yours.")
    copy = DeploymentSet.objects.get(name="shop (copy)")
    assert (holds(copy), copy.owner, copy.tags) == (holds(made), operator, ["shop", "docs"])


def test_an_edited_file_is_noticed_and_kept_beside_the_new_one(
    visit: Open, sound: Check, operator: User, shop: Path, screen: Any
) -> None:
    web = DeploymentSetFactory(name="web", holding=[ArtifactFactory(name="pdf")])
    wanted = Wanted(project_path=str(shop))
    made = deployments.deploy(deployment_set=web, wanted=wanted, by=operator, at=timezone.now())
    path, kept = ".claude/skills/pdf/SKILL.md", ".claude/skills/pdf/SKILL.md.orig-1"
    deployed = (shop / path).read_bytes()
    (shop / path).write_text("Mine.")

    page = visit(reverse("admin:deployment_sets_deployment_change", args=[made.pk]), screen)
    sound(page)
    follow(page, "Verify")
    assert "edited" in row(page, path).inner_text()
    sound(page)
    follow(page, "Back to the deployment")
    follow(page, "web")
    follow(page, "Deploy…")
    assert page.get_by_label("Directory").input_value() == str(shop)
    press(page, "Show the plan")
    assert "conflict" in row(page, path).inner_text()
    page.get_by_text("Files are in the way.").wait_for()
    assert page.get_by_role("button", name="Deploy", exact=True).count() == 0
    assert page.get_by_text("Everything is there already.").count() == 0
    sound(page)

    follow(page, "Choose again")
    page.get_by_label("Files in the way").select_option("backup")
    press(page, "Show the plan")
    assert kept in row(page, path).inner_text()
    assert (shop / path).read_text() == "Mine."
    press(page, "Deploy")
    told(page, "Deployed.")
    follow(page, "Verify")
    page.get_by_text("Every file is as it should be.").wait_for()
    assert ((shop / path).read_bytes(), (shop / kept).read_text()) == (deployed, "Mine.")
