"""What can go wrong between a scan and GitHub, met by whole jobs: how they end, and that nothing else changed.

Every fault meets a source that was scanned before, in a private repository that the server's own token
opens, so that there is a catalogue to spoil and there are secrets to spill.
"""

import gzip
import json
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from django.utils import timezone

from marketplace.github.client import GitHubReader
from marketplace.github.limits import Limits
from marketplace.models import Entry, Source
from marketplace.operations import scans, sources
from marketplace.operations.readers import locate
from marketplace.repository import blob_id
from skillmeat_site.accounts.models import Project
from skillmeat_site.jobs import runner
from skillmeat_site.jobs.models import Job, Trigger
from tests.github.faults import (
    HTML,
    Close,
    Cut,
    Drip,
    Fault,
    Garbage,
    Meanwhile,
    Reset,
    Respond,
    Stall,
)
from tests.github.repositories import Repository
from tests.github.server import GitHub
from tests.scanning import FILES, fresh, skill

pytestmark = pytest.mark.no_cover  # many faults on the same path
Capture = Callable[..., AbstractContextManager[Any]]
Create = Callable[..., Source]
Scan = Callable[..., Job]
Picture = Callable[[], dict[str, Any]]

TOKEN = "ghp_theServersOwn0123456789"
ELSEWHERE = "secretOfTheOtherHost0123456789"
CLOSED = "http://127.0.0.1:9"  # port 9 discards: nobody answers
RESOLVE, TREE, BLOB = "/commits/", "/git/trees/", "/git/blobs/"
TARBALL, ARCHIVE = "/tarball/", "/legacy.tar.gz/"  # the API's redirect, and the other host it leads to
WITH_BODY = (RESOLVE, TREE, ARCHIVE, BLOB)
API = (RESOLVE, TREE, TARBALL, BLOB)
EVERYWHERE = (*API, ARCHIVE)
TIMES = 99  # as often as it is asked
OFTEN_ENOUGH = 30  # more than the 20 changes that are read one by one

# What a failed or parked scan may write: its own story, and on the source how it ended.
STORY = re.compile(r"(jobs|audit|django_q|django_session|sqlite)_")
OUTCOME = {"outcome", "last_error", "next_rescan_at", "access_token"}
# Written while files arrive, before it is known how the scan ends; what nothing refers to is garbage.
CONTENT = ("marketplace_blob", "marketplace_manifest")


OLD = {"pdf", "csv", "deploy"}


@pytest.fixture
def tools(on_github: GitHub, settings: Any) -> Repository:
    settings.GITHUB_TOKEN = TOKEN
    repository = Repository("ada", "tools", FILES, private=True, tokens=frozenset({TOKEN}))
    on_github.add(repository)
    return repository


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """The reader's own numbers, smaller: tries follow at once, a listing may be a megabyte. All is logged."""
    monkeypatch.setitem(GitHubReader.__init__.__kwdefaults__, "backoff", 0.001)
    monkeypatch.setitem(Limits.__init__.__kwdefaults__, "json_bytes", 1024**2)
    caplog.set_level(logging.DEBUG)


@contextmanager
def less_patience(fault: Fault, *, seconds: float) -> Iterator[None]:
    """A fault that is about slowness meets a reader that waits for less than half a minute."""
    with pytest.MonkeyPatch.context() as patch:
        if isinstance(fault, Stall | Drip):
            for name, value in {"read": 0.4, "json": seconds, "archive": seconds}.items():
                patch.setitem(Limits.__init__.__kwdefaults__, f"{name}_seconds", value)
        yield


@pytest.fixture
def create(project: Project, on_github: GitHub, drain: Callable[[], int]) -> Create:
    """Makes a source of ada/tools, or of what is said, and scans it."""

    def make(path: str = "ada/tools", **values: Any) -> Source:
        new = sources.NewSource(location=locate(f"{on_github.web_url}/{path}"), **values)
        source = sources.create(new=new, project=project, by=None, at=timezone.now())
        runner.run(str(Job.objects.get(subject_id=source.pk).pk))
        drain()
        return fresh(source)

    return make


@pytest.fixture
def source(tools: Repository, create: Create) -> Source:
    made = create()
    assert names(made) == OLD
    return made


