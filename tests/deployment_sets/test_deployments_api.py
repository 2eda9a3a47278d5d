"""Deploy, verify and undo over HTTP; what the writer does in detail is told by its own tests."""

import fcntl
import io
import json
import os
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from rest_framework.test import APIClient

from collections_app.models import Artifact
from deployment_sets import writer
from deployment_sets.lockfile import LOCK
from deployment_sets.models import Deployment, DeploymentSet, ProjectRoot, Visibility
from deployment_sets.operations import deployments
from skillmeat_site.accounts.models import Project, Role, User
from skillmeat_site.audit.models import AuditEvent
from tests.factories import (
    LONG_AGO,
    ArtifactFactory,
    DeploymentSetFactory,
    ProjectFactory,
    SourceFactory,
    taken,
)
from tests.sets import address, forget

Answer = Any
Deploy = Callable[..., Answer]
Member = Callable[..., User]
Client = Callable[..., APIClient]
SERVER = {"docs": {"command": "docs-server", "env": {"DOCS_TOKEN": "<token>"}}}


@pytest.fixture
def root(tmp_path: Path, settings: Any) -> Path:
    made = tmp_path / "projects"
    made.mkdir()
    settings.SKILLMEAT_DEPLOY_ROOTS = [made]
    return made


@pytest.fixture
def shop(root: Path) -> Path:
    """A project directory."""
    made = root / "shop"
    made.mkdir()
    return made


@pytest.fixture
def pdf(project: Project) -> Artifact:
    made: Artifact = ArtifactFactory(name="pdf", contents={"SKILL.md": b"# PDF\n", "run.sh": b"echo\n"})
    return made


@pytest.fixture
def web(pdf: Artifact) -> DeploymentSet:
    """A skill, a command and a server."""
    source = SourceFactory()
    command = ArtifactFactory(name="ship", type="command", contents={"ship.md": b"Ship it\n"})
    server = ArtifactFactory(
        name="docs", type="mcp_server", source=source, origin_locator=".mcp.json",
        contents={".mcp.json": json.dumps({"mcpServers": SERVER}).encode()},
    )  # fmt: skip
    made: DeploymentSet = DeploymentSetFactory(name="web", holding=[pdf, command, server])
    return made


@pytest.fixture
def deploy(api: APIClient) -> Deploy:
    def send(deployment_set: DeploymentSet, to: Path | str, **more: Any) -> Answer:
        return api.post(address(deployment_set, "/deploy"), {"project_path": str(to)} | more)

    return send


def files(below: Path) -> dict[str, bytes]:
    return {str(path.relative_to(below)): path.read_bytes() for path in below.rglob("*") if path.is_file()}


def paths(answer: Answer) -> dict[str, str]:
    assert answer.status_code == 200, answer.json()
    return {file["path"]: file["outcome"] for file in answer.json()["files"]}


def act(api: APIClient, answer: Answer, verb: str) -> Answer:
    return api.post(f"/api/v1/deployments/{answer.json()['deployment_id']}/{verb}")


def test_a_set_lands_where_claude_code_reads(deploy: Deploy, web: DeploymentSet, shop: Path) -> None:
    answer = deploy(web, shop)
    assert paths(answer) == {
        ".claude/commands/ship.md": "create",
        ".claude/skills/pdf/SKILL.md": "create",
        ".claude/skills/pdf/run.sh": "create",
        ".mcp.json": "merge",
    }
    there = files(shop)
    assert there[".claude/skills/pdf/SKILL.md"] == b"# PDF\n"
    assert json.loads(there[".mcp.json"]) == {"mcpServers": SERVER}
    assert ".claude/skillmeat.lock.json" in there
    said = answer.json()
    assert (said["dry_run"], said["needs"], said["conflicts"]) == (False, ["DOCS_TOKEN"], [])
    assert said["counts"] == {
        "create": 3, "update": 0, "unchanged": 0, "conflict": 0, "remove": 0, "merge": 1
    }  # fmt: skip
    outcomes = [(each["outcome"], each["error"]) for each in said["artifacts"]]
    assert outcomes == [("create", None), ("create", None), ("merge", None)]
    assert said["artifacts"][0]["paths"] == [".claude/skills/pdf/SKILL.md", ".claude/skills/pdf/run.sh"]
    (event,) = AuditEvent.objects.all()
    assert (event.verb, event.facts["project_path"]) == ("deployment.made", str(shop))


