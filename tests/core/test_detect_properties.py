"""What holds for every repository: made-up ones from a few folders and files that mean something."""

import json
import random
from collections import Counter
from collections.abc import Iterable

import pytest
from hypothesis import assume, given, settings as hypothesis_settings, strategies as st

from marketplace.detection.artifacts import DetectedArtifact
from marketplace.detection.index import is_below
from marketplace.detection.vocabulary import ArtifactType
from tests.detecting import AGENT, COMMAND, HOOKS, PLUGIN, SERVERS, SKILL, found, marketplace, scan

CALLING = HOOKS.replace('"true"', '"bash ${CLAUDE_PLUGIN_ROOT}/hooks/run.sh; .claude/hooks/run.sh; a/run.sh"')
TEXTS = {
    "SKILL.md": [SKILL, SKILL + "Edited.\n"],
    "x.md": [AGENT, AGENT + "Edited.\n"],
    "x.de.md": [AGENT],
    "README.md": [COMMAND],
    "run.sh": ["true"],
    "hooks.json": [HOOKS, CALLING],
    ".mcp.json": [SERVERS],
    "settings.json": [CALLING],
    "plugin.json": [
        PLUGIN,
        json.dumps({"name": "p", "agents": ["./agents/x.md"], "skills": ["./a"], **json.loads(CALLING)}),
    ],
    "marketplace.json": [
        marketplace({"name": "p", "source": "./"}, {"name": "q", "source": "./a"}),
        marketplace(*({"name": name, "source": "./a", "skills": [f"./{name}"]} for name in "aq")),
    ],
}
FOLDERS = [".claude", "skills", "commands", "agents", "hooks", ".claude-plugin", "a", "tests", "docs", "de"]
FILES = st.builds(
    lambda folders, name, choice: ("/".join([*folders, name]), TEXTS[name][choice % len(TEXTS[name])]),
    st.lists(st.sampled_from(FOLDERS), max_size=4),
    st.sampled_from(sorted(TEXTS)),
    st.integers(0, 1),
)
REPOSITORIES = st.lists(FILES, min_size=1, max_size=16).map(lambda files: dict(sorted(files)))
often = hypothesis_settings(max_examples=80, deadline=None)


def owned(artifacts: Iterable[DetectedArtifact]) -> list[str]:
    """The files of what is no plugin; manifests, and what hooks call, excepted: these can have several owners."""
    return [
        file.path
        for artifact in artifacts
        if artifact.type is not ArtifactType.PLUGIN and "#" not in artifact.locator
        for file in artifact.files
        if artifact.type is not ArtifactType.HOOK or file.path == artifact.path
    ]


@often
@given(files=REPOSITORIES, seed=st.integers(0, 1_000))
def test_the_order_of_the_input_does_not_matter(files: dict[str, str], seed: int) -> None:
    shuffled = list(files.items())
    random.Random(seed).shuffle(shuffled)

    assert scan(dict(shuffled), frontmatter=True) == scan(files, frontmatter=True)


@often
@given(files=REPOSITORIES)
def test_every_file_has_one_owner_below_plugins(files: dict[str, str]) -> None:
    paths = owned(scan(files, frontmatter=True).artifacts)

    assert len(paths) == len(set(paths))


@often
@given(files=REPOSITORIES)
def test_an_unrelated_file_changes_nothing_else(files: dict[str, str]) -> None:
    before = [a for a in scan(files).artifacts if a.path != "."]
    after = [a for a in scan({**files, "unrelated/note.txt": "x"}).artifacts if a.path != "."]

    assert after == before


@often
@given(files=REPOSITORIES)
def test_identities_are_unique_and_sorted_and_confidence_is_in_range(files: dict[str, str]) -> None:
    artifacts = scan(files, frontmatter=True).artifacts
    identities = [(artifact.type, artifact.locator) for artifact in artifacts]

    assert identities == sorted(set(identities))
    assert all(30 <= artifact.confidence <= 100 for artifact in artifacts)


