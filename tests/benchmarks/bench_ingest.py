"""How fast a file becomes staged Parquet, and in how much memory, next to Python's plain ``csv`` module.

``python -m tests.benchmarks.bench_ingest [ROWS]``: every case runs in a process of its own, on the same file.
"""

import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import functions.ingest.readers.delimited  # noqa: F401  (not part of what is measured)
from functions.ingest.readers.decode import decode
from functions.ingest.readers.model import Facts, Target
from functions.ingest.staging import Staging, arrow_schema, stage
from stockflow.contracts import load_contract
from stockflow.settings import bundle_root
from tests.support.memory import peak_bytes

ROWS = 1_000_000
LIMIT_MB = 200
HEADER = (
    "receipt_number,line_number,business_date,sold_at,sku,location_code,quantity,unit,net_amount,gross_amount,"
    "currency,till"
)


def _line(i: int, quote: str = "") -> str:
    day = i % 28 + 1
    cells: tuple[str, ...] = (
        f"LYO-202609{day:02d}-{i % 100_000}", str(i % 9), f"2026-09-{day:02d}",
        f"2026-09-{day:02d}T10:{i % 60:02d}:00+02:00", f"SKU-{i * 7919 % 5000:05d}", ("LYO", "NA", "GVA")[i % 3],
        str(i % 7), "EA", f"{i % 100}.{i % 97:02d}", f"{i % 120}.{i % 89:02d}", "EUR", f"till {i % 40}",
    )  # fmt: skip
    if i % 500 == 250:
        cells = cells[1:]  # the wrong width
    return ",".join(f"{quote}{c}{quote}" for c in cells)


def make(path: Path, rows: int, quote: str = "", encoding: str = "utf-8") -> None:
    """Write the file of one case."""
    with path.open("w", encoding=encoding, newline="") as out:
        out.write(HEADER + "\n")
        for start in range(0, rows, 10_000):
            out.write("".join(_line(i, quote) + "\n" for i in range(start, min(rows, start + 10_000))))


def plain(path: Path) -> tuple[int, int]:
    """What many a loader does, and nothing else: read the rows with ``csv`` and look at their width."""
    rows = rejects = 0
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.reader(file, strict=True)
        width = len(next(reader))
        for row in reader:
            if len(row) == width:
                rows += 1
            else:
                rejects += 1
    return rows, rejects


def ours(path: Path) -> tuple[int, int]:
    """Decode and write Parquet: text, line numbers, rejects with their text."""
    contract = load_contract(bundle_root() / "contracts" / "sales.yaml")
    staging = Staging(arrow_schema(contract), "0" * 20, "1" * 20, datetime.now(UTC).date(), datetime.now(UTC))
    with path.open("rb") as file, Path(f"{path}.parquet").open("wb") as sink:
        chunks = decode(file, Target(contract, f"sales/{path.name}"), Facts(), 10**10)
        rejects = sum(1 for _ in stage(chunks, staging, sink))
    return staging.rows, rejects


CASES: dict[str, tuple[Callable[[Path], tuple[int, int]], dict[str, str]]] = {
    "csv module": (plain, {}),
    "ours": (ours, {}),
    "csv module, quoted": (plain, {"quote": '"'}),
    "ours, quoted": (ours, {"quote": '"'}),
    "ours, utf-16": (ours, {"encoding": "utf-16"}),
}


def run(case: str, path: Path) -> dict[str, float]:
    """Run one case in this process and return its figures."""
    started, cpu = time.perf_counter(), time.process_time()
    rows, rejects = CASES[case][0](path)
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    peak = peak_bytes() / 1e6
    return {"rows": rows, "rejects": rejects, "seconds": seconds, "cpu": cpu, "peak_mb": peak}


def main(rows: int) -> None:
    """Make the files, run the cases, print a table; fail when memory is not bounded."""
    with tempfile.TemporaryDirectory() as folder:
        print(f"{rows:,} rows x 12 columns")
        print(f"{'case':22} {'rows/s':>10} {'seconds':>8} {'cpu s':>6} {'peak MB':>8} {'rejects':>8}")
        for case, (_, options) in CASES.items():
            path = Path(folder) / ("-".join(options.values()).replace('"', "q") or "plain")
            if not path.exists():
                make(path, rows, **options)
            command = [sys.executable, "-m", __spec__.name, "--case", case, str(path)]
            out = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ)
            figures = json.loads(out.stdout)
            total = figures["rows"] + figures["rejects"]
            speed = total / figures["seconds"]
            peak = figures["peak_mb"]
            times = f"{speed:>10,.0f} {figures['seconds']:>8.2f} {figures['cpu']:>6.2f}"
            print(f"{case:22} {times} {peak:>8.0f} {figures['rejects']:>8}")
            assert total == rows, figures
            assert peak < LIMIT_MB, f"{case}: {peak:.0f} MB, more than {LIMIT_MB}"


if __name__ == "__main__":
    if sys.argv[1:2] == ["--case"]:
        print(json.dumps(run(sys.argv[2], Path(sys.argv[3]))))
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else ROWS)
