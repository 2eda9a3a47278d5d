"""What an artifact says about itself, cut to the catalogue's fields; judges nothing."""

from collections.abc import Iterable, Mapping
from typing import Any

from marketplace.detection.documents import Markdown
from marketplace.detection.folders import MAX_TAG, MAX_TAGS
from marketplace.detection.places import Profile

NAME = 200
TITLE = 200
DESCRIPTION = 2_000
VERSION = 60
LICENSE = 200
AUTHOR = 200


def markdown_profile(markdown: Markdown, *, name: str) -> Profile:
    """From frontmatter; the first paragraph describes what has no description, as in Claude Code."""
    values = markdown.frontmatter.values
    return build_profile(
        values, name=name, title=markdown.title, description=text(values, "description") or markdown.lead
    )


def build_profile(
    values: Mapping[str, Any],
    *,
    name: str,
    title: str = "",
    description: str = "",
    frontmatter: Mapping[str, Any] | None = None,
) -> Profile:
    """From a mapping with the usual keys, of which any may be missing or of a wrong type."""
    metadata = values.get("metadata")
    nested = metadata if isinstance(metadata, Mapping) else {}
    both = {**nested, **values}
    return Profile(
        name=one_line(name)[:NAME],
        title=one_line(title)[:TITLE],
        description=(description or text(values, "description")).strip()[:DESCRIPTION],
        version=text(both, "version")[:VERSION],
        license=text(both, "license")[:LICENSE],
        author=_author(both.get("author"))[:AUTHOR],
        tags=tags(both.get("tags"), both.get("keywords")),
        frontmatter=values if frontmatter is None else frontmatter,
    )


def text(values: Mapping[str, Any], key: str) -> str:
    """The value as text; "" for what is no string or number."""
    value = values.get(key)
    usable = isinstance(value, str | int) and not isinstance(value, bool)
    return str(value).strip() if usable else ""


def tags(*sources: object) -> tuple[str, ...]:
    """Lists or comma-separated strings as lower-case tags in their order, each once, at most 20."""
    found = (one_line(item).lower()[:MAX_TAG].strip() for source in sources for item in _items(source))
    return tuple(dict.fromkeys(tag for tag in found if tag))[:MAX_TAGS]


def one_line(value: str) -> str:
    return " ".join(value.split())


def _items(source: object) -> Iterable[str]:
    items = source if isinstance(source, list) else source.split(",") if isinstance(source, str) else []
    return (str(item) for item in items if isinstance(item, str | int) and not isinstance(item, bool))


def _author(value: object) -> str:
    """A name, or an object with one (package.json's form)."""
    if isinstance(value, Mapping):
        value = value.get("name")
    return one_line(value) if isinstance(value, str) else ""
