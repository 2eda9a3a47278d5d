"""A deploy that is killed, or whose disk fails, at every single step; and hands that are faster than it."""

import errno
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from deployment_sets.changes import DeployFailed
from skillmeat_site.errors import DomainError
from tests.core.deploying import AGENT, HOOK, SERVER, SKILL, STORE, Project, made, picture

CHANGING = ("write", "rename", "unlink", "rmdir", "mkdir", "fchmod", "fchown", "open")
ALL_CALLS = (*CHANGING, "fsync")
GONE = {f"{n}.md": f"gone {n}" for n in range(3)}
OLD = made("skill", "s", {"SKILL.md": "s"} | {f"a/{n}.md": f"old {n}" for n in range(4)} | {"x/y.md": "z"})
NEW = made(
    "skill",
    "s",
    {"SKILL.md": "s"} | {f"a/{n}.md": f"new {n}" for n in range(4)} | {f"b/{n}.sh": "" for n in range(3)},
)
LEFT = made("skill", "left", GONE)
FILES = 16  # 3 new, 4 updated, 4 removed, and agent, script, server, settings, backup, lock
OPTIONS: dict[str, Any] = {"on_conflict": "backup", "prune": True}
EDITED = ".claude/skills/s/a/3.md"


class Killed(BaseException):
    """The process is gone: nothing after this may change a file."""


@contextmanager
def failing(
    at: int, error: Callable[[], BaseException], *, once: bool = False, names: tuple[str, ...] = CHANGING
) -> Iterator[list[str]]:
    """The `at`-th call that changes a file fails instead, and all later ones unless `once`; their names so far.

    By default without fsync, before and after which a killed process leaves the same.
    """
    calls: list[str] = []
    one_at_a_time = Lock()
    real = {name: getattr(os, name) for name in names}

    def wrapped(name: str) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            if name == "open" and not args[1] & os.O_CREAT:
                return real[name](*args, **options)
            with one_at_a_time:
                calls.append(name)
                number = len(calls)
            if number == at or (number > at and not once):
                raise error()
            return real[name](*args, **options)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in names:
            patch.setattr(os, name, wrapped(name))
        yield calls


@pytest.fixture(autouse=True, scope="module")
def no_waiting_for_the_disk() -> Iterator[None]:
    """A killed process loses nothing that it wrote; only a power cut would, and no test can cut the power."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """In memory where there is such a place: hundreds of trees are made and removed."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Deployed, edited by hand, with settings of others."""
    project = Project(tmp_path_factory.mktemp("before"))
    project.deploy(OLD, LEFT, SERVER)
    project.write(EDITED, "edited")
    project.write(".claude/settings.json", '{"env": {"A": "b"}}')
    return project


def copied(project: Project, base: Path) -> Project:
    shutil.rmtree(base, ignore_errors=True)
    shutil.copytree(project.root.parent, base)
    copy = Project(base)
    copy.count = project.count
    return copy


def deploy(project: Project) -> None:
    project.deploy(NEW, AGENT, HOOK, **OPTIONS)


def steps_of(
    project: Project, base: Path, act: Callable[[Project], object], names: tuple[str, ...] = CHANGING
) -> tuple[int, dict[str, Any]]:
    copy = copied(project, base)
    with failing(10**9, Killed, names=names) as calls:
        act(copy)
    return len(calls), picture(copy.path)


def failure(act: Callable[[Project], object], project: Project) -> DomainError | None:
    try:
        act(project)
    except DomainError as error:
        return error
    return None


@pytest.mark.slow
def test_killed_at_every_step_the_next_run_ends_in_the_new_state(before: Project, tmp_path: Path) -> None:
    count, after = steps_of(before, tmp_path / "p", deploy)
    old = picture(before.path)
    assert sum(old.get(path) != found for path, found in after.items()) + 10 >= FILES
    for at in range(1, count + 1):
        project = copied(before, tmp_path / "p")
        with failing(at, Killed), pytest.raises(Killed):
            deploy(project)
        between = picture(project.path)
        for path, found in between.items():
            assert ".skillmeat-staging" in path or found in (old.get(path), after.get(path)), (at, path)
        for path in old.keys() & after.keys():
            assert path in between or path == EDITED  # on its way to .orig-1
        deploy(project)
        assert picture(project.path) == after, at


@pytest.mark.slow
def test_an_undo_that_is_killed_is_finished_as_well(before: Project, tmp_path: Path) -> None:
    done = copied(before, tmp_path / "done")
    deploy(done)
    old = picture(before.path)
    count, after = steps_of(done, tmp_path / "p", Project.undo)
    assert after == old
    for at in range(1, count + 1):
        project = copied(done, tmp_path / "p")
        with failing(at, Killed), pytest.raises(Killed):
            project.undo()
        project.undo()
        assert picture(project.path) == old, at


@pytest.mark.slow
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS])
def test_a_step_that_fails_leaves_everything_as_it_was(before: Project, tmp_path: Path, number: int) -> None:
    count, after = steps_of(before, tmp_path / "p", deploy, ALL_CALLS)
    old = picture(before.path)
    every = 3 if number == errno.ENOSPC else 29
    for at in range(1, count + 1, every):
        project = copied(before, tmp_path / "p")
        with failing(at, lambda: OSError(number, os.strerror(number)), once=True, names=ALL_CALLS) as calls:
            error = failure(deploy, project)
        if error:
            assert os.strerror(number) in error.detail
            assert picture(project.path) == old, (at, calls[at - 1])
        else:  # an empty directory that could not be removed, a file that could not be given away
            assert calls[at - 1] in {"rmdir", "fchown"}
        deploy(project)
        if calls[at - 1] != "rmdir":
            assert picture(project.path) == after, (at, calls[at - 1])


