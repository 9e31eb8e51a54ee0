"""A warehouse for the KPI tests: curated rows are put in place, loads are recorded as if transform had been there."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

from google.cloud import bigquery

from functions.kpi.drain import drain
from stockflow.ledger import Asked, StageRecord
from stockflow.schema import curated_schema
from stockflow.services import Services
from stockflow.settings import Settings, bundle_root
from tests.golden.books import Books
from tests.support.stack import DATASET_PREFIX

ROOT = bundle_root()
DEFINITIONS = ROOT / "functions" / "kpi" / "definitions"
FEEDS = ("products", "locations", "stock_snapshots", "stock_movements", "sales", "purchase_orders", "stock_counts",
         "customer_orders")  # fmt: skip


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


@dataclass
class World:
    """One environment with datasets of its own."""

    services: Services
    publisher: Outbox = field(default_factory=Outbox)
    waiting: list[str] = field(default_factory=list)

    def put(self, feed: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Make these the rows of ``inventory_curated.<feed>``."""
        columns = curated_schema(self.services.contracts[feed])
        names = {c["name"] for c in columns}
        body = [{k: _json(v) for k, v in row.items() if k in names and v is not None} for row in rows]
        config = bigquery.LoadJobConfig(
            schema=[bigquery.SchemaField(c["name"], c["type"]) for c in columns], write_disposition="WRITE_TRUNCATE"
        )
        table = f"{self.services.settings.project}.{self.services.settings.table('curated', feed)}"
        self.services.warehouse.client.load_table_from_json(body, table, job_config=config).result()

    def transformed(
        self,
        feed: str,
        *days: date,
        all_dates: bool = False,
        columns: Sequence[str] = (),
        by_day: Sequence[str] | None = None,
        keys: Sequence[str] = (),
        load: str = "",
    ) -> str:
        """Record a load of that feed as transformed; it touched these days. Return its id.

        Of a dimension, ``columns`` are those that say something else; none when too many keys came or went, too.
        ``keys`` are those that did. ``by_day``: the first day of each column that says something else by day.
        """
        now = datetime.now(UTC)
        moved = {"dates": [str(d) for d in days], "all_dates": all_dates}
        if keys:
            moved |= {"keys": list(keys), "besides": list(columns)}
        elif columns:
            moved["columns"] = list(columns)
        if by_day is not None:
            moved["by_day"] = list(by_day)
        record = StageRecord(
            load_id=load or uuid4().hex[:20], feed=feed, stage="transform", state="transformed", stage_version="v",
            started_at=now, finished_at=now, bucket="landing", object=f"{feed}/x.csv", landed_at=now, rows=1,
            detail={"tables": [f"inventory_curated.{feed}"], **moved},
        )  # fmt: skip
        self.services.ledger.record(record)
        self.waiting.append(record.load_id)
        return record.load_id

    def drain(self, *loads: str) -> frozenset[Asked]:
        """Refresh the KPIs for these loads, or for all that were transformed since the last time."""
        wanted, self.waiting = loads or tuple(self.waiting), []
        return drain(asked(*wanted), self.services)

    def define(self, folder: Path) -> None:
        """Read the definitions from this folder from now on."""
        self.services.settings = replace(self.services.settings, definitions_uri=str(folder))

    def rows(self, sql: str) -> list[dict[str, Any]]:
        return self.services.warehouse.query(sql)

    def runs(self, state: str = "computed") -> dict[str, tuple[date, date]]:
        """KPI -> first and last date of its newest run, of those in that state."""
        found = self.rows(f"""
            SELECT kpi, from_date, to_date, message FROM inventory_ops.kpi_runs WHERE state = '{state}'
            QUALIFY ROW_NUMBER() OVER (PARTITION BY kpi ORDER BY finished_at DESC) = 1""")
        return {r["kpi"]: (r["from_date"], r["to_date"]) for r in found}

    def forget(self) -> None:
        """Delete the ledger and the record of runs: as new."""
        self.rows(
            "DELETE FROM inventory_ops.load_stages WHERE TRUE; DELETE FROM inventory_ops.kpi_runs WHERE TRUE; SELECT 1"
        )


