"""Where artifacts live: official places, conventions and the owner's map; reads no content.

Official places: code.claude.com/docs, "Skills", "Slash commands", "Subagents", "Hooks", "MCP";
agentskills.io.
"""

from collections.abc import Iterator, Mapping, Set

from marketplace.detection.artifacts import Signal
from marketplace.detection.folders import (
    is_documentation,
    is_ruled_out,
    is_sample,
    is_writing,
    parts,
)
from marketplace.detection.index import TreeIndex, base_name, join, parent, relative
from marketplace.detection.places import (
    ANYWHERE,
    DOUBTFUL,
    FOLDER,
    LOADED,
    LOOSE_SKILL,
    NESTED,
    SKILL_FOLDER,
    UNUSUAL,
    Place,
    directory_path,
)
from marketplace.detection.vocabulary import ArtifactType

FOLDERS = {"commands": ArtifactType.COMMAND, "agents": ArtifactType.AGENT, "subagents": ArtifactType.AGENT}
JSON_FOLDERS = {
    "hooks": ArtifactType.HOOK,
    "mcp": ArtifactType.MCP_SERVER,
    "mcps": ArtifactType.MCP_SERVER,
    "mcp-servers": ArtifactType.MCP_SERVER,
}
SETTINGS = frozenset({"settings.json", "settings.local.json"})
PACKAGES = ("package.json", "pyproject.toml")
SKILL = "skill.md"


def project_places(index: TreeIndex, root: str) -> Iterator[Place]:
    """What Claude Code loads when it is started in the root, or in a project below it."""
    for path in index.files:
        above = parts(relative(path, root))
        if ".claude" in above:
            yield from _claude_folder(path, join(root, "/".join(above[: above.index(".claude")])), root)
    for path in index.named(".mcp.json"):
        project = parent(path)
        if project == root:
            yield _place(
                ArtifactType.MCP_SERVER, path, Signal(name="project_mcp", points=LOADED), loader=root
            )
        elif not is_ruled_out(parts(relative(project, root))):
            yield _place(ArtifactType.MCP_SERVER, path, Signal(name="nested_mcp", points=UNUSUAL))


def skill_documents(index: TreeIndex) -> Iterator[str]:
    """Every SKILL.md however it is spelt; but `commands/skill.md` is a command of that name."""
    for path in index.named(SKILL):
        if base_name(path) != SKILL or base_name(parent(path)).lower() not in FOLDERS:
            yield path


def skill_places(index: TreeIndex, root: str) -> Iterator[Place]:
    """Every SKILL.md: one at the root, in a folder of skills, or somewhere else."""
    for document in skill_documents(index):
        directory = parent(document)
        above = parts(relative(directory, root))
        names = [name.lower() for name in above[:-1]]
        held = names.index("skills") if "skills" in names else None
        outer = above[:-1] if held is None else above[:held]
        if is_ruled_out(outer):
            continue
        container = join(root, "/".join(outer if held is None else above[: held + 1]))
        yield Place(
            type=ArtifactType.SKILL,
            path=directory_path(directory),
            document=document,
            container=container,
            signal=_skill_signal(above, outer, in_folder=held is not None),
            loader=root if held == 0 or not above else None,
            hint=base_name(directory),
        )


def folder_places(index: TreeIndex, root: str) -> Iterator[Place]:
    """Markdown in folders that are called `commands` or `agents`, wherever they are."""
    for path in index.markdown:
        above = parts(relative(parent(path), root))
        at = next((i for i, name in enumerate(above) if name.lower() in FOLDERS), None)
        if at is None or is_ruled_out(above[:at]) or is_writing(above[:at]) or is_documentation(path):
            continue
        signal = Signal(name="conventional_folder", points=FOLDER)
        yield _place(
            FOLDERS[above[at].lower()], path, signal, container=join(root, "/".join(above[: at + 1]))
        )


def json_places(index: TreeIndex, root: str, *, plugins: Set[str]) -> Iterator[Place]:
    """JSON in folders that are called `hooks` or `mcp`: collections to copy from; plugins know what they load."""
    for path in index.json:
        above = parts(relative(parent(path), root))
        at = next((i for i, name in enumerate(above) if name.lower() in JSON_FOLDERS), None)
        if at is None or ".claude" in above or is_ruled_out(above[:at]) or is_writing(above[:at]):
            continue
        if base_name(path) not in PACKAGES and not _is_in_any(above, root, plugins):
            container = join(root, "/".join(above[: at + 1]))
            signal = Signal(name="conventional_json", points=DOUBTFUL)
            hint = base_name(path).rpartition(".")[0]
            yield _place(JSON_FOLDERS[above[at].lower()], path, signal, container=container, hint=hint)


def config_places(index: TreeIndex, root: str) -> Iterator[Place]:
    """`hooks/hooks.json` without a plugin around it, and server.json of the MCP registry."""
    for path in index.named("hooks.json"):
        above = parts(relative(parent(path), root))
        if above[-1:] == ("hooks",) and not is_ruled_out(above):
            base = parent(parent(path))
            signal = Signal(name="loose_hooks", points=UNUSUAL)
            yield _place(
                ArtifactType.HOOK, path, signal, base=base, hint=base_name(base) or base_name(parent(path))
            )
    for path in index.named("server.json"):
        if not is_ruled_out(parts(relative(parent(path), root))):
            yield _place(ArtifactType.MCP_SERVER, path, Signal(name="registry_server", points=UNUSUAL))


