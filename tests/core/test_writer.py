"""Deploying into a project, again and again, beside the work of others, and back."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from deployment_sets.directory import DeployRunning, TargetBlocked, TargetMissing, opened_project
from deployment_sets.lockfile import LockDamaged
from deployment_sets.merge import SettingsMalformed
from deployment_sets.planning import DeployConflicts
from deployment_sets.undoing import UndoMissing, UndoRefused
from tests.core.deploying import AGENT, ALL, HOOK, SERVER, SKILL, Project, made, picture

SKILL_FILE = ".claude/skills/pdf/SKILL.md"
NEWER = made("skill", "pdf", {"SKILL.md": "# pdf 2", "scripts/run.sh": "echo pdf"})


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_a_deploy_puts_everything_in_place(project: Project) -> None:
    plan = project.deploy(*ALL)

    assert plan.counts() == {
        "create": 5, "update": 0, "unchanged": 0, "conflict": 0, "remove": 0, "merge": 2
    }  # fmt: skip
    assert (project.path / SKILL_FILE).read_text() == "# pdf"
    assert (project.path / ".claude/skills/pdf/scripts/run.sh").stat().st_mode & 0o111
    assert not (project.path / SKILL_FILE).stat().st_mode & 0o111
    assert "db" in json.loads((project.path / ".mcp.json").read_text())["mcpServers"]
    assert {entry.name for entry in (project.path / ".claude").iterdir()} == {
        "agents", "hooks", "skills", "settings.json", "skillmeat.lock.json"
    }  # fmt: skip


def test_a_dry_run_writes_nothing(project: Project) -> None:
    project.plan(*ALL)
    assert picture(project.path) == {}


def test_a_second_deploy_changes_nothing(project: Project) -> None:
    project.deploy(*ALL)
    before = picture(project.path)

    assert project.plan(*ALL).is_empty
    again = project.deploy(*ALL)
    assert (again.is_empty, again.counts()["unchanged"]) == (True, 7)
    assert picture(project.path) == before
    assert project.undo() == ()


def test_undo_restores_to_the_byte(project: Project) -> None:
    project.write(".mcp.json", '{"mcpServers": { },\n "x": 1.0}', mode=0o600)
    project.write(".claude/settings.json", '{\r\n\t"env": {"TOKEN": "s3cret"}\r\n}')
    before = picture(project.path)

    project.deploy(*ALL)
    assert (project.path / ".mcp.json").stat().st_mode & 0o777 == 0o600
    project.undo()
    assert picture(project.path) == before
    project.undo()
    assert picture(project.path) == before


def test_what_is_kept_for_an_undo_is_private_and_has_nothing_of_others(project: Project) -> None:
    project.write(".mcp.json", '{"mcpServers": {"x": {"env": {"TOKEN": "s3cret"}}}}')
    project.deploy(*ALL)

    assert project.area.stat().st_mode & 0o777 == 0o700
    kept = b"".join(file.read_bytes() for file in project.area.iterdir())
    assert b"s3cret" not in kept
    assert b"s3cret" not in (project.path / ".claude/skillmeat.lock.json").read_bytes()


def test_a_hook_that_was_edited_in_the_settings_is_a_conflict(project: Project) -> None:
    project.deploy(HOOK)
    settings = project.path / ".claude/settings.json"
    edited = settings.read_text().replace('"hooks": [', '"matcher": "*", "hooks": [')
    settings.write_text(edited)
    conflict = ".claude/settings.json#hooks.Stop"

    assert project.outcomes(HOOK)[conflict] == "conflict"
    assert project.verify(HOOK).edited == (conflict,)
    with pytest.raises(DeployConflicts):
        project.deploy(HOOK)
    with pytest.raises(UndoRefused):
        project.undo(project.areas / "1")
    project.deploy(HOOK, on_conflict="skip")
    assert settings.read_text() == edited
    project.deploy(HOOK, on_conflict="backup")
    assert (project.path / ".claude/settings.json.orig-1").read_text() == edited
    assert project.verify(HOOK).is_clean


def test_undo_of_an_update_a_prune_and_a_backup(project: Project) -> None:
    project.deploy(*ALL)
    project.write(SKILL_FILE, "edited")
    before = picture(project.path)

    plan = project.deploy(NEWER, SERVER, on_conflict="backup", prune=True)
    assert (project.path / f"{SKILL_FILE}.orig-1").read_text() == "edited"
    assert not (project.path / ".claude/agents/helper.md").exists()
    assert not (project.path / ".claude/settings.json").exists()
    assert not (project.path / ".claude/hooks/guard").exists()
    assert plan.counts()["remove"] == 4
    assert project.plan(NEWER, SERVER, prune=True).is_empty

    project.undo()
    assert picture(project.path) == before


def test_undo_leaves_what_others_added_since(project: Project) -> None:
    project.deploy(HOOK, SERVER)
    file = project.path / ".mcp.json"
    file.write_text(file.read_text().replace('"mcpServers": {', '"mcpServers": {"mine": {},'))
    project.undo()
    assert json.loads(file.read_text()) == {"mcpServers": {"mine": {}}}


@pytest.mark.parametrize("change", ["edit", "delete", "deploy"])
def test_undo_refuses_when_later_work_touched_the_same_file(project: Project, change: str) -> None:
    project.deploy(SKILL)
    first = project.area
    if change == "edit":
        project.write(SKILL_FILE)
    elif change == "delete":
        (project.path / SKILL_FILE).unlink()
    else:
        project.deploy(NEWER)
    before = picture(project.path)

    with pytest.raises(UndoRefused) as caught:
        project.undo(first)
    assert SKILL_FILE in caught.value.extra["paths"]
    assert picture(project.path) == before
    if change == "deploy":
        project.undo()
        project.undo(first)
        assert picture(project.path) == {}


def test_undo_without_its_data_says_so(project: Project, tmp_path: Path) -> None:
    with pytest.raises(UndoMissing):
        project.undo(tmp_path / "nowhere")


def test_local_edits_are_never_overwritten_silently(project: Project) -> None:
    project.deploy(SKILL)
    project.write(SKILL_FILE, "edited")
    project.write(".claude/agents/helper.md", "mine")
    before = picture(project.path)

    with pytest.raises(DeployConflicts) as caught:
        project.deploy(NEWER, AGENT)
    assert {row["path"] for row in caught.value.extra["conflicts"]} == {
        SKILL_FILE,
        ".claude/agents/helper.md",
    }
    assert picture(project.path) == before

    project.deploy(NEWER, AGENT, on_conflict="skip")
    assert (project.path / SKILL_FILE).read_text() == "edited"
    assert project.outcomes(NEWER, AGENT, on_conflict="skip")[SKILL_FILE] == "conflict"
    assert project.plan(NEWER, AGENT, on_conflict="skip").is_empty
    assert project.verify().edited == (SKILL_FILE,)

    project.deploy(NEWER, AGENT, on_conflict="backup")
    assert (project.path / f"{SKILL_FILE}.orig-1").read_text() == "edited"
    assert (project.path / ".claude/agents/helper.md.orig-1").read_text() == "mine"
    assert project.verify(NEWER, AGENT).edited == ()


def test_a_file_that_is_there_just_so_is_taken_over(project: Project) -> None:
    project.write(SKILL_FILE, "# pdf")
    assert project.outcomes(SKILL)[SKILL_FILE] == "unchanged"
    project.deploy(SKILL)
    project.undo()
    assert (project.path / SKILL_FILE).read_text() == "# pdf"


def test_a_deleted_file_comes_again(project: Project) -> None:
    project.deploy(SKILL)
    (project.path / SKILL_FILE).unlink()
    assert project.verify().missing == (SKILL_FILE,)
    assert project.deploy(SKILL).counts()["create"] == 1


def test_what_left_the_set_stays_until_it_is_pruned(project: Project) -> None:
    project.deploy(*ALL)
    assert project.deploy(SKILL).counts()["unchanged"] == 7
    assert (project.path / ".mcp.json").exists()
    edited = project.write(".claude/agents/helper.md", "edited")

    project.deploy(SKILL, prune=True)
    assert edited.read_text() == "edited"
    assert not (project.path / ".mcp.json").exists()
    assert not (project.path / ".claude/hooks/guard").exists()


def test_another_server_under_the_key(project: Project) -> None:
    mine = '{"mcpServers": {"db": {"command": "mine"}, "other": {}}}'
    file = project.write(".mcp.json", mine)

    with pytest.raises(DeployConflicts, match=r"\.mcp\.json#mcpServers\.db"):
        project.deploy(SERVER)
    project.deploy(SERVER, on_conflict="skip")
    assert file.read_text() == mine
    project.deploy(SERVER, on_conflict="backup")
    assert json.loads(file.read_text())["mcpServers"]["db"]["command"] == "npx"
    assert (project.path / ".mcp.json.orig-1").read_text() == mine
    project.undo()
    assert file.read_text() == mine
    assert not (project.path / ".mcp.json.orig-1").exists()


def test_malformed_settings_stop_the_deploy_before_anything_is_written(project: Project) -> None:
    project.write(".claude/settings.json", "{,}")
    before = picture(project.path)
    with pytest.raises(SettingsMalformed, match=r"settings\.json"):
        project.deploy(*ALL)
    assert picture(project.path) == before


def test_two_artifacts_on_one_path_are_refused_even_with_skip(project: Project) -> None:
    with pytest.raises(DeployConflicts):
        project.deploy(SKILL, made("skill", "PDF", {"x": "x"}), on_conflict="skip")
    assert picture(project.path) == {}


@pytest.mark.parametrize(
    "where", [".claude", ".claude/skills", ".claude/skills/pdf", ".claude/skills/pdf/scripts"]
)
@pytest.mark.parametrize("what", ["link", "file"])
def test_nothing_is_written_through_a_link_or_a_file_in_the_way(
    project: Project, tmp_path: Path, where: str, what: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    blocked = project.path / where
    blocked.parent.mkdir(parents=True, exist_ok=True)
    if what == "link":
        blocked.symlink_to(outside)
    else:
        blocked.write_text("a file")
    before = picture(project.path)

    for policy in ("abort", "backup"):
        with pytest.raises((DeployConflicts, TargetBlocked), match=r"a symbolic link|a file"):
            project.deploy(*ALL, on_conflict=policy)
        assert picture(project.path) == before
    assert picture(outside) == {}


def test_links_directories_and_pipes_in_a_files_place(project: Project, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    skill = project.path / ".claude/skills/pdf"
    (skill / "references/a.md").mkdir(parents=True)
    (skill / "scripts").mkdir()
    (skill / "SKILL.md").symlink_to(secret)
    os.mkfifo(skill / "scripts/run.sh")
    before = picture(project.path)

    with pytest.raises(DeployConflicts):
        project.deploy(SKILL)
    project.deploy(SKILL, on_conflict="backup")
    assert secret.read_text() == "secret"
    assert (skill / "SKILL.md").read_text() == "# pdf"
    assert (skill / "SKILL.md.orig-1").is_symlink()
    project.undo()
    assert picture(project.path) == before


def test_a_target_outside_of_the_root_or_through_a_link_does_not_exist(
    project: Project, tmp_path: Path
) -> None:
    (project.root / "link").symlink_to(tmp_path)
    for path in (tmp_path, project.root / "link", project.root / ".." / "undo", project.root / "none"):
        with pytest.raises(TargetMissing), opened_project(project.root, path):
            pass


def test_one_deploy_at_a_time(project: Project) -> None:
    with opened_project(project.root, project.path) as directory, directory.exclusive():
        with pytest.raises(DeployRunning):
            project.deploy(SKILL)
        project.plan(SKILL)
    project.deploy(SKILL)


def test_drift_is_found(project: Project) -> None:
    project.deploy(*ALL)
    assert project.verify(*ALL).is_clean
    (project.path / ".claude/agents/helper.md").unlink()
    (project.path / ".claude/skills/pdf/scripts/run.sh").chmod(0o644)
    project.write(".claude/skills/pdf/new.md")
    project.write(".mcp.json", '{"mcpServers": {"db": {"command": "other"}}}')
    project.write(".claude/settings.json", "{}")

    drift = project.verify(NEWER, AGENT, HOOK, SERVER)
    assert drift.edited == (".claude/skills/pdf/scripts/run.sh", ".mcp.json#mcpServers.db")
    assert drift.missing == (".claude/agents/helper.md", ".claude/settings.json#hooks.Stop")
    assert drift.extra == (".claude/skills/pdf/new.md",)
    assert drift.outdated == (SKILL_FILE, ".claude/skills/pdf/references/a.md")


STEP = {"path": ".mcp.json", "action": "put", "staged": "1", "aside": "", "is_merged": False,
        "before": {"kind": "absent", "digest": "", "mode": 0}}  # fmt: skip


def forged(**values: Any) -> str:
    return json.dumps({"committed": True, "made": [], "emptied": [], "steps": []} | values)


@pytest.mark.parametrize(
    "text",
    [
        "no json",
        forged(made=["src"]),
        forged(emptied=["../x"]),
        forged(steps=[STEP | {"path": ".claude/skills/../../x"}]),
        forged(steps=[STEP | {"path": "src/main.py"}]),
        forged(steps=[STEP | {"staged": "../x"}]),
        forged(steps=[STEP | {"aside": "/etc/passwd"}]),
        forged(steps=[STEP | {"more": 1}]),
    ],
)
def test_a_journal_that_somebody_forged_is_not_followed(project: Project, text: str) -> None:
    project.write(".claude/.skillmeat-staging/journal.json", text)
    before = picture(project.path)
    with pytest.raises(TargetBlocked, match=r"journal\.json is damaged"):
        project.deploy(SKILL)
    assert picture(project.path) == before


def test_leftovers_of_a_run_that_never_began_go(project: Project) -> None:
    project.write(".claude/.skillmeat-staging/3", "staged")
    project.deploy(SKILL)
    assert not (project.path / ".claude/.skillmeat-staging").exists()


def test_a_lock_that_somebody_forged_stops_the_deploy(project: Project) -> None:
    project.write(".claude/skillmeat.lock.json", "{}")
    with pytest.raises(LockDamaged):
        project.deploy(SKILL)


def test_backups_are_numbered_and_are_no_drift(project: Project) -> None:
    for number in (1, 2):
        project.write(SKILL_FILE, f"edited {number}")
        project.deploy(SKILL, on_conflict="backup")
    assert (project.path / f"{SKILL_FILE}.orig-2").read_text() == "edited 2"
    assert project.verify(SKILL).is_clean


def test_modes_are_gits_and_nothing_more(project: Project) -> None:
    project.write(".mcp.json", "{}", mode=0o4640)
    project.deploy(*ALL)
    assert (project.path / ".mcp.json").stat().st_mode & 0o7777 == 0o640
    assert (project.path / ".claude/skills/pdf/scripts/run.sh").stat().st_mode & 0o7000 == 0
