"""Rules for hook configurations: code.claude.com/docs/en/hooks, "Configuration" and "Hook lifecycle"."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from marketplace.detection.index import join, parent
from marketplace.repository import FileKind
from marketplace.vetting.case import Case
from marketplace.vetting.configs import section
from marketplace.vetting.findings import Finding, finding, quoted
from marketplace.vetting.shapes import shape, text

MAX_HANDLERS = 2_000
MAX_COMMAND = 10_000
MAX_EACH = 10

EVENTS = frozenset(
    {
        "ConfigChange",
        "CwdChanged",
        "DirectoryAdded",
        "Elicitation",
        "ElicitationResult",
        "FileChanged",
        "InstructionsLoaded",
        "MessageDisplay",
        "Notification",
        "PermissionDenied",
        "PermissionRequest",
        "PostCompact",
        "PostModelSwitch",
        "PostToolBatch",
        "PostToolUse",
        "PostToolUseFailure",
        "PreCompact",
        "PreModelSwitch",
        "PreToolUse",
        "SessionEnd",
        "SessionStart",
        "Setup",
        "Stop",
        "StopFailure",
        "SubagentStart",
        "SubagentStop",
        "TaskCompleted",
        "TaskCreated",
        "TeammateIdle",
        "UserPromptExpansion",
        "UserPromptSubmit",
        "WorktreeCreate",
        "WorktreeRemove",
    }
)
# What a hook of each type cannot be without.
NEEDS = {
    "command": ("command",),
    "prompt": ("prompt",),
    "agent": ("prompt",),
    "http": ("url",),
    "mcp_tool": ("server", "tool"),
}
PLUGIN_ROOT, PROJECT_DIR = "CLAUDE_PLUGIN_ROOT", "CLAUDE_PROJECT_DIR"

_REFERENCE = re.compile(
    r"""(?P<open>["']?)\$\{?(?P<variable>CLAUDE_PLUGIN_ROOT|CLAUDE_PROJECT_DIR)(?::-[^}]{0,200})?\}?(?P<shut>["']?)/"""
)
_SCRIPT = re.compile(r".*\.(?:sh|bash|zsh|py|js|mjs|cjs|ts|mts|rb|pl|php|ps1|cmd|bat)", re.IGNORECASE)
_BARE_PATH = re.compile(r"""[^\s"'`;|&<>()]*""")
_DYNAMIC = re.compile(r"[$`*?{}\\]|\[|(?:^|/)\.\.(?:/|$)")
_STARTS_COMMAND = re.compile(r"(?:^|&&|\|\||[;|(])\s*(?:[A-Za-z_]\w{0,60}=[^\s]{0,200}\s+)*\Z")
_ASKS_FIRST = re.compile(r"(?:\[|\btest)\s+!?\s*-[efrsx]\s|\bcommand -v\b")
_WINDOWS_SCRIPTS = (".cmd", ".bat", ".ps1")
_FRACTION = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]{1,3})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Script:
    """A file that a command names below the root of its plugin or project; `direct`: it is the program."""

    path: str
    direct: bool


def events(case: Case) -> Iterator[Finding]:
    """Hook events are keys, spelt exactly so: code.claude.com/docs/en/hooks, "Hook events"."""
    hooks = section(case, "hooks")
    if hooks is None:
        return
    known = EVENTS & hooks.keys() if isinstance(hooks, Mapping) else frozenset()
    if not known:
        yield finding("hook_events_missing", "There is no hook for any event that Claude Code documents.")
    unknown = sorted(hooks.keys() - EVENTS) if isinstance(hooks, Mapping) else []
    for event in unknown[:MAX_EACH]:
        yield finding("hook_event_unknown", f"Claude Code documents no hook event {quoted(event)}.")


def entries(case: Case) -> Iterator[Finding]:
    """`{event: [{matcher?, hooks: [{type, ...}]}]}`: code.claude.com/docs/en/hooks, "Configuration"."""
    yield from islice(_entry_findings(case), MAX_EACH)


def timeouts(case: Case) -> Iterator[Finding]:
    """Seconds: code.claude.com/docs/en/hooks, "Common fields"."""
    for event, handler in _handlers(case):
        value = handler.get("timeout")
        if value is not None and not _is_duration(value):
            yield finding(
                "hook_timeout_invalid",
                f"A timeout of {quoted(event)} is {shape(value)}, but should be a positive number of seconds.",
            )


def scripts(case: Case) -> Iterator[Finding]:
    """code.claude.com/docs/en/hooks, "Reference scripts by path": the two variables are these directories.

    What is tested for in the command, written by it, or put together by the shell is not judged.
    """
    found = (script for _, handler in _handlers(case) for script in _scripts(case, handler))
    for script in islice(dict.fromkeys(found), MAX_HANDLERS):
        entry = case.entry(script.path)
        if case.is_missing(script.path):
            yield finding("hook_script_missing", f"{quoted(script.path)} is called, but does not exist.")
        elif script.direct and entry and entry.kind is FileKind.FILE:
            yield finding(
                "hook_script_not_executable", f"{quoted(script.path)} is called directly, but not executable."
            )


