"""The same bytes again: a duplicate, where nothing of the same feed can have come in between.

Anything else is loaded: the merge by key makes it harmless, and a statement that is made again on purpose counts.
"""

import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from stockflow.events import ObjectRef
from stockflow.filename import date_in
from stockflow.services import Services
from stockflow.singleflight import SingleFlight

LOOK_BACK = timedelta(days=7)
LISTING_SECONDS = 5.0  # a landing folder of very many files is not listed to its end: then the file is loaded
_HERE = Path(__file__).parent
_SAME_CONTENTS = """
SELECT DISTINCT content_md5, load_id
FROM inventory_ops.load_stages
WHERE landed_on BETWEEN @first_day AND @last_day
  AND feed = @feed AND bucket = @bucket AND stage = 'ingest' AND content_md5 IN UNNEST(@contents)
"""
_contents: SingleFlight["_Content", dict[str, set[str]]] = SingleFlight()
_turns: dict[tuple[str, str], list[Any]] = {}  # (feed, content) -> its lock, and how many calls hold or await it
_turns_guard = threading.Lock()


@dataclass(frozen=True)
class Neighbour:
    """The load that brought the same content right before, or right after and was read first."""

    load_id: str
    object: str
    generation: int


@contextmanager
def one_at_a_time(feed: str, content_md5: str) -> Iterator[None]:
    """Let copies that land together pass one after the other, so that the second sees the first.

    Only within this process, and only so that the second is *called* a duplicate: two instances may both load it,
    and the same keys with the same values then give the same result.
    """
    key = feed, content_md5
    with _turns_guard:
        turn = _turns.setdefault(key, [threading.Lock(), 0])
        turn[1] += 1
    try:
        with turn[0]:
            yield
    finally:
        with _turns_guard:
            turn[1] -= 1
            if not turn[1]:
                del _turns[key]


@dataclass(frozen=True)
class _Content:
    """An object whose content is looked for among the feed's other objects."""

    load_id: str
    md5: str
    landed_on: date


def find_neighbour(ref: ObjectRef, feed: str, content_md5: str, services: Services) -> Neighbour | None:
    """Return the load of the feed next to this object if it has the same content and states the same.

    None when another file came in between, or may have: one that landed and has no record yet. Calls that meet in one
    process share the query that asks whether the content is known at all: nearly always it is not.
    """
    key = services.settings.table("ops", "load_stages"), feed, ref.bucket
    mine = _Content(ref.load_id, content_md5, ref.landed_on)
    known = _contents.join(key, mine, lambda wanted: _same_contents(wanted, feed, ref.bucket, services))
    if known.get(content_md5, set()) <= {ref.load_id}:
        return None
    return _neighbour(ref, feed, content_md5, services)


def _same_contents(wanted: Iterable[_Content], feed: str, bucket: str, services: Services) -> dict[str, set[str]]:
    """Return content -> the loads of the feed that had it, as far as the duplicates of ``wanted`` can be."""
    asked = list(wanted)
    params = {
        "feed": feed, "bucket": bucket, "contents": sorted({a.md5 for a in asked}),
        "first_day": min(a.landed_on for a in asked) - LOOK_BACK,
        "last_day": max(a.landed_on for a in asked) + timedelta(days=1),
    }  # fmt: skip
    found: dict[str, set[str]] = {}
    for row in services.warehouse.query(_SAME_CONTENTS, params):
        found.setdefault(row["content_md5"], set()).add(row["load_id"])
    return found


def _neighbour(ref: ObjectRef, feed: str, content_md5: str, services: Services) -> Neighbour | None:
    params = {
        "feed": feed, "bucket": ref.bucket, "load_id": ref.load_id,
        "first_day": ref.landed_on - LOOK_BACK, "last_day": ref.landed_on + timedelta(days=1),
    }  # fmt: skip
    rows = services.warehouse.query(_sql(), params)
    known = {row["load_id"] for row in rows}
    # What was rejected or failed may be loaded by a replay, and then states something in between.
    stated = [row for row in rows if row["state"] != "ignored"]
    before = next((row for row in stated if row["generation"] < ref.generation), None)
    after = next((row for row in reversed(stated) if row["generation"] > ref.generation), None)
    for row in (before, after):
        if row is not None and _says_the_same(row, ref, content_md5):
            found = Neighbour(row["duplicate_of"] or row["load_id"], row["object"], row["generation"])
            if _nothing_between(ref, found, feed, known, services):
                return found
    return None


def _says_the_same(row: Mapping[str, Any], ref: ObjectRef, content_md5: str) -> bool:
    states = ("loaded", "duplicate_content") if row["generation"] < ref.generation else ("loaded",)
    same = row["content_md5"] == content_md5 and date_in(row["object"]) == date_in(ref.name)
    return row["state"] in states and not row["refused"] and same


def _nothing_between(ref: ObjectRef, other: Neighbour, feed: str, known: set[str], services: Services) -> bool:
    """Whether each object that landed between the two is on record (and so states nothing)."""
    end = time.monotonic() + LISTING_SECONDS
    first, last = sorted((ref.generation, other.generation))
    for landed in services.object_store.list(ref.bucket, f"{feed}/", versions=True):
        if time.monotonic() > end or (first < landed.generation < last and landed.load_id not in known):
            return False
    return True


@cache
def _sql() -> str:
    return (_HERE / "duplicates.sql").read_text(encoding="utf-8")
