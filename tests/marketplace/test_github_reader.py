"""The GitHub reader against a GitHub on loopback sockets."""

import gzip
import json
import logging
import os
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from marketplace.github.client import GitHubReader
from marketplace.github.limits import Limits
from marketplace.repository import (
    Commit,
    FileKind,
    NotModified,
    RateLimited,
    RefNotFound,
    RepositoryEmpty,
    RepositoryError,
    RepositoryNotFound,
    RepositoryRefused,
    RepositoryTooLarge,
    RepositoryUnavailable,
    TreeFile,
    blob_id,
)
from tests.github.faults import (
    BAD_GATEWAY,
    HTML,
    Close,
    Cut,
    Drip,
    Fault,
    Garbage,
    Reset,
    Respond,
    Stall,
    Truncated,
)
from tests.github.gitdir import GitDirectory
from tests.github.repositories import Executable, File, Repository, Submodule, Symlink
from tests.github.server import GitHub

pytestmark = pytest.mark.any_database
SKILL = b"---\nname: pdf\n---\nRead PDFs.\n"
FILES: dict[str, File] = {
    "README.md": b"# Tools\n",
    "skills/pdf/SKILL.md": SKILL,
    "skills/pdf/scripts/run.sh": Executable(b"#!/bin/sh\necho hello\n"),
    "skills/pdf/link": Symlink("SKILL.md"),
    "vendor": Submodule("1" * 40),
    "empty": b"",
    "dir with space/ü.md": b"\x00\xff",
}
TOKEN = "ghp_0123456789abcdefABCDEF"
Read = Callable[..., GitHubReader]


@pytest.fixture
def tools(github: GitHub) -> Repository:
    repository = Repository("ada", "tools", FILES, description="Useful things", topics=("claude", "pdf"))
    github.add(repository)
    return repository


@pytest.fixture
def private(github: GitHub) -> Repository:
    repository = Repository("ada", "secret", FILES, private=True, tokens=frozenset({TOKEN}))
    github.add(repository)
    return repository


@pytest.fixture
def read(github: GitHub, tools: Repository) -> Read:
    """Makes readers of `tools`, or of another of Ada's repositories."""

    def reader(name: str = tools.name, **options: Any) -> GitHubReader:
        return GitHubReader(owner="ada", name=name, api_url=github.api_url, backoff=0.001, **options)

    return reader


def _resolved(reader: GitHubReader, ref: str = "main") -> Commit:
    commit = reader.resolve(ref)
    assert isinstance(commit, Commit)
    return commit


def _file(path: str, data: bytes) -> TreeFile:
    return TreeFile(path=path, mode="100644", sha=blob_id(data), size=len(data))


# What the port promises


def test_description_has_the_repositorys_facts(read: Read) -> None:
    said = read().describe()
    assert (said.owner, said.name, said.default_branch) == ("ada", "tools", "main")
    assert (said.description, said.private, said.topics) == ("Useful things", False, ("claude", "pdf"))


def test_branches_tags_and_commits_resolve(tools: Repository, read: Read) -> None:
    first = tools.head
    tools.tags["v1"] = first
    second = tools.commit({"new": b"x"}, branch="feature/one")
    reader = read()
    assert _resolved(reader, "main").sha == _resolved(reader, "v1").sha == first
    assert _resolved(reader, "feature/one").sha == _resolved(reader, second).sha == second


def test_an_unchanged_ref_costs_one_request_and_no_quota(
    github: GitHub, tools: Repository, read: Read
) -> None:
    known = _resolved(read())
    remaining = github.quota.remaining
    reader = read()
    assert reader.resolve("main", known=known) == NotModified()
    assert (reader.usage.requests, reader.usage.bytes, reader.usage.remaining) == (1, 0, remaining)
    tools.commit({"new": b"x"})
    assert reader.resolve("main", known=known) == Commit(sha=tools.head, etag=_resolved(read()).etag)


def test_the_same_commit_with_another_etag_is_not_modified(tools: Repository, read: Read) -> None:
    assert read().resolve("main", known=Commit(sha=tools.head, etag='"stale"')) == NotModified()