@pytest.fixture
def scan(on_github: GitHub, drain: Callable[[], int], django_capture_on_commit_callbacks: Capture) -> Scan:
    """Asks for a scan, carries it out, and gives its job; GitHub's requests are those of this scan."""

    def run(source: Source) -> Job:
        on_github.requests.clear()
        with django_capture_on_commit_callbacks(execute=True):
            job = scans.request(source=source, by=None, at=timezone.now(), trigger=Trigger.MANUAL)
        assert drain() == 1
        job.refresh_from_db()
        return job

    return run


@pytest.fixture
def picture(all_rows: Callable[[], dict[str, list[dict[str, Any]]]]) -> Picture:
    """Everything that the database says, but for how jobs went."""

    def take() -> dict[str, Any]:
        seen = {table: rows for table, rows in all_rows().items() if not STORY.match(table)}
        for row in seen["marketplace_source"]:
            for name in OUTCOME:
                del row[name]
        assert seen["marketplace_entry"]
        return seen

    return take


def assert_only_content_was_added(now: dict[str, Any], before: dict[str, Any]) -> None:
    """For scans that fail late: files that they had stored may stay, and nothing refers to them."""
    for table in CONTENT:
        old, new = (
            {row["digest"]: row | {"wanted_at": None} for row in seen.pop(table)} for seen in (before, now)
        )
        assert old.items() <= new.items()
    assert now == before


def names(source: Source) -> set[str]:
    return set(Entry.objects.filter(source=source, removed_at=None).values_list("name", flat=True))


def changed(tools: Repository, where: str) -> set[str]:
    """Push what makes a scan come by `where`; the names that the catalogue should have afterwards.

    Few changes are read one by one, many from the archive.
    """
    if where == BLOB:
        tools.commit({"skills/xml/SKILL.md": skill("xml"), "skills/csv/SKILL.md": None})
        return OLD - {"csv"} | {"xml"}
    many = {f"skills/s{number}/SKILL.md": skill(f"s{number}") for number in range(OFTEN_ENOUGH)}
    tools.commit({**many, "skills/csv/SKILL.md": None, "skills/pdf/SKILL.md": skill("pdf", "It writes.")})
    return OLD - {"csv"} | {f"s{number}" for number in range(OFTEN_ENOUGH)}


def github_says(status: int, message: str, headers: dict[str, str] | None = None, **more: Any) -> Respond:
    return Respond(status, json.dumps({"message": message, **more}).encode(), headers or {})


def moved_to(location: str) -> Respond:
    return Respond(302, b"", {"Location": location})


def assert_somebody_can_act_on(text: str, on_github: GitHub) -> None:
    """At least two sentences for people: what happened, and what to do about it."""
    assert re.fullmatch(r"\S[^\n]+\. [A-Z][^\n]+\.", text), text
    for secret in (TOKEN, ELSEWHERE, on_github.archive_token, on_github.codeload_url, "://", "legacy.tar"):
        assert secret not in text
    for word in ("Traceback", "Error(", "None", "object at", "requests.", "urllib3", "unexpected"):
        assert word not in text


def assert_no_secret_was_told(job: Job, on_github: GitHub, caplog: pytest.LogCaptureFixture) -> None:
    assert caplog.records
    events = [event.message for event in job.events.all()]
    told = "\n".join([caplog.text, json.dumps(job.error), *events, *map(repr, map(vars, caplog.records))])
    for secret in (TOKEN, ELSEWHERE, on_github.archive_token, "legacy.tar"):
        assert secret not in told


# --- faults that end the job -----------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Failing:
    """A fault, the kinds of request that it hits, and what the job says of it."""

    fault: Fault
    code: str
    words: str
    where: tuple[str, ...] = EVERYWHERE


