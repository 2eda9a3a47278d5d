"""How people spell the address of a GitHub repository; this room asks nobody and knows no settings."""

import re
from dataclasses import dataclass, field
from typing import ClassVar
from urllib.parse import unquote, urlsplit

from skillmeat_site.errors import DomainError, Kind

MAX_LENGTH = 2000
OWNER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,37}[A-Za-z0-9])?")
NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
SCP = re.compile(r"git@([^/:@]+):([^:]*)")  # git-clone(1): the scp-like syntax
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
DEFAULT_PORT = {"http": ":80", "https": ":443"}
# Pages of GitHub itself that stand where an owner's name would.
# fmt: off
PAGES = frozenset({
    "about", "account", "apps", "blog", "codespaces", "collections", "contact", "customer-stories",
    "dashboard", "enterprise", "events", "explore", "features", "issues", "join", "login", "logout",
    "marketplace", "new", "notifications", "organizations", "orgs", "pricing", "pulls", "readme",
    "resources", "search", "security", "sessions", "settings", "signup", "site", "solutions",
    "sponsors", "stars", "team", "topics", "trending", "users", "watching",
})
# fmt: on


class InvalidRepositoryUrl(DomainError):
    """The text is not the address of a repository on the GitHub host that this server reads."""

    code: ClassVar[str] = "invalid_repository_url"
    kind: ClassVar[Kind] = Kind.UNREADABLE
    title: ClassVar[str] = "Not a repository URL"
    hint: str = "Give the address as the browser shows it, for example https://github.com/owner/repository."


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryUrl:
    """A repository, and what a deep link adds: a ref (None: not said) and a directory ("": the root)."""

    owner: str
    name: str
    ref: str | None = None
    path: str = ""
    host: str = field(repr=False)

    def html_url(self, web_url: str) -> str:
        """The canonical address, without `.git`, deep link or trailing slash."""
        return f"{web_url.rstrip('/')}/{self.owner}/{self.name}"

    @property
    def key(self) -> str:
        """The same for every spelling of the same repository: `github.com/owner/name` in lower case."""
        return f"{self.host}/{self.owner}/{self.name}".casefold()


def parse(text: str, *, web_url: str, any_page: bool = False) -> RepositoryUrl:
    """The repository that `text` names on the host of `web_url` (scheme and host, perhaps a port).

    Understood are web addresses with or without scheme and `www.`, the two ssh forms of git, `.git`, and
    links to `/tree/<ref>/<directory>` and `/blob/<ref>/<file>`; a ref is taken to have no slash in it.
    With `any_page`, all other pages of a repository are as well, such as an issue's.
    Raises InvalidRepositoryUrl for all else, without repeating the text: it may hold a password.
    """
    text = text.strip(" ")
    if len(text) > MAX_LENGTH:
        raise InvalidRepositoryUrl(f"The address is longer than {MAX_LENGTH:,} characters.")
    if UNPRINTABLE.search(text):
        raise InvalidRepositoryUrl("The address contains control characters.")
    host = urlsplit(web_url).netloc.lower()
    is_ssh, rest = _after_host(text.partition("#")[0].partition("?")[0], host=host)
    segments = rest.rstrip("/").split("/")
    if len(segments) < 2:  # noqa: PLR2004  an owner and a name
        raise InvalidRepositoryUrl("The address does not name an owner and a repository.")
    owner, name = _owner(segments[0]), _name(segments[1])
    if is_ssh and segments[2:]:
        raise InvalidRepositoryUrl("An ssh address ends with the repository's name.")
    ref, path = _deep_link(segments[2:], any_page=any_page)
    return RepositoryUrl(owner=owner, name=name, ref=ref, path=path, host=host)


def _after_host(text: str, *, host: str) -> tuple[bool, str]:
    """Whether it is an ssh address, and the path; the host has been checked."""
    if scp := SCP.fullmatch(text):
        _check_host(scp[1], host.partition(":")[0])
        return True, scp[2]
    scheme, separator, rest = text.partition("://")
    scheme, rest = (scheme.lower(), rest) if separator else ("", text)
    authority, _, path = rest.partition("/")
    if scheme == "ssh":
        _check_host(authority.removeprefix("git@").partition(":")[0], host.partition(":")[0])
        return True, path
    if scheme not in {"", "http", "https"}:
        raise InvalidRepositoryUrl("Only https, http and ssh addresses are understood.")
    _check_host(authority.lower().removesuffix(DEFAULT_PORT.get(scheme, "!")), host)
    return False, path


def _check_host(found: str, host: str) -> None:
    if "@" in found:
        raise InvalidRepositoryUrl(
            "The address contains credentials.",
            hint="Take them out of the address; a token for a private repository goes into access_token.",
        )
    if found.lower() not in {host, f"www.{host}"}:
        raise InvalidRepositoryUrl(f"The address is not one of a repository on {host}.")


def _owner(text: str) -> str:
    if not OWNER.fullmatch(text):
        raise InvalidRepositoryUrl("The owner's name is not one that GitHub allows.")
    if text.lower() in PAGES:
        raise InvalidRepositoryUrl("The address is one of GitHub's own pages, not of a repository.")
    return text


def _name(text: str) -> str:
    name = text.removesuffix(".git")
    if not NAME.fullmatch(name) or name in {".", ".."}:
        raise InvalidRepositoryUrl("The repository's name is not one that GitHub allows.")
    return name


def _deep_link(segments: list[str], *, any_page: bool) -> tuple[str | None, str]:
    """The ref and the directory of `tree/<ref>/<directory>` or `blob/<ref>/<file>`; what other pages say of them."""
    match [_decoded(segment) for segment in segments]:
        case []:
            return None, ""
        case ["tree", ref, *directories]:
            return ref, "/".join(directories)
        case ["blob", ref, *directories, _] if len(segments) > 2:  # noqa: PLR2004  blob, a ref and a file
            return ref, "/".join(directories)
        case ["commit", ref, *_] | ["releases", "tag", ref] if any_page:
            return ref, ""
    if any_page:
        return None, ""
    raise InvalidRepositoryUrl(
        "The address is of a page inside the repository that is no directory and no file."
    )


def _decoded(segment: str) -> str:
    try:
        text = unquote(segment, errors="strict")
    except UnicodeDecodeError:
        text = ""
    if UNPRINTABLE.search(text) or not {"", ".", ".."}.isdisjoint(text.split("/")):
        raise InvalidRepositoryUrl("The link contains an empty, relative or unreadable path segment.")
    return text
