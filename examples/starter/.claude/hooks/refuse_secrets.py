#!/usr/bin/env python3
"""A PreToolUse hook: refuses to write text that looks like a private key or an access token."""

import json
import re
import sys

SECRETS = {
    "a private key": re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----"),
    "a GitHub token": re.compile(r"\bgh[pousr]_[A-Za-z0-9]{36}\b"),
    "an AWS access key": re.compile(r"\bAKIA[0-9A-Z]{16}\b"),
}
BLOCK = 2


def main() -> int:
    """Read the tool call from standard input; the exit status 2 blocks it, and Claude reads why."""
    written = json.load(sys.stdin).get("tool_input", {})
    text = "\n".join(str(written.get(key, "")) for key in ("content", "new_string"))
    for kind, pattern in SECRETS.items():
        if pattern.search(text):
            sys.stderr.write(f"This would write {kind} to a file. Read it from the environment instead.\n")
            return BLOCK
    return 0


if __name__ == "__main__":
    sys.exit(main())
