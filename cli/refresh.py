"""kpi refresh: a new or changed definition is computed at once, by the kpi function itself."""

import time
from collections.abc import Collection
from datetime import datetime
from typing import Any

from cli.output import CommandError
from functions.kpi.definition import Definition
from functions.kpi.state import read_state
from stockflow.events import StageEvent, encode
from stockflow.ledger import StageRecord, record_of
from stockflow.services import Services

POLL_SECONDS = 0.5


class NoLoadError(CommandError):
    """Nothing was transformed so far, so nothing can be computed."""


_TRANSFORMED = """
SELECT * FROM inventory_ops.load_stages_latest WHERE stage = 'transform' AND state = 'transformed'
"""
_RUNS = """
SELECT kpi, state, from_date, to_date, `rows`, message FROM inventory_ops.kpi_runs
WHERE kpi IN UNNEST(@names) AND finished_at >= @since
QUALIFY ROW_NUMBER() OVER (PARTITION BY kpi ORDER BY finished_at DESC) = 1
ORDER BY kpi
"""


def not_as_defined(services: Services, definitions: Collection[Definition]) -> list[Definition]:
    """Return the definitions whose table does not hold them: new, changed, or failed the last time."""
    state = read_state(services)
    return [d for d in definitions if not state.stands(d)]


def compute(services: Services, definitions: Collection[Definition], timeout: int) -> list[dict[str, Any]]:
    """Have the kpi function compute those of these definitions that do not stand as defined; return how it ended.

    Raises:
        CommandError: when no load came so far, or the time is over.
    """
    late = [d.name for d in not_as_defined(services, definitions)]
    if not late:
        return []
    since = services.clock()
    ask(services)
    found = runs(services, late, since, timeout)
    if len(found) < len(late):
        missing = ", ".join(sorted(set(late) - {r["kpi"] for r in found}))
        raise CommandError(f"{missing}: not computed after {timeout} s, `stockflow logs kpi` says why")
    return found


def ask(services: Services) -> None:
    """Say once more that a load was transformed: the drain that follows computes what does not stand as it is defined.

    It takes the load that touched the fewest days, since the other KPIs are computed again for those.

    Raises:
        CommandError: when no load came so far.
    """
    loads = [record_of(row) for row in services.warehouse.query(_TRANSFORMED)]
    if not loads:
        raise NoLoadError("no load reached the curated tables yet: the first one computes every KPI")
    load = min(loads, key=_days)
    data, attributes = encode(StageEvent("load.transformed", str(load.feed), load.load_id, landed_on=load.landed_on))
    services.publisher.publish(services.settings.events_topic, data, attributes)


def _days(load: StageRecord) -> tuple[bool, int]:
    return bool(load.detail.get("all_dates")), len(load.detail.get("dates") or [])


def runs(services: Services, names: Collection[str], since: datetime, timeout: int) -> list[dict[str, Any]]:
    """Return how each of these KPIs was computed since a time, as soon as all were or the time is over."""
    deadline = time.monotonic() + timeout
    while True:
        found = services.warehouse.query(_RUNS, {"names": list(names), "since": since})
        if len(found) == len(names) or time.monotonic() > deadline:
            return found
        time.sleep(POLL_SECONDS)
