"""Freshness: how long after its contract's time limit the newest load of each feed, and the newest KPI, is missing."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from stockflow.ledger import landing_day
from stockflow.log import log
from stockflow.services import Services

# The time of landing: a replay of an old file makes nothing fresh.
_NEWEST = """
SELECT stage, feed, MAX(IF(stage = 'kpi', finished_at, landed_at)) AS newest
FROM inventory_ops.load_stages
WHERE landed_on >= @since AND ((stage = 'ingest' AND state = 'loaded') OR (stage = 'kpi' AND state = 'refreshed'))
GROUP BY stage, feed
"""
_HOUR = timedelta(hours=1)
LOOK_BACK = timedelta(days=90)  # a feed that did not come for so long says nothing any more


@dataclass(frozen=True)
class Age:
    """How old the newest load of a feed (stage ``ingest``) or the newest KPI (stage ``kpi``) is, in hours."""

    stage: str
    feed: str
    hours: float
    allowed: float

    @property
    def late(self) -> float:
        """Return the hours after the time limit, 0 within it."""
        return max(0.0, self.hours - self.allowed)


def ages(services: Services) -> list[Age]:
    """Return the ages of what came at least once; the limit of the KPIs is that of the feed that comes most often."""
    limits = {name: c.fresh_within / _HOUR for name, c in services.contracts.items() if c.fresh_within}
    since = landing_day(services.clock() - LOOK_BACK)
    rows = services.warehouse.query(_NEWEST, {"since": since})
    landed = {r["feed"]: r["newest"] for r in rows if r["stage"] == "ingest" and r["newest"]}
    found = [Age("ingest", f, _hours(services, landed[f]), limits[f]) for f in sorted(limits) if f in landed]
    refreshed = [r["newest"] for r in rows if r["stage"] == "kpi" and r["newest"]]
    if refreshed and limits:
        found.append(Age("kpi", "", _hours(services, max(refreshed)), min(limits.values())))
    return found


def tell_freshness(services: Services) -> None:
    """Write a line for each age: what the alerts on late feeds and KPIs read."""
    for age in ages(services):
        state = "late" if age.late else "fresh"
        message = f"{age.feed or 'KPIs'} {state}: the newest is {age.hours:.1f} h old, allowed are {age.allowed:g} h"
        fields = {"event": "freshness", "hours_late": round(age.late, 2)}
        labels = {"stage": age.stage, "feed": age.feed, "state": state}
        log("WARNING" if age.late else "INFO", message, fields=fields, **labels)


def _hours(services: Services, since: datetime) -> float:
    return (services.clock() - since) / _HOUR
