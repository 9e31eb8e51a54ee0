"""A month of a small shop on real emulators, with the four functions at work in threads of this process."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from threading import Lock
from typing import Any

from google.cloud import pubsub_v1

from functions.ingest.pipeline import ingest
from functions.kpi.drain import refresh
from functions.transform.drain import transform
from functions.validate.run import validate
from stockflow.events import announcement, parse_object, parse_stage
from stockflow.schema import pipeline
from stockflow.services import Services
from stockflow.waiting import wait_until
from tests.support.stack import Emulators, environment, provisioned

DEFINITIONS = Path(__file__).parents[1] / "chaos" / "definitions"  # one KPI: the others would only cost time
HEADER = "ticket;ligne;date;article;magasin;qté;montant net;devise\n"
DAYS = tuple(date(2026, 9, day) for day in range(1, 31))
DROPPED = (1, 7, 7)  # the day of September on which each file landed
PATIENCE = 600  # of a machine with other work; it takes a quarter of a minute


@dataclass(frozen=True)
class Event:
    """The part of a CloudEvent that is read."""

    data: dict[str, Any]


WORK: dict[str, Callable[[Event, Services], object]] = {
    "ingest": lambda event, services: ingest(parse_object(event), services),
    "validate": lambda event, services: validate(parse_stage(event), services),
    "transform": lambda event, services: transform(parse_stage(event), services),
    "kpi": lambda event, services: refresh(parse_stage(event), services),
}


@dataclass
class Functions:
    """The four functions, woken by subscriptions with the filters of ``pipeline.yaml``. ``calls`` is what came."""

    services: Services
    broken: set[str] = field(default_factory=set)
    calls: list[tuple[str, str]] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    @contextmanager
    def at_work(self) -> Iterator["Functions"]:
        """Work until the block ends."""
        client = pubsub_v1.SubscriberClient()
        subscriptions = pipeline()["subscriptions"]
        pulls = []
        for name in WORK:
            path = client.subscription_path(self.services.settings.project, f"shop-{name}")
            topic = self.services.settings.topic(subscriptions[name]["topic"])
            client.create_subscription(request={"name": path, "topic": topic, "filter": subscriptions[name]["filter"]})
            pulls.append(client.subscribe(path, callback=lambda m, name=name: self._handle(name, m)))
        try:
            yield self
        finally:
            for pull in pulls:
                pull.cancel()
                pull.result(timeout=10)
            client.close()

    def _handle(self, name: str, message: Any) -> None:
        told = {"data": message.data, "attributes": dict(message.attributes)}
        with self._lock:
            self.calls.append((name, message.attributes.get("load_id", "")))
        if name in self.broken:
            message.nack()
            return
        try:
            WORK[name](Event({"message": _pushed(told)}), self.services)
            message.ack()
        except Exception:
            message.nack()


def _pushed(told: dict[str, Any]) -> dict[str, Any]:
    from base64 import b64encode

    return {"data": b64encode(told["data"]).decode(), "attributes": told["attributes"], "messageId": "1"}


@dataclass
class Shop:
    """An environment with a month in it."""

    services: Services
    functions: Functions

    def tables(self) -> dict[str, list[str]]:
        """Return what the tables that people read hold, without when it was written."""
        found = {}
        for table in ("inventory_curated.sales", "inventory_kpi.units_by_day"):
            rows = self.services.warehouse.query(f"SELECT * FROM {table}")
            found[table] = sorted(json.dumps(_lasting(row), sort_keys=True, default=str) for row in rows)
        return found

    def records(self, stage: str) -> int:
        """Return how many records a stage has made so far."""
        sql = "SELECT stage FROM inventory_ops.load_stages WHERE landed_on >= DATE '2000-01-01'"
        return sum(row["stage"] == stage for row in self.services.warehouse.query(sql))


def _lasting(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in ("_updated_at", "_run_id")}


@contextmanager
def open_shop(emulators: Emulators) -> Iterator[Shop]:
    """Yield a shop whose files of a month have been loaded; each call of a stage computes again (no window)."""
    values = {"STOCKFLOW_DEFINITIONS_URI": str(DEFINITIONS), "STOCKFLOW_REPLAY_WINDOW_SECONDS": "0"}
    with environment(values), provisioned(emulators) as services, Functions(services).at_work() as functions:
        shop = Shop(services, functions)
        _drop(services)
        assert wait_until(lambda: _refreshed(services) == len(DROPPED), PATIENCE, 0.5), functions.calls
        yield shop


def _drop(services: Services) -> None:
    """Announce files as if each had landed on its day."""
    bucket = services.settings.landing_bucket
    for number, day in enumerate(DROPPED):
        row = f"T-{number};1;{day:02d}/09/2026;22E1;LYO;{number + 1};17,80;EUR\n"
        name = f"sales/sales_2026-09-{day:02d}_{number}.csv"
        services.object_store.write(bucket, name, (HEADER + row).encode(), "text/csv")
        ref = services.object_store.stat(bucket, name)
        assert ref is not None
        landed = datetime.combine(DAYS[day - 1], time(6, number), UTC)
        services.publisher.publish_all(services.settings.landing_topic, [announcement(replace(ref, created=landed))])


def _refreshed(services: Services) -> int:
    sql = "SELECT COUNT(*) AS n FROM inventory_ops.load_stages_latest WHERE stage = 'kpi' AND state = 'refreshed'"
    return int(services.warehouse.query(sql)[0]["n"])
