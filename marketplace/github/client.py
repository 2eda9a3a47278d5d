"""Reading one repository through GitHub's REST API (https://docs.github.com/rest, version 2022-11-28)."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import quote

from marketplace.github import shapes
from marketplace.github.archive import TarArchive
from marketplace.github.errors import BadAnswer
from marketplace.github.limits import Limits
from marketplace.github.transport import NOT_MODIFIED, TRIES, Answer, Question, Transport
from marketplace.repository import (
    MAX_README_BYTES,
    Commit,
    CommitGone,
    Description,
    NotModified,
    RefNotFound,
    RepositoryNotFound,
    RepositoryTooLarge,
    Tree,
    TreeFile,
    blob_id,
    readable,
)

JSON = "application/vnd.github+json"
RAW = "application/vnd.github.raw+json"
SHA = "application/vnd.github.sha"
DEFAULT_LIMITS = Limits()


class GitHubReader:
    """`RepositoryReader` on GitHub. The token goes to the API's own host and nowhere else.

    `backoff` is the first wait between two tries, in seconds. `pulse` is called whenever bytes arrive; what
    it raises ends the reading and passes through.
    """

    def __init__(
        self,
        *,
        owner: str,
        name: str,
        api_url: str,
        token: str | None = None,
        limits: Limits = DEFAULT_LIMITS,
        backoff: float = 0.5,
        pulse: Callable[[], None] = lambda: None,
    ) -> None:
        self._root = f"/repos/{quote(owner, safe='')}/{quote(name, safe='')}"
        self._limits = limits
        self._pulse = pulse
        self._transport = Transport(api_url=api_url, token=token, limits=limits, backoff=backoff, pulse=pulse)
        self.usage = self._transport.usage

    @property
    def moved(self) -> bool:
        return self._transport.moved

    def describe(self, *, seconds: float | None = None) -> Description:
        question = Question(
            path=self._root,
            accept=JSON,
            limit=self._limits.json_bytes,
            seconds=seconds or self._limits.json_seconds,
            tries=1 if seconds else TRIES,
        )
        return self._transport.ask(question, understand=lambda answer: shapes.description(answer.body))

    def readme(self, ref: str, *, seconds: float) -> str | None:
        question = Question(
            path=f"{self._root}/readme?ref={quote(ref, safe='')}",
            accept=RAW,
            limit=MAX_README_BYTES,
            seconds=seconds,
            tries=1,
        )
        try:
            body = self._transport.ask(question, understand=lambda answer: answer.body)
        except RepositoryNotFound:
            return None
        return readable(body)

    def resolve(
        self, ref: str, *, known: Commit | None = None, seconds: float | None = None
    ) -> Commit | NotModified:
        """Costs one request, and none of the quota when GitHub answers that `known` is still right."""
        if not {"", ".", ".."}.isdisjoint(
            ref.split("/")
        ):  # no such ref can exist, and ".." would leave the path
            raise RefNotFound("The source's ref is not one that git allows.")
        question = Question(
            path=f"{self._root}/commits/{quote(ref)}",
            accept=SHA,
            limit=self._limits.json_bytes,
            seconds=seconds or self._limits.json_seconds,
            tries=1 if seconds else TRIES,
            headers={"If-None-Match": known.etag} if known and known.etag else {},
        )

        def understand(answer: Answer) -> Commit | NotModified:
            if answer.status == NOT_MODIFIED:
                return NotModified()
            commit = Commit(sha=shapes.commit_id(answer.body), etag=answer.headers.get("ETag", ""))
            return NotModified() if known and known.sha == commit.sha else commit

        return self._transport.ask(question, understand=understand)

    def tree(self, commit: Commit) -> Tree:
        question = Question(
            path=f"{self._root}/git/trees/{commit.sha}?recursive=1",
            absent=CommitGone,
            accept=JSON,
            limit=self._limits.json_bytes,
            seconds=self._limits.json_seconds,
        )
        return self._transport.ask(question, understand=lambda answer: shapes.tree(answer.body))

    def blob(self, file: TreeFile) -> bytes:
        if file.size > self._limits.file_bytes:
            raise RepositoryTooLarge(f"{file.path} is larger than {self._limits.file_bytes:,} bytes.")
        question = Question(
            path=f"{self._root}/git/blobs/{file.sha}",
            absent=CommitGone,
            accept=RAW,
            limit=self._limits.file_bytes,
            seconds=self._limits.json_seconds,
        )

        def understand(answer: Answer) -> bytes:
            if blob_id(answer.body) != file.sha:
                raise BadAnswer("sent bytes that are not the file's")
            return answer.body

        return self._transport.ask(question, understand=understand)

    @contextmanager
    def archive(self, commit: Commit) -> Iterator[TarArchive]:
        """The `.tar.gz`, kept compressed in a temporary file that no other process can see."""
        question = Question(
            path=f"{self._root}/tarball/{commit.sha}",
            absent=CommitGone,
            too_large=RepositoryTooLarge.hint,
            accept=JSON,
            limit=self._limits.archive_bytes,
            seconds=self._limits.archive_seconds,
            headers={"Accept-Encoding": "identity"},  # it is compressed already
        )
        with tempfile.TemporaryFile() as file:
            self._transport.ask(question, understand=lambda _: None, into=file)
            yield TarArchive(file, limits=self._limits, pulse=self._pulse)
