"""People and schedulers at work: a few read all the time, others scan, import, refresh and deploy now and then."""

import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests

from benchmarks.processes import StepFailed

API = "/api/v1"
TIMEOUT_SECONDS = 60.0
READERS = 4
# Refusals that belong to the game: something runs already, or somebody else's file lies there.
EXPECTED = {200, 201, 202, 204, 409}
Json = Any


@dataclass(slots=True)
class Record:
    """What was asked and how it went, for all threads; `jobs` are those that a 201 or 202 promised."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    jobs: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, endpoint: str, seconds: float, status: int, text: str) -> None:
        with self._lock:
            self.seconds[endpoint].append(seconds)
            self.statuses[status] += 1
            if status not in EXPECTED:
                self.faults.append(f"{endpoint} answered {status}: {text[:300]}")

    def promised(self, job: str) -> None:
        with self._lock:
            self.jobs.add(job)


class Client:
    """One caller with a connection of its own."""

    def __init__(self, url: str, record: Record, seed: int) -> None:
        self._url, self._record, self._session = url, record, requests.Session()
        self._session.trust_env = False
        self.chance = random.Random(seed)

    def ask(self, name: str, method: str, path: str, **options: Any) -> Json:
        """The JSON of the answer; None where it is none or a refusal. `name` is what it counts as."""
        start = time.perf_counter()
        try:
            answer = self._session.request(method, f"{self._url}{path}", timeout=TIMEOUT_SECONDS, **options)
        except requests.RequestException as error:
            self._record.add(name, time.perf_counter() - start, 0, repr(error))
            return None
        self._record.add(name, time.perf_counter() - start, answer.status_code, answer.text)
        is_json = "json" in answer.headers.get("Content-Type", "")
        document = answer.json() if answer.ok and is_json else None
        if isinstance(document, dict) and answer.status_code == requests.codes.accepted:
            self._record.promised(document.get("job_id") or document["id"])
        return document

    def get(self, name: str, path: str) -> Json:
        return self.ask(name, "GET", f"{API}{path}")

    def post(self, name: str, path: str, body: Json = None, **options: Any) -> Json:
        return self.ask(name, "POST", f"{API}{path}", json=body if body is not None else {}, **options)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What everybody works with."""

    sources: tuple[str, ...]
    collections: tuple[str, ...]
    sets: tuple[str, ...]
    projects: tuple[str, ...]


def prepare(client: Client, repositories: tuple[str, ...], projects: tuple[str, ...]) -> Scene:
    """Sources, each scanned; a collection and a set of each. Waits for the first scans."""
    sources = [
        client.post("create source", "/marketplace/sources", {"repo_url": url}) for url in repositories
    ]
    ids = tuple(source["id"] for source in sources)
    if not until(lambda: all(_is_scanned(client, source) for source in ids), seconds=300):
        raise StepFailed("The first scans did not succeed.")
    collections, sets = [], []
    for number, source in enumerate(ids):
        collection = client.post("create collection", "/collections", {"name": f"c{number}"})["id"]
        found = client.get("entries", f"/marketplace/sources/{source}/artifacts?type=skill&limit=40")["items"]
        body = {
            "entry_ids": [entry["id"] for entry in found],
            "collection": collection,
            "conflict_resolution": "force",
        }
        imported = client.post("import", f"/marketplace/sources/{source}/import", body)["imported"]
        made = client.post("create set", "/deployment-sets", {"name": f"s{number}"})["id"]
        for artifact in imported[:15]:
            client.post(
                "add member", f"/deployment-sets/{made}/members", {"artifact_uuid": artifact["artifact_uuid"]}
            )
        collections.append(collection)
        sets.append(made)
    return Scene(sources=ids, collections=tuple(collections), sets=tuple(sets), projects=projects)


def _is_scanned(client: Client, source: str) -> bool:
    """A first scan may fail with GitHub; then another one is asked for."""
    status = client.get("source", f"/marketplace/sources/{source}")["scan_status"]
    if status == "error":
        client.post("rescan", f"/marketplace/sources/{source}/rescan")
    return bool(status == "success")


