"""Where tokens must never turn up: rows, messages, logs, answers, files; during a scan and after every end of it.

Three secrets are looked for: the `access_token` that a source is created with, the server's `GITHUB_TOKEN`,
and the one that GitHub puts into the address of a private repository's archive. The tests at the end plant
secrets, and prove by that that the search would find one.
"""

import base64
import bz2
import gzip
import json
import logging
import lzma
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection, connections
from django.test import Client
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.signing import SignedPackage
from django_q.tasks import async_task
from rest_framework.test import APIClient

from marketplace.github.client import GitHubReader
from marketplace.models import Entry, Source
from skillmeat_site.accounts.models import Role, User
from skillmeat_site.audit.models import AuditEvent
from skillmeat_site.jobs import runner
from skillmeat_site.jobs.models import Job
from skillmeat_site.logs import ConsoleFormatter, JsonFormatter
from tests.github.faults import BAD_GATEWAY, Cut, Fault, Garbage, Meanwhile, Reset, Respond
from tests.github.repositories import Repository
from tests.github.server import GitHub

pytestmark = pytest.mark.no_cover  # looks at every place after the same scan
SOURCES = "/api/v1/marketplace/sources"
TOKEN = "ghp_opensTheDoor0123456789abcdefABCDEF"
SPARE = "ghp_opensNoDoorAtAll9876543210fedcbaFEDC"
FILES = {"skills/pdf/SKILL.md": b"---\nname: pdf\ndescription: Use it for PDF files.\n---\nRead.\n"}
SEALED_HOME = "database: marketplace_source.access_token"  # the only place of the encrypted form
DATABASE_BYTES = "the database's bytes"
Drain = Callable[[], int]
Capture = Callable[..., AbstractContextManager[Any]]
Place = tuple[str, Any]


# --- the search ------------------------------------------------------------------------------------------


