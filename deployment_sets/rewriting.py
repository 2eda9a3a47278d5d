"""Where a hook's commands find their scripts once these lie in the project. Pure; runs nothing.

Commands are shell text from strangers. Replaced are the variable of the plugin's directory, wherever it
stands, and the paths of scripts that come along; all other text stays as it is.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from deployment_sets.configs import PLUGIN_ROOT, PROJECT_DIR

_PROJECT = f"${{{PROJECT_DIR}}}"
_BEFORE = r"(?<![\w./~$}\\-])"
_BEHIND = r"(?![\w./-])"


def _named(variable: str) -> str:
    """The variable as a shell reads it, whether quoted on its own, with a default, or bare."""
    return rf'"\$\{{?{variable}\}}?"|\$\{{{variable}(?::?[-?=+][^}}]{{0,200}})?\}}|\${variable}\b'


@dataclass(frozen=True, slots=True, kw_only=True)
class Scripts:
    """The scripts of one hook: their paths below its directory, and where they land in the project.

    `plugin`: what `${CLAUDE_PLUGIN_ROOT}` means below that directory, None for a project's hook; `home` is where
    that directory's content lands.
    """

    targets: Mapping[str, str]
    home: str
    plugin: str | None

    def group(self, group: Mapping[str, Any]) -> dict[str, Any]:
        """The group with its handlers' commands rewritten."""
        handlers = group.get("hooks")
        rewritten = (
            [self._handler(handler) for handler in handlers] if isinstance(handlers, list) else handlers
        )
        return {**group, "hooks": rewritten}

    def _handler(self, handler: Any) -> Any:
        if not isinstance(handler, Mapping):
            return handler
        arguments = handler.get("args")
        is_shell = not isinstance(arguments, list)  # with `args` no shell takes quotes away
        changed = dict(handler)
        if isinstance(handler.get("command"), str):
            changed["command"] = self.command(handler["command"], is_shell=is_shell)
        if isinstance(arguments, list):
            changed["args"] = [
                self.command(text, is_shell=False) if isinstance(text, str) else text for text in arguments
            ]
        return changed

    def command(self, text: str, *, is_shell: bool = True) -> str:
        for pattern, landing in self._replacements():
            text = re.sub(pattern, lambda match, to=landing: _placed(match, to, is_shell=is_shell), text)  # type: ignore[misc]
        return text

    def _replacements(self) -> Iterable[tuple[str, str]]:
        """Longest first, as one script's path can begin another's; what has been replaced matches no more."""
        paths = sorted(self.targets, key=lambda path: (-len(path), path))
        if self.plugin is None:
            for path in paths:
                yield rf"(?:{_named(PROJECT_DIR)})/(?:\./)?{re.escape(path)}{_BEHIND}", self.targets[path]
        else:
            root = f"{self.home}/{self.plugin}" if self.plugin else self.home
            yield _named(PLUGIN_ROOT), root
        for path in paths:
            inside = path.removeprefix(f"{self.plugin}/") if self.plugin else path
            if "/" in inside or "." in inside:  # a bare word is rather a program
                yield rf"{_BEFORE}(?:\./)?{re.escape(inside)}{_BEHIND}", self.targets[path]


def _placed(match: re.Match[str], target: str, *, is_shell: bool) -> str:
    """The path in the project, protected against spaces in the project's own path where quotes may be added."""
    if not is_shell:
        return f"{_PROJECT}/{target}"
    before = match.string[: match.start()]
    is_quoted = before.count('"') % 2 or before.count("'") % 2
    return f"{_PROJECT}/{target}" if is_quoted else f'"{_PROJECT}"/{target}'
