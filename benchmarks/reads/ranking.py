"""Whether hits in better places stand before hits in worse ones, however many documents there are."""

import json
import urllib.request
from itertools import groupby
from typing import Any

from benchmarks.reads.catalogue import PLACES

BODY = "text"


def places(address: str, word: str, *, token: str) -> list[tuple[str, int]]:
    """Where the first hundred hits have the word, in their order: (place, how many in a row)."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(f"{address}?q={word}&limit=100", headers=headers)  # noqa: S310  loopback
    items = json.load(opener.open(request))["items"]
    return [(place, len(list(run))) for place, run in groupby(_place(item, word) for item in items)]


def is_right(found: list[tuple[str, int]]) -> bool:
    order = [(*PLACES, BODY).index(place) for place, _ in found]
    return order == sorted(order)


def _place(item: dict[str, Any], word: str) -> str:
    return next((place for place in PLACES if word in item[place]), BODY)
