"""The same content is the same archive, and unpacking it is deploying it."""

import hashlib
import io
import os
import random
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from deployment_sets.bundle import Format, stream
from deployment_sets.planning import DeployConflicts
from tests.core.deploying import ALL, STORE, Project, made, picture

LONG = made("skill", "long-" + "n" * 90, {"SKILL.md": "é", "ü/" + "x" * 120 + ".sh": "y" * 70_000})


def bundled(tmp_path: Path, archive: Format, *artifacts: object) -> bytes:
    wishes = Project(tmp_path / "bundled").wishes(artifacts or (*ALL, LONG))  # type: ignore[arg-type]
    return b"".join(stream(wishes, read=STORE.__getitem__, archive=archive))


def unpack(data: bytes, archive: Format, into: Path) -> None:
    into.mkdir()
    if archive is Format.TAR_GZ:
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            tar.extractall(into)
        return
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        assert file.testzip() is None
        for info in file.infolist():
            path = Path(file.extract(info, into))
            path.chmod(info.external_attr >> 16 & 0o777)


@pytest.mark.parametrize("archive", Format)
def test_unpacking_equals_deploying(tmp_path: Path, archive: Format) -> None:
    project = Project(tmp_path / "p")
    project.deploy(*ALL, LONG)
    unpack(bundled(tmp_path, archive), archive, tmp_path / "unpacked")

    deployed, unpacked = picture(project.path), picture(tmp_path / "unpacked")
    assert {path: (mode & 0o100, data) for path, (mode, data) in deployed.items()} == {
        path: (mode & 0o100, data) for path, (mode, data) in unpacked.items()
    }
    other = Project(tmp_path / "p2")
    os.rename(tmp_path / "unpacked", tmp_path / "x")  # noqa: PTH104
    other.path.rmdir()
    (tmp_path / "x").rename(other.path)
    assert other.plan(*ALL, LONG).is_empty
    assert other.verify(*ALL, LONG).is_clean


@pytest.mark.parametrize("archive", Format)
def test_the_same_content_is_the_same_archive(tmp_path: Path, archive: Format) -> None:
    first = bundled(tmp_path, archive)
    shuffled = [LONG, *ALL]
    random.Random(7).shuffle(shuffled)
    assert bundled(tmp_path, archive, *shuffled) == first
    script = (
        "import sys; sys.path.insert(0, '.'); from tests.core.test_bundle import *; import hashlib;"
        f"print(hashlib.sha256(bundled(Path({str(tmp_path)!r}), Format({archive.value!r}))).hexdigest())"
    )
    environment = os.environ | {"TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONHASHSEED": "1"}
    checkout = Path(__file__).parents[2]
    command = [sys.executable, "-c", script]
    other = subprocess.run(command, env=environment, cwd=checkout, capture_output=True, check=True)
    assert other.stdout.decode().strip() == hashlib.sha256(first).hexdigest()


def test_command_line_tools_read_it(tmp_path: Path) -> None:
    file = tmp_path / "a.tar.gz"
    file.write_bytes(bundled(tmp_path, Format.TAR_GZ))
    listed = subprocess.run(["tar", "-tvzf", str(file)], capture_output=True, check=True, text=True).stdout
    assert ".claude/skillmeat.lock.json" in listed
    assert subprocess.run(["gzip", "-t", str(file)], check=True).returncode == 0


def test_conflicts_are_raised_before_the_first_byte(tmp_path: Path) -> None:
    with pytest.raises(DeployConflicts):
        bundled(tmp_path, Format.ZIP, made("skill", "a", {"x": "x"}), made("skill", "A", {"y": "y"}))


def test_an_empty_set_is_a_lock_file(tmp_path: Path) -> None:
    wishes = Project(tmp_path / "p").wishes(())
    data = b"".join(stream(wishes, read=STORE.__getitem__, archive=Format.ZIP))
    assert zipfile.ZipFile(io.BytesIO(data)).namelist() == [".claude/skillmeat.lock.json"]
