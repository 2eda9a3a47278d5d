"""Every way to spell a repository's address, and everything that is none."""

import pytest
from hypothesis import given, strategies as st

from marketplace.github.url import NAME, OWNER, PAGES, InvalidRepositoryUrl, RepositoryUrl, parse

GITHUB = "https://github.com"
LOOPBACK = "http://127.0.0.1:8900"


@pytest.mark.parametrize(
    "text",
    [
        "https://github.com/Ada/Tools",
        "http://github.com/Ada/Tools",
        "HTTPS://GitHub.com/Ada/Tools",
        "https://www.github.com/Ada/Tools",
        "https://github.com:443/Ada/Tools",
        "github.com/Ada/Tools",
        "www.github.com/Ada/Tools",
        "https://github.com/Ada/Tools/",
        "https://github.com/Ada/Tools.git",
        "https://github.com/Ada/Tools.git/",
        "https://github.com/Ada/Tools?tab=readme-ov-file",
        "https://github.com/Ada/Tools#install",
        "https://github.com/Ada/Tools/?a=/b#/c",
        "git@github.com:Ada/Tools.git",
        "git@github.com:Ada/Tools",
        "ssh://git@github.com/Ada/Tools.git",
        "ssh://git@github.com:22/Ada/Tools.git",
        "  https://github.com/Ada/Tools  ",
    ],
)
def test_all_spellings_name_the_same_repository(text: str) -> None:
    found = parse(text, web_url=GITHUB)
    assert (found.owner, found.name, found.ref, found.path) == ("Ada", "Tools", None, "")
    assert found.key == "github.com/ada/tools"
    assert found.html_url(GITHUB) == "https://github.com/Ada/Tools"


@pytest.mark.parametrize(
    ("link", "ref", "path"),
    [
        ("/tree/main", "main", ""),
        ("/tree/main/", "main", ""),
        ("/tree/v1.2/skills/pdf", "v1.2", "skills/pdf"),
        ("/tree/main/skills/pdf/?plain=1#top", "main", "skills/pdf"),
        ("/tree/main/my%20skills/caf%C3%A9", "main", "my skills/café"),
        ("/tree/feature%2Fone/a", "feature/one", "a"),
        ("/blob/main/skills/pdf/SKILL.md", "main", "skills/pdf"),
        ("/blob/main/README.md", "main", ""),
        ("/tree/main/..hidden/a..b", "main", "..hidden/a..b"),
    ],
)
def test_a_deep_link_says_ref_and_directory(link: str, ref: str, path: str) -> None:
    found = parse(f"https://github.com/ada/tools{link}", web_url=GITHUB)
    assert (found.ref, found.path) == (ref, path)
    assert found.key == "github.com/ada/tools"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada/tools",
        "https://github.com",
        "https://github.com/ada",
        "https://github.com//ada/tools",
        "https://gitlab.com/ada/tools",
        "https://github.com.example.org/ada/tools",
        "https://github.com:8443/ada/tools",
        "https://raw.githubusercontent.com/ada/tools/main/x",
        "https://gist.github.com/ada/0123",
        "git@gitlab.com:ada/tools.git",
        "root@github.com:ada/tools.git",
        "ssh://root@github.com/ada/tools",
        "ssh://git@github.com/ada/tools/tree/main",
        "git://github.com/ada/tools",
        "ftp://github.com/ada/tools",
        "file:///srv/tools",
        "javascript:alert(1)",
        "https://github.com/-ada/tools",
        "https://github.com/ada-/tools",
        "https://github.com/a_b/tools",
        f"https://github.com/{'a' * 40}/tools",
        f"https://github.com/ada/{'a' * 101}",
        "https://github.com/ada/..",
        "https://github.com/ada/.",
        "https://github.com/ada/.git",
        "https://github.com/ada/to ols",
        "https://github.com/ada/to%20ols",
        "https://github.com/ada/tööls",
        "https://github.com/ada%2Ftools/x",
        "https://github.com/orgs/ada",
        "https://github.com/settings/profile",
        "https://github.com/topics/claude",
        "https://github.com/Marketplace/actions",
        "https://github.com/ada/tools/issues",
        "https://github.com/ada/tools/pull/3",
        "https://github.com/ada/tools/tree",
        "https://github.com/ada/tools/blob/main",
        "https://github.com/ada/tools/tree/main/../..",
        "https://github.com/ada/tools/tree/main/%2e%2e/x",
        "https://github.com/ada/tools/tree/main/a%2F..%2Fb",
        "https://github.com/ada/tools/tree/%2E%2E",
        "https://github.com/ada/tools/tree/main/a//b",
        "https://github.com/ada/tools/tree/main/a%00b",
        "https://github.com/ada/tools/tree/main/%ff",
        "https://github.com/ada/to\nols",
        "https://github.com/ada/tools\x00",
        "https://github.com/ada/tools\n",
        f"https://github.com/ada/tools/tree/main/{'a' * 2000}",
        "https://[github.com/ada/tools",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidRepositoryUrl):
        parse(text, web_url=GITHUB)


