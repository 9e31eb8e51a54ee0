"""Storms: many small files at once. How long until all are in the KPIs, and how many BigQuery jobs that takes.

    python -m tests.benchmarks.bench_storms [one:1000] [eight:100] [backlog:10000]

``one:N`` drops N files of one feed, ``eight:N`` N files in each of eight feeds, ``backlog:N`` N files of one feed while
no function runs. In the middle of each storm one file of another feed lands: how long it takes is the fairness.
Function processes, KPIs, subscriptions and back-off are those of the stack, the pauses between drains those of
pipeline.yaml; requests are counted in front of the emulator, once the tables of the KPIs are there. Without arguments
small storms run: one:200 eight:25 backlog:500.
"""

import sys
import tempfile
import time
import zlib
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from local.state import FUNCTIONS
from stockflow.schema import pipeline
from stockflow.settings import bundle_root
from stockflow.waiting import polite_pause
from tests.chaos.rig import Rig, rig

SMALL = ("one:200", "eight:25", "backlog:500")
ROWS = 10
PATIENCE_SECONDS = 3 * 3_600
AS_SHIPPED = {"STOCKFLOW_DEFINITIONS_URI": str(bundle_root() / "functions" / "kpi" / "definitions")}
_FEEDS = {
    "sales": "receipt_number,line_number,business_date,sku,location_code,quantity,net_amount",
    "stock_snapshots": "business_date,sku,location_code,on_hand",
    "stock_counts": "business_date,sku,location_code,counted_quantity",
    "stock_movements": "document,line_number,business_date,movement_type,sku,location_code,quantity",
    "purchase_orders": "order_number,line_number,business_date,supplier_code,sku,location_code,ordered_quantity",
    "products": "sku,name,unit_cost",
    "locations": "location_code,name",
    "suppliers": "supplier_code,name",
}
OTHER = "exchange_rates"


def content(feed: str, number: int) -> bytes:
    """Return a small file; files of different numbers state different things about the same few places and SKUs."""
    header = _FEEDS[feed]
    rows = (",".join(_cell(name, number, n) for name in header.split(",")) for n in range(ROWS))
    return "\n".join([header, *rows, ""]).encode()


def _cell(name: str, number: int, n: int) -> str:
    day = date(2026, 9, 1) + timedelta(days=number % 28)
    fixed = {
        "receipt_number": f"R{number}", "document": f"D{number}", "order_number": f"O{number}",
        "line_number": str(n + 1),
        "business_date": str(day), "sku": f"SKU{(number + n) % 50}", "location_code": f"L{n}",
        "supplier_code": f"S{n}", "movement_type": "receipt", "name": f"Name {number}",
    }  # fmt: skip
    return fixed.get(name, str(1 + (number * 7 + n) % 40))


_DONE = """
SELECT COUNT(DISTINCT load_id) AS n FROM inventory_ops.load_stages
WHERE landed_on >= DATE '2000-01-01' AND object LIKE @names
  AND (stage = 'kpi' OR state IN ('duplicate_content', 'rejected', 'failed', 'held'))
"""
_TOOK = """
SELECT TIMESTAMP_DIFF(MIN(finished_at), MIN(landed_at), MILLISECOND) AS took FROM inventory_ops.load_stages
WHERE landed_on >= DATE '2000-01-01' AND stage = 'kpi' AND object = @name
"""


