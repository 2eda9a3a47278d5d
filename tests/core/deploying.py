"""Artifacts, projects and pictures of directories for the tests of deploys."""

import hashlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from uuid import UUID

from deployment_sets import writer
from deployment_sets.deployable import DeployableArtifact, DeployableFile
from deployment_sets.layout import lay_out
from deployment_sets.planning import OnConflict, Plan, Wishes
from marketplace.detection.vocabulary import ArtifactType
from marketplace.manifest import ContentKind

STORE: dict[str, bytes] = {}


def stored(path: str, content: str | bytes, *, executable: bool = False) -> DeployableFile:
    data = content if isinstance(content, bytes) else content.encode()
    digest = hashlib.sha256(data).hexdigest()
    STORE[digest] = data
    kind = ContentKind.EXECUTABLE if executable else ContentKind.FILE
    mode = "100755" if executable else "100644"
    return DeployableFile(path=path, kind=kind, mode=mode, size=len(data), digest=digest)


def made(type_: str, name: str, files: dict[str, str], **values: Any) -> DeployableArtifact:
    """Scripts (`*.sh`) can be executed. Equal type and name give an equal uuid."""
    return DeployableArtifact(
        uuid=UUID(bytes=hashlib.sha256(f"{type_} {name}".encode()).digest()[:16]),
        type=ArtifactType(type_),
        name=name,
        files=tuple(
            stored(path, content, executable=path.endswith(".sh")) for path, content in files.items()
        ),
        version="1",
        **values,
    )


_HANDLER = '{"type": "command", "command": "${CLAUDE_PLUGIN_ROOT}/a.sh"}'
HOOK = made(
    "hook",
    "guard",
    {"hooks/hooks.json": f'{{"hooks": {{"Stop": [{{"hooks": [{_HANDLER}]}}]}}}}', "a.sh": "echo"},
    locator="plugins/guard/hooks/hooks.json",
)
SERVER = made("mcp_server", "db", {".mcp.json": '{"db": {"command": "npx", "args": ["db"]}}'})
SKILL = made("skill", "pdf", {"SKILL.md": "# pdf", "scripts/run.sh": "echo pdf", "references/a.md": "a"})
AGENT = made("agent", "helper", {"helper.md": "# helper"})
ALL = (SKILL, AGENT, HOOK, SERVER)


class Project:
    """A project directory below an allowed root, with what is needed to deploy into it."""

    def __init__(self, base: Path) -> None:
        self.root = base / "root"
        self.path = self.root / "project"
        self.areas = base / "undo"
        self.path.mkdir(parents=True, exist_ok=True)
        self.count = 0

    def wishes(self, artifacts: Iterable[DeployableArtifact], **options: Any) -> Wishes:
        if "on_conflict" in options:
            options["on_conflict"] = OnConflict(options["on_conflict"])
        layout = lay_out(tuple(artifacts), read=STORE.__getitem__)
        return Wishes(layout=layout, set_id="set_1", set_name="Set", **options)

    def plan(self, *artifacts: DeployableArtifact, **options: Any) -> Plan:
        return writer.plan(self.root, self.path, self.wishes(artifacts, **options))

    def deploy(self, *artifacts: DeployableArtifact, **options: Any) -> Plan:
        self.count += 1
        wishes = self.wishes(artifacts, **options)
        return writer.execute(self.root, self.path, wishes, read=STORE.__getitem__, undo=self.area)

    @property
    def area(self) -> Path:
        """What the last deploy kept."""
        return self.areas / str(self.count)

    def undo(self, area: Path | None = None) -> tuple[str, ...]:
        return writer.undo(self.root, self.path, area or self.area)

    def verify(self, *artifacts: DeployableArtifact) -> writer.Drift:
        return writer.verify(self.root, self.path, self.wishes(artifacts) if artifacts else None)

    def write(self, path: str, content: str = "mine", mode: int = 0o644) -> Path:
        file = self.path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        file.chmod(mode)
        return file

    def outcomes(self, *artifacts: DeployableArtifact, **options: Any) -> dict[str, str]:
        return {file.path: file.outcome.value for file in self.plan(*artifacts, **options).files}


def picture(directory: Path) -> dict[str, tuple[int, bytes | str]]:
    """Everything below the directory: modes and bytes, targets of links, directories."""
    found: dict[str, tuple[int, bytes | str]] = {}
    for parent, directories, files in os.walk(directory):
        for name in [*directories, *files]:
            path = Path(parent, name)
            mode = path.lstat().st_mode
            content: bytes | str = ""
            if stat.S_ISLNK(mode):
                content = str(path.readlink())
            elif stat.S_ISREG(mode):
                content = path.read_bytes()
            found[str(path.relative_to(directory))] = (mode, content)
    return found
