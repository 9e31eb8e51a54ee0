"""The script of one drain: run, again where it has to be, and told about."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from functions.transform.ended import ENDED
from functions.transform.merge import drain_script
from functions.transform.plan import Load
from stockflow.conflicts import run_again
from stockflow.errors import TransientError
from stockflow.events import StageEvent, encode
from stockflow.ledger import EPOCH_DAY, StageRecord, announce, record_of
from stockflow.log import log
from stockflow.points import reached
from stockflow.retention import limited
from stockflow.schema import pipeline
from stockflow.services import Services

OVERTAKEN_TIMES = 4
# How many days apart two generations of one object may land so that the newer one replaces the older as a whole.
# It bounds what a drain reads of the ledger; later, the newer one replaces key by key.
APART = 92


@dataclass(frozen=True)
class Batch:
    """Loads of a feed that go through one script."""

    feed: str
    loads: tuple[Load, ...]
    version: str

    def params(self, services: Services) -> dict[str, Any]:
        """Return the script's parameters, except those of one run."""
        contract = services.contracts[self.feed]
        replacing = [load for load in self.loads if load.is_replaced_as_a_whole(contract)]
        return {
            "loads": [load.load_id for load in self.loads],
            "records": [str(load.row["record_id"]) for load in self.loads],
            "days": sorted({load.landed_on for load in self.loads}),
            "replacing": [load.load_id for load in replacing],
            "near": near(load.landed_on for load in replacing),
            "version": self.version,
        }


def near(days: Iterable[date]) -> list[date]:
    """Return the days on which other generations of what landed on these days are looked for; never none."""
    found = {day + timedelta(days=n) for day in days for n in range(-APART, APART + 1)}
    return sorted(found or {EPOCH_DAY})


def run(batch: Batch, services: Services) -> None:
    """Run the script, again if a dimension changed under it, and tell everyone.

    Raises:
        TransientError: ``overtaken``, or what the warehouse or the publisher could not do now.
    """
    params = batch.params(services)
    for _ in range(OVERTAKEN_TIMES):
        rows = _script(batch.feed, params, services)
        reached("transform.merged")
        records = [record_of(row) for row in rows]
        announce(*records)
        requeue(rows, services)
        if not any(row["overtaken"] for row in rows):
            ENDED.note(row["record_id"] for row in rows)
            publish(batch.feed, records, services)
            return
    raise TransientError("overtaken", f"dimensions of {batch.feed} changed during {OVERTAKEN_TIMES} drains in a row")


def raw_days(services: Services) -> dict[str, int]:
    """Return feed -> how many days its raw rows are kept, of those that end."""
    return limited("raw", pipeline()["retention"], services.contracts)


def _script(feed: str, params: dict[str, Any], services: Services) -> list[dict[str, Any]]:
    """Run one drain's script; a transaction that another one aborted is run again, under another name."""
    started, script = services.clock(), drain_script(services.contracts[feed], raw_days(services))
    rows = run_again(lambda: services.warehouse.query(script, {**params, "started": started, "drain": uuid4().hex}))
    log("INFO", f"{len(rows)} loads in one script", feed=feed, stage="transform")
    return rows


def publish(feed: str, records: Iterable[StageRecord], services: Services) -> None:
    """Tell that these loads are transformed."""
    events = [
        StageEvent("load.transformed", feed, r.load_id, r.detail, r.landed_on, r.finished_at)
        for r in sorted(records, key=lambda r: r.load_id)
    ]
    services.publisher.publish_all(services.settings.events_topic, [encode(e) for e in events])
    reached("transform.published")


def requeue(rows: list[dict[str, Any]], services: Services) -> None:
    """Send other feeds to work, whose loads a changed dimension made pending: one event per feed and landing day."""
    found = next((row["requeued"] for row in rows if row["requeued"]), "")
    parts = [entry.split(" ") for entry in sorted(found.split(","))] if found else []
    events = [StageEvent("load.validated", feed, load, {}, date.fromisoformat(day)) for feed, day, load in parts]
    services.publisher.publish_all(services.settings.events_topic, [encode(e) for e in events])
    reached("transform.requeued")
