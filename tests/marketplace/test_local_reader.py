"""A plain directory read through the repository port."""

import os
import subprocess
from pathlib import Path

import pytest

from marketplace.local import LocalDirectoryRefused, LocalReader, resolve_directory
from marketplace.repository import (
    Commit,
    FileKind,
    NotModified,
    RepositoryNotFound,
    RepositoryRefused,
    RepositoryTooLarge,
    RepositoryUnavailable,
)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Names that git sorts in its own way, modes, links, and things it does not know."""
    root = tmp_path / "tools"
    for path in ["a/x", "a.b", "a-b/y", "a0", "skills/pdf/SKILL.md", "skills/pdf/scripts/run.sh", "é/ü.md"]:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(f"content of {path}\n")
    (root / "skills/pdf/scripts/run.sh").chmod(0o755)
    (root / "empty").write_bytes(b"")
    (root / "nothing/in/here").mkdir(parents=True)
    (root / "link").symlink_to("skills/pdf/SKILL.md")
    (root / "outside").symlink_to("/etc")
    (root / "dangling").symlink_to("nowhere")
    return root


def _git(root: Path, *arguments: str) -> str:
    environment = os.environ | {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    command = ["git", "-C", str(root), "-c", "core.autocrlf=false", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout.strip()


def _resolved(reader: LocalReader) -> Commit:
    commit = reader.resolve("HEAD")
    assert isinstance(commit, Commit)
    return commit


def test_ids_are_those_of_git(directory: Path) -> None:
    reader = LocalReader(directory)
    commit = _resolved(reader)
    ours = {f"{file.mode} {file.sha} 0\t{file.path}" for file in reader.tree(commit).files}
    _git(directory, "init", "--quiet")
    _git(directory, "add", "--force", "--all")
    assert commit.sha == _git(directory, "write-tree")
    assert ours == set(_git(directory, "ls-files", "--stage", "-z").strip("\0").split("\0"))
    assert _resolved(LocalReader(directory)).sha == commit.sha  # the .git directory is not part of it


def test_an_empty_directory_is_gits_empty_tree(tmp_path: Path) -> None:
    assert _resolved(LocalReader(tmp_path)).sha == "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


def test_files_are_sorted_and_links_recorded_but_not_followed(directory: Path) -> None:
    reader = LocalReader(directory)
    files = reader.tree(_resolved(reader)).files
    assert [file.path for file in files] == sorted(file.path for file in files)
    kinds = {file.path: file.kind for file in files}
    assert kinds["outside"] == kinds["dangling"] == kinds["link"] == FileKind.SYMLINK
    assert kinds["skills/pdf/scripts/run.sh"] == FileKind.EXECUTABLE
    assert not any(path.startswith("outside/") for path in kinds)


def test_an_unchanged_directory_is_not_modified(directory: Path) -> None:
    commit = _resolved(LocalReader(directory))
    assert LocalReader(directory).resolve("HEAD", known=commit) == NotModified()
    (directory / "a0").write_text("other\n")
    assert isinstance(LocalReader(directory).resolve("HEAD", known=commit), Commit)


def test_members_are_the_regular_files_asked_for(directory: Path) -> None:
    reader = LocalReader(directory)
    commit = _resolved(reader)
    with reader.archive(commit) as archive:
        for _ in range(2):
            members = list(archive.members(frozenset({"a0", "empty", "link", "no such file"})))
            assert [(member.path, member.data) for member in members] == [
                ("a0", b"content of a0\n"),
                ("empty", b""),
            ]
        assert archive.tree() == reader.tree(commit)


def test_description_is_the_directorys_name(directory: Path) -> None:
    said = LocalReader(directory).describe()
    assert (said.owner, said.name, said.default_branch) == ("local", "tools", "HEAD")


def test_special_files_and_unreadable_names_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "good").write_text("x")
    os.mkfifo(tmp_path / "pipe")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff")).write_text("x")
    reader = LocalReader(tmp_path)
    assert [file.path for file in reader.tree(_resolved(reader)).files] == ["good"]


def test_a_file_that_changed_since_is_not_handed_out(directory: Path) -> None:
    reader = LocalReader(directory)
    files = {file.path: file for file in reader.tree(_resolved(reader)).files}
    (directory / "a0").write_text("other\n")
    (directory / "a.b").unlink()
    (directory / "a.b").symlink_to("/etc/passwd")
    (directory / "empty").unlink()
    os.mkfifo(directory / "empty")
    (directory / "a/x").unlink()
    for path in ("a0", "a.b", "empty", "a/x"):
        with pytest.raises(RepositoryUnavailable, match=path):
            reader.blob(files[path])


def test_a_directory_swapped_for_a_link_is_not_followed(directory: Path, tmp_path: Path) -> None:
    reader = LocalReader(directory)
    file = next(file for file in reader.tree(_resolved(reader)).files if file.path == "a/x")
    (directory / "a").rename(tmp_path / "moved")
    (directory / "a").symlink_to(tmp_path / "moved")
    with pytest.raises(RepositoryUnavailable):
        reader.blob(file)


def test_a_tree_of_another_state_is_refused(directory: Path) -> None:
    reader = LocalReader(directory)
    commit = _resolved(reader)
    (directory / "new").write_text("x")
    with pytest.raises(RepositoryUnavailable):
        LocalReader(directory).tree(commit)


def test_a_missing_directory_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path)
    for name in ("missing", "file", "link"):
        with pytest.raises(RepositoryNotFound):
            LocalReader(tmp_path / name).describe()
        with pytest.raises(RepositoryNotFound):
            LocalReader(tmp_path / name).resolve("HEAD")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_refused(directory: Path) -> None:
    (directory / "a0").chmod(0)
    with pytest.raises(RepositoryRefused, match="a0"):
        LocalReader(directory).resolve("HEAD")


def test_too_many_files_or_bytes_are_too_large(directory: Path) -> None:
    with pytest.raises(RepositoryTooLarge, match="files"):
        LocalReader(directory, max_files=5).resolve("HEAD")
    with pytest.raises(RepositoryTooLarge, match="bytes"):
        LocalReader(directory, max_bytes=100).resolve("HEAD")
    with pytest.raises(RepositoryTooLarge, match="bytes"):
        LocalReader(directory, max_bytes=10).resolve("HEAD")


def test_only_directories_strictly_below_a_root_are_allowed(tmp_path: Path) -> None:
    root, other = tmp_path / "root", tmp_path / "root-of-others"
    (root / "a/b").mkdir(parents=True)
    other.mkdir()
    (root / "escape").symlink_to(other)
    (root / "loop").symlink_to(root / "loop")
    (tmp_path / "way-in").symlink_to(root)
    assert resolve_directory(str(root / "a"), [other, root]) == root / "a"
    assert resolve_directory(str(root / "a/b"), [root]) == root / "a/b"
    assert resolve_directory(str(tmp_path / "way-in/a"), [tmp_path / "way-in"]) == root / "a"
    refused = [root, tmp_path, other, root / "escape", root / "a/../..", root / "a/../../root-of-others"]
    for path in [*map(str, refused), "", "/", "a", f"{root}/a\0", f"{root}/loop/x"]:
        with pytest.raises(LocalDirectoryRefused):
            resolve_directory(path, [root])


def test_without_roots_nothing_is_allowed(tmp_path: Path) -> None:
    with pytest.raises(LocalDirectoryRefused):
        resolve_directory(str(tmp_path), [])
