"""The laptop: seconds from a drop to the KPIs on the embedded stack, beside a plain DuckDB script on the same files.

    python -m tests.benchmarks.bench_laptop [samples] [days:305] [million]

Each case has a stack of its own, from nothing (``up``). ``samples`` drops the project's sample files, ``days:N`` one
file of sales for each of N days (1,777 rows each), ``million`` 22 files with 1,101,000 rows (20 days of balances of
1,000 SKUs in 50 places, a file of sales, a file of products); then each drops one more file of two rows. Data is
generated, always the same. The command is the one that a person types: ``stockflow drop FILES --wait``. The plain
script reads the same files, keeps the last statement of each key, and computes stock value, units sold and days of
supply by day, SKU and place: what is left when nothing is checked, recorded or repeatable.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb

from stockflow.settings import bundle_root
from tests.support.memory import peak_bytes
from tests.support.stack import FullStack, full_stack

FIRST = date(2026, 1, 1)
PATIENCE_SECONDS = 3_600
HEAD = """\
| case | files | rows | up | drop to KPI | one more file | plain script | emulator's peak |
|---|---|---|---|---|---|---|---|"""
PLAIN = """
CREATE TABLE sold AS SELECT * FROM read_csv('{folder}/sales/*.csv', union_by_name = true)
QUALIFY ROW_NUMBER() OVER (PARTITION BY location_code, business_date, receipt_number, line_number) = 1;
CREATE TABLE held AS SELECT * FROM read_csv('{folder}/stock_snapshots/*.csv', union_by_name = true)
QUALIFY ROW_NUMBER() OVER (PARTITION BY business_date, sku, location_code) = 1;
CREATE TABLE products AS SELECT * FROM read_csv('{folder}/products/*.csv')
QUALIFY ROW_NUMBER() OVER (PARTITION BY sku) = 1;
CREATE TABLE daily AS
SELECT business_date, sku, location_code, on_hand, on_hand * unit_cost AS stock_value, units_sold
FROM held
FULL JOIN (SELECT business_date, sku, location_code, SUM(quantity) AS units_sold FROM sold GROUP BY ALL)
  USING (business_date, sku, location_code)
LEFT JOIN products USING (sku);
CREATE TABLE kpis AS
SELECT *, SUM(units_sold) OVER last_28 AS units_28, on_hand / NULLIF(SUM(units_sold) OVER last_28 / 28, 0) AS supply
FROM daily
WINDOW last_28 AS (
  PARTITION BY sku, location_code ORDER BY business_date RANGE BETWEEN INTERVAL 27 DAYS PRECEDING AND CURRENT ROW
);
SELECT SUM(stock_value), SUM(units_sold), AVG(supply) FROM kpis;
"""
_SALES = "receipt_number,line_number,business_date,sku,location_code,quantity,net_amount\n"
_STOCK = "business_date,sku,location_code,on_hand\n"


@dataclass(frozen=True)
class Case:
    """What is dropped: files below ``<folder>/<feed>/``, and how many rows they have."""

    name: str
    files: list[Path]
    rows: int
    has_plain: bool = True


def samples(_: Path) -> Case:
    """The project's own samples: ten feeds, many formats; a plain script would need a reader for each."""
    files = sorted(path for path in (bundle_root() / "samples").glob("*/*") if path.is_file())
    return Case("samples", files, sum(path.read_bytes().count(b"\n") for path in files), has_plain=False)


def days(folder: Path, number: int) -> Case:
    """A file of sales for each day."""
    for n in range(number):
        _write(folder / "sales" / f"sales_{FIRST + timedelta(n)}.csv", _SALES, _sales(n, 1_777))
    _write(folder / "stock_snapshots" / f"stock_{FIRST}.csv", _STOCK, _stock(0, 100, 20))
    _write(folder / "products" / "products.csv", "sku,name,unit_cost\n", _products(100))
    files = sorted(folder.glob("*/*.csv"))
    return Case(f"{number} days", files, number * 1_777 + 2_100)