@pytest.mark.parametrize(
    ("page", "ref"),
    [
        ("issues", None),
        ("pull/3/files", None),
        ("tree", None),
        ("blob/main", None),
        ("commit/0123456", "0123456"),
        ("releases", None),
        ("releases/tag/v1%2F2", "v1/2"),
    ],
)
def test_any_page_of_a_repository_names_it_when_that_is_wanted(page: str, ref: str | None) -> None:
    found = parse(f"https://github.com/ada/tools/{page}", web_url=GITHUB, any_page=True)
    assert (found.owner, found.name, found.ref, found.path) == ("ada", "tools", ref, "")


@pytest.mark.parametrize("page", ["tree/main/../..", "issues/%2e%2e", "pull//3", "wiki/%ff"])
def test_pages_with_strange_paths_are_refused_all_the_same(page: str) -> None:
    with pytest.raises(InvalidRepositoryUrl):
        parse(f"https://github.com/ada/tools/{page}", web_url=GITHUB, any_page=True)


@pytest.mark.parametrize(
    "text",
    [
        "https://ada:s3cret@github.com/ada/tools",
        "https://s3cret@github.com/ada/tools",
        "s3cret@github.com/ada/tools",
        "ssh://git:s3cret@github.com/ada/tools",
        "https://github.com@s3cret.example/ada/tools",
        "s3cret:x@github.com:ada/tools",
    ],
)
def test_credentials_are_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(InvalidRepositoryUrl) as caught:
        parse(text, web_url=GITHUB)
    assert "s3cret" not in str(caught.value.as_problem())


def test_another_host_can_stand_for_github() -> None:
    found = parse("127.0.0.1:8900/ada/tools/tree/main/x", web_url=f"{LOOPBACK}/")
    assert found == RepositoryUrl(owner="ada", name="tools", ref="main", path="x", host="127.0.0.1:8900")
    assert found.html_url(f"{LOOPBACK}/") == "http://127.0.0.1:8900/ada/tools"
    assert found.key == "127.0.0.1:8900/ada/tools"
    assert parse("git@127.0.0.1:ada/tools.git", web_url=LOOPBACK).key == found.key
    with pytest.raises(InvalidRepositoryUrl):
        parse("https://github.com/ada/tools", web_url=LOOPBACK)


owners = st.from_regex(OWNER, fullmatch=True).filter(lambda text: text.lower() not in PAGES)
names = st.from_regex(NAME, fullmatch=True).filter(
    lambda text: text not in {".", ".."} and not text.endswith(".git")
)
heads = st.sampled_from(["https://github.com/", "http://www.github.com/", "github.com/", "git@github.com:"])
tails = st.sampled_from(["", "/", ".git", ".git/", "?x=1", "#y"])


@given(owners, names, heads, tails)
def test_every_valid_name_survives_every_spelling(owner: str, name: str, head: str, tail: str) -> None:
    found = parse(f"{head}{owner}/{name}{tail}", web_url=GITHUB)
    assert (found.owner, found.name) == (owner, name)
    assert parse(found.html_url(GITHUB).upper().replace(".GIT", ".git"), web_url=GITHUB).key == found.key


@given(st.one_of(st.text(), st.text().map(lambda text: f"https://github.com/ada/tools/tree/{text}")))
def test_no_text_breaks_the_parser(text: str) -> None:
    try:
        found = parse(text, web_url=GITHUB)
    except InvalidRepositoryUrl:
        return
    assert OWNER.fullmatch(found.owner)
    assert ".." not in found.path.split("/")
