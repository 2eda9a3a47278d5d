"""What GitHub's refusals mean, in the domain's words; this room sends nothing."""

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from marketplace.repository import (
    RateLimited,
    RefNotFound,
    RepositoryEmpty,
    RepositoryError,
    RepositoryRefused,
)

MAX_MESSAGE = 200
MAX_WAIT = timedelta(days=1)
MIN_WAIT = timedelta(seconds=1)
# https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api: "wait at least one minute"
UNKNOWN_WAIT = timedelta(minutes=1)
LIMIT_WORDS = re.compile(r"rate limit|abuse", re.IGNORECASE)
NOT_FOUND = 404
MEANING: Mapping[int, type[RepositoryError]] = {
    401: RepositoryRefused,
    403: RepositoryRefused,
    409: RepositoryEmpty,
    422: RefNotFound,
    451: RepositoryRefused,
}


class BadAnswer(Exception):
    """A try that gave nothing usable, where another one may; the text ends the sentence "GitHub ..."."""


def failure(
    *,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    asked: str,
    absent: type[RepositoryError],
    now: datetime,
) -> RepositoryError:
    """The error that an answer stands for.

    `absent`: what a 404 means for what was asked. `now` (aware) is what "wait n seconds" counts from.
    """
    message = _message(body)
    said = f"GitHub answered {status} to {asked}{f': {message}' if message else ''}."
    if _is_rate_limit(status, headers, message):
        again_at = reset_at(headers, now)
        return RateLimited(
            f"{said} It can be asked again at {again_at:%Y-%m-%dT%H:%M:%SZ}.", reset_at=again_at
        )
    return (absent if status == NOT_FOUND else MEANING.get(status, RepositoryError))(said)


def _is_rate_limit(status: int, headers: Mapping[str, str], message: str) -> bool:
    if status != 403:  # noqa: PLR2004  GitHub answers 403 or 429 to both of its kinds of limit
        return status == 429  # noqa: PLR2004
    exhausted = headers.get("X-RateLimit-Remaining") == "0"
    return exhausted or "Retry-After" in headers or bool(LIMIT_WORDS.search(message))


def reset_at(headers: Mapping[str, str], now: datetime) -> datetime:
    """When the quota begins anew.

    Bounded both ways, because clocks differ and a job must neither spin nor sleep for ever.
    """
    wait = UNKNOWN_WAIT
    if (seconds := number(headers.get("Retry-After"))) is not None:
        wait = timedelta(seconds=seconds)
    elif (epoch := number(headers.get("X-RateLimit-Reset"))) is not None:
        wait = timedelta(seconds=epoch - now.timestamp())
    return now + min(max(wait, MIN_WAIT), MAX_WAIT)


def number(text: str | None) -> int | None:
    """A header's plain decimal number of at most 12 digits, or None."""
    return int(text) if text and re.fullmatch(r"[0-9]{1,12}", text) else None


def _message(body: bytes) -> str:
    """GitHub's own words and, for a 451, the reason of the block; without URLs, which may hold secrets."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(document, dict):
        return ""
    block = document.get("block")
    words = [document.get("message"), block.get("reason") if isinstance(block, dict) else None]
    text = " ".join(", ".join(word for word in words if isinstance(word, str)).split())
    return re.sub(r"\w+://\S+", "(link)", text)[:MAX_MESSAGE].rstrip(". ")
