"""Small pieces of HTML about deployments."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.template.defaultfilters import pluralize
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from deployment_sets.models import Deployment, DeploymentSet
from deployment_sets.planning import Outcome
from skillmeat_site.accounts.models import User
from skillmeat_site.admin_pages import ago, badge, chips, code, link, table

SHOWN_DEPLOYMENTS = 5
SHOWN_ROWS = 300
OPEN_ROWS = 60


def state(deployment: Deployment) -> SafeString:
    """What became of it, as a badge."""
    if deployment.undone_at:
        return badge("removed", "undone")
    return badge("success", "deployed") if deployment.finished_at else badge("incomplete", "cut off")


def recent(user: User, deployment_set: DeploymentSet) -> SafeString:
    """The last deployments of a set that this person sees."""
    seen = Deployment.objects.visible_to(user).filter(deployment_set=deployment_set)
    rows = seen.select_related("deployed_by").defer("result")[:SHOWN_DEPLOYMENTS]
    return table(
        ("Directory", "State", "Files", "By", "When"),
        (
            (
                link(row, code(row.project_path)),
                state(row),
                counts(row.counts),
                row.deployed_by or "",
                ago(row.created_at),
            )
            for row in rows
        ),
        empty="It has not been deployed yet.",
    )


def counts(found: Mapping[str, int]) -> SafeString:
    return chips({outcome: number for outcome, number in found.items() if number})


def cut(
    rows: list[Any], headings: Iterable[str], *, caption: str = "", empty: str = "Nothing."
) -> SafeString:
    """A table of the first rows, and how many there are more."""
    shown = table(headings, rows[:SHOWN_ROWS], caption=caption, empty=empty)
    more = len(rows) - SHOWN_ROWS
    return format_html('{}<p class="quiet">… and {} more.</p>', shown, f"{more:,}") if more > 0 else shown


def _folded(files: SafeString, number: int) -> SafeString:
    """Many files wait behind a summary, so that what comes after them is not far away."""
    is_open = " open" if number <= OPEN_ROWS else ""
    return format_html("<details{}><summary>Files ({})</summary>{}</details>", is_open, number, files)


def result(found: Mapping[str, Any]) -> SafeString:
    """What a deploy does or did: files with their outcomes, what it needs, and what stands in its way."""
    urgent = sorted(found["files"], key=lambda row: (row["outcome"] != Outcome.CONFLICT, row["path"]))
    files = [
        (code(row["path"]), badge(row["outcome"]), row["reason"] or "", code(row["kept_as"] or ""))
        for row in urgent
    ]
    errors = [
        (code(row["uuid"]), badge("error"), row["error"]["detail"])
        for row in found["artifacts"]
        if row["error"]
    ]
    parts = [counts(found["counts"])]
    if found["conflicts"]:
        rivals = [(code(row["path"]), ", ".join(row["artifacts"])) for row in found["conflicts"]]
        parts.append(
            cut(rivals, ("Path", "Artifacts"), caption="Two artifacts want one path: change the set first")
        )
    if errors:
        parts.append(cut(errors, ("Artifact", "", "Reason"), caption="Artifacts that cannot be deployed"))
    if found["unresolved_count"]:
        gone = found["unresolved_count"]
        are = pluralize(gone, "is,are")
        parts.append(
            format_html("<p>{} member{} {} gone and {} left out.</p>", gone, pluralize(gone), are, are)
        )
    parts.append(_folded(cut(files, ("File", "Outcome", "Reason", "Kept as"), empty="No files."), len(files)))
    if found["needs"]:
        parts.append(format_html("<p>Environment variables to set:</p>{}", chips(found["needs"])))
    if found["remarks"]:
        remarks = [(code(row["path"]), row["reason"]) for row in found["remarks"]]
        parts.append(cut(remarks, ("Path", "What to know"), caption="Remarks"))
    return mark_safe("".join(parts))  # noqa: S308  each part is safe already
