"""The environment of a backfill: the ledger says what there is and what ended, Pub/Sub wakes the stages."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from cli.backfill.order import Flight, Order
from cli.replay.choice import Chosen, choose, with_raw
from cli.replay.follow import Stages, repeats
from cli.replay.send import publish_again
from cli.stale import versions_of
from stockflow.ledger import Asked
from stockflow.services import Services
from stockflow.stages import PASSED, stage_before

# Landing days with loads that the stage can work on: one row a day and feed, however many loads.
_DAYS = """
SELECT landed_on, feed, COUNT(DISTINCT load_id) AS loads, SUM(`rows`) AS `rows`
FROM inventory_ops.load_stages_latest
WHERE landed_on BETWEEN @first_day AND @last_day AND stage = @before AND feed IS NOT NULL
  AND (@passed = '' OR state = @passed) AND ('' IN UNNEST(@feeds) OR feed IN UNNEST(@feeds))
GROUP BY landed_on, feed
ORDER BY landed_on, feed
"""


def days_of(days: Sequence[Mapping[str, Any]]) -> tuple[date, ...]:
    """Return the landing days of a plan, each once."""
    return tuple(sorted({row["landed_on"] for row in days}))


class Environment:
    """What ``steps.World`` describes, on the services of one environment."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def now(self) -> datetime:
        """Return the time, in UTC."""
        return self._services.clock()

    def days(self, order: Order) -> list[dict[str, Any]]:
        """Return ``landed_on``, ``feed``, ``loads`` and ``rows`` of what is meant, without reading the loads."""
        if order.by == "business":
            return _counted(choose(order.choice, self._services))
        before = stage_before(order.stage)
        params = {
            "first_day": order.first.date(), "last_day": order.last.date(), "before": before,
            "passed": "" if order.stage == "ingest" else PASSED[before], "feeds": list(order.feeds) or [""],
        }  # fmt: skip
        return self._services.warehouse.query(_DAYS, params)

    def loads(self, order: Order, day: date, began: datetime) -> list[Chosen]:
        """Return the loads of a day that this backfill has still to replay.

        Left out is what the stage has worked on since ``began``, and what it would take for a redelivery.
        """
        choice = order.of_day(day)
        chosen = with_raw(choice.stage, choose(choice, self._services), self._services)
        just_done = repeats(choice, chosen, versions_of(order.stage, self._services), self._services)
        return [c for c in chosen if c.load_id not in just_done and not _since(c, began)]

    def send(self, order: Order, chosen: Sequence[Chosen]) -> None:
        """Publish the recorded events of these loads again."""
        publish_again(order.stage, list(chosen), self._services)

    def records(self, flight: Flight) -> Mapping[str, Stages]:
        """Return the latest records of the loads of a batch: one partition is read."""
        return self._services.ledger.latest(Asked(load, flight.day) for load in flight.marks)


def _since(chosen: Chosen, began: datetime) -> bool:
    return chosen.done is not None and bool(chosen.done["started_at"]) and chosen.done["started_at"] >= began


def _counted(chosen: Sequence[Chosen]) -> list[dict[str, Any]]:
    found: dict[tuple[date, str], dict[str, Any]] = {}
    for c in chosen:
        day = c.before["landed_on"]
        row = found.setdefault((day, c.feed), {"landed_on": day, "feed": c.feed, "loads": 0, "rows": 0})
        row["loads"] += 1
        row["rows"] += c.before["rows"] or 0
    return [found[k] for k in sorted(found)]