def test_a_dry_run_says_the_same_and_writes_nothing(deploy: Deploy, web: DeploymentSet, shop: Path) -> None:
    said = deploy(web, shop, dry_run=True).json()
    assert (files(shop), Deployment.objects.count(), AuditEvent.objects.count()) == ({}, 0, 0)
    done = deploy(web, shop).json()
    assert (said.pop("deployment_id"), said.pop("dry_run")) == (None, True)
    assert {name: done[name] for name in said} == said


def test_the_same_deploy_twice_changes_nothing(deploy: Deploy, web: DeploymentSet, shop: Path) -> None:
    deploy(web, shop)
    before = files(shop)
    assert set(paths(deploy(web, shop)).values()) == {"unchanged"}
    assert files(shop) == before


def test_an_undo_restores_what_was_there(
    api: APIClient, deploy: Deploy, web: DeploymentSet, shop: Path
) -> None:
    (shop / ".mcp.json").write_text('{"mcpServers": {"own": {"command": "x"}}}')
    before = files(shop)
    answer = deploy(web, shop)
    undone = act(api, answer, "undo")
    assert undone.status_code == 200
    assert ".mcp.json" in undone.json()["paths"]
    assert files(shop) == before
    shown = api.get(f"/api/v1/deployments/{answer.json()['deployment_id']}").json()
    assert shown["undone_at"]
    assert shown["undone_by"] == "local"
    assert act(api, answer, "undo").json()["type"] == "/problems/already_undone"
    assert [event.verb for event in AuditEvent.objects.order_by("id")] == [
        "deployment.made",
        "deployment.undone",
    ]


def test_an_undo_after_later_work_is_refused(
    api: APIClient, deploy: Deploy, web: DeploymentSet, shop: Path
) -> None:
    answer = deploy(web, shop)
    (shop / ".claude/skills/pdf/SKILL.md").write_text("mine")
    before = files(shop)
    refused = act(api, answer, "undo")
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/undo_refused")
    assert files(shop) == before
    assert Deployment.objects.get().undone_at is None


def test_deploys_of_one_file_are_undone_in_the_reverse_of_their_order(
    api: APIClient, deploy: Deploy, web: DeploymentSet, shop: Path
) -> None:
    first = deploy(web, shop)
    own = shop / ".claude/skills/pdf/SKILL.md"
    own.write_text("mine")
    second = deploy(web, shop, on_conflict="backup")
    refused = act(api, first, "undo")
    assert (refused.status_code, refused.json()["paths"]) == (409, [".claude/skills/pdf/SKILL.md"])
    assert act(api, second, "undo").status_code == 200
    assert own.read_text() == "mine"


def test_an_undo_that_was_cut_off_before_it_was_recorded_is_ended_by_the_next(
    api: APIClient, deploy: Deploy, web: DeploymentSet, shop: Path
) -> None:
    before = files(shop)
    answer = deploy(web, shop)
    made = Deployment.objects.get()
    writer.undo(shop.parent, shop, deployments.area_of(made))
    assert act(api, answer, "undo").status_code == 200
    assert files(shop) == before
    made.refresh_from_db()
    assert made.undone_at


def test_what_an_undo_needs_is_kept_for_a_time(
    api: APIClient, deploy: Deploy, web: DeploymentSet, shop: Path
) -> None:
    answer = deploy(web, shop)
    made = Deployment.objects.get()
    orphan = deployments.area_of(made).with_name("dep_gone")
    orphan.mkdir()
    assert deployments.prune(before=made.created_at, dry_run=True) == 1
    assert deployments.prune(before=made.created_at) == 1
    assert not orphan.exists()
    assert deployments.can_be_undone(made)
    call_command("prune_history", "--older-than", "1", stdout=StringIO())
    assert deployments.can_be_undone(made)
    Deployment.objects.update(created_at=LONG_AGO)
    call_command("prune_history", "--older-than", "1", stdout=StringIO())
    assert not deployments.can_be_undone(made)
    refused = act(api, answer, "undo")
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/undo_missing")