def asked(*loads: str) -> frozenset[Asked]:
    """Return these loads, landed today, as an event asks for them."""
    return frozenset(Asked(load, datetime.now(UTC).date()) for load in loads)


def new_world(endpoint: str) -> World:
    """Return a world on an emulator in which everything is provisioned."""
    settings = Settings(
        project="stockflow-local",
        dataset_prefix=DATASET_PREFIX,
        contracts_dir=ROOT / "contracts",
        definitions_uri=str(DEFINITIONS),
        bigquery_endpoint=endpoint,
    )
    world = World(Services(settings))
    world.services.__dict__["publisher"] = world.publisher
    return world


def _json(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal | date) else value


# ---- a shop by chance -------------------------------------------------------------------------------

FIRST, LAST = date(2026, 3, 1), date(2026, 4, 14)
SKUS = [f"SKU{n}" for n in range(7)]
PLACES = ["P1", "P2", "T1", "UNKNOWN"]


def shop(seed: int) -> Books:
    """Return a shop with gaps, returns, negative stock, missing costs, unknown masters, late and open orders."""
    dice = random.Random(seed)
    books = Books()
    books.current = {feed: [] for feed in FEEDS}
    books.current["locations"] = [
        {"location_code": "P1", "type": "store"}, {"location_code": "P2", "type": "warehouse"},
        {"location_code": "T1", "type": "transit"},
    ]  # fmt: skip
    books.current["products"] = [_product(dice, sku) for sku in SKUS[:-1]]
    for number in range((LAST - FIRST).days + 1):
        day = FIRST + timedelta(days=number)
        for sku in SKUS:
            for place in PLACES:
                _trade(dice, books, day, sku, place)
    for n in range(25):
        _receipt(dice, books, n)
        _order(dice, books, n)
    for n in range(30):
        _count(random.Random(seed + n), books, n)
    for n in range(150):
        _asked(random.Random(seed * 1_000 + n), books, n)
    return books


def _product(dice: random.Random, sku: str) -> dict[str, Any]:
    return {
        "sku": sku, "category": dice.choice(["tools", "garden", None]), "supplier_code": "S1",
        "unit_cost": dice.choice([None, Decimal("2.50"), Decimal(4)]), "unit_price": Decimal(9),
        "delisted_on": dice.choice([None, None, LAST - timedelta(days=9)]),
        "listed_from": FIRST + timedelta(days=5) if sku == "SKU2" else None,
        "lead_time_days": {"SKU1": 9, "SKU3": 14, "SKU5": 3}.get(sku), "units_per_pack": {"SKU5": 6}.get(sku),
    }  # fmt: skip


def _trade(dice: random.Random, books: Books, day: date, sku: str, place: str) -> None:
    silent = (sku, place) in {("SKU1", "P1"), ("SKU6", "P2")} and FIRST < day < LAST - timedelta(days=5)
    if dice.random() < 0.6 and not silent:
        on_hand = Decimal(dice.randint(-2, 30))
        books.current["stock_snapshots"].append({
            "business_date": day, "sku": sku, "location_code": place, "on_hand": on_hand,
            "available": dice.choice([None, on_hand - 1]),
            "unit_cost": dice.choice([None, None, Decimal("3.10")]) if sku in {"SKU0", "SKU6"} else None,
        })  # fmt: skip
    for n in range(dice.choice([0, 0, 1, 2])):
        books.current["sales"].append(sale(day, sku, place, dice.choice([1, 2, 5, -1]), f"{day}{place}{n}{sku}"))


def sale(day: date, sku: str, place: str, units: int, receipt: str) -> dict[str, Any]:
    """One line of a receipt."""
    net = None if receipt.endswith("1SKU3") else Decimal(units) * Decimal("6.70")
    return {"receipt_number": receipt, "line_number": 1, "business_date": day, "sku": sku, "location_code": place,
            "quantity": Decimal(units), "net_amount": net}  # fmt: skip


