"""Rules for skills, agents and commands: Markdown with frontmatter.

Sources: agentskills.io/specification; code.claude.com/docs/en/skills ("Frontmatter reference"), which holds for
commands too; code.claude.com/docs/en/sub-agents ("Supported frontmatter fields").
"""

import posixpath
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any
from urllib.parse import unquote

from marketplace.detection.documents import split_frontmatter
from marketplace.detection.index import base_name, join
from marketplace.vetting.case import SKILL, Case
from marketplace.vetting.findings import Finding, finding, quoted
from marketplace.vetting.shapes import LIST, OBJECT, TEXT, TRUTH, Shapes, is_blank, text, wrong_types

MAX_NAME = 64
MAX_DESCRIPTION = 1_024
MAX_COMPATIBILITY = 500
MAX_LINES = 500
MAX_BODY = 512 * 1024
MAX_LINE = 2_000
MAX_LINKS = 500
MAX_BROKEN = 5
MAX_KEYS = 5

SKILL_SHAPES: Shapes = {
    "name": (TEXT,),
    "description": (TEXT,),
    "license": (TEXT,),
    "compatibility": (TEXT,),
    "metadata": (OBJECT,),
    "allowed-tools": (TEXT, LIST),
    "argument-hint": (TEXT, LIST),  # the documentation's own `[issue-number]` is a list in YAML
    "disable-model-invocation": (TRUTH,),
    "user-invocable": (TRUTH,),
    "model": (TEXT,),
    "context": (TEXT,),
    "agent": (TEXT,),
    "hooks": (OBJECT,),
}
SKILL_KEYS = SKILL_SHAPES.keys() | {
    "arguments",
    "disallowed-tools",
    "effort",
    "paths",
    "shell",
    "when_to_use",
}
AGENT_SHAPES: Shapes = {
    "name": (TEXT,),
    "description": (TEXT,),
    "tools": (TEXT, LIST),
    "disallowedTools": (TEXT, LIST),
    "model": (TEXT,),
    "color": (TEXT,),
    "permissionMode": (TEXT,),
    "skills": (TEXT, LIST),
    "hooks": (OBJECT,),
}
COMMAND_SHAPES: Shapes = {
    "description": (TEXT,),
    "allowed-tools": (TEXT, LIST),
    "argument-hint": (TEXT, LIST),  # the documentation's own `[issue-number]` is a list in YAML
    "model": (TEXT,),
    "disable-model-invocation": (TRUTH,),
}

_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_AGENT_NAME = re.compile(r"[a-z0-9-]+")
_FENCE = re.compile(r"\s*(?:`{3,}|~{3,})\s*([^\s`]*)")
_CODE = re.compile(r"`[^`]*`")
_LINK = re.compile(r"\]\(<?([^()<>\s]{1,500})")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def frontmatter_form(case: Case) -> Iterator[Finding]:
    """YAML between two `---` lines: agentskills.io/specification, "Frontmatter"."""
    if case.markdown is None or case.text is None:
        return
    block, _, closed = split_frontmatter(case.text)
    if block is not None and not closed:
        yield finding("frontmatter_unclosed", "The frontmatter has no closing `---` line.")
    elif not case.markdown.frontmatter.strict:
        yield finding(
            "frontmatter_not_yaml",
            "The frontmatter is not valid YAML (often an unquoted colon or bracket); it was read line by line.",
        )


def frontmatter_presence(case: Case) -> Iterator[Finding]:
    """Skills and agents are described by nothing else: agentskills.io/specification, sub-agents."""
    if case.text is not None and split_frontmatter(case.text)[0] is None:
        yield finding(
            "frontmatter_missing",
            f"A {case.artifact.type.value} needs frontmatter with name and description.",
        )


def skill_name(case: Case) -> Iterator[Finding]:
    """agentskills.io/specification, "name field"; for a skill at the root no directory is known."""
    values = _values(case)
    if values is None:
        return
    if is_blank(values.get("name")):
        yield finding("skill_name_missing", "`name` is missing; Claude Code uses the directory's name.")
    name = text(values.get("name"))
    if len(name) > MAX_NAME:
        yield finding("skill_name_too_long", f"`name` has {len(name):,} characters; {MAX_NAME} are allowed.")
    if name and not _NAME.fullmatch(name):
        yield finding(
            "skill_name_invalid",
            f"`name` ({quoted(name)}) may only have a-z, 0-9 and single hyphens between them.",
        )
    directory = base_name(case.artifact.directory)
    if name and directory and name != directory:
        yield finding(
            "skill_name_differs",
            f"`name` ({quoted(name)}) is not the name of the directory ({quoted(directory)}).",
        )


def skill_limits(case: Case) -> Iterator[Finding]:
    """agentskills.io/specification, "description field" and "compatibility field"."""
    values = _values(case) or {}
    description, compatibility = text(values.get("description")), text(values.get("compatibility"))
    if len(description) > MAX_DESCRIPTION:
        yield finding(
            "skill_description_too_long",
            f"`description` has {len(description):,} characters; {MAX_DESCRIPTION:,} are allowed.",
        )
    if len(compatibility) > MAX_COMPATIBILITY:
        yield finding(
            "compatibility_too_long",
            f"`compatibility` has {len(compatibility):,} characters; {MAX_COMPATIBILITY} are allowed.",
        )


