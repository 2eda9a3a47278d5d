"""What each type of artifact puts where: the table of "Where each lives and lands" in the formats. Pure."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from uuid import UUID

from deployment_sets.configs import (
    PLUGIN_ROOT,
    Read,
    hook_needs,
    read_hooks,
    read_servers,
    server_needs,
    strings,
)
from deployment_sets.deployable import ArtifactUnusable, DeployableArtifact, DeployableFile
from deployment_sets.merge import Entry
from deployment_sets.names import folded, parents, path_fault, safe_name
from deployment_sets.rewriting import Scripts
from marketplace.detection.vocabulary import ArtifactType
from marketplace.manifest import ContentKind

SETTINGS = ".claude/settings.json"
SERVERS = ".mcp.json"
PLUGIN_MANIFEST = ".claude-plugin/plugin.json"
_KINDS = {
    ContentKind.SYMLINK: "is a symbolic link, which is never followed",
    ContentKind.SUBMODULE: "is a submodule, whose content is in another repository",
    ContentKind.LFS: "is kept in Git LFS; only its pointer is here",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetFile:
    """A file to be, by its path below the project; `digest` is its content's SHA-256 (hex)."""

    path: str
    mode: int
    digest: str
    size: int
    owner: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """An entry to be in a file that others write too."""

    owner: UUID
    file: str
    entry: Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """What people should know of an artifact's deployment: a file left out, something that will not work."""

    owner: UUID
    path: str
    reason: str


@dataclass(slots=True)
class Gathered:
    """What one artifact gives, or all so far."""

    files: list[TargetFile] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)
    claims: list[tuple[str, UUID]] = field(default_factory=list)
    needs: set[str] = field(default_factory=set)
    remarks: list[Remark] = field(default_factory=list)

    def add(self, other: "Gathered") -> None:
        self.files += other.files
        self.merges += other.merges
        self.claims += other.claims
        self.needs |= other.needs
        self.remarks += other.remarks


def _skill(artifact: DeployableArtifact, gathered: Gathered, read: Read, skills: Collection[str]) -> None:
    _directory(artifact, f".claude/skills/{safe_name(artifact.name)}", gathered)


def _plugin(artifact: DeployableArtifact, gathered: Gathered, read: Read, skills: Collection[str]) -> None:
    name = safe_name(artifact.name)
    home = f".claude/skills/{name}" + ("-plugin" if folded(name) in skills else "")
    _directory(artifact, home, gathered)
    if not any(file.path == PLUGIN_MANIFEST and file.is_plain for file in artifact.files):
        reason = "is missing: Claude Code does not load this directory as a plugin"
        gathered.remarks.append(Remark(owner=artifact.uuid, path=PLUGIN_MANIFEST, reason=reason))


def _directory(artifact: DeployableArtifact, home: str, gathered: Gathered) -> None:
    files = [
        _target(artifact, file, f"{home}/{file.path}") for file in _usable(artifact, artifact.files, gathered)
    ]
    if not files:
        raise ArtifactUnusable(f"{artifact.name}: none of its files was stored.")
    gathered.files += files
    gathered.claims.append((home, artifact.uuid))


def _command(artifact: DeployableArtifact, gathered: Gathered, read: Read, skills: Collection[str]) -> None:
    between = [safe_name(part) for part in artifact.namespace.split("/") if part]
    _single(artifact, "/".join([".claude/commands", *between, safe_name(artifact.name)]), gathered)


def _agent(artifact: DeployableArtifact, gathered: Gathered, read: Read, skills: Collection[str]) -> None:
    _single(artifact, f".claude/agents/{safe_name(artifact.name)}", gathered)


def _single(artifact: DeployableArtifact, stem: str, gathered: Gathered) -> None:
    target = _target(artifact, artifact.document, f"{stem}.md", mode=0o644)
    gathered.files.append(target)
    gathered.claims.append((target.path, artifact.uuid))


def _hook(artifact: DeployableArtifact, gathered: Gathered, read: Read, skills: Collection[str]) -> None:
    config, document = read_hooks(artifact, read), artifact.document
    home = f".claude/hooks/{safe_name(artifact.name)}"
    scripts = [file for file in _usable(artifact, artifact.files, gathered) if file.path != document.path]
    own = ".claude/hooks/"  # a project's scripts lie there already: no need to repeat it below our directory
    skip = len(own) if scripts and all(file.path.startswith(own) for file in scripts) else 0
    targets = {file.path: f"{home}/{file.path[skip:]}" for file in scripts}
    rewriter = Scripts(targets=targets, home=home, plugin=config.plugin)
    for event, groups in config.values.items():
        for group in groups:
            if isinstance(group, dict):
                gathered.needs.update(hook_needs(group))
                value = rewriter.group(group)
                _merge(artifact, SETTINGS, ("hooks", event), value, gathered, listed=True)
    gathered.files += [_target(artifact, file, targets[file.path]) for file in scripts]
    if scripts:
        gathered.claims.append((home, artifact.uuid))


def _server(artifact: DeployableArtifact, gathered: Gathered, read: Read, skills: Collection[str]) -> None:
    for key, server in read_servers(artifact, read).values.items():
        gathered.needs.update(server_needs(server))
        _merge(artifact, SERVERS, ("mcpServers", key), server, gathered, listed=False)
        gathered.claims.append((f"{SERVERS}#{key}", artifact.uuid))
        if any(PLUGIN_ROOT in text for text in strings(server)):
            reason = f"calls files of its plugin through {PLUGIN_ROOT}: deploy the plugin instead"
            gathered.remarks.append(Remark(owner=artifact.uuid, path=f"{SERVERS}#{key}", reason=reason))


def _merge(
    artifact: DeployableArtifact,
    file: str,
    keys: tuple[str, ...],
    value: object,
    gathered: Gathered,
    *,
    listed: bool,
) -> None:
    try:
        entry = Entry.of(keys, value, listed=listed)
    except ValueError:
        raise ArtifactUnusable(f"{artifact.name}: {keys[-1]} has a number that no JSON can hold.") from None
    gathered.merges.append(Merge(owner=artifact.uuid, file=file, entry=entry))


def _usable(
    artifact: DeployableArtifact, files: Iterable[DeployableFile], gathered: Gathered
) -> Iterator[DeployableFile]:
    """The regular files; the others, and of paths that differ only in case all but the first, become remarks."""
    seen: set[str] = set()
    for file in sorted(files, key=lambda file: file.path):
        reason = _KINDS.get(file.kind) or path_fault(file.path)
        if not reason and file.digest is None:
            reason = "was not stored"
        if not reason and folded(file.path) in seen:
            reason = "differs from another path only in case"
        if not reason and any(folded(outer) in seen for outer in parents(file.path)):
            reason = "has a file where its directory would be"
        if reason:
            gathered.remarks.append(Remark(owner=artifact.uuid, path=file.path, reason=reason))
        else:
            seen.add(folded(file.path))
            yield file


def _target(
    artifact: DeployableArtifact, file: DeployableFile, path: str, *, mode: int | None = None
) -> TargetFile:
    return TargetFile(
        path=path,
        mode=file.permissions if mode is None else mode,
        digest=file.digest or "",
        size=file.size,
        owner=artifact.uuid,
    )


PLACES = {
    ArtifactType.SKILL: _skill,
    ArtifactType.COMMAND: _command,
    ArtifactType.AGENT: _agent,
    ArtifactType.HOOK: _hook,
    ArtifactType.MCP_SERVER: _server,
    ArtifactType.PLUGIN: _plugin,
}
