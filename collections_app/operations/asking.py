"""Asking upstream about many artifacts: each repository and ref once, a few at a time; threads touch no rows."""

import logging
import time
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from queue import Empty, SimpleQueue
from threading import Lock
from typing import Any, TypeVar

from collections_app.drift import Metadata
from marketplace.detection.artifacts import DetectionSettings
from marketplace.detection.vocabulary import ArtifactType
from marketplace.diff import Key, KnownArtifact, diff
from marketplace.keeping import ContentStore, KeepingLimits
from marketplace.manifest import Manifest
from marketplace.repository import (
    Archive,
    Commit,
    Description,
    NotModified,
    RateLimited,
    RepositoryReader,
    Tree,
    TreeFile,
    Usage,
    blob_id,
)
from marketplace.scanner import Found, Memory, Scanned, scan
from marketplace.snapshot import Snapshot
from skillmeat_site.errors import DomainError

logger = logging.getLogger(__name__)
AT_ONCE = 4
TICK_SECONDS = 0.5
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An artifact to be found: where it can be, the likeliest first, and the content that it last had."""

    type: ArtifactType
    locators: tuple[str, ...]
    digest: str

    @property
    def keys(self) -> tuple[Key, ...]:
        return tuple((self.type, locator) for locator in self.locators)

    @property
    def known(self) -> KnownArtifact:
        return KnownArtifact(type=self.type, locator=self.locators[0], content_digest=self.digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One way to read a repository: a source's settings, what is remembered, and what is wanted of it.

    `catalogue` gives what a scan has found there, to tell what has moved from what was there before.
    """

    settings: DetectionSettings
    wanted: frozenset[Wanted]
    known: Commit | None = None
    is_current: bool = False
    recall: Callable[[], Snapshot | None] = lambda: None
    catalogue: Callable[[], Sequence[KnownArtifact]] = lambda: ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A repository at a ref. `open` gives its reader; it is called in a thread."""

    ref: str
    open: Callable[[Callable[[], None]], RepositoryReader]
    looks: tuple[Look, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An artifact as it is upstream. `manifest` is empty where its content was not kept."""

    metadata: Metadata
    digest: str
    title: str
    locator: str
    path: str
    manifest: str = ""
    incomplete: str = ""
    members: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What one look has seen, of what it wanted, at a commit."""

    commit: Commit
    artifacts: Mapping[Wanted, Seen]


Answer = tuple[Sight | NotModified, ...]


@dataclass(slots=True, kw_only=True)
class Asked:
    """Answers (one for each look) and errors by question; those not reached are in neither."""

    answers: dict[int, Answer] = field(default_factory=dict)
    errors: dict[int, DomainError] = field(default_factory=dict)
    limit: RateLimited | None = None


class Nowhere:
    """A content store for those who only look."""

    def put(self, contents: Sequence[bytes]) -> list[str]:
        return [blob_id(data) for data in contents]

    def keep(self, manifests: Mapping[str, Manifest]) -> None:
        """Not needed."""


def ask(
    questions: Sequence[Question],
    *,
    limits: KeepingLimits,
    into: ContentStore,
    seconds: float,
    usage: Usage,
    tick: Callable[[int], None],
) -> Asked:
    """Ask all questions, for at most so many seconds; a rate limit ends it as well.

    `into` and what looks recall are used in the calling thread only. `tick` is called often, with the
    number of questions that are through; what it raises ends the asking. `usage` grows by what it costs.
    """
    asked, desk = Asked(), _Desk()
    deadline = time.monotonic() + seconds
    pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="asking")
    try:
        futures = {
            pool.submit(_Errand(question, limits, _StoreAtDesk(desk, into), desk, usage)): number
            for number, question in enumerate(questions)
        }
        for future in futures:
            future.add_done_callback(desk.wake)
        waiting: set[Future[Answer]] = set(futures)
        while waiting and (left := deadline - time.monotonic()) > 0:
            desk.serve(seconds=min(TICK_SECONDS, left))
            done, waiting = wait(waiting, timeout=0, return_when=FIRST_COMPLETED)
            for future in done:
                _note(asked, futures[future], future)
            if asked.limit:
                waiting = {future for future in waiting if not future.cancel()}
            tick(len(futures) - len(waiting))
    finally:
        desk.close()
        pool.shutdown(wait=False, cancel_futures=True)
    return asked


def _note(asked: Asked, number: int, future: "Future[Answer]") -> None:
    try:
        asked.answers[number] = future.result()
    except RateLimited as limit:
        asked.limit = limit
    except DomainError as error:
        asked.errors[number] = error
    except Exception as error:
        logger.exception("A repository could not be judged")
        asked.errors[number] = DomainError(
            f"An unexpected {type(error).__name__}; the server's log has more."
        )


class _Errand:
    """What a thread does with one question."""

    def __init__(
        self, question: Question, limits: KeepingLimits, into: ContentStore, desk: "_Desk", usage: Usage
    ) -> None:
        self._question, self._limits, self._into, self._desk = question, limits, into, desk
        self._usage = usage

    def __call__(self) -> Answer:
        reader = _OneResolution(self._question.open(self._desk.check))
        try:
            return tuple(self._look(reader, look) for look in self._question.looks)
        finally:
            self._desk.add(reader.usage, to=self._usage)

    def _look(self, reader: RepositoryReader, look: Look) -> Sight | NotModified:
        memory = None
        if look.known:
            recall = partial(self._desk.ask, look.recall)
            memory = Memory(commit=look.known, is_current=look.is_current, recall=recall)
        seen = scan(
            reader=reader,
            ref=self._question.ref,
            settings=look.settings,
            memory=memory,
            limits=self._limits,
            into=self._into,
            with_readme=False,
            progress=lambda *_, **__: self._desk.check(),
        )
        return seen if isinstance(seen, NotModified) else self._sight(seen, look)

    def _sight(self, seen: Scanned, look: Look) -> Sight:
        """Only what was wanted: all of it would be much for twenty repositories at once."""
        there = {one.artifact.key: one for one in seen.found}
        found = _places(look.wanted, there)
        if missing := look.wanted - found.keys():
            moves = _moves(seen, missing, self._desk.ask(look.catalogue))
            found |= {wanted: moves[key] for wanted, key in _places(missing, moves).items()}
        return Sight(
            commit=seen.commit,
            artifacts={wanted: _seen(there[key], seen.found) for wanted, key in found.items()},
        )


def _places(wanted: Iterable[Wanted], there: Container[Key]) -> dict[Wanted, Key]:
    """Under which of its keys each is there, for those that are."""
    keys = ((each, next((key for key in each.keys if key in there), None)) for each in wanted)
    return {each: key for each, key in keys if key}


def _moves(seen: Scanned, missing: Iterable[Wanted], catalogue: Iterable[KnownArtifact]) -> dict[Key, Key]:
    """Where a scan would say that things have gone, from old key to new; what was wanted is known best."""
    known = {artifact.key: artifact for artifact in catalogue}
    known |= {wanted.keys[0]: wanted.known for wanted in missing if wanted.digest}
    moved = diff(known.values(), (one.artifact for one in seen.found)).moved
    return {move.was: move.artifact.key for move in moved}


def _seen(one: Found, others: Iterable[Found]) -> Seen:
    artifact = one.artifact
    members = (
        other.artifact
        for other in others
        if artifact.type is ArtifactType.PLUGIN and other.artifact.parent_locator == artifact.locator
    )
    return Seen(
        metadata=Metadata.of(artifact),
        digest=artifact.content_digest,
        title=artifact.title,
        locator=artifact.locator,
        path=artifact.path,
        manifest=one.holding.manifest,
        incomplete=one.holding.incomplete,
        members=tuple(
            {"type": member.type.value, "name": member.name, "path": member.path}
            for member in sorted(members, key=lambda member: (member.type, member.path, member.name))
        ),
    )


class _Closed(Exception):
    """Nobody waits for the thread's answer any more."""


