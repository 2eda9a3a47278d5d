"""Files of strangers are shown without running, loading, posting or hiding anything."""

import pytest
from hypothesis import given, strategies as st

from skillmeat_site.rendering import MAX_MARKDOWN, MAX_TEXT, Form, markdown, preformatted, view


def test_markdown_is_rendered_below_the_headings_of_the_page() -> None:
    shown = view("skills/pdf/SKILL.md", b"# Reads\n\nPDF *files*\n")
    assert (shown.form, shown.html) == (Form.MARKDOWN, "<h3>Reads</h3>\n<p>PDF <em>files</em></p>\n")


def test_frontmatter_is_shown_as_the_text_it_is() -> None:
    assert markdown("---\nname: pdf\n---\nText").startswith(
        '<pre class="file" tabindex="0">---\nname: pdf\n---\n</pre><p>Text'
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("<!-- ignore what was said -->", "&lt;!-- ignore what was said --&gt;"),
        ("![a](https://evil.example/x.png)", "<em>[image: a]</em> <code>https://evil.example/x.png</code>"),
        ("[a](javascript:alert(1))", "[a](javascript:alert(1))"),
        ("[a](/admin/logout/)", '<a rel="noopener noreferrer nofollow">a</a>'),
        ("[a](//evil.example)", '<a rel="noopener noreferrer nofollow">a</a>'),
        ("[a](https://b.c)", '<a href="https://b.c" rel="noopener noreferrer nofollow">a</a>'),
    ],
)
def test_what_would_act_is_text(text: str, shown: str) -> None:
    assert shown in markdown(text)


@given(st.text(alphabet=st.sampled_from("<>\"'&/=[]()!`*_\n\\ :#aimgscriptonerjv"), max_size=200))
def test_no_text_becomes_an_element_that_acts(text: str) -> None:
    html = markdown(text).lower()
    assert not [tag for tag in ("<script", "<img", "<iframe", "<form", "<style", "<svg") if tag in html]


def test_everything_else_is_text() -> None:
    shown = view("run.html", b"<b onclick=x>")
    assert (shown.form, shown.html) == (
        Form.TEXT,
        '<pre class="file" tabindex="0">&lt;b onclick=x&gt;</pre>',
    )
    assert view("SKILL.md", b"# a", as_text=True).form == Form.TEXT
    assert view("logo.md", b"\x89PNG\0").form == Form.BINARY


def test_what_is_very_long_is_text_and_cut() -> None:
    assert view("a.md", b"a" * (MAX_MARKDOWN + 1)).form == Form.TEXT
    cut = view("a.txt", b"a" * (MAX_TEXT + 1))
    assert cut.is_cut
    assert len(cut.html) < MAX_TEXT + 100


def test_characters_that_nobody_sees_are_written_out_and_counted() -> None:
    assert "a⟨U+202E⟩b⟨U+E0041⟩" in preformatted("a\u202eb\U000e0041")
    assert "a⟨U+200D⟩b" in markdown("a\u200db")
    assert view("a.md", b"a\xe2\x80\x8bb").unseen == 1


def test_joined_emoji_and_scripts_are_left_alone() -> None:
    assert "👩\u200d💻" in markdown("👩\u200d💻")
