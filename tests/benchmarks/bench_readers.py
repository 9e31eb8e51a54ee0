"""Each reader from a file to staged Parquet, beside DuckDB, pyarrow and fastexcel on the same file in the same run.

    python -m tests.benchmarks.bench_readers [ROWS] [CASE ...]

Seconds of CPU of one pinned core (Linux), the median of three runs, each in a process of its own. A workbook and the
file of line breaks have a fifth of the rows. The peers write Parquet, too, and know nothing of rows that are refused,
except DuckDB's ``store_rejects`` for CSV. fastexcel comes into an environment that uv makes.
"""

import csv
import gzip
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from functions.ingest.readers.decode import decode
from functions.ingest.readers.model import Facts, Target
from stockflow.contracts import load_contract
from stockflow.settings import bundle_root
from tests.benchmarks.bench_ingest import HEADER, make, ours

ROWS = 1_000_000
RUNS = 3
PEERS = ("ours", "duckdb", "pyarrow", "fastexcel")
Row = tuple[Any, ...]


def typed(rows: int) -> Iterator[Row]:
    """Yield what the lines of ``bench_ingest`` say, as values."""
    for i in range(rows):
        day = date(2026, 9, i % 28 + 1)
        sold = datetime(2026, 9, i % 28 + 1, 8, i % 60, tzinfo=UTC)
        place, sku = ("LYO", "NA", "GVA")[i % 3], f"SKU-{i * 7919 % 5000:05d}"
        receipt, till = f"LYO-{day:%Y%m%d}-{i % 100_000}", f"till {i % 40}"
        net, gross = i % 100 + (i % 97) / 100, Decimal(i % 120 * 100 + i % 89).scaleb(-2)
        yield receipt, i % 9, day, sold, sku, place, i % 7, "EA", net, gross, "EUR", till


def make_json(path: Path, rows: int) -> None:
    """Write one object a line."""
    names = HEADER.split(",")
    with path.open("w", encoding="utf-8") as out:
        for row in typed(rows):
            out.write(json.dumps(dict(zip(names, row, strict=True)), default=str) + "\n")


def make_parquet(path: Path, rows: int) -> None:
    """Write typed columns."""
    import pyarrow as pa
    from pyarrow import parquet

    columns = zip(*typed(rows), strict=True)
    parquet.write_table(pa.table(dict(zip(HEADER.split(","), map(list, columns), strict=True))), path)


