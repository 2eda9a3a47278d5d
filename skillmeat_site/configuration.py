"""Reading the environment strictly: every complaint names its variable and says what it may hold."""

import contextlib
import os
import re
import secrets
import tempfile
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from urllib.parse import parse_qsl, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")
PERIODS = {"s": 1, "min": 60, "hour": 3600}
BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\Z")
PREFIX = re.compile(r"(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*/?\Z")
REGION = re.compile(r"[a-z0-9-]{1,40}\Z")
RATE = re.compile(r"([1-9][0-9]{0,8})/(s|min|hour)\Z")
TOKEN = re.compile(r"[\x21-\x7e]+\Z")


class Rate(NamedTuple):
    """So many requests in so many seconds."""

    requests: int
    seconds: int


def _complaint(name: str, wanted: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{name} must be {wanted}.")


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def _parsed(name: str, default: T, parse: Callable[[str], T], wanted: str) -> T:
    value = text(name)
    if not value:
        return default
    try:
        return parse(value)
    except ValueError:
        raise _complaint(name, wanted) from None


def token(name: str) -> str:
    """What can stand in a header."""
    value = text(name)
    if value and not TOKEN.match(value):
        raise _complaint(name, "ASCII characters without spaces")
    return value


def queue(name: str) -> str:
    """The address of a Redis, or nothing."""

    def parse(value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"redis", "rediss", "unix"} or parts.port == 0:
            raise ValueError
        return value

    return _parsed(name, "", parse, "a redis://, rediss:// or unix:// address")


def choice(name: str, options: tuple[str, ...]) -> str:
    """One of the options; the first is the default."""
    value = text(name, options[0])
    if value not in options:
        raise _complaint(name, f"one of: {', '.join(options)}")
    return value


def flag(name: str, *, default: bool = False) -> bool:
    return choice(name, ("true", "false") if default else ("false", "true")) == "true"


def positive_int(name: str, default: int, *, low: int = 1) -> int:
    def parse(value: str) -> int:
        number = int(value)
        if number < low:
            raise ValueError
        return number

    return _parsed(name, default, parse, f"a whole number of at least {low}")


def rate(name: str, default: str) -> Rate | None:
    """`6000/min` (or `/s`, `/hour`); None when it is `off`."""
    value = text(name, default)
    if value == "off":
        return None
    found = RATE.match(value)
    if not found:
        raise _complaint(name, "a number of requests per s, min or hour like 6000/min, or off")
    return Rate(requests=int(found[1]), seconds=PERIODS[found[2]])


def names(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """A comma-separated list."""
    return [part.strip() for part in text(name).split(",") if part.strip()] or list(default)


def networks(name: str) -> list[IPv4Network | IPv6Network]:
    """A comma-separated list of addresses or networks."""
    try:
        return [ip_network(part) for part in names(name)]
    except ValueError:
        raise _complaint(name, "a comma-separated list of IP addresses or networks") from None


def directory(name: str, default: Path) -> Path:
    """An absolute path; it is made when it is first written to."""
    path = Path(text(name, str(default))).expanduser().absolute()
    if path.exists() and not path.is_dir():
        raise _complaint(name, f"a directory, and {path} is none")
    return path


def directories(name: str, default: tuple[Path, ...]) -> list[Path]:
    """Absolute directories, separated as in PATH."""
    parts = [part for part in text(name).split(os.pathsep) if part]
    paths = [Path(part).expanduser() for part in parts]
    if any(not path.is_absolute() for path in paths):
        raise _complaint(name, f"absolute directories separated by {os.pathsep!r}")
    return paths or list(default)


def http_url(name: str, default: str) -> str:
    """An http(s) base URL without a trailing slash, credentials, query or fragment."""
    value = text(name, default).rstrip("/")
    if not _is_base_url(value):
        raise _complaint(name, "an http:// or https:// address without credentials or query")
    return value


def _is_base_url(value: str) -> bool:
    parts = urlsplit(value)
    plain = not (parts.query or parts.fragment or parts.username or parts.password)
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and plain


def database(name: str, default: Path) -> dict[str, Any]:
    """Django's database dictionary: SQLite at `default`, or what a sqlite:// or postgres:// URL says."""
    wanted = "a postgres:// or sqlite:// address"
    value = text(name, f"sqlite:///{default}")
    if urlsplit(value).scheme not in {"sqlite", "postgres", "postgresql"}:
        raise _complaint(name, wanted)
    try:
        return dict(environ.Env.db_url_config(value))
    except (ValueError, KeyError, ImproperlyConfigured):
        raise _complaint(name, wanted) from None


def content(name: str, default: Path) -> dict[str, object]:
    """Django's storage dictionary: files below `default`, or objects where an s3:// URL says.

    Credentials are none of it: they come from the environment, as every program that speaks to AWS has them.
    """
    files: dict[str, object] = {
        "BACKEND": "marketplace.content.storage.FileStorage",
        "OPTIONS": {"location": default},
    }
    return _parsed(
        name,
        files,
        _objects,
        "like s3://bucket/prefix, if needed with ?endpoint=https://host, region=name and addressing=path, virtual "
        "or auto; credentials come from AWS_ACCESS_KEY_ID and its like",
    )


def _objects(value: str) -> dict[str, object]:
    parts = urlsplit(value)
    said = dict(parse_qsl(parts.query, keep_blank_values=True))
    endpoint, region = said.pop("endpoint", None), said.pop("region", None)
    addressing = said.pop("addressing", "path" if endpoint else "auto")
    is_right = (
        parts.scheme == "s3"
        and BUCKET.match(parts.netloc)
        and PREFIX.match(parts.path)
        and not (said or parts.fragment)
        and (endpoint is None or _is_base_url(endpoint))
        and (region is None or REGION.match(region))
        and addressing in {"auto", "path", "virtual"}
    )
    if not is_right:
        raise ValueError
    options = {
        "bucket": parts.netloc,
        "prefix": parts.path.strip("/"),
        "endpoint": endpoint,
        "region": region,
        "addressing": addressing,
    }
    return {"BACKEND": "marketplace.content.objects.ObjectStorage", "OPTIONS": options}


def secret_key(name: str, file: Path, *, may_generate: bool) -> str:
    """The variable, or (where that is allowed) a key that is generated once into `file`, mode 0600."""
    value = text(name)
    if value:
        return value
    if not may_generate:
        raise _complaint(name, "set when SKILLMEAT_AUTH is multi-user")
    if not file.exists():
        _write_once(file, secrets.token_urlsafe(48))
    key = file.read_text().strip()
    if not key:
        raise ImproperlyConfigured(f"{file} is empty. Delete it, or set {name}.")
    return key


def _write_once(file: Path, content: str) -> None:
    """The file appears whole or not at all; of two processes that start together, one makes it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=file.parent) as draft:  # its mode is 0600
        draft.write(content)
        draft.flush()
        with contextlib.suppress(FileExistsError):
            os.link(draft.name, file)