UNICORN = b"<html><body>Unicorn!</body></html>"
UNAVAILABLE, REFUSED = "repository_unavailable", "repository_refused"
BOMB = Respond(200, gzip.compress(b" " * 4 * 1024**2), {"Content-Encoding": "gzip"})
FAILURES = {
    "a bad token": Failing(fault=github_says(401, "Bad credentials"), code=REFUSED, words="401"),
    "a missing permission": Failing(
        fault=github_says(403, "Resource not accessible by personal access token"), code=REFUSED, words="403"
    ),
    "a wall of HTML": Failing(fault=Respond(403, UNICORN, HTML), code=REFUSED, words="403"),
    "a repository that is gone": Failing(
        fault=github_says(404, "Not Found"), code="repository_not_found", words="404"
    ),
    "an empty repository": Failing(
        fault=github_says(409, "Git Repository is empty."),
        code="repository_empty",
        words="empty",
        where=(RESOLVE, TREE),
    ),
    "a bad ref": Failing(
        fault=github_says(422, "No commit found for SHA: main"),
        code="ref_not_found",
        words="ref",
        where=(RESOLVE,),
    ),
    "a legal block": Failing(
        fault=github_says(451, "Repository access blocked", block={"reason": "dmca"}),
        code=REFUSED,
        words="dmca",
    ),
    "a server error": Failing(fault=Respond(500, UNICORN, HTML), code=UNAVAILABLE, words="answered 500"),
    "a bad gateway": Failing(fault=Respond(502, UNICORN, HTML), code=UNAVAILABLE, words="answered 502"),
    "a reset connection": Failing(fault=Reset(), code=UNAVAILABLE, words="3 times"),
    "a closed connection": Failing(fault=Close(), code=UNAVAILABLE, words="3 times"),
    "a silent host": Failing(fault=Stall(5), code=UNAVAILABLE, words=""),
    "a slow drip": Failing(
        fault=Drip(pause=0.05), code=UNAVAILABLE, words="within 0.6 seconds", where=WITH_BODY
    ),
    "a body that is cut": Failing(fault=Cut(after=15), code=UNAVAILABLE, words="cut", where=WITH_BODY),
    "half an answer": Failing(fault=Garbage(), code=UNAVAILABLE, words="", where=WITH_BODY),
    "a page instead of data": Failing(
        fault=Respond(200, b"<html>Sign in</html>", HTML), code=UNAVAILABLE, words=""
    ),
    "nothing instead of data": Failing(fault=Respond(200), code=UNAVAILABLE, words=""),
    "an answer that unpacks to too much": Failing(
        fault=BOMB, code="repository_too_large", words="larger than", where=(TREE,)
    ),
    "a host that refuses connections": Failing(
        fault=moved_to(f"{CLOSED}/x?token={ELSEWHERE}"),
        code=UNAVAILABLE,
        words="could not be reached",
        where=API,
    ),
    "a redirect to no address": Failing(
        fault=moved_to(f"http://[{ELSEWHERE}/"), code="repository_unreadable", words="not followed", where=API
    ),
    "a message with a link that holds a secret": Failing(
        fault=github_says(404, f"See http://127.0.0.1:1/legacy.tar.gz?token={ELSEWHERE} for more."),
        code="repository_not_found",
        words="404",
    ),
}
CASES = [
    pytest.param(failing, where, id=f"{name} at {where.strip('/')}")
    for name, failing in FAILURES.items()
    for where in failing.where
]


def meant(code: str, where: str) -> str:
    """A 404 is about the repository only where that is asked for; later the commit is what is gone."""
    return "commit_gone" if code == "repository_not_found" and where != RESOLVE else code


@pytest.mark.parametrize(("failing", "where"), CASES)
def test_a_fault_fails_the_scan_and_changes_nothing_until_it_is_gone(
    source: Source,
    scan: Scan,
    picture: Picture,
    on_github: GitHub,
    tools: Repository,
    caplog: pytest.LogCaptureFixture,
    failing: Failing,
    where: str,
) -> None:
    before = picture()
    expected = changed(tools, where)
    on_github.fail(where, failing.fault, times=TIMES)

    with less_patience(failing.fault, seconds=0.6):
        job = scan(source)
    assert any(where in path for path in on_github.paths)
    assert (job.status, job.result) == ("failed", None)
    assert job.error
    assert job.error["type"] == f"/problems/{meant(failing.code, where)}", job.error
    after = fresh(source)
    assert after.scan_status == "error"
    assert after.last_error == f"{job.error['detail']} {job.error['hint']}"
    assert failing.words in after.last_error
    assert_somebody_can_act_on(after.last_error, on_github)
    assert_no_secret_was_told(job, on_github, caplog)
    assert picture() == before

    assert_the_next_scan_succeeds(source, scan, on_github, tools, expected)


def assert_the_next_scan_succeeds(
    source: Source, scan: Scan, on_github: GitHub, tools: Repository, expected: set[str]
) -> None:
    on_github.mend()
    job = scan(source)
    assert (job.status, job.error) == ("succeeded", None)
    after = fresh(source)
    assert (after.scan_status, after.last_error, after.resolved_sha) == ("success", "", tools.head)
    assert names(source) == expected
    assert after.artifact_count == len(expected)


