"""Pipeline health: what the loads came to, and which feeds are later than their contract promises."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

_ON_THE_WAY = {"loaded", "validated", "transformed"}
OK, LATE, NEVER, UNSTATED = "on time", "late", "nothing yet", "no expectation"


@dataclass(frozen=True)
class Freshness:
    """One feed: when it last brought rows against how often its contract expects it."""

    feed: str
    last: datetime | None
    expected: timedelta | None
    loads: int
    rows: int
    state: str


@dataclass(frozen=True)
class Totals:
    """The loads in figures."""

    by_state: dict[str, int]
    lines: int
    rows: int
    rejects: int
    quarantined: int
    waiting: int


def freshness(
    feeds: Mapping[str, timedelta | None], rows: Sequence[Mapping[str, Any]], now: datetime
) -> list[Freshness]:
    """Return each feed's freshness, the late ones first."""
    seen = {row["feed"]: row for row in rows}
    found = [_feed(feed, expected, seen.get(feed), now) for feed, expected in feeds.items()]
    order = [LATE, NEVER, OK, UNSTATED]
    return sorted(found, key=lambda f: (order.index(f.state), f.feed))


def totals(loads: Sequence[Mapping[str, Any]]) -> Totals:
    """Return the loads counted by end state, their lines summed, and how many are still on their way."""
    states = Counter(str(load["end_state"]) for load in loads)
    waiting = sum(load["state"] in _ON_THE_WAY for load in loads)
    sums = {k: sum(int(load[k] or 0) for load in loads) for k in ("lines", "rows", "rejects", "quarantined")}
    return Totals(by_state=dict(states), waiting=waiting, **sums)


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
