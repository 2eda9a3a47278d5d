"""Writes the made-up catalogue into the database of this process's environment."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import islice

from django.db import connection, models, transaction

from benchmarks.reads.catalogue import START, entries_of, entry_id, source_id, words_in
from benchmarks.repositories import Author
from marketplace.models import Entry, EntryTag, Manifest, Source
from marketplace.search import index
from marketplace.search.engines import INDEX, SHORT_COLUMNS, TABLE, engine
from skillmeat_site.accounts.models import Membership, Project, Role, Token, TokenScope, User
from skillmeat_site.jobs.models import Job, JobStatus, Trigger

CHUNK = 2_000
TYPES = ("skill", "command", "skill", "agent", "skill", "hook", "command", "mcp_server", "skill", "plugin")
TRUST = ("basic", "basic", "verified", "untrusted", "official")
TAGS = ("python", "review", "testing", "docs", "git", "data", "cloud", "web", "design", "ops")
MANIFESTS = 100
README_EVERY, README_BYTES = 20, 4_000
LIVE_JOBS = 20
BODY_WORDS = 100


def plant(sources: int) -> str:
    """The secret of a token of somebody who may read all of it."""
    with _without_index(), transaction.atomic():
        project = Project.objects.default()
        _Planter(project, sources).plant()
        User.objects.local_operator()
        reader = User.objects.create_user("reader")
        Membership.objects.create(user=reader, project=project, role=Role.VIEWER)
        _, secret = Token.objects.issue(user=reader, name="benchmark", scope=TokenScope.READ)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM (ANALYZE)")  # as autovacuum does; nobody does it for SQLite
    return secret


@contextmanager
def _without_index() -> Iterator[None]:
    """Index the documents when all are there, which takes a fraction of the time."""
    drop = (
        [f"DROP TRIGGER {INDEX}_{event}" for event in ("insert", "delete", "update")]
        if connection.vendor == "sqlite"
        else [
            f"ALTER TABLE {TABLE} DROP COLUMN words",
            *(f"DROP INDEX {INDEX}_{name}" for name in SHORT_COLUMNS),
        ]
    )
    with connection.cursor() as cursor:
        for statement in drop:
            cursor.execute(statement)
    yield
    engine().rebuild()
    engine().install()


def _write(rows: Iterable[models.Model]) -> None:
    iterator = iter(rows)
    while chunk := list(islice(iterator, CHUNK)):
        type(chunk[0])._base_manager.bulk_create(chunk)


def tags_of(number: int) -> tuple[str, ...]:
    """Of a source: two that are on a fifth of all each, one on every second, and one on two of three."""
    two = TAGS[number % len(TAGS)], TAGS[number // len(TAGS) % len(TAGS)]
    return tuple(dict.fromkeys((*two, *["team"] * (number % 2), *["shared"] * (number % 3 > 0))))


class _Planter:
    def __init__(self, project: Project, sources: int) -> None:
        self.project, self.sources = project, sources
        self.author = Author(1)

    def plant(self) -> None:
        made = [self._source(number) for number in range(self.sources)]
        _write(made)
        _write(map(self._job, range(self.sources)))
        _write(self._manifests())
        numbers = ((source, number) for source in range(self.sources) for number in entries_of(source))
        while chunk := list(islice(numbers, CHUNK)):
            self._plant_entries(chunk, made)

    def _source(self, number: int) -> Source:
        owner, name = self.author.word(), f"{self.author.word()}-{number}"
        description, tags = self.author.sentence(), list(tags_of(number))
        types = [TYPES[entry % len(TYPES)] for entry in entries_of(number)]
        source = Source(
            id=source_id(number),
            project=self.project,
            repo_url=f"https://github.com/{owner}/{name}",
            repo_key=f"github.com/{owner}/{name}",
            owner=owner,
            repo_name=name,
            ref="main",
            trust_level=TRUST[number % len(TRUST)],
            description=description,
            repo_description=self.author.sentence(),
            repo_readme=self.author.prose(README_BYTES) if number % README_EVERY == 0 else "",
            tags=tags,
            suggested_tags=[self.author.word()],
            resolved_sha=f"{number:040x}",
            advanced_at=START,
            outcome="success",
            last_sync_at=START,
            last_indexed_at=START,
            artifact_count=len(types),
            counts_by_type={name: types.count(name) for name in sorted(set(types))},
            created_at=START,
            updated_at=START,
        )
        source.index()
        return source

    def _job(self, number: int) -> Job:
        is_live = number < LIVE_JOBS
        return Job(
            kind="scan",
            subject_id=source_id(number),
            project=self.project,
            status=JobStatus.QUEUED if is_live else JobStatus.SUCCEEDED,
            trigger=Trigger.CREATE,
            run_after=START,
            sent_at=START,
            created_at=START,
            finished_at=None if is_live else START,
        )

    def _manifests(self) -> Iterator[Manifest]:
        file = {
            "path": "SKILL.md",
            "kind": "file",
            "mode": "100644",
            "size": 1,
            "sha": "0" * 40,
            "digest": None,
        }
        for number in range(MANIFESTS):
            yield Manifest(digest=f"{number:064x}", files=[file], size=1, wanted_at=START)

    def _plant_entries(self, numbers: list[tuple[int, int]], sources: list[Source]) -> None:
        entries = [self._entry(*pair) for pair in numbers]
        _write(entries)
        _write(row for entry in entries for row in EntryTag.all_of(entry))
        _write(
            index.document(entry, sources[source], self._body(number))
            for entry, (source, number) in zip(entries, numbers, strict=True)
        )

    def _entry(self, source: int, number: int) -> Entry:
        kind = TYPES[number % len(TYPES)]
        name = f"{self.author.word()}-{self.author.word()} {words_in(number, 'name')}".strip()
        tags = [self.author.word(), *words_in(number, "tags").split()]
        description = f"{self.author.sentence()} {words_in(number, 'description')}".strip()
        path = f"plugins/{self.author.word()}/{kind}s/{name}"
        at = START + timedelta(seconds=number % 7 * 3_600)
        return Entry(
            id=entry_id(number),
            source_id=source_id(source),
            type=kind,
            locator=f"{path}#{number}",
            path=path,
            name=name,
            description=description,
            license="MIT",
            tags=tags,
            path_tags=[TAGS[number % len(TAGS)]],
            frontmatter={"name": name, "description": description},
            confidence=100 - number * 7 % 60,
            signals=[{"name": "manifest", "points": 90, "detail": self.author.sentence()}],
            search_text="\n".join([name, "", description, path]).casefold(),
            manifest_id=f"{number % MANIFESTS:064x}",
            content_digest=f"sha256:{number:064x}",
            detected_sha=f"{source:040x}",
            first_seen_at=at,
            changed_at=at,
        )

    def _body(self, number: int) -> str:
        return f"{self.author.sentence(BODY_WORDS)} {words_in(number, 'body')}"