def description_presence(case: Case) -> Iterator[Finding]:
    """Required by agentskills.io/specification and sub-agents: Claude chooses by it."""
    values = _values(case)
    if values is not None and is_blank(values.get("description")):
        yield finding("description_missing", "`description` is missing; Claude cannot know when to use this.")


def skill_keys(case: Case) -> Iterator[Finding]:
    """agentskills.io/specification and code.claude.com/docs/en/skills name the keys; others do nothing."""
    unknown = sorted((_values(case) or {}).keys() - SKILL_KEYS)
    if unknown:
        shown = ", ".join(quoted(key, limit=40) for key in unknown[:MAX_KEYS])
        more = f" and {len(unknown) - MAX_KEYS} more" if len(unknown) > MAX_KEYS else ""
        yield finding("unknown_key", f"No documentation names these keys: {shown}{more}.")


def skill_spelling(case: Case) -> Iterator[Finding]:
    """agentskills.io/specification, "Directory structure": the file is SKILL.md."""
    name = base_name(case.document or SKILL)
    if name != SKILL:
        yield finding(
            "skill_file_spelling",
            f"The file is called {quoted(name)}, not {SKILL}; case-sensitive systems do not find it.",
        )


def skill_length(case: Case) -> Iterator[Finding]:
    """agentskills.io/specification, "Progressive disclosure": keep SKILL.md under 500 lines."""
    lines = case.body.strip("\r\n").count("\n") + 1
    if lines > MAX_LINES:
        yield finding(
            "skill_body_long", f"{SKILL} has {lines:,} lines; more than {MAX_LINES} belong in other files."
        )


def skill_links(case: Case) -> Iterator[Finding]:
    """agentskills.io/specification, "File references": paths relative to the skill's directory.

    Links out of the skill are not judged, nor is what stands in code.
    """
    directory = case.artifact.directory
    targets = islice(_links(case.body), MAX_LINKS)
    missing = (path for path in dict.fromkeys(targets) if case.is_missing(join(directory, path)))
    for path in islice(missing, MAX_BROKEN):
        yield finding("broken_link", f"{SKILL} links to {quoted(path)}, which does not exist.")


def agent_name(case: Case) -> Iterator[Finding]:
    """code.claude.com/docs/en/sub-agents: "lowercase letters and hyphens"; digits do no harm."""
    values = _values(case)
    if values is None:
        return
    name = text(values.get("name"))
    if is_blank(values.get("name")):
        yield finding("agent_name_missing", "`name` is missing; Claude Code ignores an agent without one.")
    elif name and not _AGENT_NAME.fullmatch(name):
        yield finding(
            "agent_name_invalid",
            f"`name` ({quoted(name)}) should have only lower-case letters, digits and hyphens.",
        )


def command_description(case: Case) -> Iterator[Finding]:
    """code.claude.com/docs/en/skills: without one the first line of the text stands in the list."""
    if case.markdown and is_blank(case.markdown.frontmatter.values.get("description")):
        yield finding("command_description_missing", "The command has no `description` to be listed with.")


def skill_types(case: Case) -> Iterator[Finding]:
    """agentskills.io/specification and code.claude.com/docs/en/skills."""
    yield from wrong_types(_strict_values(case), SKILL_SHAPES)


def agent_types(case: Case) -> Iterator[Finding]:
    """code.claude.com/docs/en/sub-agents."""
    yield from wrong_types(_strict_values(case), AGENT_SHAPES)


def command_types(case: Case) -> Iterator[Finding]:
    """code.claude.com/docs/en/skills, which commands share."""
    yield from wrong_types(_strict_values(case), COMMAND_SHAPES)


def _values(case: Case) -> Mapping[str, Any] | None:
    """The frontmatter; None where there is none, which is a finding of its own."""
    if case.text is None or case.markdown is None or split_frontmatter(case.text)[0] is None:
        return None
    return case.markdown.frontmatter.values


def _strict_values(case: Case) -> Mapping[str, Any]:
    """The frontmatter where YAML could read it: types that were read line by line are guesses."""
    strict = case.markdown is not None and case.markdown.frontmatter.strict
    return (_values(case) or {}) if strict else {}


def _links(body: str) -> Iterator[str]:
    """Normalised targets of links that stay below the document's directory.

    Examples of Markdown have fences in fences: one that names a language opens, one that does not ends the last.
    """
    depth = 0
    for line in body[:MAX_BODY].splitlines():
        if fence := _FENCE.match(line):
            depth = depth + 1 if fence[1] or not depth else depth - 1
        elif not depth and "](" in line:
            for target in _LINK.findall(_CODE.sub("", line[:MAX_LINE])):
                if path := _local(target):
                    yield path


def _local(target: str) -> str:
    """The path that a link means, "" when it is no plain relative one."""
    path = unquote(re.split(r"[#?]", target, maxsplit=1)[0])
    if (
        not path
        or path.startswith(("/", "~", "@"))
        or _SCHEME.match(path)
        or re.search(r"[${}*\\|]|\.\.\.", path)
    ):
        return ""
    path = posixpath.normpath(path)
    return "" if path == "." or path.split("/")[0] == ".." else path