def test_tree_lists_files_links_and_submodules_sorted(read: Read) -> None:
    reader = read()
    tree = reader.tree(_resolved(reader))
    assert [file.path for file in tree.files] == sorted(FILES)
    assert not tree.truncated
    files = {file.path: file for file in tree.files}
    assert files["skills/pdf/SKILL.md"] == _file("skills/pdf/SKILL.md", SKILL)
    assert files["skills/pdf/scripts/run.sh"].kind == FileKind.EXECUTABLE
    assert files["skills/pdf/link"].kind == FileKind.SYMLINK
    assert (files["vendor"].kind, files["vendor"].size) == (FileKind.SUBMODULE, 0)


def test_unsafe_paths_are_left_out(github: GitHub, tools: Repository, read: Read) -> None:
    paths = [
        "../up",
        "/etc/passwd",
        "a//b",
        "a/../b",
        "./a",
        "nul\0",
        "\ud800",
        "",
        "a/",
        "back\\slash",
        "ok",
    ]
    rows = [{"path": path, "mode": "100644", "type": "blob", "sha": "0" * 40, "size": 1} for path in paths]
    github.fail("/git/trees/", Respond(200, json.dumps({"tree": rows, "truncated": False}).encode()))
    assert [file.path for file in read().tree(Commit(sha=tools.head)).files] == ["back\\slash", "ok"]


def test_a_truncated_tree_is_completed_from_the_archive(github: GitHub, read: Read) -> None:
    github.fail("/git/trees/", Truncated(keep=2))
    reader = read()
    commit = _resolved(reader)
    assert reader.tree(commit).truncated
    whole = tuple(file for file in reader.tree(commit).files if file.kind != FileKind.SUBMODULE)
    with reader.archive(commit) as archive:
        assert archive.tree().files == whole


def test_a_blob_is_read_raw_and_checked(github: GitHub, read: Read) -> None:
    assert read().blob(_file("skills/pdf/SKILL.md", SKILL)) == SKILL
    assert read().blob(_file("empty", b"")) == b""
    github.fail("/git/blobs/", Respond(200, b"something else"), times=1)
    assert read().blob(_file("skills/pdf/SKILL.md", SKILL)) == SKILL
    github.fail("/git/blobs/", Respond(200, b"something else"), times=3)
    with pytest.raises(RepositoryUnavailable, match="bytes that are not the file's"):
        read().blob(_file("skills/pdf/SKILL.md", SKILL))


def test_archive_members_can_be_read_more_than_once(read: Read) -> None:
    reader = read()
    with reader.archive(_resolved(reader)) as archive:
        for _ in range(2):
            asked = frozenset({"skills/pdf/SKILL.md", "empty", "skills/pdf/link", "vendor", "missing"})
            members = {member.path: member.data for member in archive.members(asked)}
            assert members == {"skills/pdf/SKILL.md": SKILL, "empty": b""}
        abandoned = archive.members(frozenset(FILES))
        next(abandoned)
        assert len(list(archive.members(frozenset(FILES)))) == 5


def test_a_member_that_the_archive_altered_is_known_by_its_id(tools: Repository, read: Read) -> None:
    tools.archived_as = {"README.md": None, "skills/pdf/SKILL.md": b"altered"}
    with read().archive(Commit(sha=tools.head)) as archive:
        (member,) = archive.members(frozenset({"README.md", "skills/pdf/SKILL.md"}))
    assert member.sha == blob_id(b"altered") != blob_id(SKILL)


def test_a_first_scan_is_three_requests_and_all_bytes_are_counted(tools: Repository, read: Read) -> None:
    pulses = []
    reader = read(pulse=lambda: pulses.append(1))
    commit = _resolved(reader)
    reader.tree(commit)
    with reader.archive(commit):
        pass
    packed = len(tools.archive(commit.sha, f"ada-tools-{commit.sha[:7]}/"))
    assert reader.usage.requests == 3
    assert reader.usage.bytes > 40 + packed
    assert len(pulses) >= 3


def test_what_pulse_raises_ends_the_reading(read: Read) -> None:
    def cancelled() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read(pulse=cancelled).describe()


