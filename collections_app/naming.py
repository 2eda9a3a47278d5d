"""What an artifact can be called so that it can lie on any disk, and names that are still free. Pure."""

import itertools
import re
from collections.abc import Container, Iterator

from marketplace.detection.vocabulary import ArtifactType

MAX_NAME = 200
MAX_BYTES = 240  # file systems allow 255 bytes, of which an ending takes a few
# Hooks and MCP servers are keys in JSON files, where "/" is nothing special.
NEVER_FILES = frozenset({ArtifactType.HOOK, ArtifactType.MCP_SERVER})
CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
# https://learn.microsoft.com/windows/win32/fileio/naming-a-file
UNSAFE = re.compile(r"[<>:\"/\\|?*]")
RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE | re.DOTALL)
SUGGESTIONS = 3


def fault(artifact_type: ArtifactType, name: str) -> str:
    """Why this cannot be the name of an artifact of this type, as a sentence; empty when it can."""
    if not name.strip():
        return "A name may not be empty."
    if len(name) > MAX_NAME or len(name.encode(errors="replace")) > MAX_BYTES:
        return f"A name may have at most {MAX_NAME} characters and {MAX_BYTES} bytes."
    if CONTROL.search(name):
        return "A name may not contain control characters."
    if artifact_type in NEVER_FILES:
        return ""
    if name in {".", ".."} or "/" in name or "\\" in name:
        return "A name may not be a path."
    if UNSAFE.search(name) or name[0] in ". ~-" or name[-1] in ". " or RESERVED.fullmatch(name):
        return "This name is reserved on some file system."
    return ""


def cleaned(artifact_type: ArtifactType, name: str) -> str:
    """The nearest name without a fault; the name itself when it has none."""
    if not fault(artifact_type, name):
        return name
    text = UNSAFE.sub("-", CONTROL.sub("", name)).strip(". ~-") or str(artifact_type)
    text = _shortened(text, 0)
    return f"{artifact_type}-{text}" if fault(artifact_type, text) else text


def free(
    artifact_type: ArtifactType, name: str, *, owner: str, taken: Container[str], count: int = SUGGESTIONS
) -> tuple[str, ...]:
    """Names like this one that are not taken: one made with the repository's owner, then numbered ones."""
    base = cleaned(artifact_type, name)
    candidates = (candidate for candidate in _candidates(base, owner) if not fault(artifact_type, candidate))
    found = (candidate for candidate in candidates if candidate not in taken)
    return tuple(itertools.islice(found, count))


def _candidates(base: str, owner: str) -> Iterator[str]:
    if owner:
        yield _joined(base, f"-{cleaned(ArtifactType.SKILL, owner)}")
    for number in itertools.count(2):
        yield _joined(base, f"-{number}")


def _joined(base: str, ending: str) -> str:
    return _shortened(base, len(ending.encode(errors="replace"))) + ending


def _shortened(text: str, reserve: int) -> str:
    """As much of the beginning as leaves room for `reserve` more bytes."""
    text = text[: max(1, MAX_NAME - reserve)]
    while len(text.encode(errors="replace")) > MAX_BYTES - reserve:
        text = text[:-1]
    return text.rstrip(". ") or "x"