def test_an_unreachable_api_fails_the_scan_and_changes_nothing(
    source: Source, scan: Scan, picture: Picture, on_github: GitHub, tools: Repository, settings: Any
) -> None:
    before = picture()
    expected = changed(tools, RESOLVE)
    settings.SKILLMEAT_GITHUB_API_URL = f"{CLOSED}/api/v3"
    job = scan(source)
    assert (job.status, job.error["type"]) == ("failed", "/problems/repository_unavailable")
    last_error = fresh(source).last_error
    assert "could not be reached" in last_error
    assert_somebody_can_act_on(last_error, on_github)
    assert picture() == before
    settings.SKILLMEAT_GITHUB_API_URL = on_github.api_url
    assert_the_next_scan_succeeds(source, scan, on_github, tools, expected)


def test_an_archive_that_unpacks_beyond_the_limit_fails_the_scan_and_changes_nothing(
    source: Source, scan: Scan, picture: Picture, on_github: GitHub, tools: Repository, settings: Any
) -> None:
    settings.SKILLMEAT_MAX_SOURCE_BYTES = 1024**2
    before = picture()
    expected = changed(tools, ARCHIVE)
    tools.archived_as["README.md"] = bytes(16 * 1024**2)
    job = scan(source)
    assert (job.status, job.error["type"]) == ("failed", "/problems/repository_too_large")
    assert job.github_bytes < 1024**2
    last_error = fresh(source).last_error
    assert "SKILLMEAT_MAX_SOURCE_BYTES" in last_error
    assert_somebody_can_act_on(last_error, on_github)
    assert picture() == before
    tools.archived_as.clear()
    assert_the_next_scan_succeeds(source, scan, on_github, tools, expected)


def test_a_blob_that_is_another_files_fails_the_scan_and_changes_nothing(
    source: Source, scan: Scan, picture: Picture, on_github: GitHub, tools: Repository
) -> None:
    before = picture()
    expected = changed(tools, BLOB)
    on_github.fail(BLOB, Respond(200, FILES["skills/pdf/SKILL.md"]), times=TIMES)
    job = scan(source)
    assert (job.status, job.error["type"]) == ("failed", "/problems/repository_unavailable")
    assert "bytes that are not the file's" in job.error["detail"]
    assert picture() == before
    assert_the_next_scan_succeeds(source, scan, on_github, tools, expected)


def test_a_fault_at_the_last_of_several_files_fails_the_scan_and_changes_nothing(
    source: Source, scan: Scan, picture: Picture, on_github: GitHub, tools: Repository
) -> None:
    before = picture()
    new = {f"skills/s{number}/SKILL.md": skill(f"s{number}") for number in range(3)}
    tools.commit({**new, "skills/csv/SKILL.md": None})
    last = blob_id(new["skills/s2/SKILL.md"])
    on_github.fail(f"{BLOB}{last}", Cut(after=15), times=TIMES)
    job = scan(source)
    assert (job.status, job.error["type"]) == ("failed", "/problems/repository_unavailable")
    assert len({path for path in on_github.paths if BLOB in path}) == 3
    assert_only_content_was_added(picture(), before)
    assert_the_next_scan_succeeds(source, scan, on_github, tools, OLD - {"csv"} | {"s0", "s1", "s2"})


def test_an_archive_that_is_damaged_at_its_end_fails_the_scan_and_changes_nothing(
    source: Source, scan: Scan, picture: Picture, on_github: GitHub, tools: Repository
) -> None:
    before = picture()
    new = {f"skills/s{number}/SKILL.md": skill(f"s{number}") for number in range(300)}  # several batches
    tools.commit({**new, "skills/csv/SKILL.md": None})
    whole = tools.archive(tools.head, "ada-tools/")
    wrong_checksum = whole[:-8] + bytes([whole[-8] ^ 1]) + whole[-7:]
    on_github.fail(ARCHIVE, Respond(200, wrong_checksum), times=TIMES)
    job = scan(source)
    assert (job.status, job.error["type"]) == ("failed", "/problems/repository_unavailable")
    assert_somebody_can_act_on(fresh(source).last_error, on_github)
    assert_only_content_was_added(picture(), before)
    expected = OLD - {"csv"} | {f"s{number}" for number in range(300)}
    assert_the_next_scan_succeeds(source, scan, on_github, tools, expected)


# --- faults that are survived ----------------------------------------------------------------------------

