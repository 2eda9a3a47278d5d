"""Small repositories for the tests of detection: paths with texts in, artifacts out."""

import json
from collections.abc import Mapping
from typing import Any

from marketplace.detection.artifacts import DetectedArtifact, Detection, DetectionSettings
from marketplace.detection.detect import survey
from marketplace.repository import Tree, TreeFile, blob_id

SKILL = "---\nname: a-skill\ndescription: Does a thing.\n---\n# A skill\n"
AGENT = "---\nname: an-agent\ndescription: Thinks.\ntools: Read\n---\nYou think.\n"
COMMAND = "---\ndescription: Runs.\nargument-hint: '[x]'\n---\nRun $ARGUMENTS.\n"
HOOKS = json.dumps({"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "true"}]}]}})
SERVERS = json.dumps({"mcpServers": {"time": {"command": "uvx"}}})
BARE_SERVERS = json.dumps({"time": {"command": "uvx"}})
PLUGIN = json.dumps({"name": "p"})

Found = dict[tuple[str, str], int]


def tree_of(files: Mapping[str, str]) -> Tree:
    return Tree(
        files=tuple(
            TreeFile(path=path, mode="100644", sha=blob_id(text.encode()), size=len(text.encode()))
            for path, text in files.items()
        )
    )


def scan_tree(tree: Tree, texts: Mapping[str, str], settings: DetectionSettings) -> Detection:
    documents: dict[str, str] = {}
    while missing := survey(tree, documents, settings).missing & texts.keys() - documents.keys():
        documents |= {path: texts[path] for path in missing}
    return survey(tree, documents, settings).detect()


def scan(files: Mapping[str, str], **settings: Any) -> Detection:
    return scan_tree(tree_of(files), files, DetectionSettings(**settings))


def found(files: Mapping[str, str], **settings: Any) -> Found:
    artifacts = scan(files, **settings).artifacts
    return {(artifact.type.value, artifact.locator): artifact.confidence for artifact in artifacts}


def only(files: Mapping[str, str], **settings: Any) -> DetectedArtifact:
    (artifact,) = scan(files, **settings).artifacts
    return artifact


def marketplace(*plugins: Mapping[str, Any], **more: Any) -> str:
    return json.dumps({"name": "m", "owner": {"name": "o"}, "plugins": list(plugins), **more})


MEMBERS = {
    "p/skills/x/SKILL.md": SKILL,
    "p/commands/x.md": COMMAND,
    "p/agents/x.md": AGENT,
    "p/hooks/hooks.json": HOOKS,
    "p/.mcp.json": BARE_SERVERS,
}

MEMBER_LOCATORS = {
    ("skill", "p/skills/x"),
    ("command", "p/commands/x.md"),
    ("agent", "p/agents/x.md"),
    ("hook", "p/hooks/hooks.json"),
    ("mcp_server", "p/.mcp.json"),
}
