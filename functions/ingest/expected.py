"""Senders whose file of a day did not come, each by its own calendar (``expected`` in its profile)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from stockflow.ledger import landing_day
from stockflow.log import log
from stockflow.senders import Sender
from stockflow.services import Services

LOOK_BACK = timedelta(days=90)  # what is older counts as never
_NEWEST = """
SELECT pattern, feed, MAX(landed_at) AS newest
FROM inventory_ops.load_stages
CROSS JOIN UNNEST(@patterns) AS pattern
WHERE landed_on >= @since AND stage = 'ingest' AND state = 'loaded' AND REGEXP_CONTAINS(object, pattern)
GROUP BY pattern, feed
"""
_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Expected:
    """A sender's files of a feed: when the last of them had to be there (UTC), and when the newest landed.

    ``hours_late`` is 0 when it came on its day, or later than that.
    """

    sender: str
    feed: str
    due_at: datetime
    newest: datetime | None
    hours_late: float


def expected(services: Services) -> list[Expected]:
    """Return what was expected last of each sender and feed with a calendar; no query when none has one."""
    senders = [s for s in services.senders if s.calendars]
    if not senders:
        return []
    params = {"patterns": sorted({s.pattern for s in senders}), "since": landing_day(services.clock() - LOOK_BACK)}
    rows = services.warehouse.query(_NEWEST, params)
    newest = {(row["pattern"], row["feed"]): row["newest"] for row in rows}
    return [e for s in senders for e in _of(s, newest, services)]


def _of(sender: Sender, newest: dict[tuple[str, str], datetime], services: Services) -> Iterator[Expected]:
    now = services.clock()
    for feed, calendar in sorted(sender.calendars.items()):
        if feed not in services.contracts:
            continue
        zone = sender.declared(feed).get("timeZone") or services.contracts[feed].time_zone
        if due := calendar.due(now, zone):
            day, limit = due
            came = newest.get((sender.pattern, feed))
            late = 0.0 if came and came >= day else (now - limit) / _HOUR
            yield Expected(sender.name, feed, limit, came, round(late, 2))


def tell_expected(services: Services) -> None:
    """Write a line for each: the alert on late feeds reads them, too."""
    for one in expected(services):
        state = "late" if one.hours_late else "fresh"
        came = f"the newest landed at {one.newest:%Y-%m-%d %H:%M} UTC" if one.newest else "none landed in 90 days"
        message = f"{one.feed} of {one.sender} {state}: due at {one.due_at:%Y-%m-%d %H:%M} UTC, {came}"
        labels = {"stage": "ingest", "feed": one.feed, "state": state, "sender": one.sender}
        log(
            "WARNING" if one.hours_late else "INFO",
            message,
            fields={"event": "freshness", "hours_late": one.hours_late},
            **labels,
        )
