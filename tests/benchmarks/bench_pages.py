"""How long the dashboard's pages take to draw when each KPI has many rows.

    python -m tests.benchmarks.bench_pages [ROWS] [FOLDER]

Fills each KPI's table of a warehouse with ROWS rows (10,000 when nothing is said) by load jobs, without computing
them: 400 days of as many SKUs, locations and suppliers as that makes, the same each time. Then the real dashboard is
opened in headless Chromium. FOLDER keeps the filled warehouse for the next run. "figures" is when the numbers asked for
stand on the page, "drawn" when all charts do, too; of a filter both are by the page's own clock, from the key that is
pressed. "servers" is what warehouse and dashboard computed, "browser" what it and its driver did, "memory" that of the
dashboard, "load" what the machine had to do in that minute.
"""

import io
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from google.cloud import bigquery as bq
from pyarrow import parquet
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from cli import provision
from functions.kpi.catalog import load_definitions
from functions.kpi.definition import Definition
from local import parts
from local.dashboard.source import VERSION_SECONDS
from local.environment import variables
from local.state import Stack, open_stack
from stockflow.services import Services
from stockflow.settings import Settings, bundle_root
from tests.support.browser import browser
from tests.support.dashboard import Dashboard, dashboard
from tests.support.processor import seconds_below
from tests.support.stack import started

DAYS = 400
LAST = date(2026, 9, 30)
LOCATIONS = 50  # of the KPIs that know SKUs and locations; one that knows locations only has more of them
CATEGORIES = ("Tools", "Paint", "Garden", "Lighting", "Bath", "Wood", "Fixings", "Electrical", "Floors", "Kitchen")
FEEDS = ("sales", "stock_movements", "stock_snapshots", "purchase_orders")
LOADS = 2_000
REFUSED = 20_000
_SEED = 20260930
_FOLDER = bundle_root() / "functions" / "kpi" / "definitions"
_TYPES = {"FLOAT64": pa.float64(), "INT64": pa.int64(), "BOOL": pa.bool_(), "STRING": pa.string(), "DATE": pa.date32()}


def kpis() -> dict[str, tuple[Definition, list[dict[str, str]]]]:
    """Return each KPI of the project with the columns of its table."""
    tables = json.loads((bundle_root() / "warehouse" / "kpi_tables.json").read_text())
    found = load_definitions(str(_FOLDER))
    return {name: (d, tables[name]["schema"]) for name, d in sorted(found.items()) if d.kind == "kpi"}


