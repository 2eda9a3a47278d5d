"""Which rules an artifact breaks: the table of rules by type, and the one way in."""

from collections.abc import Callable, Iterator, Mapping
from itertools import islice

from marketplace.detection.artifacts import DetectedArtifact
from marketplace.detection.index import TreeIndex
from marketplace.detection.vocabulary import ArtifactType
from marketplace.vetting import common, configs, hooks, markdown, plugins, servers
from marketplace.vetting.case import Case
from marketplace.vetting.findings import Finding, ordered

MAX_FINDINGS = 50
MAX_PER_RULE = 20

Rule = Callable[[Case], Iterator[Finding]]

EVERY_TYPE: tuple[Rule, ...] = (
    common.links,
    common.submodules,
    common.pointers,
    common.invisible_characters,
    common.windows_names,
    common.case_collisions,
)
RULES: Mapping[ArtifactType, tuple[Rule, ...]] = {
    ArtifactType.SKILL: (
        markdown.frontmatter_presence,
        markdown.frontmatter_form,
        markdown.skill_name,
        markdown.description_presence,
        markdown.skill_limits,
        markdown.skill_types,
        markdown.skill_keys,
        markdown.skill_spelling,
        markdown.skill_length,
        markdown.skill_links,
    ),
    ArtifactType.AGENT: (
        markdown.frontmatter_presence,
        markdown.frontmatter_form,
        markdown.agent_name,
        markdown.description_presence,
        markdown.agent_types,
    ),
    ArtifactType.COMMAND: (
        markdown.frontmatter_form,
        markdown.command_description,
        markdown.command_types,
    ),
    ArtifactType.HOOK: (configs.readable, hooks.events, hooks.entries, hooks.timeouts, hooks.scripts),
    ArtifactType.MCP_SERVER: (
        configs.readable,
        servers.completeness,
        servers.transports,
        servers.secrets,
        servers.encryption,
    ),
    ArtifactType.PLUGIN: (
        configs.readable,
        plugins.manifest_presence,
        plugins.name,
        plugins.version,
        plugins.types,
        plugins.path_forms,
        plugins.path_targets,
        plugins.content,
    ),
}


def vet(
    artifact: DetectedArtifact, texts: Mapping[str, str], *, index: TreeIndex | None = None
) -> tuple[Finding, ...]:
    """The rules that the artifact breaks, by severity and code; each finding once, at most 50.

    `texts` are the known texts of the repository by path; nothing is found about what is not among them.
    `index` is the repository's (`Survey.index`). Without it, nothing is found about files that lie outside
    the artifact's own, such as the scripts that a hook calls.

    Never raises, whatever the artifact's author wrote, and looks at no more than a bounded part of it.
    """
    case = Case(artifact, texts, index)
    rules = (*EVERY_TYPE, *RULES[artifact.type])
    return ordered(
        (found for rule in rules for found in islice(rule(case), MAX_PER_RULE)), limit=MAX_FINDINGS
    )
