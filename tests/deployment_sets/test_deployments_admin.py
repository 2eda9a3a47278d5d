"""From a set to its files and back, in the console: where, the plan, the deployment, its drift and its undo."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from deployment_sets.models import Deployment, DeploymentSet
from skillmeat_site.accounts.models import Project, Role, User
from skillmeat_site.audit.models import AuditEvent
from tests.factories import ArtifactFactory, DeploymentFactory, DeploymentSetFactory, SourceFactory, taken

LIST = "admin:deployment_sets_deployment_changelist"


@pytest.fixture
def shop(tmp_path: Path, settings: Any) -> Path:
    made = tmp_path / "projects/shop"
    made.mkdir(parents=True)
    settings.SKILLMEAT_DEPLOY_ROOTS = [tmp_path / "projects"]
    return made


@pytest.fixture
def web(project: Project) -> DeploymentSet:
    made: DeploymentSet = DeploymentSetFactory(name="web", holding=[ArtifactFactory(name="pdf")])
    return made


def page(of: DeploymentSet | Deployment, name: str) -> str:
    return reverse(f"admin:deployment_sets_{of._meta.model_name}_{name}", args=[of.pk])


def chosen(shop: Path, on_conflict: str = "abort") -> dict[str, str]:
    return {"project_path": str(shop), "on_conflict": on_conflict}


def agreed(plan: str) -> dict[str, str]:
    """What the plan's page sends when it is confirmed."""
    return dict(
        re.findall(
            r'<input type="hidden" name="(\w+)" value="([^"]*)">', plan.partition('id="content-main"')[2]
        )
    )


def plan_of(console: Client, web: DeploymentSet, shop: Path, on_conflict: str = "abort") -> str:
    return console.post(page(web, "deploy"), chosen(shop, on_conflict)).content.decode()


def test_a_set_is_deployed_once_its_plan_was_agreed_to(
    console: Client, web: DeploymentSet, shop: Path
) -> None:
    where = console.get(page(web, "deploy")).content.decode()
    assert f'<option value="{shop}">' in where
    plan = plan_of(console, web, shop)
    assert ".claude/skills/pdf/SKILL.md" in plan
    assert (list(shop.iterdir()), Deployment.objects.count()) == ([], 0)
    answer = console.post(page(web, "deploy"), agreed(plan))
    made = Deployment.objects.get()
    assert answer["Location"] == page(made, "change")
    assert (shop / ".claude/skills/pdf/SKILL.md").exists()
    assert AuditEvent.objects.get().verb == "deployment.made"
    assert "Everything is there already" in plan_of(console, web, shop)


def test_a_plan_that_is_out_of_date_is_shown_again_and_not_carried_out(
    console: Client, web: DeploymentSet, shop: Path
) -> None:
    plan = plan_of(console, web, shop)
    taken(web.project.collections.get().artifacts.get(), {"SKILL.md": b"newer"})
    again = console.post(page(web, "deploy"), agreed(plan)).content.decode()
    assert "has changed since the plan was made" in again
    assert (list(shop.iterdir()), Deployment.objects.count()) == ([], 0)
    assert console.post(page(web, "deploy"), agreed(again)).status_code == 302
    assert (shop / ".claude/skills/pdf/SKILL.md").read_bytes() == b"newer"


def test_files_in_the_way_stop_it_until_one_says_what_to_do(
    console: Client, web: DeploymentSet, shop: Path
) -> None:
    own = shop / ".claude/skills/pdf/SKILL.md"
    own.parent.mkdir(parents=True)
    own.write_text("mine")
    stopped = plan_of(console, web, shop)
    assert "Files are in the way" in stopped
    assert 'value="Deploy"' not in stopped
    console.post(page(web, "deploy"), agreed(plan_of(console, web, shop, "backup")))
    assert own.with_name("SKILL.md.orig-1").read_text() == "mine"


def test_where_nothing_may_be_deployed_is_told(
    console: Client, web: DeploymentSet, tmp_path: Path, shop: Path
) -> None:
    for path, said in (
        (tmp_path, "is not below a directory"),
        (shop / "gone", "is not a directory that this server can open"),
        (Path("shop"), "Use an absolute path"),
    ):
        answer = console.post(page(web, "deploy"), chosen(path)).content.decode()
        assert said in answer
        assert f'value="{path}"' in answer


def test_what_is_not_trusted_has_to_be_confirmed(console: Client, project: Project, shop: Path) -> None:
    source = SourceFactory(trust_level="untrusted")
    server = ArtifactFactory(
        name="docs", type="mcp_server", source=source, contents={".mcp.json": b'{"docs": {"command": "x"}}'}
    )
    web = DeploymentSetFactory(holding=[server])
    plan = plan_of(console, web, shop)
    assert "mcp_server docs" in plan
    assert "From untrusted sources" in console.post(page(web, "deploy"), agreed(plan)).content.decode()
    answer = console.post(page(web, "deploy"), agreed(plan) | {"confirm_untrusted": "on"})
    assert (answer.status_code, (shop / ".mcp.json").exists()) == (302, True)


def test_a_deployment_shows_its_drift_and_is_undone(console: Client, web: DeploymentSet, shop: Path) -> None:
    console.post(page(web, "deploy"), agreed(plan_of(console, web, shop)))
    made = Deployment.objects.get()
    file = shop / ".claude/skills/pdf/SKILL.md"
    before = file.read_bytes()
    assert "Every file is as it should be" in console.get(page(made, "verify")).content.decode()
    file.write_text("mine")
    drift = console.get(page(made, "verify")).content.decode()
    assert ("edited" in drift, str(file.relative_to(shop)) in drift) == (True, True)
    refused = console.post(page(made, "undo")).content.decode()
    assert "changed since the deploy" in refused
    file.write_bytes(before)
    assert console.post(page(made, "undo")).status_code == 302
    assert not file.exists()
    assert "undone" in console.get(page(made, "change")).content.decode()
    assert console.get(page(made, "undo")).status_code == 403
    shop.rename(shop.with_name("gone"))
    assert "is not a directory" in console.get(page(made, "verify")).content.decode()


def test_the_list_of_deployments_says_how_they_stand(
    console: Client, web: DeploymentSet, django_assert_max_num_queries: Any
) -> None:
    DeploymentFactory.create_batch(10, deployment_set=web)
    cut_off = DeploymentFactory(deployment_set=web, finished_at=None, result={})
    with django_assert_max_num_queries(10):
        listed = console.get(reverse(LIST)).content.decode()
    assert (listed.count("deployed</span>"), listed.count("cut off</span>")) == (10, 1)
    assert "It was cut off" in console.get(page(cut_off, "change")).content.decode()


def test_who_may_only_look_undoes_nothing(member: Callable[..., User], web: DeploymentSet) -> None:
    looking = member(Role.VIEWER, is_staff=True)
    looking.user_permissions.set(Permission.objects.filter(content_type__app_label="deployment_sets"))
    client = Client()
    client.force_login(looking)
    made = DeploymentFactory(deployment_set=web)
    assert client.get(page(made, "change")).status_code == 200
    assert client.post(page(made, "undo")).status_code == 403
    assert client.get(page(web, "deploy")).status_code == 403
