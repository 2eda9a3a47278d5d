"""Files of strangers as HTML that is safe to look at: nothing in it runs, loads or posts anything, or hides.

Knows no rows, requests or settings. Nothing else in this product turns foreign text into HTML.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import nh3
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

MAX_MARKDOWN = 128 * 1024  # characters; parsing hostile text can take long
MAX_TEXT = 512 * 1024  # characters; a browser has to lay them out
MAX_ADDRESS = 200
SHIFT = 2  # a page has a heading and its sections before a file's own begin

MARKDOWN_NAMES = (".md", ".markdown", ".mdx")
FRONTMATTER = re.compile(r"\A---[ \t]*\r?\n.*?^---[ \t]*$(?:\r?\n)?", re.DOTALL | re.MULTILINE)
# Characters that readers do not see and models do: bidirectional controls, zero widths, tags, other controls.
# Joiners hold emoji and some scripts together, so they are only strange beside ASCII.
UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e0fff]|(?<=[\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?=[\x00-\x7f])"
)
TAGS = {
    *("p", "br", "hr", "blockquote", "pre", "code", "em", "strong", "s", "a", "ul", "ol", "li"),
    *("h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}


class Form(StrEnum):
    """How a file is shown."""

    MARKDOWN = "markdown"
    TEXT = "text"
    BINARY = "binary"


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A file as HTML. `is_cut`: only its beginning is shown. `unseen`: how many characters were made visible."""

    form: Form
    html: SafeString
    is_cut: bool = False
    unseen: int = 0


def view(path: str, data: bytes, *, as_text: bool = False) -> View:
    """A file by its name: Markdown rendered and sanitised, other text as it is, bytes that are no text not at all.

    With `as_text`, Markdown is shown as its source. Longer than `MAX_MARKDOWN`, it is as well.
    """
    text = _decoded(data)
    if text is None:
        return View(form=Form.BINARY, html=mark_safe("<p>These bytes are no text.</p>"))
    if path.lower().endswith(MARKDOWN_NAMES) and len(text) <= MAX_MARKDOWN and not as_text:
        return View(form=Form.MARKDOWN, html=markdown(text), unseen=len(UNSEEN.findall(text)))
    shown = text[:MAX_TEXT]
    return View(
        form=Form.TEXT,
        html=preformatted(shown),
        is_cut=len(shown) < len(text),
        unseen=len(UNSEEN.findall(shown)),
    )


def markdown(text: str) -> SafeString:
    """Rendered Markdown, its frontmatter as the text it is; HTML in it, comments too, is shown and not obeyed.

    Images become their addresses, links lead to the web or nowhere, headings begin at the third level.
    """
    text = revealed(text)
    found = FRONTMATTER.match(text)
    head = preformatted(found.group()) if found else ""
    tokens = PARSER.parse(text[found.end() :] if found else text)
    for token in tokens:
        if token.type.startswith("heading_"):
            token.tag = f"h{min(6, int(token.tag[1]) + SHIFT)}"
    html = PARSER.renderer.render(tokens, PARSER.options, {})
    return mark_safe(head + sanitized(html))  # noqa: S308  the one place that makes foreign text into HTML


def preformatted(text: str) -> SafeString:
    """Any text as it stands, in a monospaced block that the keyboard can scroll."""
    return format_html('<pre class="file" tabindex="0">{}</pre>', revealed(text))


def revealed(text: str) -> str:
    """The text with characters that one would not see written out, as `⟨U+202E⟩`."""
    return UNSEEN.sub(lambda found: f"⟨U+{ord(found.group()):04X}⟩", text)


def sanitized(html: str) -> str:
    """HTML with nothing but known elements, no attributes but a link's, and no link but to the web."""
    return nh3.clean(
        html,
        tags=TAGS,
        attributes=ATTRIBUTES,
        attribute_filter=_attribute,
        url_schemes={"http", "https"},
        link_rel="noopener noreferrer nofollow",
    )


def _attribute(_element: str, name: str, value: str) -> str | None:
    """A relative link would lead into the console, as if it had made it."""
    return value if name != "href" or value.lower().startswith(("http://", "https://")) else None


def _image(_self: RendererHTML, tokens: Sequence[Token], index: int, _options: Any, _environment: Any) -> str:
    token = tokens[index]
    address = str(token.attrs.get("src", ""))[:MAX_ADDRESS]
    return f"<em>[image: {escape(token.content)}]</em> <code>{escape(address)}</code>"


def _decoded(data: bytes) -> str | None:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.add_render_rule("image", _image)
    return parser


PARSER = _parser()