@cache
def forms(secret: str) -> frozenset[bytes]:
    """The ways in which a secret can be written and still be read by anybody; in lower case."""
    plain = secret.encode()
    written = {plain, plain.hex().encode(), plain[::-1], quote(secret, safe="").encode()}
    for shift in range(3):  # base64 looks different at each place in a group of three bytes
        shifted = bytes(shift) + plain
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            written.add(encode(shifted[: len(shifted) // 3 * 3])[4 if shift else 0 :])
    return frozenset(form.lower() for form in written)


def readings(value: Any) -> Iterator[bytes]:
    """A value as bytes, in lower case, and what is inside if it is compressed."""
    if isinstance(value, str):
        data = value.encode(errors="surrogatepass")
    elif isinstance(value, bytes | bytearray | memoryview):
        data = bytes(value)
    else:
        data = repr(value).encode(errors="surrogatepass")
    yield data.lower()
    for unpack in (gzip.decompress, zlib.decompress, bz2.decompress, lzma.decompress):
        with suppress(OSError, EOFError, ValueError, zlib.error, lzma.LZMAError):
            yield unpack(data).lower()


def holds(value: Any, secret: str) -> bool:
    return tells(readings(value), secret)


def tells(read: Iterable[bytes], secret: str) -> bool:
    return any(form in reading for reading in read for form in forms(secret))


class Lookout:
    """Looks wherever something can be put down; `found` has one line for each secret that lay there."""

    def __init__(
        self,
        *,
        github: GitHub,
        caplog: pytest.LogCaptureFixture,
        data: Path,
        all_rows: Callable[[], dict[str, list[dict[str, Any]]]],
        console: Client,
    ) -> None:
        self._github, self._caplog, self._data, self._all_rows = github, caplog, data, all_rows
        self._console = console
        self._api = APIClient()
        self.secrets = {"the token": TOKEN, "the spare token": SPARE, "the archive's": github.archive_token}
        self.sealed: set[str] = set()
        self.answers: list[Place] = []
        self.moments: list[str] = []
        self.found: list[str] = []

    def remember(self, name: str, answer: Any) -> None:
        self.answers.append((f"answer: {name}", answer.content))
        self.answers.append((f"headers: {name}", repr(dict(answer.headers))))

    def look(self, moment: str, *, may_be_sealed: bool = False) -> None:
        self.moments.append(moment)
        for place, value in self.places():
            read = list(readings(value))
            for name, secret in self.secrets.items():
                if tells(read, secret):
                    self.found.append(f"{moment}: {name} in {place}")
            allowed = place == DATABASE_BYTES or (may_be_sealed and place == SEALED_HOME)
            if not allowed and any(tells(read, sealed) for sealed in self.sealed):
                self.found.append(f"{moment}: the sealed token in {place}")

    def places(self) -> Iterator[Place]:
        yield from self.in_rows()
        yield from self.in_messages()
        yield from self.in_files()
        self._ask()
        yield from self.answers
        yield from self.in_logs()  # at last: all that was done before may have left a line

    def in_rows(self) -> Iterator[Place]:
        tables = self._all_rows()
        assert tables["marketplace_source"]
        assert tables[AuditEvent._meta.db_table]
        for table, rows in tables.items():
            for row in rows:
                for column, value in row.items():
                    yield f"database: {table}.{column}", value
        if connection.vendor == "sqlite":  # with what it has not overwritten yet
            yield DATABASE_BYTES, connection.connection.serialize()

    def in_messages(self) -> Iterator[Place]:
        broker = get_broker()
        taken = []
        for _ in range(broker.queue_size()):
            for receipt, payload in broker.dequeue() or ():
                broker.acknowledge(receipt)
                taken.append(payload)
        for payload in taken:
            broker.enqueue(payload)
            yield "message", payload
            yield "message, unpacked", repr(SignedPackage.loads(payload))

    def in_files(self) -> Iterator[Place]:
        for path in self._data.rglob("*"):
            yield f"file name: {path}", str(path)
            if path.is_file():
                yield f"file: {path}", path.read_bytes()

    def in_logs(self) -> Iterator[Place]:
        assert self._caplog.records
        for record in self._caplog.records:
            yield f"log: {record.name}", repr(vars(record))
            for formatter in (JsonFormatter(), ConsoleFormatter()):
                yield f"log: {record.name}", formatter.format(record)

    def _ask(self) -> None:
        """Everything that the API and the console show of sources, jobs and artifacts."""
        addresses = [SOURCES, "/api/v1/jobs", f"{SOURCES}?search=ada"]
        for source in Source.objects.all():
            address = f"{SOURCES}/{source.public_id}"
            addresses += [address, f"{address}/jobs", f"{address}/artifacts"]
            self._ask_console("marketplace_source", source.pk)
        for job in Job.objects.all():
            addresses += [f"/api/v1/jobs/{job.public_id}", f"/api/v1/jobs/{job.public_id}/events"]
            self._ask_console("jobs_job", job.pk)
        for event in AuditEvent.objects.all():
            self._ask_console("audit_auditevent", event.pk)
        for address in addresses:
            self._keep(address, self._api.get(address))

    def _ask_console(self, model: str, key: Any) -> None:
        address = f"/admin/{model.replace('_', '/', 1)}/"
        self._keep(address, self._console.get(address))
        self._keep(f"{address}…", self._console.get(f"{address}{key}/change/"))

    def _keep(self, address: str, answer: Any) -> None:
        assert answer.status_code == 200, (address, answer.content)
        self.remember(f"GET {address}", answer)


# --- the stage -------------------------------------------------------------------------------------------


@pytest.fixture(params=["the source's own token", "the server's token"])
def credentials(request: Any, on_github: GitHub, settings: Any) -> dict[str, str]:
    """What a create's body has to say to open the private repository; both kinds of token are in play."""
    on_github.add(Repository("ada", "tools", FILES, private=True, tokens=frozenset({TOKEN})))
    on_github.tokens.add(SPARE)
    is_own = request.param == "the source's own token"
    settings.GITHUB_TOKEN = SPARE if is_own else TOKEN
    return {"access_token": TOKEN} if is_own else {}


@pytest.fixture
def own(on_github: GitHub, settings: Any) -> dict[str, str]:
    on_github.add(Repository("ada", "tools", FILES, private=True, tokens=frozenset({TOKEN})))
    return {"access_token": TOKEN}


@pytest.fixture
def lookout(
    on_github: GitHub,
    caplog: pytest.LogCaptureFixture,
    settings: Any,
    all_rows: Callable[[], dict[str, list[dict[str, Any]]]],
    member: Callable[..., User],
    monkeypatch: pytest.MonkeyPatch,
) -> Lookout:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setitem(GitHubReader.__init__.__kwdefaults__, "backoff", 0.001)
    console = Client()
    console.force_login(member(Role.ADMIN, is_staff=True, is_superuser=True))
    return Lookout(
        github=on_github, caplog=caplog, data=settings.SKILLMEAT_DATA_DIR, all_rows=all_rows, console=console
    )


@pytest.fixture
def post(
    lookout: Lookout, on_github: GitHub, django_capture_on_commit_callbacks: Capture
) -> Callable[..., Any]:
    """Creates a source of ada/tools through the API; its job's message is really sent."""

    def send(**body: Any) -> Any:
        with django_capture_on_commit_callbacks(execute=True):
            answer = APIClient().post(SOURCES, {"repo_url": f"{on_github.web_url}/ada/tools"} | body)
        lookout.remember("POST", answer)
        if answer.status_code == 201:
            sealed = Source.objects.earliest("id").access_token
            assert bool(sealed) == ("access_token" in body)
            lookout.sealed |= {sealed} - {""}
        return answer

    return send


@contextmanager
def while_asked(on_github: GitHub, pattern: str, act: Callable[[], object]) -> Iterator[None]:
    """`act` is done by the server's thread, on this test's connection, while the scan waits for an answer."""
    shared, done, failed = connections["default"], [], []

    def there() -> None:
        connections["default"] = shared
        try:
            act()
            done.append(True)
        except BaseException as error:  # noqa: BLE001  raised again by the test's own thread
            failed.append(error)
        finally:
            del connections["default"]

    shared.inc_thread_sharing()
    on_github.fail(pattern, Meanwhile(there))
    try:
        yield
    finally:
        shared.dec_thread_sharing()
    if failed:
        raise failed[0]
    assert done, f"nothing asked for {pattern}"


def the_job() -> Job:
    return Job.objects.get()


# --- nothing is told -------------------------------------------------------------------------------------


def test_a_scan_that_succeeds_puts_no_secret_down(
    credentials: dict[str, str],
    post: Callable[..., Any],
    lookout: Lookout,
    on_github: GitHub,
    drain: Drain,
    settings: Any,
) -> None:
    assert post(**credentials).status_code == 201
    assert get_broker().queue_size() == 1
    lookout.look("before the scan", may_be_sealed=True)
    with while_asked(
        on_github, "/legacy.tar.gz/", lambda: lookout.look("during the archive", may_be_sealed=True)
    ):
        assert drain() == 1
    assert on_github.requests[-1].query == {"token": on_github.archive_token}  # so it was in play
    assert the_job().status == "succeeded"
    assert list(Entry.objects.values_list("name", flat=True)) == ["pdf"]
    assert Source.objects.get().access_token == ""
    lookout.look("after the scan")
    assert lookout.moments == ["before the scan", "during the archive", "after the scan"]
    assert lookout.found == []


FAILURES: dict[str, tuple[str, Fault, int]] = {
    "a tree that is gone": ("/git/trees/", Respond(404, b'{"message": "Not Found"}'), 1),
    "an archive that is gone": ("/legacy.tar.gz/", Respond(404, b"404: Not Found"), 1),
    "an archive's host that fails": ("/legacy.tar.gz/", BAD_GATEWAY, 3),
    "an archive's host that resets": ("/legacy.tar.gz/", Reset(), 3),
    "an archive that is cut": ("/legacy.tar.gz/", Cut(after=30), 3),
    "an archive that is damaged": ("/legacy.tar.gz/", Garbage(), 9),
    "headers that cannot be parsed": (
        "/legacy.tar.gz/",
        Respond(200, b"x", {"Content-Length": "1", "Bad\xe9 header": "x"}),
        9,
    ),
    "a redirect to no address": (
        "/tarball/",
        Respond(302, b"", {"Location": "http://[x/?token=" + SPARE}),
        1,
    ),
}


@pytest.mark.parametrize(("pattern", "fault", "times"), FAILURES.values(), ids=FAILURES.keys())
def test_a_scan_that_fails_puts_no_secret_down(
    credentials: dict[str, str],
    post: Callable[..., Any],
    lookout: Lookout,
    on_github: GitHub,
    drain: Drain,
    pattern: str,
    fault: Fault,
    times: int,
) -> None:
    post(**credentials)
    on_github.fail(pattern, fault, times=times)
    with while_asked(on_github, "/commits/", lambda: lookout.look("during the scan", may_be_sealed=True)):
        drain()
    assert the_job().status == "failed"
    assert the_job().error
    assert Source.objects.get().access_token == ""
    lookout.look("after the scan")
    assert lookout.found == []


def test_a_running_scan_that_is_cancelled_puts_no_secret_down(
    credentials: dict[str, str],
    post: Callable[..., Any],
    lookout: Lookout,
    on_github: GitHub,
    drain: Drain,
) -> None:
    post(**credentials)

    def cancel() -> None:
        answer = APIClient().post(f"/api/v1/jobs/{the_job().public_id}/cancel", {})
        assert answer.status_code == 202
        lookout.remember("POST cancel", answer)
        lookout.look("during the archive", may_be_sealed=True)

    with while_asked(on_github, "/legacy.tar.gz/", cancel):
        drain()
    assert the_job().status == "cancelled"
    assert Source.objects.get().access_token == ""
    lookout.look("after the scan")
    assert lookout.found == []


def test_a_queued_scan_that_is_cancelled_puts_no_secret_down(
    credentials: dict[str, str],
    post: Callable[..., Any],
    lookout: Lookout,
    on_github: GitHub,
    drain: Drain,
) -> None:
    post(**credentials)
    lookout.remember("POST cancel", APIClient().post(f"/api/v1/jobs/{the_job().public_id}/cancel", {}))
    assert the_job().status == "cancelled"
    assert Source.objects.get().access_token == ""
    drain()
    lookout.look("after the scan")
    assert lookout.found == []


def test_a_parked_scan_keeps_its_token_sealed_and_erases_it_in_the_end(
    own: dict[str, str], post: Callable[..., Any], lookout: Lookout, on_github: GitHub, drain: Drain
) -> None:
    post(**own)
    on_github.fail("/git/trees/", Respond(429, b"", {"Retry-After": "60"}))
    drain()
    assert the_job().status == "queued"
    assert Source.objects.get().access_token in lookout.sealed
    lookout.look("while it waits", may_be_sealed=True)
    Job.objects.update(run_after=timezone.now())
    runner.run(str(the_job().pk))
    assert the_job().status == "succeeded"
    assert Source.objects.get().access_token == ""
    lookout.look("after the scan")
    assert lookout.found == []


def test_a_token_that_cannot_be_unsealed_is_erased_and_not_told(
    own: dict[str, str], post: Callable[..., Any], lookout: Lookout, drain: Drain, settings: Any
) -> None:
    post(**own)
    settings.SECRET_KEY = "another key, " * 5
    drain()
    assert (the_job().status, the_job().error["type"]) == ("failed", "/problems/credential_unreadable")  # type: ignore[index]
    assert Source.objects.get().access_token == ""
    for place, value in (*lookout.in_rows(), *lookout.in_logs()):
        assert not holds(value, TOKEN), place


def test_a_deleted_source_takes_its_sealed_token_along(
    own: dict[str, str], post: Callable[..., Any], lookout: Lookout, drain: Drain, all_rows: Any
) -> None:
    address = post(**own)["Location"]
    assert APIClient().delete(address).status_code == 204
    drain()
    for table, rows in all_rows().items():
        assert not holds(rows, TOKEN), table
        assert not any(holds(rows, sealed) for sealed in lookout.sealed), table


def test_a_create_that_fails_repeats_no_token(
    own: dict[str, str], post: Callable[..., Any], lookout: Lookout, on_github: GitHub
) -> None:
    on_github.tokens.add(SPARE)
    on_github.fail("/repos/ada/tools$", BAD_GATEWAY)
    answers = [
        post(**own),
        post(**own),  # exists already
        post(access_token=TOKEN, notes=5),
        post(access_token=TOKEN, description="x" * 501),
        post(access_token=[TOKEN]),
        post(access_token=f"{TOKEN} and more"),
        post(access_token=SPARE, ref="other"),  # opens no door
        post(token=TOKEN),
    ]
    assert [answer.status_code for answer in answers] == [201, 409, 400, 422, 400, 422, 422, 400]
    lookout.look("after all of them", may_be_sealed=True)
    assert lookout.found == []


def test_a_later_scan_does_not_know_the_access_token_any_more(
    own: dict[str, str],
    post: Callable[..., Any],
    lookout: Lookout,
    on_github: GitHub,
    drain: Drain,
    settings: Any,
    django_capture_on_commit_callbacks: Capture,
) -> None:
    settings.GITHUB_TOKEN = SPARE
    on_github.tokens.add(SPARE)
    address = post(**own)["Location"]
    drain()
    on_github.requests.clear()
    with django_capture_on_commit_callbacks(execute=True):
        lookout.remember("POST rescan", APIClient().post(f"{address}/rescan", {}))
    drain()
    assert {request.token for request in on_github.requests} == {SPARE}
    lookout.look("after the second scan")
    assert lookout.found == []


def test_a_host_that_repeats_the_token_does_not_make_it_public(
    credentials: dict[str, str], post: Callable[..., Any], lookout: Lookout, on_github: GitHub, drain: Drain
) -> None:
    post(**credentials)
    body = json.dumps({"message": f"The token {TOKEN} has expired"}).encode()
    on_github.fail("/commits/", Respond(401, body))
    drain()
    assert the_job().status == "failed"
    lookout.look("after the scan")
    assert lookout.found == []


def test_the_tokens_are_sent_to_the_api_and_to_nobody_else(
    credentials: dict[str, str], post: Callable[..., Any], lookout: Lookout, on_github: GitHub, drain: Drain
) -> None:
    post(**credentials)
    drain()
    to_archive = [request for request in on_github.requests if request.host in on_github.codeload_url]
    to_api = [request for request in on_github.requests if request not in to_archive]
    assert {request.token for request in to_api} == {TOKEN}
    assert to_archive
    assert not holds(to_archive, TOKEN)
    assert not holds([(request.path, request.query) for request in to_api], TOKEN)


def test_even_the_http_librarys_own_debugging_tells_no_token(
    credentials: dict[str, str],
    post: Callable[..., Any],
    lookout: Lookout,
    drain: Drain,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for name in ("urllib3", "requests", "http.client"):
        caplog.set_level(logging.DEBUG, logger=name)
    post(**credentials)
    drain()
    assert any(record.name.startswith("urllib3") for record in caplog.records)
    for place, value in lookout.in_logs():
        assert not holds(value, TOKEN), place
        assert not holds(value, SPARE), place


def test_the_http_library_is_kept_quiet_because_it_would_tell_the_archives_address(
    own: dict[str, str],
    post: Callable[..., Any],
    lookout: Lookout,
    on_github: GitHub,
    drain: Drain,
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert not logging.getLogger("urllib3.connectionpool").isEnabledFor(logging.WARNING)
    assert not logging.getLogger("urllib3.connection").isEnabledFor(logging.WARNING)
    caplog.set_level(logging.DEBUG, logger="urllib3")  # as nobody can set it from outside
    post(**own)
    drain()
    told = [place for place, value in lookout.in_logs() if holds(value, on_github.archive_token)]
    assert set(told) == {"log: urllib3.connectionpool"}


# --- the search would find it ----------------------------------------------------------------------------


def _in_a_row(**values: Any) -> Callable[[Lookout], object]:
    return lambda _: Source.objects.update(**values)


def _in_an_unknown_table(_: Lookout) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE planted (what TEXT)")
        cursor.execute("INSERT INTO planted VALUES (%s)", [TOKEN])


def _in_a_job(_: Lookout) -> None:
    job = the_job()
    job.events.create(seq=99, at=timezone.now(), phase="x", message=TOKEN)


def _in_an_audit_event(_: Lookout) -> None:
    AuditEvent.objects.update(facts={"why": [TOKEN]})


def _in_a_file(name: str, data: bytes) -> Callable[[Lookout], None]:
    def plant(lookout: Lookout) -> None:
        path = lookout._data / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    return plant


def _in_an_exception(_: Lookout) -> None:
    """As the context of another exception, which says nothing of it."""
    try:
        try:
            int(TOKEN)
        except ValueError:
            {}["something else"]
    except KeyError:
        logging.getLogger("planted").exception("It failed")


PLANTED: dict[str, tuple[Callable[[Lookout], object], str]] = {
    "text": (_in_a_row(notes=f"see {TOKEN}."), "database: marketplace_source.notes"),
    "text in an answer": (_in_a_row(notes=f"see {TOKEN}."), "answer: GET"),
    "text in the console": (_in_a_row(notes=f"see {TOKEN}."), "answer: GET /admin/marketplace/source/…"),
    "an error": (_in_a_row(last_error=TOKEN), "database: marketplace_source.last_error"),
    "text in other case": (_in_a_row(notes=TOKEN.upper()), "database: marketplace_source.notes"),
    "hexadecimal text": (_in_a_row(notes=TOKEN.encode().hex()), "database: marketplace_source.notes"),
    "base64": (
        _in_a_row(notes=base64.b64encode(b"Bearer " + TOKEN.encode()).decode()),
        "database: marketplace_source.notes",
    ),
    "JSON": (_in_a_row(manual_map={TOKEN: None}), "database: marketplace_source.manual_map"),
    "a table that no model has": (_in_an_unknown_table, "database: planted.what"),
    "an event of a job": (_in_a_job, "database: jobs_jobevent.message"),
    "an event in an answer": (_in_a_job, "answer: GET /api/v1/jobs/"),
    "an audit event": (_in_an_audit_event, "database: audit_auditevent.facts"),
    "an audit event in the console": (_in_an_audit_event, "answer: GET /admin/audit/auditevent/…"),
    "a message": (lambda _: async_task("builtins.repr", {"why": TOKEN}), "message, unpacked"),
    "a file": (_in_a_file("content/aa/x", b"x" + TOKEN.encode()), "file: "),
    "a compressed file": (_in_a_file("x.gz", gzip.compress(TOKEN.encode())), "file: "),
    "a file's name": (_in_a_file(f"a/{TOKEN}/b", b""), "file name: "),
    "a log line": (lambda _: logging.getLogger("planted").debug("see %s", TOKEN), "log: planted"),
    "a log line's extra": (
        lambda _: logging.getLogger("planted").debug("see", extra={"why": TOKEN}),
        "log: planted",
    ),
    "an exception in a log": (_in_an_exception, "log: planted"),
}


@pytest.fixture
def scanned(own: dict[str, str], post: Callable[..., Any], lookout: Lookout, drain: Drain) -> Lookout:
    post(**own)
    drain()
    lookout.look("before")
    assert lookout.found == []
    return lookout


@pytest.mark.parametrize(("plant", "place"), PLANTED.values(), ids=PLANTED.keys())
def test_a_planted_token_is_found(scanned: Lookout, plant: Callable[[Lookout], object], place: str) -> None:
    plant(scanned)
    scanned.look("after")
    assert any(line.startswith(f"after: the token in {place}") for line in scanned.found), scanned.found
    get_broker().purge_queue()


def test_a_token_in_a_binary_column_is_found(scanned: Lookout) -> None:
    with connection.cursor() as cursor:
        kind = "BLOB" if connection.vendor == "sqlite" else "BYTEA"
        cursor.execute(f"CREATE TABLE planted (packed {kind})")
        cursor.execute("INSERT INTO planted VALUES (%s)", [gzip.compress(json.dumps([TOKEN]).encode())])
    scanned.look("after")
    assert "after: the token in database: planted.packed" in scanned.found


@pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite's bytes can be had from inside")
def test_a_planted_token_is_found_in_the_databases_bytes(scanned: Lookout) -> None:
    Source.objects.update(notes=TOKEN)
    scanned.look("after")
    assert f"after: the token in {DATABASE_BYTES}" in scanned.found


def test_a_sealed_token_that_stays_or_strays_is_found(
    own: dict[str, str], post: Callable[..., Any], lookout: Lookout
) -> None:
    post(**own)
    lookout.look("before the scan")
    assert lookout.found == [f"before the scan: the sealed token in {SEALED_HOME}"]
    Source.objects.update(notes=" ".join(lookout.sealed))
    lookout.look("later", may_be_sealed=True)
    assert "later: the sealed token in database: marketplace_source.notes" in lookout.found


def test_the_servers_and_the_archives_secrets_are_found_too(scanned: Lookout, on_github: GitHub) -> None:
    Source.objects.update(notes=f"{SPARE} {on_github.archive_token}")
    scanned.look("after")
    names = {line.split(" in ")[0] for line in scanned.found}
    assert names == {"after: the spare token", "after: the archive's"}


def test_what_fails_in_the_servers_thread_fails_the_test(
    own: dict[str, str], post: Callable[..., Any], on_github: GitHub, drain: Drain
) -> None:
    post(**own)

    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), while_asked(on_github, "/legacy.tar.gz/", fail):
        drain()
