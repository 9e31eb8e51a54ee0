"""How good and how fresh each feed is, for the catalogue: what became of the rows of each day."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from cli.freshness import ARRIVALS, Freshness, freshness
from stockflow.ledger import landing_day
from stockflow.services import Services

DAYS = 30
# By the day on which files landed: rows that went on, lines that could not be read, rows that a rule refused, and good
# rows of files that are held or were refused as a whole.
_SHARES = """
SELECT feed, landed_on, COUNT(*) AS files, SUM(COALESCE(`lines`, 0)) AS records,
  SUM(IF(end_state = 'loaded', `rows` - quarantined, 0)) AS loaded, SUM(COALESCE(rejects, 0)) AS unreadable,
  SUM(quarantined) AS quarantined, SUM(IF(end_state != 'loaded', `rows` - quarantined, 0)) AS held_back
FROM inventory_ops.loads
WHERE landed_on >= @since AND feed IS NOT NULL AND end_state NOT IN ('ignored', 'duplicate_content')
GROUP BY feed, landed_on
ORDER BY feed, landed_on DESC
"""
_SHARED = ("loaded", "unreadable", "quarantined", "held_back")


def scores(services: Services) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each feed and the data of aspect type ``stockflow-quality``: two queries of the ledger."""
    now = services.clock()
    since = landing_day(now) - timedelta(days=DAYS)
    days: dict[str, list[dict[str, Any]]] = {}
    for row in services.warehouse.query(_SHARES, {"since": since}):
        days.setdefault(row["feed"], []).append(_day(row))
    expected = {feed: contract.fresh_within for feed, contract in services.contracts.items()}
    arrivals = services.warehouse.query(ARRIVALS)
    for fresh in sorted(freshness(expected, arrivals, now), key=lambda f: f.feed):
        yield fresh.feed, _of_feed(fresh, days.get(fresh.feed, ()), now)


def _of_feed(fresh: Freshness, days: Iterable[dict[str, Any]], now: datetime) -> dict[str, Any]:
    found: dict[str, Any] = {"measured_at": _moment(now), "freshness": fresh.state, "days": list(days)}
    if fresh.last is None:
        return found
    age = round((now - fresh.last).total_seconds() / 3600, 1)
    return {**found, "newest_at": _moment(fresh.last), "age_hours": age}


def _day(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return one day; a day without a record has no shares."""
    records = int(row["records"])
    shares = {f"{name}_pct": round(100 * (row[name] or 0) / records, 3) for name in _SHARED if records}
    return {"day": f"{row['landed_on']}T00:00:00Z", "files": int(row["files"]), "records": records, **shares}


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