@pytest.mark.slow
def test_a_disk_that_stays_full_is_recovered_from_once_there_is_room(before: Project, tmp_path: Path) -> None:
    count, after = steps_of(before, tmp_path / "p", deploy)
    for at in range(1, count + 1, 7):
        project = copied(before, tmp_path / "p")
        with failing(at, lambda: OSError(errno.ENOSPC, "No space left on device")):
            error = failure(deploy, project)
        assert not (error and error.extra.get("is_pending")) or project.plan(SKILL).is_pending
        deploy(project)
        assert picture(project.path) == after, at


@given(at=st.integers(1, 130), path=st.sampled_from([
    ".claude/skills/s/a/0.md", ".claude/skills/s/b/2.sh", ".claude/skills/left/2.md", ".claude/settings.json",
    ".mcp.json", ".claude/agents/helper.md", EDITED,
]))  # fmt: skip
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_edit_between_crash_and_recovery_is_not_lost(
    before: Project, tmp_path: Path, at: int, path: str
) -> None:
    project = copied(before, tmp_path / "p")
    with failing(at, Killed), suppress(Killed):
        deploy(project)
    edit = '{"edited": "since"}'
    project.write(path, edit)
    deploy(project)

    contents = [content for _, content in picture(project.path).values()]
    kept = any(isinstance(content, bytes) and edit.encode()[:-1] in content for content in contents)
    assert kept, (at, path)
    assert project.verify().edited == ()


def test_a_process_that_really_dies_leaves_no_lock(before: Project, tmp_path: Path) -> None:
    project = copied(before, tmp_path / "p")
    script = f"""
import os, sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from tests.core import test_writer_crashes as t
project = t.Project(Path({str(tmp_path / "p")!r})); project.count = {project.count}
rename, calls = os.rename, []
def dying(*args, **options):
    calls.append(args)
    if len(calls) == 12: os._exit(9)
    return rename(*args, **options)
os.rename = dying
t.deploy(project)
"""
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 9
    assert project.plan(NEW, AGENT, HOOK, **OPTIONS).is_pending
    deploy(project)
    assert project.plan(NEW, AGENT, HOOK, **OPTIONS).is_empty


@pytest.mark.parametrize("where", [".claude", ".claude/skills", ".claude/skills/pdf"])
def test_a_link_swapped_in_while_it_runs_does_not_lead_out(tmp_path: Path, where: str) -> None:
    reference = Project(tmp_path / "reference")
    with failing(10**9, Killed) as calls:
        reference.deploy(SKILL, AGENT)
    for at in range(1, len(calls) + 1):
        project = Project(tmp_path / str(at))
        outside = tmp_path / f"outside{at}"
        outside.mkdir()
        swap = partial(put_link, project.path / where, outside)
        with swapping(at, swap):
            failure(lambda project: project.deploy(SKILL, AGENT), project)
        assert picture(outside) == {}, at


def put_link(path: Path, outside: Path) -> None:
    if path.is_dir():
        path.rename(path.with_name("moved"))
        path.symlink_to(outside)


@contextmanager
def swapping(at: int, act: Callable[[], object]) -> Iterator[None]:
    """Right before the `at`-th change, somebody else acts."""
    real = {name: getattr(os, name) for name in CHANGING}
    calls: list[str] = []

    def wrapped(name: str) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            if name != "open" or args[1] & os.O_CREAT:
                calls.append(name)
                if len(calls) == at:
                    with pytest.MonkeyPatch.context() as patch:
                        for each, function in real.items():
                            patch.setattr(os, each, function)
                        act()
            return real[name](*args, **options)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in CHANGING:
            patch.setattr(os, name, wrapped(name))
        yield


SOME = st.lists(
    st.tuples(st.sampled_from(["skill", "agent", "command", "plugin"]), st.sampled_from("ab"), st.sampled_from("xy")),
    max_size=5, unique_by=lambda row: row[:2],
)  # fmt: skip


def files_of(kind: str, text: str) -> dict[str, str]:
    return {"SKILL.md": text, f"{text}/f": ""} if kind in {"skill", "plugin"} else {"f.md": text}


@given(first=SOME, second=SOME, prune=st.booleans(), foreign=st.lists(st.sampled_from("abc"), max_size=2))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_second_plan_is_empty_and_undo_restores(
    tmp_path: Path, first: Any, second: Any, prune: bool, foreign: list[str]
) -> None:
    shutil.rmtree(tmp_path / "p", ignore_errors=True)
    project = Project(tmp_path / "p")
    for name in foreign:
        project.write(f".claude/agents/{name}.md", "foreign")
    pictures = []
    for rows in (first, second):
        artifacts = [made(kind, name, files_of(kind, text)) for kind, name, text in rows]
        pictures.append(picture(project.path))
        project.deploy(*artifacts, on_conflict="backup", prune=prune)
        assert project.plan(*artifacts, prune=prune).is_empty
        assert project.verify().is_clean
    assert set(os.listdir(project.root)) == {"project"}  # noqa: PTH208
    project.undo()
    assert picture(project.path) == pictures[1]
    project.undo(project.areas / "1")
    assert picture(project.path) == pictures[0]


def test_damaged_content_is_never_deployed(tmp_path: Path) -> None:
    project = Project(tmp_path)
    digest = hashlib.sha256(b"# helper").hexdigest()
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(STORE, digest, b"other")
        with pytest.raises(DeployFailed, match="damaged"):
            project.deploy(SKILL, AGENT)
    assert picture(project.path) == {}
