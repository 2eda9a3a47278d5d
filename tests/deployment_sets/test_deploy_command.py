"""`manage.py deploy_set`, and what the console shows of deployments and roots."""

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from deployment_sets.models import Deployment, DeploymentSet, ProjectRoot
from skillmeat_site.accounts.models import Project, Role, User
from skillmeat_site.audit.models import AuditEvent
from tests.factories import ArtifactFactory, DeploymentSetFactory, SourceFactory


@pytest.fixture
def shop(tmp_path: Path, settings: Any) -> Path:
    settings.SKILLMEAT_DEPLOY_ROOTS = [tmp_path]
    made = tmp_path / "shop"
    made.mkdir()
    return made


@pytest.fixture
def web(project: Project) -> DeploymentSet:
    made: DeploymentSet = DeploymentSetFactory(name="web", holding=[ArtifactFactory(name="pdf")])
    return made


def run(*arguments: object) -> str:
    out = StringIO()
    call_command("deploy_set", *map(str, arguments), stdout=out)
    return out.getvalue()


def test_a_set_is_deployed_by_its_name_or_id(web: DeploymentSet, shop: Path) -> None:
    said = run("web", shop)
    deployment = Deployment.objects.get()
    assert "create     .claude/skills/pdf/SKILL.md" in said
    assert f"Deployed as {deployment.public_id}. 1 create" in said
    assert (shop / ".claude/skills/pdf/SKILL.md").exists()
    assert "1 unchanged" in run(web.public_id, shop)
    assert {event.actor for event in AuditEvent.objects.all()} == {""}


def test_a_dry_run_prints_the_plan_and_writes_nothing(web: DeploymentSet, shop: Path) -> None:
    assert "Nothing was written. 1 create" in run("web", shop, "--dry-run")
    assert list(shop.iterdir()) == []


def test_machines_get_one_object(web: DeploymentSet, shop: Path) -> None:
    said = json.loads(run("web", shop, "--json"))
    assert said["deployment_id"] == Deployment.objects.get().public_id
    assert said["files"][0]["outcome"] == "create"


def test_what_went_wrong_ends_the_command(web: DeploymentSet, shop: Path) -> None:
    for arguments, reason in (
        (("nothing", shop), "There is no set 'nothing'"),
        (("web", "/etc"), "SKILLMEAT_DEPLOY_ROOTS"),
        (("web", shop / ".." / "x"), "without `..`"),
        (("web", shop, "--on-conflict", "merge"), "invalid choice"),
        (("web", shop, "--project", "other"), "in the project 'other'"),
    ):
        with pytest.raises(CommandError, match=reason):
            run(*arguments)


def test_an_artifact_that_failed_fails_the_command(web: DeploymentSet, shop: Path) -> None:
    hook = ArtifactFactory(type="hook", source=SourceFactory(), contents={"hooks.json": b"{}"})
    mixed = DeploymentSetFactory(holding=[hook, ArtifactFactory(name="csv")])
    with pytest.raises(CommandError, match="1 artifacts could not be deployed"):
        run(mixed.public_id, shop)
    assert (shop / ".claude/skills/csv/SKILL.md").exists()


# --- In the console ---------------------------------------------------------------------------------


def test_a_superuser_grants_a_directory_and_that_is_told(
    console: Client, project: Project, shop: Path
) -> None:
    address = reverse("admin:deployment_sets_projectroot_add")
    for path in ("/etc", "shop", f"{shop}/../x"):
        refused = console.post(address, {"project": project.pk, "path": path})
        assert (refused.status_code, ProjectRoot.objects.count()) == (200, 0)
        assert "SKILLMEAT_DEPLOY_ROOTS" in refused.content.decode()
    assert console.post(address, {"project": project.pk, "path": str(shop)}).status_code == 302
    assert str(ProjectRoot.objects.get()) == f"default: {shop}"
    (event,) = AuditEvent.objects.all()
    assert (event.verb, event.project) == ("projectroot.created", "default")


def test_staff_who_are_no_superusers_grant_nothing(member: Callable[..., User], project: Project) -> None:
    client = Client()
    client.force_login(member(Role.ADMIN, is_staff=True))
    for page in ("changelist", "add"):
        assert client.get(reverse(f"admin:deployment_sets_projectroot_{page}")).status_code == 403