def make_workbook(path: Path, rows: int) -> None:
    """Write a sheet as programs write it, with shared strings and styled dates."""
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Sales")
    sheet.append(HEADER.split(","))
    for row in typed(rows // 5):
        sheet.append([cell.replace(tzinfo=None) if isinstance(cell, datetime) else cell for cell in row])
    book.save(path)


def make_gzip(path: Path, rows: int) -> None:
    """Write a packed CSV file."""
    plain = path.with_suffix("")
    make(plain, rows)
    with plain.open("rb") as source, gzip.open(path, "wb", 6) as out:
        shutil.copyfileobj(source, out)


def make_semicolons(path: Path, rows: int) -> None:
    """Write cp1252 with accents, as a French spreadsheet saves it."""
    with path.open("w", encoding="cp1252", newline="") as out:
        writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
        writer.writerow(HEADER.split(","))
        for row in typed(rows):
            writer.writerow([*row[:8], f"{row[8]:.2f}".replace(".", ","), row[9], row[10], f"{row[11]} é"])


def make_broken(path: Path, rows: int) -> None:
    """Write a line break into every record; a fifth of the rows."""
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(HEADER.split(","))
        for row in typed(rows // 5):
            writer.writerow([*row[:-1], f"{row[-1]}\nleft"])


_DUCK = {
    "csv": "read_csv(?, all_varchar=true, store_rejects=true)",
    "json": "read_json(?)",
    "parquet": "read_parquet(?)",
}


def duckdb(path: Path) -> int:
    """Read with DuckDB, everything as text, and write Parquet."""
    import duckdb as library

    db = library.connect(config={"threads": 1})
    kind = next(name for name in _DUCK if name in path.name)
    source = _DUCK[kind].replace("?", f"'{path}'")
    target = f"'{path}.duckdb.parquet' (FORMAT parquet)"
    copied = db.execute(f"COPY (SELECT CAST(COLUMNS(*) AS VARCHAR) FROM {source}) TO {target}").fetchone()
    return int(copied[0]) if copied else 0


def pyarrow(path: Path) -> int:
    """Read with pyarrow, everything as text, and write Parquet."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv
    from pyarrow import parquet

    pa.set_cpu_count(1)
    if ".parquet" in path.name:
        table = parquet.read_table(path, use_threads=False)
        table = pa.table({n: table.column(n).cast(pa.string()) for n in table.column_names})
    else:
        delimiter = ";" if "semicolons" in path.name else ","
        table = arrow_csv.read_csv(
            path,
            arrow_csv.ReadOptions(use_threads=False, encoding="cp1252" if delimiter == ";" else "utf8"),
            arrow_csv.ParseOptions(
                delimiter=delimiter, newlines_in_values="broken" in path.name, invalid_row_handler=lambda _: "skip"
            ),
            arrow_csv.ConvertOptions(column_types=dict.fromkeys(HEADER.split(","), pa.string())),
        )
    parquet.write_table(table, f"{path}.pyarrow.parquet")
    return table.num_rows


def fastexcel(path: Path) -> int:
    """Read with fastexcel into Arrow, everything as text, and write Parquet."""
    import fastexcel as library  # type: ignore[import-not-found,unused-ignore]
    from pyarrow import parquet

    sheet = library.read_excel(path).load_sheet(0, dtypes="string")
    batch = sheet.to_arrow()
    import pyarrow as pa

    parquet.write_table(pa.Table.from_batches([batch]), f"{path}.fastexcel.parquet")
    return int(batch.num_rows)


def our_own(path: Path) -> int:
    """Read with Stockflow's reader and stage the rows."""
    return sum(ours(path))


CASES: dict[str, tuple[Callable[[Path, int], None], tuple[str, ...]]] = {
    "plain.csv": (make, ("ours", "duckdb", "pyarrow")),
    "quoted.csv": (lambda path, rows: make(path, rows, '"'), ("ours", "duckdb", "pyarrow")),
    "semicolons.csv": (make_semicolons, ("ours", "pyarrow")),
    "packed.csv.gz": (make_gzip, ("ours", "duckdb", "pyarrow")),
    "broken.csv": (make_broken, ("ours", "duckdb", "pyarrow")),
    "lines.json": (make_json, ("ours", "duckdb")),
    "typed.parquet": (make_parquet, ("ours", "duckdb", "pyarrow")),
    "book.xlsx": (make_workbook, ("ours", "fastexcel")),
}
READ: dict[str, Callable[[Path], int]] = {
    "ours": our_own, "duckdb": duckdb, "pyarrow": pyarrow, "fastexcel": fastexcel,
}  # fmt: skip


def run(peer: str, path: Path) -> dict[str, float]:
    """Read a file, pinned to a core (Linux); the process for risky formats waits already, as in a warm instance."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    if peer == "ours":
        with (bundle_root() / "tests/corpus/parquet/input.parquet").open("rb") as small:
            list(decode(small, Target(load_contract(bundle_root() / "contracts/sales.yaml"), "x"), Facts(), 10**6))
    started = _cpu()
    rows = READ[peer](path)
    return {"rows": rows, "cpu": _cpu() - started}


def _cpu() -> float:
    return time.process_time() + sum(map(_cpu_of, _children(os.getpid())))


def _children(process: int | str) -> list[str]:
    """Return the processes that one started: ours has one that reads what native code parses, in forks of its own."""
    return Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii").split()


def _cpu_of(process: str) -> float:
    """Return the seconds of a process and its children; one that ended counts until, and when, its end was noticed."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK") + sum(map(_cpu_of, _children(process)))


def command(peer: str) -> list[str]:
    """Return how Python is started for a peer."""
    if peer != "fastexcel":
        return [sys.executable]
    uv = shutil.which("uv") or str(Path(".stockflow/uv/bin/uv").resolve())
    return [uv, "run", "--quiet", "--with", "fastexcel[pyarrow]", "python"]


def measured(peer: str, path: Path) -> dict[str, float]:
    """Run a peer in processes of its own; return rows and the median of its seconds."""
    call = [*command(peer), "-m", __spec__.name, "--run", peer, str(path)]
    found = []
    for _ in range(RUNS):
        out = subprocess.run(call, check=True, capture_output=True, text=True, env=os.environ)
        found.append(json.loads(out.stdout))
    return {"rows": found[0]["rows"], "cpu": statistics.median(f["cpu"] for f in found)}


def main(rows: int, names: list[str]) -> None:
    """Make the files, run each peer, print a table."""
    print(f"{rows:,} rows x 12 columns, load {os.getloadavg()[0]:.1f}, {time.strftime('%Y-%m-%d')}")
    print(f"| file | rows | {' | '.join(PEERS)} |\n|---|---|{'---|' * len(PEERS)}")
    with tempfile.TemporaryDirectory() as folder:
        for name in names or CASES:
            path, (write, peers) = Path(folder) / name, CASES[name]
            write(path, rows)
            found = {peer: measured(peer, path) for peer in peers}
            seconds = [f"{found[p]['cpu']:.2f}" if p in found else "" for p in PEERS]
            print(f"| {name} | {found['ours']['rows']:,.0f} | {' | '.join(seconds)} |", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--run"]:
        print(json.dumps(run(sys.argv[2], Path(sys.argv[3]))))
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else ROWS, sys.argv[2:])
