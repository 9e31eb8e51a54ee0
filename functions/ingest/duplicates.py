"""The same bytes again: a duplicate, where nothing of the same feed can have come in between.

Anything else is loaded: the merge by key makes it harmless, and a statement that is made again on purpose counts.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path

from stockflow.events import ObjectRef
from stockflow.filename import date_in
from stockflow.services import Services

LOOK_BACK = timedelta(days=7)
LISTING_SECONDS = 5.0  # a landing folder of very many files is not listed to its end: then the file is loaded
_HERE = Path(__file__).parent
_locks = tuple(threading.Lock() for _ in range(256))


@dataclass(frozen=True)
class Earlier:
    """The load that brought the same content right before."""

    load_id: str
    object: str
    generation: int


@contextmanager
def one_at_a_time(feed: str, content_md5: str) -> Iterator[None]:
    """Let copies that land together pass one after the other, so that the second sees the first.

    Only within this process, and only so that the second is *called* a duplicate: two instances may both load it,
    and the same keys with the same values then give the same result.
    """
    with _locks[hash((feed, content_md5)) % len(_locks)]:
        yield


def find_earlier(ref: ObjectRef, feed: str, content_md5: str, services: Services) -> Earlier | None:
    """Return the last load of the feed before this object if it has the same content and states the same.

    None when another file came in between, or may have: one that landed and has no record yet.
    """
    params = {
        "feed": feed, "bucket": ref.bucket, "load_id": ref.load_id, "generation": ref.generation,
        "first_day": ref.landed_on - LOOK_BACK, "last_day": ref.landed_on,
    }  # fmt: skip
    rows = services.warehouse.query(_sql(), params)
    known = {row["load_id"] for row in rows}
    # What was rejected or failed may be loaded by a replay, and then states something in between.
    last = next((row for row in rows if row["state"] != "ignored"), None)
    if last is None or last["state"] not in ("loaded", "duplicate_content"):
        return None
    if last["refused"] or last["content_md5"] != content_md5:
        return None
    earlier = Earlier(last["duplicate_of"] or last["load_id"], last["object"], last["generation"])
    if date_in(ref.name) != date_in(earlier.object) or not _nothing_between(ref, earlier, feed, known, services):
        return None
    return earlier


def _nothing_between(ref: ObjectRef, earlier: Earlier, feed: str, known: set[str], services: Services) -> bool:
    """Whether each object that landed between the two is on record (and so states nothing, or is older)."""
    end = time.monotonic() + LISTING_SECONDS
    for other in services.store.list(ref.bucket, f"{feed}/", versions=True):
        between = earlier.generation < other.generation < ref.generation
        if time.monotonic() > end or (between and other.load_id not in known):
            return False
    return True


@cache
def _sql() -> str:
    return (_HERE / "duplicates.sql").read_text(encoding="utf-8")