def test_verify_tells_how_a_directory_drifted(
    api: APIClient, deploy: Deploy, web: DeploymentSet, pdf: Artifact, shop: Path
) -> None:
    answer = deploy(web, shop)
    clean = act(api, answer, "verify").json()
    assert clean == {"is_clean": True, "edited": [], "missing": [], "extra": [], "outdated": []}
    (shop / ".claude/skills/pdf/SKILL.md").write_text("mine")
    (shop / ".claude/commands/ship.md").unlink()
    (shop / ".claude/skills/pdf/notes.txt").write_text("mine")
    taken(pdf, {"SKILL.md": b"# PDF\n", "run.sh": b"echo 2\n"})
    drift = act(api, answer, "verify").json()
    assert drift == {
        "is_clean": False,
        "edited": [".claude/skills/pdf/SKILL.md"],
        "missing": [".claude/commands/ship.md"],
        "extra": [".claude/skills/pdf/notes.txt"],
        "outdated": [".claude/skills/pdf/run.sh"],
    }
    DeploymentSet.objects.all().delete()
    assert act(api, answer, "verify").json()["outdated"] == []


@pytest.mark.parametrize(
    ("on_conflict", "status", "content", "kept"),
    [("abort", 409, "mine", False), ("skip", 200, "mine", False), ("backup", 200, "# PDF\n", True)],
)
def test_a_foreign_file_is_never_lost(
    deploy: Deploy, web: DeploymentSet, shop: Path, on_conflict: str, status: int, content: str, kept: bool
) -> None:
    skill = shop / ".claude/skills/pdf/SKILL.md"
    skill.parent.mkdir(parents=True)
    skill.write_text("mine")
    answer = deploy(web, shop, on_conflict=on_conflict)
    assert answer.status_code == status
    assert skill.read_text() == content
    assert skill.with_name("SKILL.md.orig-1").exists() is kept
    if status == 409:
        assert [each["path"] for each in answer.json()["conflicts"]] == [".claude/skills/pdf/SKILL.md"]
        assert (list(files(shop)), Deployment.objects.count()) == ([".claude/skills/pdf/SKILL.md"], 0)
        assert not (django_settings.SKILLMEAT_DATA_DIR / "undo").exists() or not any(
            (django_settings.SKILLMEAT_DATA_DIR / "undo").iterdir()
        )


def test_pruning_removes_what_left_the_set(
    api: APIClient, deploy: Deploy, web: DeploymentSet, shop: Path
) -> None:
    deploy(web, shop)
    web.members.filter(position=0).delete()
    assert paths(deploy(web, shop))[".claude/skills/pdf/run.sh"] == "unchanged"
    pruned = deploy(web, shop, prune=True)
    assert paths(pruned)[".claude/skills/pdf/run.sh"] == "remove"
    assert not (shop / ".claude/skills/pdf").exists()
    act(api, pruned, "undo")
    assert (shop / ".claude/skills/pdf/run.sh").read_bytes() == b"echo\n"


def test_two_artifacts_on_one_path_are_a_conflict(deploy: Deploy, pdf: Artifact, shop: Path) -> None:
    rivals = DeploymentSetFactory(holding=[pdf, ArtifactFactory(name="PDF")])
    assert deploy(rivals, shop, on_conflict="skip").status_code == 409
    said = deploy(rivals, shop, dry_run=True).json()
    assert said["conflicts"][0]["path"] == ".claude/skills/pdf"
    assert len(said["conflicts"][0]["artifacts"]) == 2
    assert files(shop) == {}


