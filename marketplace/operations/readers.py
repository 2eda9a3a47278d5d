"""Where a source's repository is and who reads it: settings and credentials meet the repository port here."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.conf import settings

from marketplace.github import url as github_url
from marketplace.github.client import GitHubReader
from marketplace.github.limits import Limits
from marketplace.keeping import KeepingLimits
from marketplace.local import LocalReader, resolve_directory
from marketplace.models import Source
from marketplace.operations.credentials import unseal
from marketplace.repository import Description, RefNotFound, RepositoryError, RepositoryReader, can_be_ref

LOCAL_OWNER = "local"
LOCAL_REF = "HEAD"
INFER_SECONDS = 5.0
MAX_REF_SEGMENTS = 6
UNPACKED_FACTOR = 4  # a repository is more than its artifacts' files, and packs well, but not to nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A repository's address as people give it, understood. `ref` and `root` are what a deep link adds."""

    url: str
    key: str
    owner: str
    name: str
    ref: str | None = None
    root: str = ""

    @property
    def is_local(self) -> bool:
        return self.url.startswith("file:")


def locate(repo_url: str, *, any_page: bool = False) -> Location:
    """The repository behind any spelling of its address; with `any_page`, of any of its pages.

    Raises InvalidRepositoryUrl when it is none, LocalDirectoryRefused for a directory that is not below
    `SKILLMEAT_LOCAL_REPOSITORIES`.
    """
    if repo_url.strip().lower().startswith("file:"):
        return _locate_directory(repo_url.strip())
    found = github_url.parse(repo_url, web_url=settings.SKILLMEAT_GITHUB_WEB_URL, any_page=any_page)
    return Location(
        url=found.html_url(settings.SKILLMEAT_GITHUB_WEB_URL),
        key=found.key,
        owner=found.owner,
        name=found.name,
        ref=found.ref,
        root=found.path,
    )


def _locate_directory(repo_url: str) -> Location:
    parts = urlsplit(repo_url)
    if parts.netloc not in {"", "localhost"} or not parts.path.startswith("/") or "\0" in unquote(parts.path):
        raise github_url.InvalidRepositoryUrl(
            hint="A local repository is given as file:///absolute/directory."
        )
    directory = resolve_directory(unquote(parts.path), settings.SKILLMEAT_LOCAL_REPOSITORIES)
    return Location(
        url=directory.as_uri(), key=directory.as_uri(), owner=LOCAL_OWNER, name=directory.name, ref=LOCAL_REF
    )


def for_location(
    location: Location, *, token: str = "", pulse: Callable[[], None] = lambda: None
) -> RepositoryReader:
    """The reader of a repository; `token` stands in for the server's own. `pulse` is called while bytes arrive."""
    if location.is_local:
        return LocalReader(Path(unquote(urlsplit(location.url).path)))
    return GitHubReader(
        owner=location.owner,
        name=location.name,
        api_url=settings.SKILLMEAT_GITHUB_API_URL,
        token=token or settings.GITHUB_TOKEN or None,
        limits=Limits(
            file_bytes=settings.SKILLMEAT_MAX_FILE_BYTES,
            archive_bytes=settings.SKILLMEAT_MAX_SOURCE_BYTES,
            unpacked_bytes=UNPACKED_FACTOR * settings.SKILLMEAT_MAX_SOURCE_BYTES,
        ),
        pulse=pulse,
    )


def for_source(source: Source, *, pulse: Callable[[], None] = lambda: None) -> RepositoryReader:
    """The reader of a source, with its own token as long as that is kept. Raises CredentialUnreadable."""
    if source.repo_url.startswith("file:"):
        return for_location(_locate_directory(source.repo_url))  # asks again whether the directory is allowed
    location = Location(url=source.repo_url, key=source.repo_key, owner=source.owner, name=source.repo_name)
    return for_location(location, token=unseal(source.access_token), pulse=pulse)


def infer(repo_url: str) -> Location:
    """`locate` for any page, with the ref of a deep link told apart from its directory by asking the host.

    `/tree/a/b/c` can be the branch `a`, `a/b` or `a/b/c`; git allows only one of them to exist. A host that
    cannot be asked in time is no error: then the first segment is taken.
    """
    location = locate(repo_url, any_page=True)
    segments = [location.ref, *location.root.split("/")] if location.ref and location.root else []
    deadline = time.monotonic() + INFER_SECONDS
    try:
        reader = for_location(location)
        for count in range(1, min(len(segments), MAX_REF_SEGMENTS) + 1):
            ref, seconds = "/".join(segments[:count]), deadline - time.monotonic()
            if seconds <= 0 or not can_be_ref(ref):
                break
            with suppress(RefNotFound):
                reader.resolve(ref, seconds=seconds)
                return replace(location, ref=ref, root="/".join(segments[count:]))
    except RepositoryError:
        pass
    return location


def keeping_limits() -> KeepingLimits:
    """How much of the artifacts' files is kept."""
    return KeepingLimits(
        file=settings.SKILLMEAT_MAX_FILE_BYTES,
        artifact=settings.SKILLMEAT_MAX_ARTIFACT_BYTES,
        source=settings.SKILLMEAT_MAX_SOURCE_BYTES,
    )


def address_of(said: Description) -> dict[str, str]:
    """A source's fields that say where its repository is, by the name that the host gives it."""
    location = locate(f"{settings.SKILLMEAT_GITHUB_WEB_URL}/{said.owner}/{said.name}")
    return {
        "repo_url": location.url,
        "repo_key": location.key,
        "owner": location.owner,
        "repo_name": location.name,
    }
