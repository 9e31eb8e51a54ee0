"""How fresh each feed is: when it last brought rows, against how often its contract expects it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

OK, LATE, NEVER, UNSTATED = "on time", "late", "nothing yet", "no expectation"
# When each feed last brought rows.
ARRIVALS = """SELECT feed, MAX(landed_at) AS landed_at, COUNT(*) AS loads, SUM(`rows`) AS `rows`
FROM inventory_ops.loads
WHERE end_state = 'loaded'
GROUP BY feed"""


@dataclass(frozen=True)
class Freshness:
    """One feed: when it last brought rows against how often its contract expects it."""

    feed: str
    last: datetime | None
    expected: timedelta | None
    loads: int
    rows: int
    state: str


def freshness(
    feeds: Mapping[str, timedelta | None], rows: Sequence[Mapping[str, Any]], now: datetime
) -> list[Freshness]:
    """Return each feed's freshness, the late ones first."""
    seen = {row["feed"]: row for row in rows}
    found = [_feed(feed, expected, seen.get(feed), now) for feed, expected in feeds.items()]
    order = [LATE, NEVER, OK, UNSTATED]
    return sorted(found, key=lambda f: (order.index(f.state), f.feed))


def _feed(feed: str, expected: timedelta | None, row: Mapping[str, Any] | None, now: datetime) -> Freshness:
    last = row["landed_at"] if row else None
    loads, rows = (int(row["loads"]), int(row["rows"] or 0)) if row else (0, 0)
    return Freshness(feed, last, expected, loads, rows, _state(last, expected, now))


def _state(last: datetime | None, expected: timedelta | None, now: datetime) -> str:
    if last is None:
        return NEVER
    if expected is None:
        return UNSTATED
    return OK if now - last <= expected else LATE