@often
@given(files=REPOSITORIES)
def test_all_files_of_an_artifact_lie_below_its_directory_each_once(files: dict[str, str]) -> None:
    for artifact in scan(files, frontmatter=True).artifacts:
        paths = [file.path for file in artifact.files]

        assert paths == sorted(set(paths))
        assert all(is_below(path, artifact.directory) for path in paths)
        assert paths or artifact.type is ArtifactType.PLUGIN


@often
@given(files=REPOSITORIES)
def test_what_a_duplicate_points_to_exists_and_is_none_itself(files: dict[str, str]) -> None:
    artifacts = {artifact.key: artifact for artifact in scan(files, frontmatter=True).artifacts}

    for artifact in artifacts.values():
        if artifact.duplicate_of is not None:
            original = artifacts[artifact.type, artifact.duplicate_of]
            assert original.duplicate_of is None
            assert original.confidence >= artifact.confidence


@often
@given(files=REPOSITORIES)
def test_a_manifest_makes_no_part_of_its_plugin_less_certain(files: dict[str, str]) -> None:
    manifest = "a/.claude-plugin/plugin.json"
    assume(manifest not in files)
    defaults = {
        "command": "a/commands/",
        "agent": "a/agents/",
        "hook": "a/hooks/hooks.json",
        "mcp_server": "a/.mcp.json",
    }
    before, after = found(files), found({**files, manifest: PLUGIN})
    parts = [(kind, path) for kind, path in before if path.startswith(defaults.get(kind, "-"))]

    assert all(after.get(part, 0) >= before[part] for part in parts)


@often
@given(files=REPOSITORIES, directory=st.sampled_from(["a", "a/skills", "skills/a", "docs"]))
def test_a_manifest_beats_a_bare_file_in_the_same_folder(files: dict[str, str], directory: str) -> None:
    bare = f"{directory}/agents/bare.md"
    with_manifest = {**files, f"{directory}/.claude-plugin/plugin.json": PLUGIN, bare: AGENT + "Bare.\n"}

    confidences: Counter[str] = Counter()
    for artifact in scan(with_manifest).artifacts:
        confidences[artifact.path] = max(confidences[artifact.path], artifact.confidence)

    assert confidences[directory] >= confidences[bare]


EVIDENCE = {
    "agent": ("x.md", ["You think.\n", "---\nname: x\n---\nYou think.\n", AGENT]),
    "command": (
        "x.md",
        ["Do it.\n", "Do $ARGUMENTS.\n", "---\ndescription: x\n---\nDo $ARGUMENTS.\n", COMMAND],
    ),
    "skill": ("SKILL.md", ["# X\n\nDoes.\n", "---\nname: x\n---\nDoes.\n", SKILL]),
}
STRONGER_PLACES = {
    "agent": ["lib/agents", "lib/p/agents", "p/agents", ".claude/agents"],
    "command": ["lib/commands", "lib/p/commands", "p/commands", ".claude/commands"],
    "skill": ["docs/skills/x", "lib/x", "lib/skills/x", "lib/p/skills/x", "p/skills/x", ".claude/skills/x"],
}


@pytest.mark.parametrize("kind", sorted(EVIDENCE))
def test_stronger_evidence_never_lowers_confidence(kind: str) -> None:
    """Better places in every column, and more to say for itself in every row."""
    name, texts = EVIDENCE[kind]
    around = {
        "lib/p/.claude-plugin/plugin.json": PLUGIN,
        ".claude-plugin/marketplace.json": marketplace({"name": "p", "source": "./p"}),
    }
    table = [
        [found({**around, f"{place}/{name}": text}) for text in texts] for place in STRONGER_PLACES[kind]
    ]
    points = [
        [max((v for (k, _), v in cell.items() if k == kind), default=0) for cell in row] for row in table
    ]

    assert all(row == sorted(row) for row in points), points
    assert all(list(column) == sorted(column) for column in zip(*points, strict=True)), points
