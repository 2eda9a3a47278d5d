"""Why detection says what it says: of each place and file what came of it; decides nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from marketplace.detection.artifacts import DetectedArtifact, Signal
from marketplace.detection.detect import LISTED, Survey, is_allowed
from marketplace.detection.folders import is_documentation, is_ruled_out, parts
from marketplace.detection.index import MAX_DOCUMENT_BYTES, is_below, parent
from marketplace.detection.judging import judge
from marketplace.detection.places import Candidate, Identity, Place
from marketplace.detection.vocabulary import ArtifactType
from marketplace.repository import TreeFile

NO_PLACE = "no artifact is looked for at such a place"


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What came of a place, or of a file that is none (then `type` is None): its signals, or why it was left out."""

    type: ArtifactType | None
    path: str
    name: str = ""
    confidence: int = 0
    signals: tuple[Signal, ...] = ()
    left_out: str = ""


def explain(survey: Survey, path: str = "") -> Iterator[Explanation]:
    """Of every place below `path` ("" is all), best first; with a path, of the files too that are no place."""
    candidates = {candidate.place.identity: candidate for candidate in survey.candidates}
    best = _strongest(survey)
    found = [
        _of_candidate(candidate) for candidate in candidates.values() if _is_meant(candidate.place, path)
    ]
    for identity, place in best.items():
        if identity not in candidates and _is_meant(place, path):
            reason = _why_nothing(place, survey)
            found.append(
                Explanation(type=place.type, path=place.locator, signals=(place.signal,), left_out=reason)
            )
    yield from sorted(found, key=lambda one: (bool(one.left_out), -one.confidence, one.path))
    if path:
        seen = {place.document for place in best.values()}
        artifacts = survey.detect().artifacts
        for file in survey.index.all_files:
            if is_below(file.path, path) and file.path not in seen:
                yield Explanation(type=None, path=file.path, left_out=_why_no_place(file, artifacts))


def _strongest(survey: Survey) -> Mapping[Identity, Place]:
    """Of several reasons for one artifact the one that counted, or would have."""
    found: dict[Identity, Place] = {}
    for place in survey.places:
        known = found.get(place.identity)
        if known is None or place.rank > known.rank:
            found[place.identity] = place
    return found


def _is_meant(place: Place, path: str) -> bool:
    return is_below(place.path, path) or is_below(place.document, path)


def _of_candidate(candidate: Candidate) -> Explanation:
    low = candidate.confidence < LISTED
    return Explanation(
        type=candidate.place.type,
        path=candidate.place.locator,
        name=candidate.profile.name,
        confidence=candidate.confidence,
        signals=candidate.signals,
        left_out=f"a confidence below {LISTED} is not listed" if low else "",
    )


def _why_nothing(place: Place, survey: Survey) -> str:
    if not is_allowed(place, survey.mapping):
        return "the manual map says something else about this directory"
    if place.document in survey.missing:
        return "its document could not be read"
    if judge(place, survey.library) is None:
        return "what is written there is no such artifact"
    return "it is a part of a skill, or a surer artifact has the same file"


def _why_no_place(file: TreeFile, artifacts: tuple[DetectedArtifact, ...]) -> str:
    owner = next((one for one in artifacts if any(file.path == own.path for own in one.files)), None)
    if owner is not None:
        return f"part of the {owner.type} {owner.locator}"
    if not file.is_regular:
        return f"a {file.kind} is never followed"
    if file.size > MAX_DOCUMENT_BYTES:
        return f"larger than {MAX_DOCUMENT_BYTES:,} bytes"
    if is_ruled_out(parts(parent(file.path))):
        return "below a folder for tests, samples, vendored or generated files, or of another tool"
    return "documentation for readers" if is_documentation(file.path) else NO_PLACE
