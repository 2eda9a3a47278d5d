"""THE table of artifact types: one vocabulary for code, database, API and URLs."""

from enum import StrEnum


class ArtifactType(StrEnum):
    SKILL = "skill"
    COMMAND = "command"
    AGENT = "agent"
    HOOK = "hook"
    MCP_SERVER = "mcp_server"
    PLUGIN = "plugin"


# What runs by itself once it is deployed, and so needs trust in where it comes from.
ACTIVE_TYPES = frozenset({ArtifactType.HOOK, ArtifactType.MCP_SERVER, ArtifactType.PLUGIN})

# Other spellings that are understood on input and never given out.
ALIASES = {
    "mcp": ArtifactType.MCP_SERVER,
    "mcp-server": ArtifactType.MCP_SERVER,
    "mcps": ArtifactType.MCP_SERVER,
    "mcp-servers": ArtifactType.MCP_SERVER,
    "composite": ArtifactType.PLUGIN,
    "composites": ArtifactType.PLUGIN,
} | {f"{artifact_type}s": artifact_type for artifact_type in ArtifactType}


def parse_type(text: str) -> ArtifactType:
    """The type of this name or alias; ValueError when there is none."""
    return ALIASES.get(text) or ArtifactType(text)