@dataclass
class Storm:
    """One storm against a rig that is at rest; the names of its files are its own."""

    rig: Rig
    name: str
    feeds: tuple[str, ...]
    each: int
    backlog: bool = False

    @property
    def files(self) -> int:
        """How many files it has, beside the one of another feed."""
        return len(self.feeds) * self.each

    def run(self) -> str:
        """Drop everything, wait until it is in the KPIs, and return a row of the table."""
        before = {name: dict(proxy.requests) for name, proxy in self.rig.warehouses.items()}
        if self.backlog:
            self._stop_functions()
        started = time.monotonic()
        self._drop_all()
        dropped = time.monotonic() - started
        if self.backlog:
            self._start_functions()
            started = time.monotonic()
        self._await()
        return self._row(dropped, time.monotonic() - started, before)

    def _stop_functions(self) -> None:
        for name in FUNCTIONS:
            self.rig.stop(name)

    def _start_functions(self) -> None:
        for name in FUNCTIONS:
            self.rig.start(name, deadly=False)  # with a backlog, no thread is left to say that it is healthy

    def _drop_all(self) -> None:
        for number in range(self.each):
            if number == self.each // 2:
                self._drop(self._other, self._rate)
            for feed in self.feeds:
                self._drop(f"{feed}/{self.name}/{number:05d}.csv", content(feed, number))

    @property
    def _rate(self) -> bytes:
        """A rate of this storm alone: the bytes of another one's file would be a duplicate, which no KPI waits for."""
        rate = 0.9 + zlib.crc32(self.name.encode()) % 10_000 / 1_000_000
        return f"business_date,currency,rate_to_base\n2026-09-01,USD,{rate:.6f}\n".encode()

    @property
    def _other(self) -> str:
        return f"{OTHER}/{self.name}/other.csv"

    def _drop(self, name: str, data: bytes) -> None:
        self.rig.calm.object_store.write(self.rig.calm.settings.landing_bucket, name, data, "text/csv")

    def _await(self) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            asked = time.monotonic()
            found = self.rig.calm.warehouse.query(_DONE, {"names": f"%/{self.name}/%"})[0]["n"]
            print(f"{self.name}: {found} of {self.files + 1}", file=sys.stderr, flush=True)
            if found == self.files + 1:
                return
            time.sleep(polite_pause(time.monotonic() - asked, at_least=2, at_most=20))
        raise TimeoutError(f"{self.name} is not done after {PATIENCE_SECONDS} s")

    def _row(self, dropped: float, drained: float, before: dict[str, dict[str, int]]) -> str:
        counts = {name: Counter(proxy.requests) - Counter(before[name]) for name, proxy in self.rig.warehouses.items()}
        jobs = [(counts[name]["query job"] + counts[name]["load job"]) / self.files for name in FUNCTIONS]
        other = (self.rig.calm.warehouse.query(_TOOK, {"name": self._other})[0]["took"] or 0) / 1_000
        cells = [
            self.name, f"{self.files:,}", f"{dropped:.0f} s", f"{drained:.0f} s", f"{drained / self.files:.2f} s",
            *(f"{number:.3f}" for number in jobs), str(counts["ingest"]["load job"]), f"{other:.0f} s",
        ]  # fmt: skip
        return f"| {' | '.join(cells)} |"


HEAD = """\
| storm | files | to drop | to drain | per file | ingest | validate | transform | kpi | load jobs | other feed |
|---|---|---|---|---|---|---|---|---|---|---|"""


def storm(asked: str, made: Rig) -> Storm:
    """Return the storm that an argument such as ``one:200`` asks for."""
    kind, _, number = asked.partition(":")
    feeds = tuple(_FEEDS) if kind == "eight" else ("sales",)
    return Storm(made, f"{kind}-{number}", feeds, int(number), backlog=kind == "backlog")


def pause_as_deployed(made: Rig) -> None:
    """Give the functions the pauses between drains that pipeline.yaml has; on a laptop there are none."""
    for name, function in pipeline()["functions"].items():
        for what in ("drain", "load"):
            made.env[name][f"STOCKFLOW_{what.upper()}_PAUSE_SECONDS"] = str(function.get(f"{what}_pause_seconds", 0))
        made.stop(name)
        made.start(name, deadly=False)
    made.await_healthy()


def main(arguments: list[str]) -> None:
    """Run the storms that were asked for, one after another in one environment, and print the table."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="storms") as folder, rig(Path(folder), 1, 0.0, AS_SHIPPED) as made:
        pause_as_deployed(made)
        storm("one:1", made).run()  # makes the tables of all KPIs, a job each, which is not the storm's
        for asked in arguments or SMALL:
            rows.append(storm(asked, made).run())
            print("\n".join([HEAD, *rows]), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
