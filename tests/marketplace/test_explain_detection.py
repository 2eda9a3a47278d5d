"""`manage.py explain_detection` on a source that has been scanned."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from marketplace.models import Source


def test_explain_detection_tells_why_something_is_an_artifact_or_none(source: Source) -> None:
    out = StringIO()
    call_command("explain_detection", source.public_id, "skills/pdf", stdout=out)
    assert out.getvalue().startswith(" ")
    assert "skill       skills/pdf  (pdf)" in out.getvalue()
    out = StringIO()
    call_command("explain_detection", source.public_id, "README.md", "--json", stdout=out)
    assert json.loads(out.getvalue())["items"][0]["left_out"] == "documentation for readers"


@pytest.mark.parametrize(("known", "path"), [(False, ""), (True, "none")])
def test_explain_detection_says_when_there_is_nothing(source: Source, known: bool, path: str) -> None:
    with pytest.raises(CommandError, match="There is no"):
        call_command("explain_detection", source.public_id if known else "src_x", path, stdout=StringIO())