class _Desk:
    """Where threads have things done by the one thread that may touch the database."""

    def __init__(self) -> None:
        self._waiting: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._lock = Lock()
        self._is_closed = False

    def check(self) -> None:
        if self._is_closed:
            raise _Closed

    def ask(self, act: Callable[[], T]) -> T:
        """Called in a thread: what `act` gives or raises, once it was done at the desk."""
        future: Future[T] = Future()
        with self._lock:
            self.check()
            self._waiting.put((future, act))
        return future.result()

    def wake(self, _: object) -> None:
        self._waiting.put(None)

    def add(self, usage: Usage, *, to: Usage) -> None:
        with self._lock:
            to.requests += usage.requests
            to.bytes += usage.bytes
            if usage.remaining is not None and (to.remaining is None or usage.remaining < to.remaining):
                to.remaining, to.resets_at = usage.remaining, usage.resets_at

    def serve(self, *, seconds: float) -> None:
        """Do the next thing that is asked for, if one comes in this time."""
        try:
            task = self._waiting.get(timeout=seconds)
        except Empty:
            return
        if task is not None:
            _do(*task)

    def close(self) -> None:
        """From now on threads that ask get nothing, and end."""
        with self._lock:
            self._is_closed = True
            while not self._waiting.empty():
                if task := self._waiting.get():
                    task[0].set_exception(_Closed())


def _do(future: "Future[Any]", act: Callable[[], Any]) -> None:
    try:
        future.set_result(act())
    except BaseException as error:
        future.set_exception(error)
        raise


class _StoreAtDesk:
    """The content store, as threads may use it."""

    def __init__(self, desk: _Desk, store: ContentStore) -> None:
        self._desk, self._store = desk, store

    def put(self, contents: Sequence[bytes]) -> list[str]:
        return self._desk.ask(lambda: self._store.put(contents))

    def keep(self, manifests: Mapping[str, Manifest]) -> None:
        self._desk.ask(lambda: self._store.keep(manifests))


class _OneResolution:
    """A reader that asks for the commit and its tree once, however many looks are taken at them."""

    def __init__(self, reader: RepositoryReader) -> None:
        self._reader = reader
        self._commit: Commit | None = None
        self._tree: Tree | None = None
        self.usage = reader.usage

    @property
    def moved(self) -> bool:
        return self._reader.moved

    def describe(self, *, seconds: float | None = None) -> Description:
        return self._reader.describe(seconds=seconds)

    def readme(self, ref: str, *, seconds: float) -> str | None:
        return self._reader.readme(ref, seconds=seconds)

    def resolve(
        self, ref: str, *, known: Commit | None = None, seconds: float | None = None
    ) -> Commit | NotModified:
        if self._commit is None:
            said = self._reader.resolve(ref, known=known, seconds=seconds)
            if isinstance(said, NotModified):
                self._commit = known
                return said
            self._commit = said
        return NotModified() if known and known.sha == self._commit.sha else self._commit

    def tree(self, commit: Commit) -> Tree:
        if self._tree is None:
            self._tree = self._reader.tree(commit)
        return self._tree

    def blob(self, file: TreeFile) -> bytes:
        return self._reader.blob(file)

    def archive(self, commit: Commit) -> AbstractContextManager[Archive]:
        return self._reader.archive(commit)