def test_what_cannot_be_used_does_not_stop_the_rest(
    api: APIClient, deploy: Deploy, pdf: Artifact, shop: Path
) -> None:
    lost = ArtifactFactory()
    empty = ArtifactFactory(name="none", type="hook", source=SourceFactory(), contents={"hooks.json": b"{}"})
    mixed = DeploymentSetFactory(holding=[lost, empty, pdf])
    forget(lost)
    said = deploy(mixed, shop).json()
    assert said["unresolved_count"] == 1
    assert [each["outcome"] for each in said["artifacts"]] == ["error", "create"]
    assert said["artifacts"][0]["error"]["type"] == "/problems/artifact_unusable"
    assert (shop / ".claude/skills/pdf/SKILL.md").exists()


def test_what_a_plugin_brings_along_is_not_deployed_twice(
    deploy: Deploy, project: Project, shop: Path
) -> None:
    member = {"type": "skill", "name": "csv", "path": "kit/skills/csv"}
    manifest = b'{"name": "kit"}'
    plugin = ArtifactFactory(
        name="kit", type="plugin", source=SourceFactory(), members=[member],
        contents={".claude-plugin/plugin.json": manifest, "skills/csv/SKILL.md": b"x"},
    )  # fmt: skip
    skill = ArtifactFactory(name="csv", origin_locator=member["path"], source=plugin.source)
    said = deploy(DeploymentSetFactory(holding=[skill, plugin]), shop).json()
    assert [each["outcome"] for each in said["artifacts"]] == ["satisfied", "create"]
    assert (shop / ".claude/skills/kit/.claude-plugin/plugin.json").read_bytes() == manifest
    assert not (shop / ".claude/skills/csv").exists()


def test_of_two_deploys_at_once_into_one_directory_one_is_told_to_wait(
    deploy: Deploy, web: DeploymentSet, shop: Path
) -> None:
    descriptor = os.open(shop, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)  # as another process holds it while it deploys
    try:
        answer = deploy(web, shop)
    finally:
        os.close(descriptor)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/deploy_running")
    assert Deployment.objects.count() == 0


# --- Trust -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("type_", ["hook", "mcp_server", "plugin"])
@pytest.mark.parametrize("known", [True, False])
def test_what_runs_by_itself_and_is_not_trusted_has_to_be_confirmed(
    deploy: Deploy, project: Project, shop: Path, type_: str, known: bool
) -> None:
    source = SourceFactory(trust_level="untrusted") if known else None
    artifact = ArtifactFactory(type=type_, source=source, contents={"x.json": b"{}"})
    deployment_set = DeploymentSetFactory(holding=[artifact])
    answer = deploy(deployment_set, shop)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/confirmation_required")
    assert answer.json()["artifacts"] == [str(artifact.pk)]
    assert deploy(deployment_set, shop, dry_run=True).status_code == 200
    assert deploy(deployment_set, shop, confirm_untrusted=True).status_code == 200


def test_text_of_untrusted_sources_needs_no_confirmation(
    deploy: Deploy, project: Project, shop: Path
) -> None:
    skill = ArtifactFactory(source=SourceFactory(trust_level="untrusted"))
    assert deploy(DeploymentSetFactory(holding=[skill]), shop).status_code == 200


# --- Where -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status", "problem"),
    [
        ("/etc", 403, "outside_deploy_roots"),
        ("/", 403, "outside_deploy_roots"),
        ("{root}-other", 403, "outside_deploy_roots"),
        ("{root}/nothing", 422, "deploy_target_missing"),
        ("{root}/link", 422, "deploy_target_missing"),
        ("{root}/link/inside", 422, "deploy_target_missing"),
        ("{root}/shop/../../etc", 422, "invalid_value"),
        ("shop", 422, "invalid_value"),
        ("{root}/a\0b", 422, "invalid_value"),
        ("", 422, "invalid_value"),
    ],
)
def test_nothing_is_deployed_outside_of_the_roots(
    deploy: Deploy, web: DeploymentSet, root: Path, shop: Path, path: str, status: int, problem: str
) -> None:
    outside = root.parent / "outside"
    (outside / "inside").mkdir(parents=True)
    (root / "link").symlink_to(outside)
    for dry_run in (True, False):
        answer = deploy(web, path.format(root=root), dry_run=dry_run)
        assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{problem}")
    assert files(outside) == files(shop) == {}
    if status == 403:
        assert "SKILLMEAT_DEPLOY_ROOTS" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ([], 400),
        ({"project_path": 5}, 400),
        ({"project_path": "/x", "dry_run": "yes"}, 400),
        ({"project_path": "/x", "prune": None}, 400),
        ({"project_path": "/x", "force": True}, 400),
        ({"project_path": "/x", "on_conflict": "merge"}, 422),
        ({"project_path": "/" + "x" * 1000}, 422),
    ],
)
def test_a_deploy_that_makes_no_sense(api: APIClient, web: DeploymentSet, body: Any, status: int) -> None:
    assert api.post(address(web, "/deploy"), body).status_code == status