def test_ids_and_archives_are_those_of_git(github: GitHub, tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/c.md").write_text("x\n" * 10_000)
    (tmp_path / "a.b").write_text("y\n")
    (tmp_path / "run").write_text("z\n")
    (tmp_path / "run").chmod(0o755)
    (tmp_path / "link").symlink_to("a.b")
    who = {
        f"GIT_{role}_{what}": "ada@example.org"
        for role in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    environment = os.environ | who | {"GIT_CONFIG_GLOBAL": "/dev/null"}
    for command in (["init", "--quiet", "-b", "trunk"], ["add", "."], ["commit", "--quiet", "-m", "first"]):
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True, env=environment)
    github.add(GitDirectory("ada", "real", tmp_path))
    reader = GitHubReader(owner="ada", name="real", api_url=github.api_url)
    commit = _resolved(reader, reader.describe().default_branch)
    tree = reader.tree(commit)
    assert [file.path for file in tree.files] == ["a.b", "a/b/c.md", "link", "run"]
    with reader.archive(commit) as archive:
        assert archive.tree() == tree
        members = {member.path: member.data for member in archive.members(frozenset({"run", "a/b/c.md"}))}
    assert members["a/b/c.md"] == reader.blob(tree.files[1])
    assert blob_id(members["run"]) == tree.files[3].sha


# Faults on the way


@pytest.mark.parametrize(
    "fault", [BAD_GATEWAY, Respond(500), Respond(503), Close(), Reset(), Garbage(), Cut(20)]
)
def test_two_failures_are_survived(github: GitHub, tools: Repository, read: Read, fault: Fault) -> None:
    github.fail("/git/trees/", fault, times=2)
    assert len(read().tree(Commit(sha=tools.head)).files) == len(FILES)
    assert len(github.requests) == 3


@pytest.mark.parametrize(
    "fault",
    [
        BAD_GATEWAY,
        Close(),
        Reset(),
        Garbage(),
        Cut(20),
        Stall(5),
        Respond(200, b"<html>Sign in</html>", HTML),
        Respond(200, b"[" * 100_000),
        Respond(200, b"[]"),
        Respond(200, b'{"tree": [{"type": "blob"}]}'),
        Respond(200, b'{"tree": [{"type": "blob", "path": 1, "mode": "100644", "sha": "x"}]}'),
        Respond(200, gzip.compress(b'{"tree": []}')[:-6], {"Content-Encoding": "gzip"}),
        Respond(200, b"no gzip", {"Content-Encoding": "gzip"}),
        Respond(200, b"zz\r\n{}", {"Transfer-Encoding": "chunked"}),
    ],
)
def test_the_third_failure_is_final(github: GitHub, tools: Repository, read: Read, fault: Fault) -> None:
    github.fail("/git/trees/", fault, times=3)
    with pytest.raises(
        RepositoryUnavailable, match=r"GET /repos/ada/tools/git/trees/\w+ was tried 3 times"
    ) as caught:
        read(limits=Limits(read_seconds=0.1)).tree(Commit(sha=tools.head))
    assert len(github.requests) == 3
    assert caught.value.__context__ is None
    assert "?" not in caught.value.detail


def test_a_host_that_is_down_is_unavailable() -> None:
    with GitHub() as stopped:
        url = stopped.api_url
    with pytest.raises(RepositoryUnavailable, match="could not be reached"):
        GitHubReader(owner="ada", name="tools", api_url=url, backoff=0).describe()


@pytest.mark.parametrize("text", [b"", b"<html>", b"g" * 40, b"0" * 39, b"\xff" * 40])
def test_something_else_than_a_commit_id_is_no_commit(github: GitHub, read: Read, text: bytes) -> None:
    github.fail("/commits/", Respond(200, text), times=3)
    with pytest.raises(RepositoryUnavailable, match="no commit id"):
        read().resolve("main")


def test_a_slow_drip_ends_at_the_deadline(github: GitHub, tools: Repository, read: Read) -> None:
    github.fail("/git/trees/", Drip(pause=0.02))
    began = time.monotonic()
    with pytest.raises(RepositoryUnavailable, match=r"within 0\.3 seconds"):
        read(limits=Limits(json_seconds=0.3)).tree(Commit(sha=tools.head))
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("fault", [Stall(5), Drip(pause=0.02)])
def test_describing_within_seconds_is_tried_once(github: GitHub, read: Read, fault: Fault) -> None:
    github.fail("/repos/ada/tools", fault)
    began = time.monotonic()
    with pytest.raises(RepositoryUnavailable, match="tried 1 time;"):
        read().describe(seconds=0.3)
    assert time.monotonic() - began < 1
    assert len(github.requests) == 1


def test_a_cut_archive_is_fetched_again(github: GitHub, tools: Repository, read: Read) -> None:
    github.fail("/legacy.tar.gz/", Cut(50), times=2)
    reader = read()
    with reader.archive(Commit(sha=tools.head)) as archive:
        assert len(list(archive.members(frozenset(FILES)))) == 5
    assert reader.usage.requests == 3


def test_an_archive_that_stays_cut_is_unavailable(github: GitHub, tools: Repository, read: Read) -> None:
    github.fail("/legacy.tar.gz/", Cut(50), times=3)
    with (
        pytest.raises(RepositoryUnavailable, match="cut its answer off"),
        read().archive(Commit(sha=tools.head)),
    ):
        pytest.fail("there is no archive")


def test_a_damaged_archive_is_unavailable(github: GitHub, tools: Repository, read: Read) -> None:
    whole = tools.archive(tools.head, "x/")
    flipped = whole[:-8] + bytes([whole[-8] ^ 1]) + whole[-7:]
    for damaged in (
        whole[: len(whole) // 2],
        whole[:-4],
        flipped,
        b"<html>",
        b"",
        gzip.compress(b"x" * 2000),
    ):
        github.fail("/legacy.tar.gz/", Respond(200, damaged))
        with read().archive(Commit(sha=tools.head)) as archive, pytest.raises(RepositoryUnavailable):
            list(archive.members(frozenset(FILES)))


# Limits


def test_a_compression_bomb_is_too_large(tools: Repository, read: Read) -> None:
    tools.commit({"bomb": bytes(8 * 1024 * 1024)})
    reader = read(limits=Limits(unpacked_bytes=1024 * 1024))
    with (
        reader.archive(Commit(sha=tools.head)) as archive,
        pytest.raises(RepositoryTooLarge, match="unpacks to"),
    ):
        list(archive.members(frozenset({"vendor"})))
    assert reader.usage.bytes < 100_000


def test_a_file_beyond_the_limit_is_passed_over_and_too_large_by_itself(
    tools: Repository, read: Read
) -> None:
    reader = read(limits=Limits(file_bytes=10))
    with reader.archive(Commit(sha=tools.head)) as archive:
        assert list(archive.members(frozenset({"skills/pdf/SKILL.md"}))) == []
    with pytest.raises(RepositoryTooLarge, match=r"SKILL\.md"):
        reader.blob(_file("skills/pdf/SKILL.md", SKILL))


def test_an_answer_beyond_the_limit_is_too_large(tools: Repository, read: Read) -> None:
    with pytest.raises(RepositoryTooLarge, match="larger than 300 bytes"):
        read(limits=Limits(json_bytes=300)).tree(Commit(sha=tools.head))
    with (
        pytest.raises(RepositoryTooLarge, match="larger than 60 bytes"),
        read(limits=Limits(archive_bytes=60)).archive(Commit(sha=tools.head)),
    ):
        pytest.fail("there is no archive")


def test_a_json_bomb_is_too_large(github: GitHub, tools: Repository, read: Read) -> None:
    bomb = gzip.compress(b" " * 1_000_000)
    github.fail("/git/trees/", Respond(200, bomb, {"Content-Encoding": "gzip"}))
    with pytest.raises(RepositoryTooLarge):
        read(limits=Limits(json_bytes=100_000)).tree(Commit(sha=tools.head))


# Refusals


@pytest.mark.parametrize(
    ("status", "message", "error"),
    [
        (401, "Bad credentials", RepositoryRefused),
        (403, "Resource not accessible by personal access token", RepositoryRefused),
        (404, "Not Found", RepositoryNotFound),
        (409, "Git Repository is empty.", RepositoryEmpty),
        (418, "teapot", RepositoryError),
        (422, "No commit found for SHA: nowhere", RefNotFound),
        (451, "Repository access blocked", RepositoryRefused),
    ],
)
def test_a_refusal_is_asked_once_and_says_why(
    github: GitHub, read: Read, status: int, message: str, error: type[RepositoryError]
) -> None:
    github.fail("/commits/", Respond(status, json.dumps({"message": message}).encode()))
    with pytest.raises(error) as caught:
        read().resolve("main")
    assert type(caught.value) is error
    assert caught.value.detail.startswith(f"GitHub answered {status} to GET /repos/ada/tools/commits/main: ")
    assert message.rstrip(".") in caught.value.detail
    assert len(github.requests) == 1


def test_a_legal_block_says_its_reason(github: GitHub, read: Read) -> None:
    body = {
        "message": "Repository access blocked",
        "block": {"reason": "dmca", "html_url": "https://x.test/?a=b"},
    }
    github.fail("/commits/", Respond(451, json.dumps(body).encode()))
    with pytest.raises(RepositoryRefused, match="blocked, dmca"):
        read().resolve("main")


@pytest.mark.parametrize("body", [b"", b"[]", b"[" * 100_000, b"<html>", b'{"message": 1, "block": 2}'])
def test_a_refusal_without_words_is_still_understood(github: GitHub, read: Read, body: bytes) -> None:
    github.fail("/commits/", Respond(404, body))
    with pytest.raises(RepositoryNotFound, match="GitHub answered 404"):
        read().resolve("main")


def test_an_empty_repository_says_so(github: GitHub, read: Read) -> None:
    github.add(Repository("ada", "blank"))
    assert read("blank").describe().default_branch == "main"
    with pytest.raises(RepositoryEmpty):
        read("blank").resolve("main")


@pytest.mark.parametrize("ref", ["nowhere", "", "..", "a/../b", "/main", "main/", "ü?#%"])
def test_an_unknown_ref_says_so(read: Read, ref: str) -> None:
    with pytest.raises(RefNotFound):
        read().resolve(ref)


def test_a_304_that_was_not_asked_for_is_an_error(github: GitHub, read: Read) -> None:
    github.fail("/commits/", Respond(304))
    with pytest.raises(RepositoryError, match="304"):
        read().resolve("main")


# Rate limits


def test_a_used_up_quota_says_when_it_resets(github: GitHub, read: Read) -> None:
    reset_at = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=20)
    github.quota.remaining, github.quota.reset = 0, int(reset_at.timestamp())
    reader = read()
    with pytest.raises(RateLimited) as caught:
        reader.resolve("main")
    assert abs(caught.value.reset_at - reset_at) < timedelta(seconds=1)
    assert reader.usage.remaining == 0
    assert len(github.requests) == 1


SECONDARY = b'{"message": "You have exceeded a secondary rate limit."}'


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [
        (Respond(403, SECONDARY, {"Retry-After": "30"}), 30),
        (Respond(429, b"", {"Retry-After": "30", "X-RateLimit-Reset": "1"}), 30),
        (Respond(403, SECONDARY), 60),
        (Respond(403, b'{"message": "You have triggered an abuse detection mechanism."}'), 60),
        (Respond(429, b"slow down"), 60),
        (Respond(429, b"", {"Retry-After": "soon"}), 60),
        (Respond(429, b"", {"Retry-After": "9" * 5000}), 60),
        (Respond(429, b"", {"Retry-After": "999999999999"}), 86400),
        (Respond(429, b"", {"X-RateLimit-Reset": "1"}), 1),
    ],
)
def test_a_secondary_limit_says_how_long_to_wait(
    github: GitHub, read: Read, fault: Fault, seconds: int
) -> None:
    github.fail("/commits/", fault)
    with pytest.raises(RateLimited) as caught:
        read().resolve("main")
    wait = caught.value.reset_at - datetime.now(UTC)
    assert timedelta(seconds=seconds - 2) < wait <= timedelta(seconds=seconds)