SHORT = {
    "a server error": Respond(500, UNICORN, HTML),
    "a bad gateway": Respond(502, UNICORN, HTML),
    "a reset connection": Reset(),
    "a closed connection": Close(),
    "a silent host": Stall(5),
    "a body that is cut": Cut(after=15),
}
SURVIVED = [
    pytest.param(fault, where, id=f"{name} at {where.strip('/')}")
    for name, fault in SHORT.items()
    for where in (WITH_BODY if isinstance(fault, Cut) else EVERYWHERE)
]


@pytest.mark.parametrize(("fault", "where"), SURVIVED)
def test_one_bad_answer_is_survived(
    source: Source, scan: Scan, on_github: GitHub, tools: Repository, fault: Fault, where: str
) -> None:
    expected = changed(tools, where)
    on_github.fail(where, fault)
    with less_patience(fault, seconds=30):
        job = scan(source)
    assert (job.status, job.error) == ("succeeded", None)
    assert len([path for path in on_github.paths if where in path]) >= 2  # asked again
    assert names(source) == expected
    assert fresh(source).last_error == ""


# --- rate limits -----------------------------------------------------------------------------------------


def exhausted(seconds: int) -> Respond:
    reset = str(int(timezone.now().timestamp()) + seconds)
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
    return github_says(403, "API rate limit exceeded for user ID 1.", headers)


SECONDARY = "You have exceeded a secondary rate limit."
LIMITS: dict[str, tuple[Callable[[], Fault], int]] = {
    "a used up quota": (lambda: exhausted(1200), 1200),
    "a secondary limit that says how long": (lambda: github_says(403, SECONDARY, {"Retry-After": "90"}), 90),
    "a secondary limit that does not say": (lambda: github_says(403, SECONDARY), 60),
    "too many requests": (lambda: Respond(429, UNICORN, {"Retry-After": "45"} | HTML), 45),
    "too many requests for a time unknown": (lambda: Respond(429), 60),
}


@pytest.mark.parametrize("where", EVERYWHERE, ids=lambda where: where.strip("/"))
@pytest.mark.parametrize(("limit", "seconds"), LIMITS.values(), ids=LIMITS.keys())
def test_a_rate_limit_parks_the_scan_until_it_is_over(
    source: Source,
    scan: Scan,
    picture: Picture,
    on_github: GitHub,
    tools: Repository,
    caplog: pytest.LogCaptureFixture,
    limit: Callable[[], Fault],
    seconds: int,
    where: str,
) -> None:
    before = picture()
    expected = changed(tools, where)
    on_github.fail(where, limit(), times=TIMES)

    job = scan(source)
    assert len([path for path in on_github.paths if where in path]) == 1  # no second try
    assert (job.status, job.phase, job.lease_until, job.finished_at) == ("queued", "waiting", None, None)
    assert abs((job.run_after - timezone.now()).total_seconds() - seconds) < 5
    assert job.error
    assert job.error["type"] == "/problems/rate_limited_upstream"
    assert says_when(job.error["detail"]) == job.run_after.replace(microsecond=0)
    assert_somebody_can_act_on(f"{job.error['detail']} {job.error['hint']}", on_github)
    assert_no_secret_was_told(job, on_github, caplog)
    assert (fresh(source).scan_status, fresh(source).last_error) == ("scanning", "")
    assert picture() == before

    on_github.mend()
    on_github.requests.clear()
    runner.run(str(job.pk))
    assert on_github.requests == []  # too early
    Job.objects.filter(pk=job.pk).update(run_after=timezone.now())
    runner.run(str(job.pk))
    job.refresh_from_db()
    assert (job.status, job.error) == ("succeeded", None)
    assert names(source) == expected


def says_when(detail: str) -> datetime:
    found = re.search(r"at (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)\.$", detail)
    assert found, detail
    return datetime.fromisoformat(found[1])


# --- redirects and new names -----------------------------------------------------------------------------


@pytest.mark.parametrize("where", API, ids=lambda where: where.strip("/"))
def test_the_token_does_not_follow_a_redirect_to_another_host(
    source: Source,
    scan: Scan,
    picture: Picture,
    on_github: GitHub,
    tools: Repository,
    caplog: pytest.LogCaptureFixture,
    where: str,
) -> None:
    before = picture()
    expected = changed(tools, where)
    on_github.fail(where, moved_to(f"{on_github.codeload_url}/elsewhere?token={ELSEWHERE}"))
    job = scan(source)
    (strayed,) = [request for request in on_github.requests if request.path == "/elsewhere"]
    assert strayed.query == {"token": ELSEWHERE}
    assert "authorization" not in strayed.headers
    assert TOKEN not in repr(strayed)
    absent = meant("repository_not_found", where)
    assert (job.status, job.error["type"]) == ("failed", f"/problems/{absent}")
    assert_somebody_can_act_on(fresh(source).last_error, on_github)
    assert_no_secret_was_told(job, on_github, caplog)
    assert picture() == before
    assert_the_next_scan_succeeds(source, scan, on_github, tools, expected)


