"""Taking over what upstream has: findings become rows and a report, all in the transaction that ends a refresh."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from collections_app import drift
from collections_app.drift import METADATA_FIELDS, Change, Drift, Local, Metadata, Options, Outcome, Upstream
from collections_app.models import BATCH, Artifact, ArtifactVersion, Reason, RefreshRun, RefreshStatus
from collections_app.operations import upstream
from collections_app.operations.asking import Seen
from collections_app.operations.imports import EntryIncomplete
from collections_app.operations.upstream import Finding, Found, Gone, Missed
from marketplace.repository import Commit
from skillmeat_site.errors import DomainError

GONE = "It is not in the repository any more."
MOVED_ON = "It was imported again, or its source was deleted, while upstream was asked."
WRITTEN = (
    *METADATA_FIELDS,
    *("title", "members", "edited_fields", "current", "origin_url", "origin_ref", "origin_locator"),
    *("origin_path", "origin_settings", "upstream_sha", "upstream_etag", "upstream_digest"),
    *("upstream_locator", "upstream_metadata", "updated_at"),
)


class TakingOver:
    """One refresh's writes, in bulk; has to run in the transaction that ends the run."""

    def __init__(
        self,
        run: RefreshRun,
        options: Options,
        chosen: Sequence[Artifact],
        findings: Mapping[UUID, Finding],
        *,
        at: datetime,
    ) -> None:
        self.run, self.options, self.findings, self.at = run, options, findings, at
        self.origins = {artifact.pk: _origin(artifact) for artifact in chosen}
        self.versions: list[ArtifactVersion] = []
        self.touched: list[Artifact] = []
        self.seen: list[UUID] = []
        self.looked_at = self.total = 0

    @property
    def status(self) -> RefreshStatus:
        """How much was looked at."""
        if self.looked_at == self.total:
            return RefreshStatus.SUCCESS
        return RefreshStatus.PARTIAL if self.looked_at else RefreshStatus.ERROR

    def apply(self) -> list[dict[str, Any]]:
        """Compare each artifact as it is by now with what was found, and save; what became of each."""
        artifacts = self._locked()
        self.imported = self._imported(artifacts)
        self.total = len(artifacts)
        entries = [self._entry(artifact) for artifact in artifacts]
        if self.options.writes:
            self._number_versions()
            ArtifactVersion.objects.bulk_create(self.versions, batch_size=BATCH)
            Artifact.objects.write(self.touched, WRITTEN)
            for start in range(0, len(self.seen), BATCH):
                some = Artifact.objects.filter(pk__in=self.seen[start : start + BATCH])
                some.update(upstream_seen_at=self.at)
        return entries

    def _locked(self) -> list[Artifact]:
        """People may have changed or deleted some since they were chosen."""
        artifacts = self.run.collection.artifacts.select_related("current").prefetch_related("source")
        locked = artifacts.select_for_update(of=("self",)) if self.options.writes else artifacts
        return [artifact for artifact in locked.order_by("id") if artifact.pk in self.findings]

    @staticmethod
    def _imported(artifacts: list[Artifact]) -> dict[UUID, str]:
        """Of those that were rolled back, the content that was last taken from upstream."""
        rolled_back = [each.pk for each in artifacts if each.current.reason == Reason.ROLLBACK]
        versions = ArtifactVersion.objects.filter(artifact__in=rolled_back).exclude(reason=Reason.ROLLBACK)
        return dict(versions.order_by("number").values_list("artifact", "content_digest"))

    def _entry(self, artifact: Artifact) -> dict[str, Any]:
        finding = self.findings[artifact.pk]
        if _origin(artifact) != self.origins[artifact.pk]:
            finding = Missed(reason=MOVED_ON)
        self.looked_at += isinstance(finding, Found | Gone)
        if isinstance(finding, Found):
            return self._compared(artifact, finding)
        if isinstance(finding, Gone):
            self._set(artifact, _as_seen(finding.commit, upstream.NOTHING))
            return _reported(artifact, Outcome.SKIPPED, reason=GONE, upstream_sha=finding.commit.sha)
        if isinstance(finding, Missed):
            return _reported(artifact, Outcome.SKIPPED, reason=finding.reason)
        return _reported(artifact, Outcome.ERROR, reason=finding.detail, error=finding)

    def _compared(self, artifact: Artifact, found: Found) -> dict[str, Any]:
        local = Local(
            metadata=Metadata.of(artifact),
            edited=frozenset(artifact.edited_fields) & frozenset(METADATA_FIELDS),
            imported=self.imported.get(artifact.pk, artifact.current.content_digest),
            digest=artifact.current.content_digest,
        )
        said = drift.compare(
            local, Upstream(metadata=found.seen.metadata, digest=found.seen.digest), self.options
        )
        if said.takes_content and self.options.takes_content and found.seen.incomplete:
            error = EntryIncomplete(found.seen.incomplete)
            return _reported(artifact, Outcome.ERROR, reason=error.detail, error=error)
        self._take_over(artifact, found, said)
        return _reported(
            artifact,
            said.outcome,
            reason=said.reason,
            changes=said.changes,
            upstream_sha=found.commit.sha,
            digest=found.seen.digest,
        )

    def _take_over(self, artifact: Artifact, found: Found, said: Drift) -> None:
        values = _as_seen(found.commit, found.seen) | {"upstream_locator": found.seen.locator}
        if said.changes:
            edited = said.edited | (set(artifact.edited_fields) - set(METADATA_FIELDS))
            values |= said.metadata.as_json() | {"edited_fields": sorted(edited), "updated_at": self.at}
        if said.takes_content and self.options.takes_content:
            values |= self._content(artifact, found)
        self._set(artifact, values)

    def _set(self, artifact: Artifact, values: Mapping[str, Any]) -> None:
        if not self.options.writes:
            return
        if any(getattr(artifact, name) != value for name, value in values.items()):
            self.touched.append(artifact)
        for name, value in values.items():
            setattr(artifact, name, value)
        self.seen.append(artifact.pk)

    def _content(self, artifact: Artifact, found: Found) -> dict[str, Any]:
        """A new version, and where it is from by now."""
        seen, source = found.seen, artifact.source
        version = ArtifactVersion(
            artifact=artifact,
            number=0,
            commit=found.commit.sha,
            content_digest=seen.digest,
            manifest_id=seen.manifest,
            reason=Reason.SYNC,
            created_by=self.run.started_by,
            created_at=self.at,
        )
        self.versions.append(version)
        values = {
            "current": version,
            "title": seen.title,
            "members": list(seen.members),
            "origin_locator": seen.locator,
            "origin_path": seen.path,
        }
        if source:
            values |= {
                "origin_url": source.repo_url,
                "origin_ref": source.ref,
                "origin_settings": asdict(source.detection_settings),
            }
        return values

    def _number_versions(self) -> None:
        last = ArtifactVersion.objects.last_numbers(version.artifact_id for version in self.versions)
        for version in self.versions:
            version.number = last[version.artifact_id] + 1


def _origin(artifact: Artifact) -> tuple[object, ...]:
    return artifact.source_id, artifact.entry_id, artifact.origin_url, artifact.origin_locator


def _as_seen(commit: Commit, seen: Seen) -> dict[str, Any]:
    """What is remembered of it for the next refresh."""
    return {
        "upstream_sha": commit.sha,
        "upstream_etag": commit.etag,
        "upstream_digest": seen.digest,
        "upstream_metadata": seen.metadata.as_json(),
    }


def _reported(
    artifact: Artifact,
    outcome: Outcome,
    *,
    reason: str,
    error: DomainError | None = None,
    changes: Iterable[Change] = (),
    upstream_sha: str | None = None,
    digest: str = "",
) -> dict[str, Any]:
    """An entry of the result. `digest`: of the content upstream, if there is any and it is known."""
    return {
        "artifact_uuid": artifact.public_id,
        "type": artifact.type,
        "name": artifact.name,
        "outcome": outcome.value,
        "changes": [asdict(change) for change in changes],
        "reason": reason or None,
        "error": error.as_problem() if error else None,
        "current_sha": artifact.current.commit,
        "upstream_sha": upstream_sha,
        "update_available": bool(digest) and digest != artifact.current.content_digest,
    }
