"""What an import does to a collection: which entries become artifacts, under which names, and which clash. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from collections_app import naming
from marketplace.detection.vocabulary import ArtifactType

Slot = tuple[ArtifactType, str, str]


class Resolution(StrEnum):
    """What to do with an entry whose place is taken."""

    SKIP = "skip"
    RENAME = "rename"
    FORCE = "force"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An entry that is to be imported. `owner` is its repository's; `order` sorts those of one source."""

    id: UUID
    type: ArtifactType
    namespace: str
    name: str
    content_digest: str
    owner: str = ""
    order: str = ""

    @property
    def slot(self) -> Slot:
        return self.type, self.namespace, self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """An artifact that is in the collection; `entry` is the one it was imported from, if that is still there."""

    id: UUID
    type: ArtifactType
    namespace: str
    name: str
    content_digest: str
    entry: UUID | None = None

    @property
    def slot(self) -> Slot:
        return self.type, self.namespace, self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How a caller wants a clash to be resolved, or under which name the entry is to be imported."""

    resolution: Resolution | None = None
    name: str = ""


NO_WISH = Wish()


@dataclass(frozen=True, slots=True, kw_only=True)
class New:
    candidate: Candidate
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """A new version of the artifact that stands in the candidate's place."""

    candidate: Candidate
    present: Present


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """`same_as` is the artifact in its place, or the candidate of this import that takes it."""

    candidate: Candidate
    same_as: UUID
    is_identical: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """`present` is what stands in the place; None when only other entries of the same import want it."""

    candidate: Candidate
    present: Present | None
    suggestions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsuitable:
    """The entry's own name cannot be that of an artifact."""

    candidate: Candidate
    reason: str
    suggestion: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Every candidate in exactly one place."""

    new: tuple[New, ...] = ()
    replaced: tuple[Replacement, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    unsuitable: tuple[Unsuitable, ...] = ()


def plan_import(
    candidates: Iterable[Candidate], present: Iterable[Present], wishes: Mapping[UUID, Wish]
) -> Plan:
    """What to do with each candidate.

    Afterwards no two artifacts of the collection have the same type, namespace and name. The order of the
    input does not matter, and the same import again skips everything that was imported. What is there with
    the same content is skipped whatever is wished; without a wish a taken place is a conflict.
    """
    return _Planner(present, wishes).plan(candidates)


class _Planner:
    def __init__(self, present: Iterable[Present], wishes: Mapping[UUID, Wish]) -> None:
        self.wishes = wishes
        self.occupants: dict[Slot, Present] = {}
        self.origins: dict[tuple[UUID, str], Present] = {}
        for artifact in present:
            self.occupants[artifact.slot] = artifact
            if artifact.entry:
                self.origins[artifact.entry, artifact.content_digest] = artifact
        self.taken: dict[tuple[ArtifactType, str], set[str]] = defaultdict(set)
        for artifact_type, namespace, name in self.occupants:
            self.taken[artifact_type, namespace].add(name)
        self.new: list[New] = []
        self.replaced: list[Replacement] = []
        self.skipped: list[Skipped] = []
        self.unsuitable: list[Unsuitable] = []
        self.aside: list[Candidate] = []
        self.clashing: list[Candidate] = []

    def plan(self, candidates: Iterable[Candidate]) -> Plan:
        rivals: dict[Slot, list[Candidate]] = defaultdict(list)
        for candidate in sorted(candidates, key=_order):
            if self._is_placeable(candidate):
                rivals[self._wanted(candidate)].append(candidate)
        for slot, wanting in rivals.items():
            self._place(slot, wanting)
        for candidate in self.aside:
            self._rename(candidate)
        return Plan(
            new=tuple(self.new),
            replaced=tuple(self.replaced),
            skipped=tuple(self.skipped),
            conflicts=tuple(map(self._conflict, sorted(self.clashing, key=_order))),
            unsuitable=tuple(self.unsuitable),
        )

    def _wish(self, candidate: Candidate) -> Wish:
        return self.wishes.get(candidate.id, NO_WISH)

    def _wanted(self, candidate: Candidate) -> Slot:
        return candidate.type, candidate.namespace, self._wish(candidate).name or candidate.name

    def _is_placeable(self, candidate: Candidate) -> bool:
        """False when nothing has to be placed: it is here already, or cannot have the name it wants."""
        same = self.origins.get((candidate.id, candidate.content_digest))
        wanted = self._wanted(candidate)
        reason = naming.fault(candidate.type, wanted[2])
        if same is None and not reason:
            occupant = self.occupants.get(wanted)
            same = occupant if occupant and occupant.content_digest == candidate.content_digest else None
        if same is not None:
            self.skipped.append(Skipped(candidate=candidate, same_as=same.id, is_identical=True))
        elif reason and self._wish(candidate).resolution is Resolution.RENAME:
            self.aside.append(candidate)
        elif reason:
            clean = naming.cleaned(candidate.type, wanted[2])
            self.unsuitable.append(Unsuitable(candidate=candidate, reason=reason, suggestion=clean))
        return same is None and not reason

    def _place(self, slot: Slot, wanting: list[Candidate]) -> None:
        """Give the place to one of those who want it, if it is clear to which."""
        twins: dict[str, list[Candidate]] = defaultdict(list)
        for candidate in wanting:
            twins[candidate.content_digest].append(candidate)
        firsts = [same[0] for same in twins.values()]
        yielding = {Resolution.SKIP, Resolution.RENAME}
        insisting = [one for one in firsts if self._wish(one).resolution not in yielding]
        occupant = self.occupants.get(slot)
        winner = insisting[0] if len(insisting) == 1 else None
        if not insisting and occupant is None:
            winner = firsts[0]
        for candidate in firsts:
            followers = twins[candidate.content_digest][1:]
            if self._settle(candidate, slot, occupant=occupant, winner=winner, rivals=insisting):
                self.skipped += [
                    Skipped(candidate=twin, same_as=candidate.id, is_identical=True) for twin in followers
                ]
            else:
                self.clashing += [candidate, *followers]

    def _settle(
        self,
        candidate: Candidate,
        slot: Slot,
        *,
        occupant: Present | None,
        winner: Candidate | None,
        rivals: list[Candidate],
    ) -> bool:
        """False when it is a conflict."""
        wish = self._wish(candidate).resolution
        if candidate is winner and occupant is None:
            self._take(candidate, slot[2])
        elif wish is Resolution.SKIP:
            holder = occupant.id if occupant else (winner or rivals[0]).id
            self.skipped.append(Skipped(candidate=candidate, same_as=holder, is_identical=False))
        elif wish is Resolution.RENAME:
            self.aside.append(candidate)
        elif candidate is winner and occupant is not None and wish is Resolution.FORCE:
            self.replaced.append(Replacement(candidate=candidate, present=occupant))
        else:
            return False
        return True

    def _take(self, candidate: Candidate, name: str) -> None:
        self.new.append(New(candidate=candidate, name=name))
        self.taken[candidate.type, candidate.namespace].add(name)

    def _rename(self, candidate: Candidate) -> None:
        """The cleaned name where only that was wrong, else the first free one like it."""
        clean = naming.cleaned(candidate.type, candidate.name)
        if clean != candidate.name and clean not in self.taken[candidate.type, candidate.namespace]:
            self._take(candidate, clean)
        else:
            self._take(candidate, self._free(candidate, candidate.name, count=1)[0])

    def _free(self, candidate: Candidate, name: str, *, count: int) -> tuple[str, ...]:
        taken = self.taken[candidate.type, candidate.namespace]
        return naming.free(candidate.type, name, owner=candidate.owner, taken=taken, count=count)

    def _conflict(self, candidate: Candidate) -> Conflict:
        """Its suggestions are no other conflict's, so that the first of each can be taken at once."""
        wanted = self._wanted(candidate)
        names = self._free(candidate, wanted[2], count=naming.SUGGESTIONS)
        self.taken[candidate.type, candidate.namespace].update(names)
        return Conflict(candidate=candidate, present=self.occupants.get(wanted), suggestions=names)


def _order(candidate: Candidate) -> tuple[str, str, str, str]:
    return candidate.type, candidate.order, candidate.content_digest, str(candidate.id)
