"""Orphans: rows of raw whose run no record names. They cost storage only, and go once a day when they are old."""

from datetime import date, timedelta
from functools import cache
from pathlib import Path

from stockflow.log import log
from stockflow.points import reached
from stockflow.services import Services

OLD = timedelta(days=1)  # no attempt, and no reader of an earlier run, lives so long
LOOK_BACK = timedelta(days=3)  # a tick that was missed is made up for
MARK = "sweep/orphans"  # in the staging bucket: the day on which they were last removed
_DAYS = """
SELECT DISTINCT feed, landed_on
FROM inventory_ops.stage_attempts
WHERE landed_on >= DATE '2000-01-01' AND stage = 'ingest' AND recorded_at >= @since
"""


def remove_orphans_daily(services: Services) -> None:
    """Remove orphans, unless that was done today."""
    today = services.clock().date().isoformat().encode()
    bucket = services.settings.staging_bucket
    try:
        if services.object_store.read(bucket, MARK) == today:
            return
    except FileNotFoundError:
        pass
    remove_orphans(services)
    services.object_store.write(bucket, MARK, today, "text/plain")


def remove_orphans(services: Services, old: timedelta = OLD, look_back: timedelta = LOOK_BACK) -> dict[str, int]:
    """Remove the rows that are older than ``old`` and belong to no run that a record names.

    ``look_back`` says how long before that a file was tried for its landing day to be looked at. Returns feed -> days.

    Raises:
        TransientError: what BigQuery could not do now.
    """
    now, looked_at = services.clock(), {}
    for feed, days in _tried_days(services, look_back).items():
        if feed in services.contracts:
            looked_at[feed] = len(days)
            params = {"days": days, "before": now - old}
            services.warehouse.query(_sql().replace("{feed}", feed), params)
            reached("sweep.orphans_removed")
            log("INFO", f"orphans of {feed} removed", feed=feed, stage="sweep", fields={"days": len(days)})
    return looked_at


def _tried_days(services: Services, look_back: timedelta) -> dict[str, list[date]]:
    """Return feed -> the landing days of the files that ingest tried lately."""
    since = services.clock() - OLD - look_back
    found: dict[str, list[date]] = {}
    for row in services.warehouse.query(_DAYS, {"since": since}):
        found.setdefault(row["feed"], []).append(row["landed_on"])
    return found


@cache
def _sql() -> str:
    return (Path(__file__).resolve().parent / "orphans.sql").read_text(encoding="utf-8")
