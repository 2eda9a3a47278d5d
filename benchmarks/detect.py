"""Detection: seconds for trees of 25,000 to 100,000 paths, beside sorting the same paths.

Every hundredth path is a document of an artifact, whose text detection reads; the rest are files of code.
Growth says how many times longer twice the paths take.
"""

import argparse
import json
import random
import sys
import time
from statistics import median

from benchmarks.table import table
from marketplace.detection.artifacts import DetectionSettings
from marketplace.detection.detect import survey
from marketplace.repository import Tree, TreeFile, blob_id

SIZES = (25_000, 50_000, 100_000)
REPEATS = 5
BUDGET_SECONDS = 1.0
TEXT = (
    "---\nname: {name}\ndescription: Use it when {name} is needed.\n---\n# {name}\n"
    + "Words and words.\n" * 60
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object per size")


def run(given: argparse.Namespace) -> int:
    """1 when 100,000 paths take longer than a second."""
    measured = [(size, *_measure(size)) for size in SIZES]
    if given.json:
        for size, seconds, reference, found in measured:
            row = {"paths": size, "seconds": seconds, "sorting_seconds": reference, "artifacts": found}
            sys.stdout.write(json.dumps(row) + "\n")
    else:
        sys.stdout.write(_report(measured) + "\n")
    return int(measured[-1][1] > BUDGET_SECONDS)


def _report(measured: list[tuple[int, float, float, int]]) -> str:
    before = [0.0] + [seconds for _, seconds, _, _ in measured[:-1]]
    rows = [
        [
            f"{size:,}",
            f"{found:,}",
            f"{seconds:.3f}",
            f"{seconds / was:.2f}" if was else "",
            f"{seconds / reference:.1f}",
        ]
        for (size, seconds, reference, found), was in zip(measured, before, strict=True)
    ]
    return table(["paths", "artifacts", "seconds", "growth", "x sorting"], rows, left=0)


def _measure(size: int) -> tuple[float, float, int]:
    """Median seconds of detection, of sorting the paths as values, and how many artifacts there are."""
    tree, documents = _repository(size)
    settings = DetectionSettings()
    times, references, found = [], [], 0
    for _ in range(REPEATS):
        started = time.perf_counter()
        found = len(survey(tree, documents, settings).detect().artifacts)
        times.append(time.perf_counter() - started)
        started = time.perf_counter()
        sorted(tree.files, key=lambda file: (file.path, file.mode, file.sha))
        references.append(time.perf_counter() - started)
    return median(times), median(references), found


def _repository(size: int) -> tuple[Tree, dict[str, str]]:
    made = random.Random(size)
    documents = {
        f"plugins/p{n % 50}/skills/s{n}/SKILL.md": TEXT.format(name=f"s{n}") for n in range(size // 100)
    }
    code = [f"src/{made.randrange(500)}/{made.randrange(100)}/f{n}.py" for n in range(size - len(documents))]
    files = [_file(path, documents.get(path, path)) for path in [*documents, *code]]
    return Tree(files=tuple(sorted(files, key=lambda file: file.path))), documents


def _file(path: str, text: str) -> TreeFile:
    return TreeFile(path=path, mode="100644", sha=blob_id(text.encode()), size=len(text))