# Secrets and redirects


@pytest.mark.usefixtures("private")
def test_a_private_repository_opens_with_its_token_only(github: GitHub, read: Read) -> None:
    github.tokens.add("another")
    assert read("secret", token=TOKEN).describe().private
    for token in (None, "another"):
        with pytest.raises(RepositoryNotFound):
            read("secret", token=token).describe()
    with pytest.raises(RepositoryRefused, match="Bad credentials"):
        read("secret", token="made-up").describe()


def test_token_is_not_sent_to_the_archive_host(github: GitHub, private: Repository, read: Read) -> None:
    reader = read("secret", token=TOKEN)
    with reader.archive(Commit(sha=private.head)) as archive:
        assert list(archive.members(frozenset({"README.md"})))
    to_api, to_archive = github.requests
    assert to_api.headers["authorization"] == f"Bearer {TOKEN}"
    assert to_archive.host in github.codeload_url
    assert "authorization" not in to_archive.headers
    assert TOKEN not in str(to_archive)
    assert reader.usage.requests == 1  # the redirect does not count


@pytest.mark.parametrize(
    "fault", [Respond(404), Respond(502), Cut(10), Reset(), Respond(200, b"x", {"Bad\xe9 header": "x"})]
)
def test_the_redirects_secret_is_in_no_log_and_no_error(
    github: GitHub, private: Repository, read: Read, caplog: pytest.LogCaptureFixture, fault: Fault
) -> None:
    caplog.set_level(logging.DEBUG)
    github.fail("/legacy.tar.gz/", fault, times=3)
    try:
        reader = read("secret", token=TOKEN, limits=Limits(read_seconds=0.1))
        with reader.archive(Commit(sha=private.head)) as archive:
            list(archive.members(frozenset()))
    except RepositoryError as error:
        logging.getLogger("test").exception("failed: %s", error.as_problem(), exc_info=error)
    assert github.requests[-1].query["token"] == github.archive_token
    assert github.archive_token not in caplog.text
    assert TOKEN not in caplog.text