def test_the_token_does_not_follow_to_another_name_of_the_same_machine(
    source: Source, scan: Scan, on_github: GitHub, tools: Repository
) -> None:
    tools.commit({"skills/csv/SKILL.md": None})
    other = on_github.api_url.replace("127.0.0.1", "localhost")
    on_github.fail(TREE, moved_to(f"{other}/repos/ada/tools/git/trees/{tools.head}?recursive=1"))
    assert scan(source).status == "failed"
    (strayed,) = [request for request in on_github.requests if request.host.startswith("localhost")]
    assert "authorization" not in strayed.headers


@pytest.mark.parametrize("where", API, ids=lambda where: where.strip("/"))
def test_a_redirect_loop_ends_and_changes_nothing(
    source: Source,
    scan: Scan,
    picture: Picture,
    on_github: GitHub,
    tools: Repository,
    caplog: pytest.LogCaptureFixture,
    where: str,
) -> None:
    before = picture()
    expected = changed(tools, where)
    on_github.fail(where, moved_to(f"/api/v3{where}round?token={ELSEWHERE}"), times=TIMES)
    job = scan(source)
    assert len([path for path in on_github.paths if where in path]) == 6
    assert (job.status, job.error["type"]) == ("failed", "/problems/repository_unreadable")
    assert "redirected more than 5 times" in fresh(source).last_error
    assert_somebody_can_act_on(fresh(source).last_error, on_github)
    assert_no_secret_was_told(job, on_github, caplog)
    assert picture() == before
    assert_the_next_scan_succeeds(source, scan, on_github, tools, expected)


def test_a_renamed_repository_is_followed_and_its_new_address_kept(
    source: Source, scan: Scan, on_github: GitHub, tools: Repository
) -> None:
    on_github.rename(tools, owner="Bob", name="Kit")
    tools.commit({"skills/xml/SKILL.md": skill("xml")})
    assert scan(source).status == "succeeded"
    after = fresh(source)
    assert (after.owner, after.repo_name) == ("Bob", "Kit")
    assert after.repo_url == f"{on_github.web_url}/Bob/Kit"
    assert after.repo_key.endswith("/bob/kit")
    assert names(source) == OLD | {"xml"}
    assert scan(after).result["not_modified"]
    assert on_github.paths == ["/repos/Bob/Kit/commits/main"]


def test_a_renamed_repository_without_a_new_commit_is_recorded_too(
    source: Source, scan: Scan, on_github: GitHub, tools: Repository
) -> None:
    on_github.rename(tools, owner="bob", name="kit")
    assert scan(source).result["not_modified"]
    assert (fresh(source).owner, fresh(source).repo_name) == ("bob", "kit")


def test_a_renamed_repository_that_cannot_be_described_fails_the_scan_and_changes_nothing(
    source: Source, scan: Scan, picture: Picture, on_github: GitHub, tools: Repository
) -> None:
    before = picture()
    on_github.rename(tools, owner="bob", name="kit")
    tools.commit({"skills/xml/SKILL.md": skill("xml")})
    on_github.fail(r"/repositories/\d+$", Respond(502, UNICORN, HTML), times=TIMES)
    job = scan(source)
    assert (job.status, job.error["type"]) == ("failed", "/problems/repository_unavailable")
    assert_only_content_was_added(picture(), before)
    assert_the_next_scan_succeeds(source, scan, on_github, tools, OLD | {"xml"})
    assert fresh(source).owner == "bob"


def test_a_rate_limit_after_a_rename_parks_the_scan(
    source: Source, scan: Scan, picture: Picture, on_github: GitHub, tools: Repository
) -> None:
    before = picture()
    on_github.rename(tools, owner="bob", name="kit")
    on_github.fail(r"/repositories/\d+$", Respond(429, b"", {"Retry-After": "60"}))
    job = scan(source)
    assert (job.status, job.error["type"]) == ("queued", "/problems/rate_limited_upstream")
    assert picture() == before
    Job.objects.filter(pk=job.pk).update(run_after=timezone.now())
    runner.run(str(job.pk))
    assert (fresh(source).owner, fresh(source).scan_status) == ("bob", "success")


