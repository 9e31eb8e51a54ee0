"""A large file by one call of ingest and by the Beam pipeline: the same rows, seconds, peak memory of each process.

    python -m tests.benchmarks.bench_large_files [MEGABYTES] [--broken-notes N] [--workers N ...]

One record of N (1: each, the hardest for a reader) has a quoted line break.
Both run against emulators of their own, which load what was staged: their memory is not counted, their time is.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

from stockflow.events import ObjectRef
from stockflow.services import Services
from tests.dataflow import beam_env, shop
from tests.dataflow.test_beam import settings_of
from tests.support.stack import emulators, provisioned

MEGABYTES = 24
ROWS_OF_A_MEGABYTE = 13_000
PART_BYTES = 16 << 20
AT_ONCE = 1_000_000  # rows that are compared in one query: memory is that of so many
_ROWS = """
SELECT * EXCEPT (_run_id, _ingested_at) FROM inventory_raw.sales
WHERE _landed_on = @day AND _run_id = @{run} AND _row >= @first AND _row < @first + @at_once
"""
_REJECTS = """
SELECT line, code, message, found, expected, original_text, number FROM inventory_ops.reject_rows
WHERE landed_on = @day AND run_id = @{run} AND number >= @first AND number < @first + @at_once
"""
CALL = "import json, sys; from functions.ingest.pipeline import ingest; from stockflow.services import services\n"
CALL += "from stockflow.events import object_from_resource\n"
CALL += "ingest(object_from_resource(json.loads(sys.argv[1])), services())"


class Peaks:
    """The largest resident memory of each process below one, read from ``/proc``."""

    def __init__(self, root: int) -> None:
        self._root, self._stop = root, Event()
        self.found: dict[int, int] = {}
        self._thread = Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._stop.wait(0.2):
            for pid in _below(self._root):
                self.found[pid] = max(self.found.get(pid, 0), _peak(pid))

    def megabytes(self) -> list[int]:
        """Stop, and return the peaks of the largest processes."""
        self._stop.set()
        self._thread.join()
        return sorted((kb // 1024 for kb in self.found.values() if kb > 80_000), reverse=True)


def _below(root: int) -> Iterator[int]:
    parents: dict[int, int] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(status.parent.name)] = int(status.read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
    for pid in parents:
        above = pid
        while above not in (root, 0) and above in parents:
            above = parents[above]
        if above == root:
            yield pid


def _peak(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith("VmHWM")), 0)


def measured(command: list[str], env: dict[str, str]) -> tuple[float, list[int]]:
    """Run a command; return its seconds and the peaks of its processes in MB."""
    began = time.monotonic()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, env=env, cwd=beam_env.ROOT, stdout=said, stderr=said)
        peaks = Peaks(process.pid)
        code = process.wait()
        found = peaks.megabytes()
        said.seek(0)
        assert code == 0, said.read().decode()[-4000:]
    return time.monotonic() - began, found


def beam(ref: ObjectRef, services: Services, workers: int) -> list[str]:
    """Return the command of the pipeline."""
    asked = ["--object", shop.resource(ref), "--run_id", f"bench-{workers}", "--part_bytes", str(PART_BYTES)]
    return beam_env.command([*asked, "--settings", json.dumps(settings_of(services))], workers)


def different(ref: ObjectRef, services: Services, one: str, other: str, rows: int) -> int:
    """Return how many rows and rejects one of two runs has and the other has not."""
    params = {"day": ref.landed_on, "one": one, "other": other, "at_once": AT_ONCE}
    queries = _missing("one", "other"), _missing("other", "one")
    return sum(
        int(services.warehouse.query(sql, {**params, "first": first})[0]["n"])
        for first in range(0, rows + 1, AT_ONCE)
        for sql in queries
    )


def _missing(run: str, other: str) -> str:
    """Return the SQL that counts what one run has and another has not, rows and rejects."""
    of_each = [f"{rows.format(run=run)} EXCEPT DISTINCT {rows.format(run=other)}" for rows in (_ROWS, _REJECTS)]
    return f"SELECT {' + '.join(f'(SELECT COUNT(*) FROM ({missing}))' for missing in of_each)} AS n"


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("megabytes", type=int, nargs="?", default=MEGABYTES)
    parser.add_argument("--broken-notes", type=int, default=1, metavar="N")
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2], metavar="N")
    return parser.parse_args()


def main() -> None:
    """Print a line for each way."""
    asked = _asked()
    rows = asked.megabytes * ROWS_OF_A_MEGABYTE
    with tempfile.TemporaryDirectory() as folder, emulators(Path(folder)) as running, provisioned(running) as services:
        ref = shop.drop(services, "sales/bench.csv", shop.sales(rows, 0, asked.broken_notes))
        print(f"{ref.size / 1e6:,.0f} MB, {rows:,} rows", flush=True)
        env = beam_env.environment({"STOCKFLOW_MAX_FILE_BYTES": str(2 * ref.size)})
        ways = {"one call": [sys.executable, "-c", CALL, shop.resource(ref)]}
        ways |= {f"Beam, {workers} workers": beam(ref, services, workers) for workers in asked.workers}
        first = ""
        for name, command in ways.items():
            seconds, peaks = measured(command, env)
            run = shop.committed(ref, services).raw_run_id or ""
            first = first or run
            print(f"{name}: {seconds:.0f} s, peak MB of each process: {peaks}", flush=True)
            if run != first:
                print(f"rows and rejects that differ: {different(ref, services, first, run, rows)}", flush=True)


if __name__ == "__main__":
    main()