@pytest.mark.parametrize("token", ["line\nbreak", "ünïcode", "two words"])
def test_a_token_that_is_none_is_refused_unrepeated(read: Read, token: str) -> None:
    with pytest.raises(RepositoryRefused) as caught:
        read(token=token).describe()
    assert token not in caught.value.detail


def test_a_renamed_repository_is_followed_with_its_token(
    github: GitHub, private: Repository, read: Read
) -> None:
    reader = read("secret", token=TOKEN)
    _resolved(reader)
    assert not reader.moved
    github.rename(private, owner="grace", name="open-secret")
    assert _resolved(reader).sha == private.head
    assert reader.moved
    said = reader.describe()
    assert (said.owner, said.name) == ("grace", "open-secret")
    assert github.requests[-1].headers["authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize(
    "location",
    ["ftp://example.org/x", "file:///etc/passwd", "http://[bad", "http://x:port/", "javascript:alert(1)"],
)
def test_a_redirect_to_nowhere_is_not_followed(github: GitHub, read: Read, location: str) -> None:
    github.fail("/repos/", Respond(302, b"", {"Location": location}))
    with pytest.raises(RepositoryError, match="not followed") as caught:
        read().describe()
    assert location not in caught.value.detail


def test_redirects_end(github: GitHub, read: Read) -> None:
    github.fail("/repos/", Respond(302, b"", {"Location": "/api/v3/repos/ada/tools"}), times=6)
    with pytest.raises(RepositoryError, match="more than 5 times"):
        read().describe()
    assert len(github.requests) == 6