def _entry_findings(case: Case) -> Iterator[Finding]:
    for event, groups in _known_events(case):
        if not isinstance(groups, list):
            yield finding("hook_entry_invalid", f"{event} is {shape(groups)}, but should be a list.")
        elif not all(isinstance(g, Mapping) and isinstance(g.get("hooks"), list) for g in groups):
            yield finding("hook_entry_invalid", f"An entry of {event} has no list called `hooks`.")
        elif not all(isinstance(handler, Mapping) for group in groups for handler in group["hooks"]):
            yield finding("hook_entry_invalid", f"A hook of {event} is no object.")
    for event, handler in _handlers(case):
        yield from _handler_findings(event, handler)


def _handler_findings(event: str, handler: Mapping[str, Any]) -> Iterator[Finding]:
    name = text(handler.get("type"))
    if not name:
        yield finding("hook_entry_invalid", f"A hook of {quoted(event)} has no `type`.")
    elif name not in NEEDS:
        yield finding("hook_type_unknown", f"Claude Code documents no hook of type {quoted(name)}.")
    lacking = [key for key in NEEDS.get(name, ()) if not text(handler.get(key))]
    if lacking:
        yield finding("hook_entry_invalid", f"A {name} hook of {quoted(event)} has no `{lacking[0]}`.")


def _known_events(case: Case) -> Iterator[tuple[str, object]]:
    hooks = section(case, "hooks")
    if isinstance(hooks, Mapping):
        yield from ((event, groups) for event, groups in hooks.items() if event in EVENTS)


def _handlers(case: Case) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every handler that is an object, with its event; at most 2,000."""
    yield from islice(_all_handlers(case), MAX_HANDLERS)


def _all_handlers(case: Case) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for event, groups in _known_events(case):
        for group in groups if isinstance(groups, list) else []:
            handlers = group.get("hooks") if isinstance(group, Mapping) else None
            for handler in handlers if isinstance(handlers, list) else []:
                if isinstance(handler, Mapping):
                    yield event, handler


def _is_duration(value: object) -> bool:
    """A positive number; `read_json` gives fractions as the text they were written as."""
    if isinstance(value, bool):
        return False
    if isinstance(value, int):
        return value > 0
    is_fraction = isinstance(value, str) and _FRACTION.fullmatch(value) and not value.isdigit()
    return bool(is_fraction and float(str(value)) > 0)


def _scripts(case: Case, handler: Mapping[str, Any]) -> Iterator[_Script]:
    command = text(handler.get("command"))[:MAX_COMMAND]
    if _ASKS_FIRST.search(command):
        return
    roots = _roots(case)
    arguments = handler.get("args")
    # With `args`, no shell reads the command: it is the program's path as it stands.
    yield from _referenced(command, roots, whole=isinstance(arguments, list))
    for argument in arguments[:MAX_EACH] if isinstance(arguments, list) else []:
        yield from (
            _Script(path=script.path, direct=False)
            for script in _referenced(text(argument)[:MAX_COMMAND], roots, whole=True)
        )


def _referenced(command: str, roots: Mapping[str, str], *, whole: bool) -> Iterator[_Script]:
    for match in _REFERENCE.finditer(command):
        path = command[match.end() :] if whole else _path_at(command, match)
        before = command[: match.start()].rstrip()
        direct = bool(_STARTS_COMMAND.search(command[max(0, match.start() - 300) : match.start()]))
        root = roots.get(match["variable"])
        if root is None or not path or _DYNAMIC.search(path) or before.endswith(">"):
            continue
        if direct or _SCRIPT.fullmatch(path):
            script = join(root, "/".join(part for part in path.split("/") if part not in ("", ".")))
            runs = direct and not path.lower().endswith(_WINDOWS_SCRIPTS)
            yield _Script(path=script, direct=runs)


def _path_at(command: str, match: re.Match[str]) -> str:
    """The path after the variable: up to the closing quote where one is open, else to the end of the word."""
    if match["open"] and not match["shut"]:
        path, closing, _ = command[match.end() :].partition(match["open"])
        # An opening quote may hold a whole command line: `bash -c '$CLAUDE_PROJECT_DIR/x.sh arg'`.
        return path if closing else ""
    bare = _BARE_PATH.match(command, match.end())
    return bare[0] if bare else ""


def _roots(case: Case) -> dict[str, str]:
    """The directories that the variables stand for; where a plugin is used is nobody's to know."""
    artifact = case.artifact
    if artifact.parent_locator is not None:
        root = artifact.parent_locator.partition("#")[0]
        return {PLUGIN_ROOT: "" if root == "." else root}
    above = parent(artifact.path)
    if above.rpartition("/")[2] == ".claude":
        return {PROJECT_DIR: parent(above)}
    # hooks/hooks.json and .claude-plugin/plugin.json alike lie one directory below their plugin's root.
    return {PLUGIN_ROOT: parent(above)} if above else {}
