"""The values that vetting gives, and THE table of what it can find."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

MAX_DETAIL = 300
MAX_QUOTE = 80

# Formats that nothing but a credential has: docs.github.com "About authentication", and the makers' own pages.
CREDENTIAL = re.compile(
    r"(?<![A-Za-z0-9])(?:sk-[A-Za-z0-9_-]{16,}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}"
    r"|glpat-[A-Za-z0-9_-]{16,}|xox[abeprs]-[A-Za-z0-9-]{10,}|(?:AKIA|ASIA)[A-Z0-9]{16}"
    r"|AIza[A-Za-z0-9_-]{30,}|npm_[A-Za-z0-9]{30,}|hf_[A-Za-z0-9]{30,}"
    r"|eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,})"
)


class Severity(StrEnum):
    """How much a finding matters to the one who would use the artifact.

    `error`: Claude Code will not load it or ignores (part of) it; `warning`: it breaks the specification or
    will not work as written; `info`: worth knowing.
    """

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


_ORDER = {severity: position for position, severity in enumerate(Severity)}
_E, _W, _I = Severity.ERROR, Severity.WARNING, Severity.INFO

# Stable: clients filter by code. A code has one severity, whatever the artifact's type.
CODES = MappingProxyType(
    {
        # Every type.
        "case_collision": (_I, "File names differ only by case; Windows and macOS keep one of them."),
        "invisible_characters": (_W, "Text, name or description has characters that people cannot see."),
        "json_unreadable": (_E, "The configuration is no JSON object, or larger or deeper than is read."),
        "lfs_pointer": (_W, "The document is a Git LFS pointer; its text is not in the repository."),
        "submodule": (_W, "Another repository is mounted here; its files are not part of the artifact."),
        "symlink": (_I, "Symbolic links are not followed and not copied."),
        "windows_file_name": (_I, "Windows cannot have a file of this name."),
        "wrong_type": (_W, "A key has a value of another type than the format documents."),
        # Markdown.
        "description_missing": (_E, "A skill or agent does not say what it is for."),
        "frontmatter_missing": (_E, "A skill or agent has no frontmatter at all."),
        "frontmatter_not_yaml": (_W, "Strict YAML rejects the frontmatter; it was read line by line."),
        "frontmatter_unclosed": (_W, "The frontmatter's closing `---` is missing."),
        # Skills.
        "broken_link": (_W, "SKILL.md links to a file of the skill that does not exist."),
        "compatibility_too_long": (_W, "`compatibility` has more than 500 characters."),
        "skill_body_long": (_I, "SKILL.md has more than 500 lines; details belong in files beside it."),
        "skill_description_too_long": (_W, "The description has more than 1,024 characters."),
        "skill_file_spelling": (_W, "The file is not called SKILL.md; only some systems will find it."),
        "skill_name_differs": (_W, "The skill's name is not the name of its directory."),
        "skill_name_invalid": (_W, "The name is not made of a-z, 0-9 and single hyphens between them."),
        "skill_name_missing": (_W, "A skill has no name; Claude Code takes the directory's."),
        "skill_name_too_long": (_W, "The name has more than 64 characters."),
        "unknown_key": (_I, "The frontmatter has keys that no documentation names."),
        # Agents and commands.
        "agent_name_invalid": (_W, "An agent's name is not made of lower-case letters, digits and hyphens."),
        "agent_name_missing": (_E, "An agent has no name; Claude Code ignores the file."),
        "command_description_missing": (_I, "A command has no description to be listed with."),
        # Plugins.
        "plugin_empty": (_W, "The plugin has nothing that Claude Code would load."),
        "plugin_manifest_absent": (_I, "There is no plugin.json; the marketplace entry alone describes it."),
        "plugin_name_invalid": (_W, "The plugin's name is not kebab-case."),
        "plugin_name_missing": (_E, "plugin.json has no name, the one key it needs."),
        "plugin_path_missing": (_W, "The manifest names a path that does not exist in the plugin."),
        "plugin_path_outside": (_E, "The manifest names a path that leaves the plugin."),
        "plugin_path_unprefixed": (_E, "A path in the manifest does not start with `./`."),
        "plugin_version_invalid": (_W, "The version is no semantic version."),
        # Hooks.
        "hook_entry_invalid": (_E, "A hook lacks its type or what that type needs."),
        "hook_event_unknown": (_W, "Claude Code documents no event of this name."),
        "hook_events_missing": (_E, "There is no hook for any event of Claude Code."),
        "hook_script_missing": (_W, "A hook calls a script that does not exist in the repository."),
        "hook_script_not_executable": (_W, "A hook calls a script directly that has no executable bit."),
        "hook_timeout_invalid": (_W, "A hook's timeout is no positive number of seconds."),
        "hook_type_unknown": (_W, "Claude Code documents no hook of this type."),
        # MCP servers.
        "literal_secret": (_W, "A credential seems to be written out; it belongs in the environment."),
        "mcp_server_incomplete": (_E, "A server has neither a command nor a url."),
        "mcp_transport_missing": (_E, "A server has a url but no type; Claude Code takes it for a command."),
        "mcp_transport_unknown": (_W, "Claude Code documents no transport of this type."),
        "mcp_url_insecure": (_W, "A server elsewhere is reached over unencrypted HTTP."),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One broken rule. `code` and `severity` are a row of CODES; `detail` is one sentence of printable text."""

    code: str
    severity: Severity
    detail: str


def finding(code: str, detail: str) -> Finding:
    """A finding with its code's severity; the detail is made printable and cut to 300 characters."""
    severity, _ = CODES[code]
    return Finding(code=code, severity=severity, detail=quoted(detail, limit=MAX_DETAIL))


def quoted(text: object, *, limit: int = MAX_QUOTE) -> str:
    """The text on one line for a detail: printable, at most `limit` characters, known credentials blanked."""
    start = str(text)[: 4 * limit]
    line = " ".join("".join(c if c.isprintable() else " " for c in CREDENTIAL.sub("[secret]", start)).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def ordered(findings: Iterable[Finding], *, limit: int) -> tuple[Finding, ...]:
    """By severity, code and detail, each once; the least severe are cut."""
    return tuple(sorted(set(findings), key=lambda f: (_ORDER[f.severity], f.code, f.detail))[:limit])