def test_nothing_is_taken_from_the_environment(
    github: GitHub, read: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login ada password s3cret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    read().describe()
    (request,) = github.requests
    assert "authorization" not in request.headers
    assert request.headers["user-agent"] == "SkillMeat"
    assert request.headers["x-github-api-version"] == "2022-11-28"


# The loopback GitHub itself, where the reader does not go


def test_branches_are_paged_and_the_readme_is_raw(github: GitHub, tools: Repository) -> None:
    import requests  # noqa: PLC0415  only this test speaks HTTP

    for number in range(3):
        tools.commit({"x": b"%d" % number}, branch=f"b{number}")
    url = f"{github.api_url}/repos/ada/tools"
    names = []
    page: str | None = f"{url}/branches?per_page=2"
    while page:
        answer = requests.get(page, timeout=5)
        names += [branch["name"] for branch in answer.json()]
        page = answer.links.get("next", {}).get("url")
    assert names == ["b0", "b1", "b2", "main"]
    raw = requests.get(f"{url}/readme", headers={"Accept": "application/vnd.github.raw+json"}, timeout=5)
    assert raw.content == FILES["README.md"]
    assert requests.get(f"{url}/readme", timeout=5).json()["encoding"] == "base64"
    assert requests.get(f"{url}/commits/main", timeout=5).json()["sha"] == tools.head
