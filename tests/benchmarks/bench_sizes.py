"""One file of each size, from its drop to a KPI: seconds and peak memory by stage, jobs; and two peers in the same run.

    python -m tests.benchmarks.bench_sizes [ROWS ...]

Function processes, subscriptions and readers are those of the stack; one KPI; a small file first, so that processes are
warm; pauses between drains are off, since one file waits for nobody. "own" are the seconds in which no request to the
emulator of BigQuery was under way: what the project adds on top of the warehouse's time. Peers do the same job on the
same file: a script with pandas, and dlt with dbt-duckdb, in an environment that uv makes of ``peers/requirements.txt``.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from local.state import FUNCTIONS
from stockflow.stages import STAGES
from tests.benchmarks.bench_large_files import Peaks
from tests.benchmarks.one_file import through
from tests.chaos.proxy import Answer, Forward, Proxy
from tests.chaos.rig import DEFINITIONS, Rig, rig

SIZES = (10_000, 1_000_000)
PEERS = Path(__file__).parent / "peers"
SETTINGS = {"STOCKFLOW_DEFINITIONS_URI": str(DEFINITIONS), "STOCKFLOW_DRAIN_PAUSE_SECONDS": "0",
            "STOCKFLOW_LOAD_PAUSE_SECONDS": "0"}  # fmt: skip
HEADER = "receipt_number,line_number,business_date,sku,location_code,quantity,net_amount"
WARM = f"{HEADER}\nW1,1,2026-08-31,SKU1,L01,1,1.50\n"
BAD = 500  # one row of so many has a quantity that is no number; as many say again what another one said
# without the first file
_SAID = """
SELECT
  (SELECT COUNT(*) FROM inventory_curated.sales) - 1 AS n,
  (SELECT CAST(SUM(value) AS INT64) FROM inventory_kpi.units_by_day) - 1 AS units
"""


class Timed(Proxy):
    """A proxy that knows when a request was under way."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.spans: list[tuple[float, float]] = []

    def through(self, request: tuple[str, str], headers: Mapping[str, str], body: bytes, forward: Forward) -> Answer:
        """Forward a request, and note from when to when."""
        began = time.monotonic()
        try:
            return forward(body)
        finally:
            self.spans.append((began, time.monotonic()))


@dataclass
class Measured:
    """One run of the stack: stage -> seconds, peak MB of its function, jobs."""

    seconds: dict[str, float] = field(default_factory=dict)
    memory: dict[str, int] = field(default_factory=dict)
    jobs: dict[str, int] = field(default_factory=dict)
    emulator: float = 0.0
    said: dict[str, int] = field(default_factory=dict)


def lines(rows: int, seed: int = 1) -> Iterator[str]:
    """Yield the lines of a file of sales."""
    dice = Random(seed)
    yield HEADER
    for number in range(rows):
        key = number - 1 if number % BAD == 7 else number
        receipt, line = divmod(key, 5)
        quantity = "two" if number % BAD == 3 else str(1 + dice.randrange(9))
        day = 1 + key % 28
        what = f"2026-09-{day:02},SKU{key % 5000},L{key % 40:02},{quantity},{number % 900}.50"
        yield f"R{receipt},{line + 1},{what}"


def union(spans: list[tuple[float, float]]) -> float:
    """Return the seconds in which at least one of these spans lasted."""
    total, end = 0.0, 0.0
    for began, ended in sorted(spans):
        total += max(0.0, ended - max(began, end))
        end = max(end, ended)
    return total


def stack(file: Path) -> Measured:
    """Drop a file into a stack of its own; return what its path took."""
    with tempfile.TemporaryDirectory(prefix="sizes") as folder, rig(Path(folder), 1, 0.0, SETTINGS, Timed) as made:
        peaks = {name: Peaks(made.processes[name].status.pid or 0) for name in FUNCTIONS}
        through(made, "sales/warm.csv", WARM.encode())
        before = {name: _jobs(made, name) for name in FUNCTIONS}
        for proxy in made.warehouses.values():
            assert isinstance(proxy, Timed)
            proxy.spans.clear()
        records = through(made, "sales/sizes.csv", file.read_bytes())
        known = made.calm.warehouse.query(_SAID)[0]
        found = Measured(
            said={"rows": known["n"], "refused": records["validate"]["quarantined"], "units": known["units"]}
        )
        since = records["ingest"]["landed_at"]
        for stage in STAGES:
            found.seconds[stage] = (records[stage]["finished_at"] - since).total_seconds()
            since = records[stage]["finished_at"]
            found.memory[stage] = max(peaks[stage].megabytes(), default=0)
            found.jobs[stage] = _jobs(made, stage) - before[stage]
        found.emulator = union(
            [s for proxy in made.warehouses.values() if isinstance(proxy, Timed) for s in proxy.spans]
        )
    return found


def _jobs(made: Rig, name: str) -> int:
    sent = made.warehouses[name].requests
    return sent["query job"] + sent["load job"]


def peer(script: str, file: Path) -> tuple[float, int, dict[str, int]]:
    """Run a peer; return its seconds, its peak MB and what it counted."""
    uv = [sys.executable, "-m", "uv", "run", "-q", "--no-project", "--python", "3.13"]
    uv += ["--with-requirements", str(PEERS / "requirements.txt"), "python"]
    subprocess.run([*uv, "-c", "import pandas, dlt, duckdb"], check=True)  # made before it is timed
    with tempfile.TemporaryDirectory(prefix="peer") as folder:
        command = [*uv, str(PEERS / script), str(file), folder]
        began = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=folder)
        peaks = Peaks(process.pid)
        said, _ = process.communicate()
        seconds = time.monotonic() - began
        assert process.returncode == 0, f"{script} failed"
        return seconds, max(peaks.megabytes(), default=0), json.loads(said.splitlines()[-1])


def main() -> None:
    """Print a table for each size."""
    sizes = [int(text) for text in sys.argv[1:]] or SIZES
    with tempfile.TemporaryDirectory(prefix="files") as folder:
        for rows in sizes:
            file = Path(folder) / f"{rows}.csv"
            file.write_text("\n".join(lines(rows)) + "\n", encoding="utf-8")
            print(f"\n{rows:,} rows, {file.stat().st_size / 1e6:.1f} MB, load {os.getloadavg()[0]:.1f}\n", flush=True)
            print("| | seconds | peak MB | jobs | counted |\n|---|---|---|---|---|", flush=True)
            _rows(stack(file))
            for script in ("with_pandas.py", "with_dlt.py"):
                seconds, memory, said = peer(script, file)
                print(f"| {script} | {seconds:.1f} | {memory:,} | | {said} |", flush=True)


def _rows(found: Measured) -> None:
    total = sum(found.seconds.values())
    for stage in STAGES:
        print(f"| {stage} | {found.seconds[stage]:.1f} | {found.memory[stage]:,} | {found.jobs[stage]} | |")
    jobs, largest = sum(found.jobs.values()), max(found.memory.values())
    print(f"| drop to KPI | {total:.1f} | {largest:,} | {jobs} | {found.said} |")
    print(f"| of these the emulator | {found.emulator:.1f} | | | |")
    print(f"| own | {total - found.emulator:.1f} | | | |", flush=True)


if __name__ == "__main__":
    main()