def _receipt(dice: random.Random, books: Books, n: int) -> None:
    books.current["stock_movements"].append({
        "document": f"R{n}", "line_number": 1, "business_date": LAST - timedelta(days=dice.randint(0, 230)),
        "movement_type": dice.choice(["receipt", "receipt", "transfer_in"]), "sku": dice.choice(SKUS),
        "location_code": "P1", "quantity": Decimal(dice.randint(1, 20)),
    })  # fmt: skip
    if n % 5 == 0:
        _taken_back(books.current["stock_movements"], n)


def _taken_back(rows: list[dict[str, Any]], n: int) -> None:
    """The last row is reversed some days later, now and then in part; something is shipped, too."""
    row, part = rows[-1], Decimal(1) if n % 2 else Decimal("0.5")
    day = min(row["business_date"] + timedelta(days=n), LAST)
    reversal = {
        "document": f"V{n}",
        "business_date": day,
        "movement_type": "receipt",
        "quantity": -row["quantity"] * part,
    }
    shipped = {"document": f"T{n}", "business_date": day, "movement_type": "transfer_out", "quantity": Decimal(-1)}
    rows += [{**row, **reversal}, {**row, **shipped}]


def _count(dice: random.Random, books: Books, n: int) -> None:
    book = dice.choice([None, Decimal(5), Decimal(dice.randint(0, 9))])
    books.current["stock_counts"].append(
        count(FIRST + timedelta(days=n), dice.choice(SKUS), dice.choice([*PLACES, "P3"]), dice.choice([5, 3, 8]), book)
    )


def count(day: date, sku: str, place: str, counted: int, book: Decimal | None) -> dict[str, Any]:
    """What somebody counted, next to what the books said."""
    return {"business_date": day, "sku": sku, "location_code": place, "counted_quantity": Decimal(counted),
            "book_quantity": book}  # fmt: skip


def _order(dice: random.Random, books: Books, n: int) -> None:
    ordered = LAST - timedelta(days=dice.randint(0, 100))
    arrived = dice.random() < 0.6
    books.current["purchase_orders"].append({
        "order_number": f"O{n}", "line_number": 1, "business_date": ordered, "supplier_code": dice.choice(["S1", "S2"]),
        "sku": dice.choice(SKUS), "location_code": "P1", "ordered_quantity": Decimal(dice.randint(0, 20)),
        "promised_date": ordered + timedelta(days=dice.randint(1, 40)),
        "received_date": ordered + timedelta(days=dice.randint(0, 50)) if arrived else None,
        "received_quantity": Decimal(dice.randint(0, 25)) if arrived else None,
        "status": dice.choice(["received", "open", "cancelled"]),
        "rejected_quantity": Decimal(n % 3) if n % 4 == 0 else None,
        "cancelled_quantity": Decimal(2) if n % 5 == 0 else None,
    })  # fmt: skip
    if n % 6 == 0:  # what people leave out: the day of the receipt, the promise
        books.current["purchase_orders"][-1].update({"received_date": None} if n % 12 else {"promised_date": None})


def _asked(dice: random.Random, books: Books, n: int) -> None:
    """A line of a customer's order: whole, in part, late, cancelled, or nobody says yet."""
    ordered = LAST - timedelta(days=dice.randint(0, 70))
    units, sent = dice.randint(0, 9), dice.choice([None, 0, 3, 9])
    books.current["customer_orders"].append({
        "order_number": f"C{n // 3}", "line_number": n % 3 + 1, "channel": "", "business_date": ordered,
        "sku": dice.choice(SKUS), "location_code": dice.choice(PLACES), "ordered_quantity": Decimal(units),
        "requested_date": dice.choice([None, None, ordered + timedelta(days=dice.randint(-2, 40))]),
        "shipped_quantity": None if sent is None else Decimal(sent),
        "shipped_date": min(ordered + timedelta(days=dice.randint(0, 5)), LAST) if sent and n % 7 else None,
        "shipped_on_time_quantity": Decimal(dice.randint(0, sent)) if sent and n % 5 == 0 else None,
        "cancelled_quantity": dice.choice([None, None, Decimal(1), Decimal(units)]),
        "cancel_reason": dice.choice([None, "customer", "no_stock", "other"]),
    })  # fmt: skip
