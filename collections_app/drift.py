"""What a refresh does to an artifact: as imported, as it is here, as it is upstream, compared. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any, Protocol, Self

CONTENT = "content"


class Mode(StrEnum):
    """`metadata` takes over what upstream says of the artifact, `sync` new content too, `check` nothing."""

    METADATA = "metadata"
    CHECK = "check"
    SYNC = "sync"


MODES = {mode.value: mode for mode in Mode} | {"metadata_only": Mode.METADATA, "check_only": Mode.CHECK}


class Outcome(StrEnum):
    """What became of an artifact; conflicts count as skipped."""

    REFRESHED = "refreshed"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    CONFLICT = "conflict"
    ERROR = "error"


class Described(Protocol):
    """Whatever has these: an artifact here, a catalogue's entry, what a scan has just found."""

    @property
    def description(self) -> Any: ...
    @property
    def author(self) -> Any: ...
    @property
    def license(self) -> Any: ...
    @property
    def version(self) -> Any: ...
    @property
    def tags(self) -> Any: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What upstream says of an artifact in words."""

    description: str = ""
    author: str = ""
    license: str = ""
    version: str = ""
    tags: tuple[str, ...] = ()

    @classmethod
    def of(cls, described: Described) -> Self:
        return cls.from_json({name: getattr(described, name) for name in METADATA_FIELDS})

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"tags": list(self.tags)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        known = {name: values[name] for name in METADATA_FIELDS if name in values}
        return cls(**known | {"tags": tuple(values.get("tags", ()))})


METADATA_FIELDS = tuple(sorted(each.name for each in fields(Metadata)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a refresh was asked for. Empty filters match everything; `fields` None means all of them."""

    mode: Mode = Mode.METADATA
    type: str = ""
    name_pattern: str = ""
    fields: tuple[str, ...] | None = None
    dry_run: bool = False
    force: bool = False

    @property
    def takes_content(self) -> bool:
        """Whether new content will really be taken over, and not only looked at."""
        return self.mode is Mode.SYNC and not self.dry_run

    @property
    def writes(self) -> bool:
        return self.mode is not Mode.CHECK and not self.dry_run

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"fields": None if self.fields is None else list(self.fields)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        chosen = values["fields"]
        return cls(
            **{
                **values,
                "mode": Mode(values["mode"]),
                "fields": None if chosen is None else tuple(chosen),
            }
        )

    def matches(self, artifact_type: str, name: str) -> bool:
        """The pattern is a shell's (`*`, `?`, `[a-z]`), and the case of letters does not matter."""
        if self.type and self.type != artifact_type:
            return False
        return not self.name_pattern or fnmatchcase(name.casefold(), self.name_pattern.casefold())


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """The artifact as it is here.

    `edited`: fields whose words are people's. `imported` and `digest`: of the content that was last taken from
    upstream, and of the present one.
    """

    metadata: Metadata
    edited: frozenset[str]
    imported: str
    digest: str

    @property
    def is_edited(self) -> bool:
        return bool(self.edited) or self.imported != self.digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """The artifact as it is upstream."""

    metadata: Metadata
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    field: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """`changes` are what is (or, in a check or dry run, would be) taken over.

    `metadata` is what results, and `edited` which of it are people's words still.
    """

    outcome: Outcome
    metadata: Metadata
    edited: frozenset[str]
    changes: tuple[Change, ...] = ()
    takes_content: bool = False
    reason: str = ""


def compare(local: Local, upstream: Upstream, options: Options) -> Drift:
    """What the refresh means for one artifact. A check reports what a sync would do.

    Nothing here is ever made blank. What people edited here is kept; new content over something edited here
    is a conflict, and then nothing is taken over, unless a sync is forced.
    """
    with_content = options.mode is not Mode.METADATA
    forced = options.force and with_content
    # What was rolled back here stays so until upstream has something that was not rolled back.
    is_new = upstream.digest != local.digest and (upstream.digest != local.imported or forced)
    if with_content and is_new and local.is_edited and not forced:
        return Drift(
            outcome=Outcome.CONFLICT,
            metadata=local.metadata,
            edited=local.edited,
            reason=f"Upstream has new content, and here {_edits(local)}. Force takes upstream's.",
        )
    kept = frozenset[str]() if forced else local.edited
    changes = [*_metadata_changes(local.metadata, upstream.metadata, kept, options.fields)]
    values = local.metadata.as_json() | {change.field: change.new for change in changes}
    takes_content = with_content and is_new
    if takes_content:
        changes.append(Change(field=CONTENT, old=local.digest, new=upstream.digest))
    return Drift(
        outcome=Outcome.REFRESHED if changes else Outcome.UNCHANGED,
        metadata=Metadata.from_json(values),
        edited=local.edited - {change.field for change in changes},
        changes=tuple(changes),
        takes_content=takes_content,
    )


def _metadata_changes(
    here: Metadata, there: Metadata, kept: frozenset[str], chosen: tuple[str, ...] | None
) -> list[Change]:
    old, new = here.as_json(), there.as_json()
    wanted = [name for name in METADATA_FIELDS if chosen is None or name in chosen]
    return [
        Change(field=name, old=old[name], new=new[name])
        for name in wanted
        if new[name] and name not in kept and new[name] != old[name]
    ]


def _edits(local: Local) -> str:
    words = [*sorted(local.edited), *(["content"] if local.imported != local.digest else [])]
    return f"{', '.join(words)} {'was' if len(words) == 1 else 'were'} changed"
