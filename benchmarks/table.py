"""What benchmarks print: plain-text tables for people, one JSON object per row for programs."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any


def printed(measured: Sequence[Any], columns: Mapping[str, Callable[[Any], str]], *, as_json: bool) -> str:
    """Dataclasses as JSON lines, or as a table of numbers whose columns say how a cell is written."""
    if as_json:
        return "".join(f"{json.dumps(asdict(each))}\n" for each in measured)
    rows = [[cell(each) for cell in columns.values()] for each in measured]
    return f"{table(list(columns), rows, left=0)}\n"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, left: int) -> str:
    """Columns under their heads; the first `left` are aligned to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    rule = ["-" * width for width in widths]
    return "\n".join(_line(row, widths, left) for row in [heads, rule, *rows])


def _line(cells: Sequence[str], widths: Sequence[int], left: int) -> str:
    padded = [
        cell.ljust(width) if place < left else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "  ".join(padded).rstrip()
