"""The sweep: what lies in the landing bucket or in the ledger and waits for too long is announced again.

An event is a wake-up call, never the only record of work: with all events lost, the sweep alone brings every file
to its end. Waking too often costs little, since whatever was done already is recognised.
"""

import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from stockflow.events import ObjectRef, StageEvent, announcement, encode
from stockflow.ledger import landing_day
from stockflow.log import log
from stockflow.points import reached
from stockflow.services import Services

MOST = 1_000
CURSOR = "sweep/cursor"  # in the staging bucket: the name at which a listing stopped
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KNOWN = "SELECT DISTINCT load_id FROM inventory_ops.load_stages WHERE landed_on >= @since AND stage = 'ingest'"


@dataclass(frozen=True)
class Requeued:
    """What one sweep found and woke: objects without a load, and loads by the stage that they wait for."""

    objects: list[ObjectRef] = field(default_factory=list)
    loads: list[dict[str, Any]] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How many events were published."""
        return len(self.objects) + len(self.loads)


def sweep(
    services: Services,
    stuck_after: timedelta | None = None,
    look_back: timedelta | None = None,
    listing: timedelta | None = None,
) -> Requeued:
    """Find and wake what waits for longer than ``stuck_after``; return it.

    ``look_back`` bounds how old an object may be to be looked for (all, when None), ``listing`` how long the landing
    bucket is listed: the next sweep goes on from there. At most 1,000 objects and 1,000 loads are requeued in one go.

    Raises:
        TransientError: what a service could not do now.
    """
    settings, now = services.settings, services.clock()
    before = now - (timedelta(seconds=settings.sweep_after_seconds) if stuck_after is None else stuck_after)
    since = now - look_back if look_back else _EPOCH
    objects = [
        *_unknown(services, since, before, listing),
        *orphaned_copies(services, before, since),
        *old_handovers(services, since),
    ]
    requeued = Requeued(objects, waiting(services, before, since))
    services.publisher.publish_all(settings.landing_topic, [announcement(ref) for ref in requeued.objects])
    reached("sweep.objects_published")
    services.publisher.publish_all(settings.events_topic, [encode(wake_up(row)) for row in requeued.loads])
    reached("sweep.loads_published")
    counts = {"objects": len(requeued.objects), "loads": len(requeued.loads), "event": "swept"}
    log("WARNING" if requeued.total else "INFO", f"swept: {requeued.total} requeued", fields=counts, stage="sweep")
    return requeued


def _unknown(services: Services, since: datetime, before: datetime, listing: timedelta | None) -> list[ObjectRef]:
    """Objects, older generations too, that landed in that time and that no ingest has on record."""
    wanted = {ref.load_id: ref for ref in _landed(services, listing) if since <= ref.created < before}
    if not wanted:
        return []
    oldest = min(ref.landed_on for ref in wanted.values())
    for page in services.warehouse.pages(_KNOWN, {"since": oldest}):
        for row in page:
            wanted.pop(row["load_id"], None)
    return sorted(wanted.values(), key=lambda ref: (ref.created, ref.name))[:MOST]


def _landed(services: Services, listing: timedelta | None) -> Iterator[ObjectRef]:
    """List the landing bucket; of one that takes longer than ``listing`` a part, from where the last sweep stopped."""
    start = "" if listing is None else _cursor(services)
    end = math.inf if listing is None else time.monotonic() + listing.total_seconds()
    stopped = ""
    for ref in services.object_store.list(services.settings.landing_bucket, versions=True, start=start):
        yield ref
        if time.monotonic() > end and ref.name != start:
            stopped = ref.name
            break
    if stopped != start:
        services.object_store.write(services.settings.staging_bucket, CURSOR, stopped.encode(), "text/plain")


def _cursor(services: Services) -> str:
    try:
        return services.object_store.read(services.settings.staging_bucket, CURSOR).decode()
    except FileNotFoundError:
        return ""


@cache
def _sql() -> str:
    return (Path(__file__).resolve().parent / "sweep.sql").read_text(encoding="utf-8")


def waiting(services: Services, before: datetime, since: datetime = _EPOCH) -> list[dict[str, Any]]:
    """Return what landed after ``since`` and waits for a stage since before that time.

    Each row says the stage, the event that wakes it, the load, its feed and its landing day.
    """
    params = {"before": before, "since": landing_day(since), "now": services.clock()}
    return services.warehouse.query(_sql(), params)


def orphaned_copies(services: Services, before: datetime, since: datetime = _EPOCH) -> list[ObjectRef]:
    """Return what was set aside as a duplicate of a load that was refused later: its content counts nowhere now."""
    return _still_there("copies.sql", services, {"before": before, "since": landing_day(since)})


def old_handovers(services: Services, since: datetime = _EPOCH) -> list[ObjectRef]:
    """Return what was handed over to Dataflow so long ago that another job is due."""
    before = services.clock() - timedelta(seconds=services.settings.handover_seconds)
    return _still_there("handed_over.sql", services, {"before": before, "since": landing_day(since)})


def _still_there(query: str, services: Services, params: dict[str, Any]) -> list[ObjectRef]:
    sql = (Path(__file__).resolve().parent / query).read_text(encoding="utf-8")
    rows = services.warehouse.query(sql, params)
    there = (services.object_store.stat(row["bucket"], row["object"], row["generation"]) for row in rows)
    return [ref for ref, row in zip(there, rows, strict=True) if ref and ref.generation == row["generation"]]


def wake_up(row: dict[str, Any]) -> StageEvent:
    """Return the event that wakes the stage that a load waits for."""
    detail = json.loads(row["detail"] or "{}")
    return StageEvent(row["event_type"], row["feed"], row["load_id"], detail, row["landed_on"])