def million(folder: Path) -> Case:
    """20 days of 50,000 balances, 100,000 lines of sales, 1,000 products."""
    for n in range(20):
        _write(folder / "stock_snapshots" / f"stock_{FIRST + timedelta(n)}.csv", _STOCK, _stock(n, 1_000, 50))
    lines = (line for n in range(20) for line in _sales(n, 5_000))
    _write(folder / "sales" / "sales_2026-01.csv", _SALES, lines)
    _write(folder / "products" / "products.csv", "sku,name,unit_cost\n", _products(1_000))
    return Case("million", sorted(folder.glob("*/*.csv")), 1_101_000)


def _sales(day: int, rows: int) -> Iterator[str]:
    on = FIRST + timedelta(day)
    for n in range(rows):
        mixed = (day * 7_919 + n * 104_729) % 1_000_003
        yield f"R{n // 3},{n % 3 + 1},{on},SKU{mixed % 100},L{mixed // 100 % 20},{mixed % 4 + 1},{mixed % 900 / 10}\n"


def _stock(day: int, skus: int, places: int) -> Iterator[str]:
    on = FIRST + timedelta(day)
    return (f"{on},SKU{s},L{p},{(s * 31 + p * 17 + day) % 60}\n" for p in range(places) for s in range(skus))


def _products(number: int) -> Iterator[str]:
    return (f"SKU{n},Product {n},{n % 50 + 1}.50\n" for n in range(number))


def _write(path: Path, header: str, lines: Iterable[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        file.write(header)
        file.writelines(lines)


def measured(case: Case, folder: Path) -> str:
    """Run a case on a stack of its own; return its row of the table."""
    began = time.monotonic()
    with full_stack(folder / "stack") as running:
        up = time.monotonic() - began
        took = _dropped(case.files, running)
        more = folder / "more" / "sales" / "sales_more.csv"
        _write(more, _SALES, (f"M{n},1,{FIRST + timedelta(9)},SKU{n},L1,1,9.90\n" for n in (1, 2)))
        one = _dropped([more], running)
        peak = _peak_bytes(running)
    plain = f"{_plain(folder / 'files'):.1f} s" if case.has_plain else ""
    return (
        f"| {case.name} | {len(case.files)} | {case.rows:,} | {up:.1f} s | {took:.1f} s | {one:.1f} s | {plain} | "
        f"{peak / 1e6:,.0f} MB |"
    )


def _dropped(files: list[Path], running: FullStack) -> float:
    """Drop files as a person does; return the seconds until all had ended."""
    command = [sys.executable, "-m", "cli.main", "drop", *map(str, files), "--wait", f"--timeout={PATIENCE_SECONDS}"]
    began = time.monotonic()
    done = subprocess.run(command, env=running.env, cwd=bundle_root(), capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):  # 1: a file was rejected, as some of the samples are
        raise RuntimeError(done.stderr)
    return time.monotonic() - began


def _peak_bytes(running: FullStack) -> int:
    """Return the most memory that the emulator of BigQuery had (Linux)."""
    pid = next(part.pid for part in running.status().parts if part.name == "bigquery")
    assert pid is not None
    return peak_bytes(pid)


def _plain(folder: Path) -> float:
    began = time.monotonic()
    with duckdb.connect(config={"threads": 2}) as database:
        database.execute(PLAIN.format(folder=folder)).fetchall()
    return time.monotonic() - began


def main(names: list[str]) -> None:
    """Print the table."""
    makers: dict[str, Callable[[Path, int], Case]] = {
        "samples": lambda folder, _: samples(folder), "days": days, "million": lambda folder, _: million(folder)
    }  # fmt: skip
    print(HEAD, flush=True)
    for name in names or ["samples", "days:305", "million"]:
        kind, _, number = name.partition(":")
        with tempfile.TemporaryDirectory(prefix="laptop") as folder:
            print(measured(makers[kind](Path(folder) / "files", int(number or 305)), Path(folder)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