def test_a_repository_renamed_onto_another_source_fails_and_names_that(
    source: Source, create: Create, scan: Scan, picture: Picture, on_github: GitHub, tools: Repository
) -> None:
    kit = Repository("bob", "kit", {"skills/kit/SKILL.md": skill("kit")})
    on_github.add(kit)
    twin = create("bob/kit")
    on_github.rename(kit, owner="bob", name="old-kit")
    on_github.rename(tools, owner="bob", name="kit")
    tools.commit({"skills/xml/SKILL.md": skill("xml")})
    before = picture()

    job = scan(source)
    assert (job.status, job.error["type"]) == ("failed", "/problems/duplicate_source")
    after = fresh(source)
    assert str(twin) in after.last_error
    assert_somebody_can_act_on(after.last_error, on_github)
    assert (after.owner, after.scan_status) == ("ada", "error")
    assert fresh(twin).scan_status == "success"
    assert_only_content_was_added(picture(), before)

    twin.delete()
    assert_the_next_scan_succeeds(source, scan, on_github, tools, OLD | {"xml"})
    assert fresh(source).owner == "bob"


# --- refs ------------------------------------------------------------------------------------------------


def test_a_source_keeps_to_its_branch_when_the_default_moves(
    source: Source, scan: Scan, on_github: GitHub, tools: Repository
) -> None:
    tools.commit({"skills/xml/SKILL.md": skill("xml")}, branch="trunk")
    tools.default_branch = "trunk"
    assert scan(source).result["not_modified"]
    assert on_github.paths == ["/repos/ada/tools/commits/main"]
    tools.commit({"skills/csv/SKILL.md": None}, branch="main")
    assert scan(source).status == "succeeded"
    assert (fresh(source).ref, names(source)) == ("main", OLD - {"csv"})


@pytest.mark.parametrize("ref", ["main", "feature/pdf/one", "v1.0"])
def test_a_ref_that_vanished_fails_the_scan_and_changes_nothing(
    create: Create, scan: Scan, picture: Picture, on_github: GitHub, tools: Repository, ref: str
) -> None:
    first = tools.head
    tools.tags["v1.0"] = first
    tools.commit({}, branch="feature/pdf/one")
    tools.commit({"other": b""}, branch="trunk")
    source = create(ref=ref)
    before = picture()
    tools.default_branch = "trunk"
    vanished = tools.tags.pop("v1.0") if ref == "v1.0" else tools.branches()[ref]
    if ref != "v1.0":
        tools.force_push(None, branch=ref)

    job = scan(source)
    assert (job.status, job.error["type"]) == ("failed", "/problems/ref_not_found")
    assert ref in fresh(source).last_error
    assert_somebody_can_act_on(fresh(source).last_error, on_github)
    assert picture() == before

    tools.force_push(vanished, branch=ref)
    assert scan(source).status == "succeeded"
    assert (names(source), fresh(source).last_error) == (OLD, "")


def test_a_moved_tag_is_followed(create: Create, scan: Scan, on_github: GitHub, tools: Repository) -> None:
    tools.tags["v1"] = first = tools.head
    source = create(ref="v1")
    assert (source.resolved_sha, names(source)) == (first, OLD)
    second = tools.commit({"skills/csv/SKILL.md": None})
    assert scan(source).result["not_modified"]
    tools.tags["v1"] = second
    assert scan(source).result["removed"] == 1
    assert fresh(source).resolved_sha == second


def test_a_branch_with_slashes_is_followed(
    create: Create, scan: Scan, on_github: GitHub, tools: Repository
) -> None:
    first = tools.commit({"skills/xml/SKILL.md": skill("xml")}, branch="feature/pdf/one")
    source = create(ref="feature/pdf/one")
    assert (source.resolved_sha, names(source)) == (first, OLD | {"xml"})
    second = tools.commit({"skills/csv/SKILL.md": None}, branch="feature/pdf/one")
    assert scan(source).status == "succeeded"
    assert on_github.paths[0] == "/repos/ada/tools/commits/feature/pdf/one"
    assert all(second in path or BLOB in path for path in on_github.paths[1:])
    assert names(source) == {"pdf", "deploy", "xml"}