def read(client: Client, scene: Scene) -> None:
    """One look around, as a person with a browser does."""
    chance = client.chance
    source, collection = chance.choice(scene.sources), chance.choice(scene.collections)
    client.get("sources", "/marketplace/sources?limit=50")
    client.get("source", f"/marketplace/sources/{source}")
    offset = chance.choice((0, 0, 50))
    page = client.get("entries", f"/marketplace/sources/{source}/artifacts?limit=50&offset={offset}")
    if page and page["items"]:
        entry = chance.choice(page["items"])["id"]
        shown = client.get("entry", f"/marketplace/artifacts/{entry}")
        paths = [file["path"] for file in shown["files"]] if shown else []
        if paths:
            client.get("file", f"/marketplace/artifacts/{entry}/files/{chance.choice(paths)}")
    word = chance.choice(("skill", "git", "ba", "do", "ra", "command"))
    client.get("search", f"/marketplace/search?q={word}&limit=20")
    client.get("jobs", "/jobs?limit=20")
    client.get("artifacts of a collection", f"/collections/{collection}/artifacts?limit=50")
    client.get("resolve", f"/deployment-sets/{chance.choice(scene.sets)}/resolve")
    client.ask("healthz", "GET", "/healthz")
    time.sleep(0.2)


def scan(client: Client, scene: Scene) -> None:
    source = client.chance.choice(scene.sources)
    force = client.chance.random() < 0.1  # noqa: PLR2004
    client.post("rescan", f"/marketplace/sources/{source}/rescan", {"force": force})
    time.sleep(0.5)


def take(client: Client, scene: Scene) -> None:
    """Import what a source has now, and refresh a collection in one of the ways there are."""
    number = client.chance.randrange(len(scene.sources))
    source, collection = scene.sources[number], scene.collections[number]
    page = client.get("entries", f"/marketplace/sources/{source}/artifacts?type=skill&limit=40")
    if page and page["items"]:
        how = client.chance.choice(("skip", "force"))
        body = {
            "entry_ids": [entry["id"] for entry in page["items"]],
            "collection": collection,
            "conflict_resolution": how,
        }
        client.post("import", f"/marketplace/sources/{source}/import", body)
    mode = client.chance.choice(("check", "metadata", "sync"))
    client.post(f"refresh ({mode})", f"/collections/{collection}/refresh?mode={mode}")
    client.post(
        "refresh (job)", f"/collections/{collection}/refresh?mode=sync", headers={"Prefer": "respond-async"}
    )
    time.sleep(1)


def deploy(client: Client, scene: Scene) -> None:
    made = client.chance.choice(scene.sets)
    body = {
        "project_path": client.chance.choice(scene.projects),
        "on_conflict": "backup",
        "prune": True,
        "confirm_untrusted": True,
    }
    done = client.post("deploy", f"/deployment-sets/{made}/deploy", body)
    if done:
        client.post("verify", f"/deployments/{done['deployment_id']}/verify")
        if client.chance.random() < 0.5:  # noqa: PLR2004
            client.post("undo", f"/deployments/{done['deployment_id']}/undo")
    time.sleep(1)


ACTS: tuple[Callable[[Client, Scene], None], ...] = (*[read] * READERS, scan, scan, take, deploy)


def work(url: str, record: Record, scene: Scene, *, seconds: float) -> None:
    """Everybody at once for so long. What a thread raises is a fault of the product's answers."""
    deadline = time.monotonic() + seconds

    def keep_at_it(number: int, act: Callable[[Client, Scene], None]) -> None:
        client = Client(url, record, number)
        while time.monotonic() < deadline:
            try:
                act(client, scene)
            except Exception as error:  # noqa: BLE001
                record.faults.append(f"{act.__name__}: {error!r}")

    threads = [threading.Thread(target=keep_at_it, args=one) for one in enumerate(ACTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def settle(client: Client) -> bool:
    """Whether all jobs end once nothing new is asked for."""
    return until(lambda: not _live(client), seconds=120)


def _live(client: Client) -> bool:
    return any(
        client.get("jobs", f"/jobs?status={status}&limit=1")["items"] for status in ("queued", "running")
    )


def until(condition: Callable[[], bool], *, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.5)
    return True
