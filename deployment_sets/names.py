"""Names that every file system can hold; knows no artifacts and touches no disk. Pure.

The name of an artifact is *made* safe, because nothing refers to it by its path. A path inside of an artifact
is never changed, because its files refer to each other: what no file system may hold is left out and named.
"""

import hashlib
import re
import unicodedata
from functools import lru_cache

MAX_NAME = 100  # bytes: leaves room for `.md`, `-plugin` and `.orig-<n>` within the usual 255
MAX_COMPONENT = 240
MAX_PATH = 1_000
REMEMBERED = 20_000  # the same names and paths come again with every plan

# Separators of any system, what Windows forbids, white space, controls, and what reorders or hides text.
_UNSAFE = re.compile(
    r'[\\/<>:"|?*\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]+'
)
_HIDDEN = re.compile(r"[\\\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
# learn.microsoft.com, "Naming Files, Paths, and Namespaces": devices, with or without an extension.
_DEVICE = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])(?:\..*)?", re.IGNORECASE)
# What git itself refuses, and the short name of it on Windows: a nested repository's config runs commands.
_GIT = re.compile(r"(?:\.git|git~\d+)[. ]*", re.IGNORECASE)


@lru_cache(maxsize=REMEMBERED)
def safe_name(name: str) -> str:
    """The name as one component of a path: not empty, at most 100 bytes, no separator, dot, or device.

    A name that is safe is given back as it is, in Unicode's composed form; equal names stay equal. Two different
    names can become one: that is then a conflict of their paths. A cut name ends in digits of its SHA-256.
    """
    text = _UNSAFE.sub("-", unicodedata.normalize("NFC", name)).strip("-. ")
    if _DEVICE.fullmatch(text):
        text = f"{text.partition('.')[0]}_{text.partition('.')[2]}".rstrip(".")
    if len(text.encode()) > MAX_NAME:
        mark = hashlib.sha256(name.encode(errors="replace")).hexdigest()[:8]
        text = f"{text.encode()[: MAX_NAME - 9].decode(errors='ignore')}-{mark}"
    return text or "unnamed"


@lru_cache(maxsize=REMEMBERED)
def path_fault(path: str) -> str:
    """Why a path inside of an artifact may not be written, as the end of a sentence; "" when it may be."""
    parts = path.split("/")
    if path.startswith("/") or any(part in ("", ".", "..") for part in parts):
        return "leaves its directory"
    if _HIDDEN.search(path):
        return "has characters that are hidden, reorder text, or separate on other systems"
    if any(_GIT.fullmatch(part) for part in parts):
        return "is inside of a git directory"
    if any(_DEVICE.fullmatch(part) for part in parts):
        return "is a device on Windows"
    if len(path.encode()) > MAX_PATH or any(len(part.encode()) > MAX_COMPONENT for part in parts):
        return "is too long"
    return ""


@lru_cache(maxsize=REMEMBERED)
def folded(path: str) -> str:
    """Equal for paths that are one file where case or composition does not count (macOS, Windows)."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


@lru_cache(maxsize=REMEMBERED)
def parents(path: str) -> tuple[str, ...]:
    """The directories on the way to a path, the outermost first."""
    parts = path.split("/")[:-1]
    return tuple("/".join(parts[:depth]) for depth in range(1, len(parts) + 1))
