"""Whether values have the types that a format documents."""

from collections.abc import Iterator, Mapping
from typing import Any

from marketplace.vetting.findings import Finding, finding, quoted

TEXT = "text"
LIST = "a list"
OBJECT = "an object"
TRUTH = "true or false"
NUMBER = "a number"

Shapes = Mapping[str, tuple[str, ...]]


def wrong_types(values: Mapping[str, Any], shapes: Shapes) -> Iterator[Finding]:
    """A finding for each key of `shapes` whose value is present, not null, and of none of its types."""
    for key, allowed in shapes.items():
        value = values.get(key)
        if value is not None and shape(value) not in allowed:
            yield finding(
                "wrong_type", f"`{quoted(key)}` is {shape(value)}, but should be {' or '.join(allowed)}."
            )


def shape(value: object) -> str:
    """What a value of YAML or JSON is, in a word for people."""
    if isinstance(value, bool):
        return TRUTH
    if isinstance(value, str):
        return TEXT
    if isinstance(value, int | float):
        return NUMBER
    return OBJECT if isinstance(value, Mapping) else LIST if isinstance(value, list) else "nothing"


def text(value: object) -> str:
    """The value where it is text, without white space around it; else ""."""
    return value.strip() if isinstance(value, str) else ""


def is_blank(value: object) -> bool:
    """Absent, null or empty; a value of a wrong type is there."""
    return value is None or (isinstance(value, str) and not value.strip())