def frontmatter_places(index: TreeIndex, root: str, *, plugins: Set[str]) -> Iterator[Place]:
    """Every other Markdown file, for its frontmatter alone to speak; plugins know what they load."""
    for path in index.markdown:
        above = parts(relative(parent(path), root))
        if is_ruled_out(above) or is_writing(above) or ".claude" in above or is_documentation(path):
            continue
        if _is_in_any(above, root, plugins - {root}):
            continue
        signal = Signal(name="frontmatter_only", points=ANYWHERE)
        yield _place(ArtifactType.AGENT, path, signal, container=root)
        yield _place(ArtifactType.COMMAND, path, signal, container=root)


def mapped_places(index: TreeIndex, mapping: Mapping[str, ArtifactType | None]) -> Iterator[Place]:
    """What the owner's map covers; plugins are found by their directories elsewhere."""
    for directory, artifact_type in mapping.items():
        if artifact_type is None:
            continue
        signal = Signal(
            name="manual_map", points=LOADED, detail=f"{directory_path(directory)} is mapped by hand"
        )
        for file in index.below(directory):
            below = relative(file.path, directory)
            if file.is_regular and _fits(below, artifact_type):
                is_skill = artifact_type is ArtifactType.SKILL
                yield Place(
                    type=artifact_type,
                    path=directory_path(parent(file.path)) if is_skill else file.path,
                    document=file.path,
                    container=directory,
                    signal=signal,
                    loader=None if is_skill else directory,
                    hint=base_name(parent(file.path)),
                    base=directory if artifact_type is ArtifactType.HOOK else None,
                )


def _is_in_any(above: tuple[str, ...], root: str, directories: Set[str]) -> bool:
    return any(join(root, "/".join(above[:depth])) in directories for depth in range(len(above) + 1))


def _fits(path: str, artifact_type: ArtifactType) -> bool:
    """The file can be such an artifact; a server's package is the mapped directory or directly in it."""
    name = base_name(path).lower()
    match artifact_type:
        case ArtifactType.SKILL:
            return name == SKILL
        case ArtifactType.COMMAND | ArtifactType.AGENT:
            return name.endswith(".md") and not is_documentation(path)
        case ArtifactType.MCP_SERVER:
            return name.endswith(".json") if name not in PACKAGES else path.count("/") <= 1
        case ArtifactType.HOOK:
            return name.endswith(".json")
        case _:
            return False


def _claude_folder(path: str, project: str, root: str) -> Iterator[Place]:
    """One file below a project's `.claude`; a project below the root is one only for those who work in it."""
    if is_ruled_out(parts(relative(project, root))):
        return
    name, points, loader = ("project", LOADED, root) if project == root else ("nested_project", NESTED, None)
    below = parts(relative(path, join(project, ".claude")))
    folder, file = below[0], below[-1]
    if folder in FOLDERS and len(below) > 1 and file.lower().endswith(".md") and not is_documentation(path):
        signal = Signal(name=f"{name}_{folder}", points=points)
        yield _place(
            FOLDERS[folder], path, signal, container=join(project, f".claude/{folder}"), loader=loader
        )
    elif folder == "skills" and len(below) == 3 and file.lower() == SKILL:  # noqa: PLR2004 - skills/<dir>/SKILL.md
        yield Place(
            type=ArtifactType.SKILL,
            path=parent(path),
            document=path,
            container=join(project, ".claude/skills"),
            signal=Signal(name=f"{name}_skills", points=points),
            loader=loader,
            hint=base_name(parent(path)),
        )
    elif len(below) == 1 and file in SETTINGS:
        signal = Signal(name=f"{name}_settings", points=points)
        hint = base_name(project) or "project"
        yield _place(ArtifactType.HOOK, path, signal, loader=loader, hint=hint, base=project)


def _skill_signal(above: tuple[str, ...], outer: tuple[str, ...], *, in_folder: bool) -> Signal:
    if is_writing(outer):
        return Signal(name="skill_among_documentation", points=DOUBTFUL)
    if not above:
        return Signal(name="root_skill", points=NESTED)
    if in_folder:
        return Signal(name="skills_folder", points=SKILL_FOLDER)
    if is_sample(above[-1]):
        return Signal(name="sample_skill", points=DOUBTFUL)
    return Signal(name="skill_file", points=LOOSE_SKILL)


def _place(
    artifact_type: ArtifactType,
    path: str,
    signal: Signal,
    *,
    container: str | None = None,
    loader: str | None = None,
    hint: str = "",
    base: str | None = None,
) -> Place:
    """The place of an artifact that is one file."""
    return Place(
        type=artifact_type,
        path=path,
        document=path,
        container=parent(path) if container is None else container,
        signal=signal,
        loader=loader,
        hint=hint or base_name(parent(path)),
        base=base,
    )
