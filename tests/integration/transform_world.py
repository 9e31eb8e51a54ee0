"""A warehouse for the transform tests: local-bigquery with every table, view and routine of the project."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

from stockflow.contracts import Contract
from stockflow.gcp import Warehouse
from stockflow.ledger import StageRecord
from stockflow.services import Services
from stockflow.settings import Settings, bundle_root
from tests.support.stack import DATASET_PREFIX

ROOT = bundle_root()


class Outbox:
    """Stands where Pub/Sub stands: keeps what was published, and can fail once."""

    def __init__(self) -> None:
        self.sent: list[dict[str, str]] = []
        self.fail_next = False

    def publish_all(self, topic: str, messages: Any) -> list[str]:
        if self.fail_next:
            self.fail_next = False
            raise RuntimeError("killed before publish")
        self.sent += [dict(attributes) for _, attributes in messages]
        return []

    def of(self, event_type: str) -> list[str]:
        return [m["load_id"] for m in self.sent if m["event_type"] == event_type]


class CountingWarehouse(Warehouse):
    """Counts the query jobs that it sends."""

    jobs = 0

    def query(self, *args: Any, **kwargs: Any) -> list[dict[str, Any]]:
        type(self).jobs += 1
        return super().query(*args, **kwargs)


@dataclass
class World:
    """One environment, in which loads can be landed as if validate had let them through."""

    services: Services
    publisher: Outbox = field(default_factory=Outbox)
    # today: a drain looks a week back for what nobody asks for
    clock_start: datetime = field(
        default_factory=lambda: datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    )
    count: int = 0
    used: set[str] = field(default_factory=set)
    verdicts: dict[str, tuple[StageRecord, tuple[int, ...]]] = field(default_factory=dict)

    def land(
        self,
        feed: str,
        *rows: Mapping[str, str | None],
        load: str | None = None,
        at: int | None = None,
        detail: Mapping[str, str] | None = None,
        state: str = "validated",
        quarantined: tuple[int, ...] = (),
        name: str | None = None,
        visible: bool = True,
    ) -> str:
        """Put rows into raw and a validate record into the ledger; ``at`` orders the loads by landing.

        ``quarantined`` are lines that validate refused; ``visible`` says whether the stream of them shows already.
        ``name`` is the object's, in the feed's folder: two loads of one name are two generations.
        """
        self.count += 1
        number = self.count
        self.used.add(feed)
        load = load or f"{feed}-{number:04d}"
        contract = self.services.contracts[feed]
        landed = self.clock_start + timedelta(minutes=at if at is not None else number)
        raw_run = f"raw-{load}-{number}"
        self._insert_raw(contract, (load, raw_run, landed), rows)
        run = f"run-{load}-{number}"
        now = datetime.now(UTC)
        record = StageRecord(
            load_id=load, feed=feed, stage="validate", state=state, stage_version="v", run_id=run,
            started_at=now, finished_at=now, bucket="landing", object=f"{feed}/{name or f'{load}.csv'}",
            landed_at=landed, raw_run_id=raw_run,
            generation=int(landed.timestamp() * 1e6), rows=len(rows) - len(quarantined), quarantined=len(quarantined),
            detail=dict(detail or {"decimal_mark": ".", "date_order": "dmy"}),
        )  # fmt: skip
        self.verdicts[load] = (record, quarantined)
        if visible:
            self.show_refused(load)
        self.services.ledger.record(record)
        return load

    def show_refused(self, load: str) -> None:
        """Let the rows that validate refused become visible."""
        record, lines = self.verdicts[load]
        verdict = {"run_id": record.run_id, "load_id": load, "feed": record.feed, "stage": "validate",
                   "rule": "some_rule", "column_name": "sku", "severity": "critical",
                   "recorded_at": record.finished_at, "landed_on": record.landed_on}  # fmt: skip
        self._insert("ops", "quarantine_rows", [{**verdict, "row": line - 1, "line": line} for line in lines])

    def _insert_raw(
        self, contract: Contract, run: tuple[str, str, datetime], rows: tuple[Mapping[str, str | None], ...]
    ) -> None:
        load, raw_run, landed = run
        body = [
            {"_load_id": load, "_run_id": raw_run, "_row": line - 1, "_line": line, **row,
             "_ingested_at": datetime.now(UTC), "_landed_on": landed.date()}
            for line, row in enumerate(rows, start=2)
        ]  # fmt: skip
        self._insert("raw", contract.feed, body)

    def _insert(self, dataset: str, table: str, rows: list[dict[str, Any]]) -> None:
        name = self.services.settings.table(dataset, table)
        self.services.warehouse.insert(name, rows, [uuid4().hex for _ in rows])

    def rows(self, sql: str) -> list[dict[str, Any]]:
        return self.services.warehouse.query(sql)

    def curated(self, feed: str, columns: str, where: str = "TRUE") -> list[tuple[Any, ...]]:
        found = self.rows(f"SELECT {columns} FROM inventory_curated.{feed} WHERE {where} ORDER BY {columns}")
        return [tuple(r.values()) for r in found]

    def quarantine(self, feed: str) -> list[tuple[str, int, str, str]]:
        found = self.rows(
            f"SELECT load_id, line, rule, column_name FROM inventory_ops.quarantine "
            f"WHERE feed = '{feed}' AND stage = 'transform' ORDER BY load_id, line"
        )
        return [tuple(r.values()) for r in found]  # type: ignore[misc]

    def books(self) -> dict[str, bool]:
        """Whether each transformed load balances: raw = current + superseded + quarantined."""
        feeds = self.services.contracts
        raw = " UNION ALL ".join(f"SELECT _load_id, _run_id FROM inventory_raw.{f}" for f in feeds)
        kept = " UNION ALL ".join(f"SELECT _load_id FROM inventory_curated.{f}" for f in feeds)
        stated = " UNION ALL ".join(f"SELECT _load_id FROM inventory_curated.{f}_history" for f in feeds)
        found = self.rows(f"""
            WITH refused AS (SELECT DISTINCT load_id, `row` FROM inventory_ops.quarantine)
            SELECT load_id,
              (SELECT COUNT(*) FROM ({raw}) WHERE _load_id = load_id AND _run_id = raw_run_id) AS raw_rows,
              (SELECT COUNT(*) FROM ({kept}) WHERE _load_id = load_id) AS kept,
              (SELECT COUNT(*) FROM ({stated}) WHERE _load_id = load_id) AS stated,
              (SELECT COUNT(*) FROM refused WHERE refused.load_id = loads.load_id) AS refused
            FROM inventory_ops.load_stages_latest AS loads
            WHERE stage = 'transform' AND state = 'transformed'
        """)
        return {r["load_id"]: r["raw_rows"] == r["stated"] + r["refused"] and r["kept"] <= r["stated"] for r in found}


def new_world(endpoint: str) -> World:
    """Return a world on an emulator in which everything is provisioned."""
    settings = Settings(
        project="stockflow-local",
        dataset_prefix=DATASET_PREFIX,
        contracts_dir=ROOT / "contracts",
        bigquery_endpoint=endpoint,
    )
    services = Services(settings)
    services.__dict__["warehouse"] = CountingWarehouse(settings)
    world = World(services)
    services.__dict__["publisher"] = world.publisher
    return world


def empty(world: World) -> None:
    """Delete what an earlier test landed."""
    tables = (
        [f"inventory_ops.{name}" for name in ("load_stages", "quarantine_rows", "stage_attempts")] if world.used else []
    )
    for feed in sorted(world.used):
        tables += [f"inventory_raw.{feed}", f"inventory_curated.{feed}", f"inventory_curated.{feed}_history"]
    world.rows("; ".join([*(f"DELETE FROM {t} WHERE TRUE" for t in tables), "SELECT 1"]))
    world.used.clear()


def landed_on(world: World, load: str) -> date:
    """Return the ledger's partition of a load."""
    return world.services.ledger.stages(load)["validate"].landed_on