def test_a_short_commit_id_stays_at_its_commit(
    create: Create, scan: Scan, on_github: GitHub, tools: Repository
) -> None:
    first = tools.head
    source = create(ref=first[:8])
    assert (source.ref, source.resolved_sha, names(source)) == (first[:8], first, OLD)
    tools.commit({"skills/csv/SKILL.md": None})
    assert scan(source).result["not_modified"]
    assert fresh(source).resolved_sha == first


# --- a repository that changes while it is read ----------------------------------------------------------


@pytest.mark.parametrize("where", [RESOLVE, TREE, TARBALL], ids=lambda where: where.strip("/"))
def test_a_force_push_during_a_scan_does_not_mix_two_commits(
    source: Source, scan: Scan, on_github: GitHub, tools: Repository, where: str
) -> None:
    expected = changed(tools, ARCHIVE)
    resolved = tools.head
    pushed = tools.commit({"skills/late/SKILL.md": skill("late"), "skills/pdf/SKILL.md": None}, branch="new")
    on_github.fail(where, Meanwhile(lambda: tools.force_push(pushed)))

    assert scan(source).status == "succeeded"
    assert tools.head == pushed
    _, *reading = on_github.paths
    assert reading
    assert all(resolved in path or BLOB in path for path in reading)
    assert (fresh(source).resolved_sha, names(source)) == (resolved, expected)
    assert scan(source).status == "succeeded"
    assert (fresh(source).resolved_sha, names(source)) == (pushed, expected - {"pdf"} | {"late"})


def test_a_commit_that_vanishes_during_a_scan_fails_it_and_changes_nothing(
    source: Source, scan: Scan, picture: Picture, on_github: GitHub, tools: Repository
) -> None:
    before = picture()
    first = tools.head
    lost = tools.commit({"skills/csv/SKILL.md": None})
    on_github.fail(RESOLVE, Meanwhile(lambda: (tools.force_push(first), tools.forget(lost))))
    job = scan(source)
    assert job.status == "failed"
    assert_somebody_can_act_on(fresh(source).last_error, on_github)
    assert picture() == before
    assert scan(source).result["not_modified"]
    assert fresh(source).last_error == ""


# --- hints that can be followed --------------------------------------------------------------------------


def test_a_refused_access_token_is_told_from_the_servers(
    create: Create, on_github: GitHub, tools: Repository
) -> None:
    source = create(access_token="ghp_mistyped")
    assert source.scan_status == "error"
    assert "access_token" in source.last_error


def test_a_later_scan_of_a_private_repository_asks_for_the_servers_token(
    create: Create, scan: Scan, tools: Repository, settings: Any
) -> None:
    settings.GITHUB_TOKEN = ""
    source = create(access_token=TOKEN)
    assert source.scan_status == "success"
    assert scan(source).status == "failed"
    assert "GITHUB_TOKEN" in fresh(source).last_error


def test_a_commit_that_vanished_is_not_taken_for_a_misspelt_repository(
    source: Source, scan: Scan, on_github: GitHub, tools: Repository
) -> None:
    tools.commit({"skills/csv/SKILL.md": None})
    on_github.fail(TREE, github_says(404, "Not Found"))
    assert scan(source).status == "failed"
    assert "spelling" not in fresh(source).last_error


def test_a_listing_that_is_too_large_is_not_blamed_on_a_setting_that_does_not_help(
    source: Source, scan: Scan, on_github: GitHub, tools: Repository
) -> None:
    tools.commit({"skills/csv/SKILL.md": None})
    on_github.fail(TREE, BOMB)
    assert scan(source).status == "failed"
    assert "SKILLMEAT_MAX_SOURCE_BYTES" not in fresh(source).last_error


TOO_LARGE = [
    pytest.param("skills/xml/SKILL.md", skill("xml", "x" * 2000), id="a document"),
    pytest.param("skills/pdf/data.bin", bytes(2000), id="a file of a skill"),
    pytest.param("data.bin", bytes(2000), id="a file of nobody"),
]


@pytest.mark.parametrize("where", [BLOB, ARCHIVE], ids=["one by one", "from the archive"])
@pytest.mark.parametrize(("path", "data"), TOO_LARGE)
def test_one_file_that_is_too_large_does_not_fail_the_scan(
    source: Source, scan: Scan, tools: Repository, settings: Any, path: str, data: bytes, where: str
) -> None:
    settings.SKILLMEAT_MAX_FILE_BYTES = 1000
    expected = changed(tools, where)
    tools.commit({path: data})
    job = scan(source)
    assert (job.status, fresh(source).last_error) == ("succeeded", "")
    assert names(source) >= expected
