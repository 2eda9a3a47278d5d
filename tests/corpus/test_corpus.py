"""How well detection does on real repositories that people have labelled.

SKILLMEAT_CORPUS names a directory of `OWNER__NAME.json.gz` files: `{repo, tree: [{path, mode, type, sha,
size}], documents: {path: text}, truth: {artifacts, ambiguous}}` with `{type, path, basis?}` each. Ambiguous
ones, and those that only a person would place (`basis: hand`), count neither way.
"""

import gzip
import json
import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from marketplace.detection.artifacts import Detection, DetectionSettings
from marketplace.detection.detect import survey
from marketplace.repository import Tree, TreeFile

CORPUS = os.environ.get("SKILLMEAT_CORPUS", "")
MICRO_FLOOR = 0.985
MACRO_FLOOR = 0.97
PRECISION_STEPS = (30, 60, 70)

pytestmark = pytest.mark.skipif(
    not CORPUS, reason="SKILLMEAT_CORPUS names no directory of labelled repositories"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """One repository's detections (with confidence), truth, and what counts neither way, as (type, path)."""

    repo: str
    detected: dict[tuple[str, str], int]
    truth: set[tuple[str, str]]
    neutral: set[tuple[str, str]]


@dataclass(slots=True)
class Score:
    """Hits, false alarms and misses."""

    counts: Counter[str] = field(default_factory=Counter)

    def add(self, repository: Labelled) -> "Score":
        detected = repository.detected.keys()
        self.counts["hit"] += len(detected & repository.truth)
        self.counts["false"] += len(detected - repository.truth - repository.neutral)
        self.counts["missed"] += len(repository.truth - detected)
        return self

    @property
    def f1(self) -> float:
        hit, wrong = self.counts["hit"], self.counts["false"] + self.counts["missed"]
        return 2 * hit / (2 * hit + wrong) if hit or wrong else 1.0


def scan(data: dict[str, Any]) -> Detection:
    rows = [row for row in data["tree"] if row["type"] == "blob"]
    tree = Tree(
        files=tuple(
            TreeFile(path=row["path"], mode=row["mode"], sha=row["sha"], size=row["size"] or 0)
            for row in rows
        )
    )
    texts: dict[str, str] = data["documents"]
    documents: dict[str, str] = {}
    while missing := (survey(tree, documents, DetectionSettings()).missing & texts.keys()) - documents.keys():
        documents |= {path: texts[path] for path in missing}
    return survey(tree, documents, DetectionSettings()).detect()


def labelled(path: Path) -> Labelled:
    data = json.loads(gzip.decompress(path.read_bytes()))
    artifacts, ambiguous = data["truth"]["artifacts"], data["truth"].get("ambiguous", [])
    by_rule = {(row["type"], row["path"]) for row in artifacts if row.get("basis") != "hand"}
    by_hand = {(row["type"], row["path"]) for row in artifacts if row.get("basis") == "hand"}
    detected: dict[tuple[str, str], int] = {}
    for found in scan(data).artifacts:
        key = (found.type.value, found.path)
        detected[key] = max(found.confidence, detected.get(key, 0))
    doubtful = {(row["type"], row["path"]) for row in ambiguous} | by_hand
    return Labelled(repo=data["repo"], detected=detected, truth=by_rule, neutral=doubtful - by_rule)


@pytest.fixture(scope="module")
def repositories() -> list[Labelled]:
    found = [labelled(path) for path in sorted(Path(CORPUS).glob("*__*.json.gz"))]
    assert found, f"{CORPUS} holds no labelled repository"
    return found


def test_artifacts_of_all_repositories_are_found_and_little_else(repositories: list[Labelled]) -> None:
    score = Score()
    for repository in repositories:
        score.add(repository)

    assert score.f1 >= MICRO_FLOOR, score.counts


def test_no_repository_is_read_much_worse_than_the_others(repositories: list[Labelled]) -> None:
    scores = {repository.repo: Score().add(repository).f1 for repository in repositories}

    assert sum(scores.values()) / len(scores) >= MACRO_FLOOR, scores


def test_precision_does_not_fall_as_confidence_rises(repositories: list[Labelled]) -> None:
    """Doubtful ones count as wrong here: a curator would not import them first."""
    precisions = []
    for threshold in PRECISION_STEPS:
        right = wrong = 0
        for repository in repositories:
            listed = {key for key, confidence in repository.detected.items() if confidence >= threshold}
            right += len(listed & repository.truth)
            wrong += len(listed - repository.truth)
        precisions.append(right / max(1, right + wrong))

    assert precisions == sorted(precisions)