def test_several_users_deploy_only_below_what_was_granted(
    member: Member, client_of: Client, multi_user: None, web: DeploymentSet, root: Path, shop: Path
) -> None:
    editor = client_of(member(Role.EDITOR))
    send = lambda: editor.post(address(web, "/deploy"), {"project_path": str(shop)})  # noqa: E731
    ProjectRoot.objects.create(project=ProjectFactory(), path=str(root))
    ProjectRoot.objects.create(project=web.project, path=str(root / "sho"))
    assert (send().status_code, files(shop)) == (403, {})
    assert "SKILLMEAT_DEPLOY_ROOTS" in send().json()["hint"]
    ProjectRoot.objects.create(project=web.project, path=str(shop))
    assert send().status_code == 200
    django_settings.SKILLMEAT_DEPLOY_ROOTS = []
    assert send().status_code == 403


# --- Who, and the list -----------------------------------------------------------------------------


def test_one_directory_has_one_path(api: APIClient, deploy: Deploy, web: DeploymentSet, shop: Path) -> None:
    deploy(web, f"{shop.parent}//shop/")
    assert len(api.get("/api/v1/deployments", {"project_path": str(shop)}).json()["items"]) == 1


@pytest.mark.parametrize("body", [[], {"force": True}, "x"])
def test_verify_and_undo_take_no_body(
    api: APIClient, deploy: Deploy, web: DeploymentSet, shop: Path, body: Any
) -> None:
    where = f"/api/v1/deployments/{deploy(web, shop).json()['deployment_id']}"
    assert [api.post(f"{where}/{verb}", body).status_code for verb in ("verify", "undo")] == [400, 400]
    assert [api.post(f"{where}/{verb}", {}).status_code for verb in ("verify", "undo")] == [200, 200]


def test_who_may_deploy_verify_and_undo(
    member: Member, client_of: Client, multi_user: None, web: DeploymentSet, shop: Path
) -> None:
    ProjectRoot.objects.create(project=web.project, path=str(shop))
    stranger, viewer, editor = (client_of(member(role)) for role in (None, Role.VIEWER, Role.EDITOR))
    body = {"project_path": str(shop)}
    statuses = [each.post(address(web, "/deploy"), body).status_code for each in (stranger, viewer, editor)]
    assert statuses == [404, 403, 200]
    where = f"/api/v1/deployments/{Deployment.objects.get().public_id}"
    for verb, wanted in (("verify", [404, 200, 200]), ("undo", [404, 403, 200])):
        assert [each.post(f"{where}/{verb}").status_code for each in (stranger, viewer, editor)] == wanted


def test_deployments_of_private_sets_are_not_seen_by_others(
    member: Member, client_of: Client, multi_user: None, web: DeploymentSet, shop: Path
) -> None:
    owner, other = member(Role.EDITOR), member(Role.ADMIN)
    DeploymentSet.objects.filter(pk=web.pk).update(visibility=Visibility.PRIVATE, owner=owner)
    ProjectRoot.objects.create(project=web.project, path=str(shop))
    client_of(owner).post(address(web, "/deploy"), {"project_path": str(shop)})
    where = f"/api/v1/deployments/{Deployment.objects.get().public_id}"
    assert [client_of(each).get(where).status_code for each in (owner, other)] == [200, 404]
    assert client_of(other).get("/api/v1/deployments").json()["items"] == []