def cells(grain: Sequence[str], count: int) -> dict[str, np.ndarray]:
    """Return ``count`` different cells of a grain."""
    numbers = np.arange(count)
    if "feed" in grain:
        return {"feed": np.array(FEEDS)[numbers % len(FEEDS)], "location_code": _named("L", numbers // len(FEEDS))}
    if "sku" in grain and "location_code" in grain:
        return {"location_code": _named("L", numbers % LOCATIONS), "sku": _named("SKU-", numbers // LOCATIONS)}
    return {column: _named({"sku": "SKU-", "location_code": "L"}.get(column, "S"), numbers) for column in grain}


def _named(prefix: str, numbers: np.ndarray) -> np.ndarray:
    return np.char.add(prefix, np.char.zfill(numbers.astype(str), 4))


def rows(definition: Definition, columns: Sequence[dict[str, str]], count: int) -> pa.Table:
    """Return ``count`` rows of a KPI, day by day; each twentieth has no value and says why."""
    chance = np.random.default_rng([_SEED, *definition.name.encode()])
    each = max(count // DAYS, 1)
    days = -(-count // each)
    total = each * days
    of_cells = {name: np.tile(values, days) for name, values in cells(definition.grain, each).items()}
    first = (LAST - date(1970, 1, 1)).days - days + 1
    nothing = chance.random(total) < 0.05
    above, below = chance.integers(1, 500, total) / 4.0, chance.integers(1, 90, total) / 1.0
    made: dict[str, Any] = {
        **of_cells,
        "business_date": np.repeat(np.arange(first, first + days, dtype="int32"), each),
        "numerator": above,
        "denominator": below,
        "value": pa.array(above / below if definition.rollup == "ratio" else above, mask=nothing),
        "reason_code": pa.array(["no_demand" if none else None for none in nothing], pa.string()),
        "coverage_pct": np.where(nothing, 0.0, 100.0),
        "category": np.array(CATEGORIES)[np.arange(total) % each % len(CATEGORIES)],
        "abc_class": np.array(["A", "B", "C"])[np.arange(total) % each % 3],
    }
    return pa.table({c["name"]: _column(c, made, total, chance) for c in columns})


def _column(column: Mapping[str, str], made: Mapping[str, Any], total: int, chance: Any) -> pa.Array:
    """Return the values of a column: those that were made for it, or some of its type."""
    kind = _TYPES[column["type"]]
    values = made.get(column["name"])
    if values is None and kind == pa.string():
        values = np.full(total, "x")
    elif values is None:
        values = chance.integers(0, 2 if kind == pa.bool_() else 90, total, dtype="int32")
    return (values if isinstance(values, pa.Array) else pa.array(values)).cast(kind)


def fill(services: Services, count: int) -> None:
    """Put ``count`` rows into the table of each KPI, and products and a ledger beside them."""
    for name, (definition, columns) in kpis().items():
        buffer = io.BytesIO()
        parquet.write_table(rows(definition, columns, count), buffer)
        buffer.seek(0)
        config = bq.LoadJobConfig(source_format="PARQUET", schema=_schema(columns), write_disposition="WRITE_TRUNCATE")
        services.warehouse.client.load_table_from_file(
            buffer, _table(services, "kpi", name), job_config=config
        ).result()
    _put(services, "curated", "products", list(_products(count)))
    _put(services, "ops", "load_stages", list(_stages()))
    _put(services, "ops", "quarantine_rows", list(_refused()))


def _table(services: Services, layer: str, name: str) -> str:
    return f"{services.warehouse.client.project}.{services.settings.table(layer, name)}"


def _schema(columns: Sequence[Mapping[str, str]]) -> list[bq.SchemaField]:
    return [bq.SchemaField(c["name"], c["type"]) for c in columns]


def _put(services: Services, layer: str, name: str, found: list[dict[str, Any]]) -> None:
    """Append rows to a table that is there."""
    client, table = services.warehouse.client, _table(services, layer, name)
    config = bq.LoadJobConfig(schema=client.get_table(table).schema)
    client.load_table_from_json(found, table, job_config=config).result()


def _products(count: int) -> Iterator[dict[str, Any]]:
    for number in range(max(count // DAYS, 1)):
        yield {"sku": f"SKU-{number:04d}", "name": f"Article {number}",
               "category": CATEGORIES[number % len(CATEGORIES)]}  # fmt: skip


def _landed(number: int) -> dict[str, Any]:
    day = LAST - timedelta(days=number * 365 // LOADS)
    at = f"{day}T06:00:{number % 60:02d}Z"
    feed = FEEDS[number % len(FEEDS)]
    return {"load_id": f"load-{number}", "feed": feed, "landed_on": str(day), "recorded_at": at,
            "object": f"{feed}/{day}-{number}.csv", "landed_at": at, "finished_at": at}  # fmt: skip


def _stages() -> Iterator[dict[str, Any]]:
    """Yield the records of a year's loads; of each hundred one was rejected, one is held, one failed."""
    for number in range(LOADS):
        load = _landed(number)
        del load["recorded_at"]
        for stage, state in _states({0: "rejected", 1: "held", 2: "failed"}.get(number % 100, "")):
            yield {**load, "record_id": f"{load['load_id']}-{stage}", "run_id": f"run-{number}", "stage": stage,
                   "state": state, "lines": 500, "rows": 490, "rejects": 10, "quarantined": 10}  # fmt: skip


def _states(end: str) -> tuple[tuple[str, str], ...]:
    done = (("ingest", "loaded"), ("validate", "validated"), ("transform", "transformed"), ("kpi", "refreshed"))
    ended = {"": done, "rejected": (("ingest", end),)}
    return ended.get(end, (done[0], ("validate", end)))


def _refused() -> Iterator[dict[str, Any]]:
    for number in range(REFUSED):
        load = number * LOADS // REFUSED
        found = _landed(load)
        kept = {k: found[k] for k in ("load_id", "feed", "landed_on", "recorded_at")}
        yield {**kept, "run_id": f"run-{load}", "line": number % 500, "stage": "validate", "column_name": "quantity",
               "rule": f"quantity_rule_{number % 7}", "value": "deux"}  # fmt: skip


class Visit:
    """A person at the dashboard, with a watch. Each step yields the seconds to the figures and to the whole page."""

    def __init__(self, driver: Any, page: Dashboard) -> None:
        self.driver, self.page = driver, page

    def open(self, path: str, figures: str) -> tuple[float, float]:
        """Open an address as from a link."""
        return self._timed(lambda: self.driver.get(f"{self.page.address}/{path}"), lambda: self._shown(figures))

    def filter(self, key: str, name: str, changed: str) -> tuple[float, float]:
        """Choose a value of a filter; the figures have come when the text of ``changed`` is another."""
        field = self._all(f".st-key-{key} input")[0]
        field.send_keys(name)
        self.driver.execute_script(_WATCH, changed)
        field.send_keys(Keys.ENTER)
        WebDriverWait(self.driver, 60, 1).until(lambda _: self._watch().get("drawn"))
        watch = self._watch()
        return (watch["seen"] - watch["pressed"]) / 1000, (watch["drawn"] - watch["pressed"]) / 1000

    def _watch(self) -> dict[str, float]:
        found: dict[str, float] = self.driver.execute_script("return window.watch")
        return found

    def _timed(self, act: Callable[[], object], figures: Callable[[], bool]) -> tuple[float, float]:
        began = time.monotonic()
        act()
        self._until(figures)
        seen = time.monotonic() - began
        self._until(self._drawn)
        return seen, time.monotonic() - began

    def _until(self, condition: Callable[[], bool]) -> None:
        WebDriverWait(self.driver, 300, 0.1, [Exception]).until(lambda _: condition())

    def _all(self, css: str) -> list[Any]:
        return list(self.driver.find_elements(By.CSS_SELECTOR, css))

    def _shown(self, css: str) -> bool:
        return bool(self.driver.execute_script("return document.querySelector(arguments[0])", css))

    def _drawn(self) -> bool:
        return bool(self.driver.execute_script(_DRAWN))


# The script has run, and each chart that is there has its picture.
_DRAWN = """
return !!document.querySelector('[data-testid=stApp][data-test-script-state=notRunning]')
  && !document.querySelector('[data-stale=true], [data-testid=stSpinner], [data-testid=stSkeleton]')
  && [...document.querySelectorAll('[data-testid=stVegaLiteChart]')].every(c => c.querySelector('canvas, svg'))
"""
# The page looks at its own clock: a driver that asks ten times a second is part of what it measures.
_WATCH = f"""
const css = arguments[0], was = document.querySelector(css).textContent, watch = window.watch = {{}};
const drawn = () => {{ {_DRAWN} }};
document.addEventListener('keydown', () => {{ watch.pressed = performance.now() }}, {{capture: true, once: true}});
new MutationObserver((_, observer) => {{
  if (!watch.pressed) return;
  if (document.querySelector(css)?.textContent !== was) watch.seen ??= performance.now();
  if (!watch.seen || !drawn()) return;
  watch.drawn = performance.now();
  observer.disconnect();
}}).observe(document.body, {{subtree: true, childList: true, characterData: true, attributes: true}});
"""
_COLUMNS = ("rows in each KPI", "page", "figures", "drawn", "servers", "browser", "memory", "load")
HEAD = f"| {' | '.join(_COLUMNS)} |\n{'|---' * len(_COLUMNS)}|"


def visits(visit: Visit, services: Services) -> Iterator[tuple[str, tuple[float, float]]]:
    """Yield each step of a person with the seconds that it took."""
    week = f"from={LAST - timedelta(days=7)}&to={LAST}"
    tile, hero, moves = "[data-kpi=stock_value]", ".sf-hero", ".st-key-moves tr.sf-chosen"
    yield "overview, while the server starts", visit.open("", tile)
    yield "overview", visit.open("", tile)
    yield "overview, one location chosen", visit.filter("locations", "L0007", tile)
    yield "overview, a category, too", visit.filter("categories", "Paint", tile)
    yield "overview, all 400 days", visit.open(f"?dates={LAST - timedelta(days=DAYS - 1)}&dates={LAST}", tile)
    yield "a KPI's page", visit.open("kpi?kpi=stock_value", hero)
    yield "a KPI's page, one location chosen", visit.filter("locations", "L0009", hero)
    yield "what changed in a week", visit.open(f"changed?kpi=days_of_supply&{week}", moves)
    yield "data quality", visit.open("quality", ".st-key-attention")
    _compute(services)
    yield "overview, after a KPI was computed", visit.open("", tile)


def _compute(services: Services) -> None:
    """Record that a KPI was computed: what was read before counts no more."""
    now = datetime.now(UTC).isoformat()
    run = {"run_id": now, "kpi": "stock_value", "state": "computed", "finished_at": now}
    services.warehouse.insert(services.settings.table("ops", "kpi_runs"), [run], [now])
    time.sleep(VERSION_SECONDS + 1)


def filled(folder: Path, count: int) -> Stack:
    """Return a stack with ``count`` rows in each KPI; one that is there from before is taken as it is."""
    stack = open_stack(folder)
    done = folder / f"filled-{count}"
    if not done.exists():
        with started(parts.bigquery(stack), stack):
            provision.warehouse(_services(stack))
            fill(_services(stack), count)
        done.touch()
    return stack


def _services(stack: Stack) -> Services:
    return Services(Settings(stack.project, bigquery_endpoint=stack.url("bigquery")))


def _processor(driver: Any) -> tuple[float, float]:
    """Return the seconds that warehouse and dashboard used so far, and those of the browser."""
    own = seconds_below(driver.service.process.pid)
    return seconds_below(os.getpid()) - own, own


def main() -> None:
    """Fill a warehouse, visit the pages, print a table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(scratch) / "stack"
        stack = filled(folder, count)
        env = {**os.environ, **variables(stack), "STOCKFLOW_DEFINITIONS_URI": str(_FOLDER)}
        with (
            started(parts.bigquery(stack), stack),
            dashboard(env, folder / "logs" / "dashboard.log") as page,
            browser(Path(scratch)) as driver,
        ):
            print(HEAD)
            used = _processor(driver)
            for name, (seen, drawn) in visits(Visit(driver, page), _services(stack)):
                before, used = used, _processor(driver)
                servers, shown = used[0] - before[0], used[1] - before[1]
                times = (f"{seconds:.1f} s" for seconds in (seen, drawn, servers, shown))
                cells = (f"{count:,}", name, *times, f"{page.megabytes:.0f} MB", f"{os.getloadavg()[0]:.1f}")
                print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