def test_deployments_are_listed_and_filtered(
    api: APIClient, deploy: Deploy, web: DeploymentSet, root: Path, shop: Path
) -> None:
    (root / "blog").mkdir()
    other = DeploymentSetFactory(name="other")
    for deployment_set, path in ((web, shop), (web, root / "blog"), (other, root / "blog")):
        assert deploy(deployment_set, path).status_code == 200

    def listed(**query: str) -> list[tuple[str, str]]:
        items = api.get("/api/v1/deployments", query).json()["items"]
        return [(item["set_name"], Path(item["project_path"]).name) for item in items]

    assert listed() == [("other", "blog"), ("web", "blog"), ("web", "shop")]
    assert listed(set=web.public_id) == [("web", "blog"), ("web", "shop")]
    assert listed(set=web.public_id, project_path=str(shop)) == [("web", "shop")]
    assert listed(project="default", project_path=str(root)) == []
    assert api.get("/api/v1/deployments", {"set": "web"}).status_code == 400
    api.delete(address(web))
    assert len(listed()) == 3
    shown = api.get("/api/v1/deployments").json()["items"][2]
    assert (shown["set_id"], shown["set_name"], shown["counts"]["create"]) == (None, "web", 3)
    assert (shown["deployed_by"], shown["undone_at"]) == ("local", None)


def test_an_unknown_deployment_is_not_found(api: APIClient) -> None:
    for verb in ("", "/verify", "/undo"):
        send = api.post if verb else api.get
        assert send(f"/api/v1/deployments/nothing{verb}").status_code == 404


# --- Archives --------------------------------------------------------------------------------------


def bundle(api: APIClient, of: DeploymentSet, **query: str) -> Answer:
    return api.get(address(of, "/bundle"), query)


def unpacked(answer: Answer) -> dict[str, bytes]:
    data = io.BytesIO(b"".join(answer.streaming_content))
    if answer["Content-Type"] == "application/zip":
        with zipfile.ZipFile(data) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    with tarfile.open(fileobj=data) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]


def test_an_archive_holds_what_a_deploy_leaves(
    api: APIClient, deploy: Deploy, web: DeploymentSet, shop: Path
) -> None:
    deploy(web, shop)
    for archive in ("tar.gz", "zip"):
        answer = bundle(api, web, format=archive)
        assert answer["Content-Disposition"] == f'attachment; filename="web.{archive}"'
        assert unpacked(answer) == files(shop)


def test_the_same_set_is_the_same_bytes(api: APIClient, web: DeploymentSet) -> None:
    first, again, named = bundle(api, web), bundle(api, web), bundle(api, web, format="tar.gz")
    assert b"".join(first) == b"".join(again) == b"".join(named)
    assert first["Content-Type"] == "application/gzip"


def test_an_archive_that_cannot_be_made(api: APIClient, web: DeploymentSet, pdf: Artifact) -> None:
    assert bundle(api, web, format="rar").status_code == 400
    assert bundle(api, web, kind="zip").status_code == 400
    rivals = DeploymentSetFactory(holding=[pdf, ArtifactFactory(name="pdf")])
    assert bundle(api, rivals).json()["type"] == "/problems/deploy_conflicts"
    hook = ArtifactFactory(type="hook", entry=None, contents={"hooks.json": b"{}"})
    doubtful = DeploymentSetFactory(holding=[hook])
    assert bundle(api, doubtful).json()["type"] == "/problems/confirmation_required"
    assert list(unpacked(bundle(api, doubtful, confirm_untrusted="true"))) == [LOCK]
    shutil.rmtree(django_settings.SKILLMEAT_DATA_DIR / "content")
    assert bundle(api, DeploymentSetFactory(holding=[pdf])).json()["type"] == "/problems/artifact_unusable"


def test_a_deploy_of_lost_content_changes_nothing(deploy: Deploy, pdf: Artifact, shop: Path) -> None:
    shutil.rmtree(django_settings.SKILLMEAT_DATA_DIR / "content")
    answer = deploy(DeploymentSetFactory(holding=[pdf]), shop)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/artifact_unusable")
    assert (files(shop), Deployment.objects.count()) == ({}, 0)
