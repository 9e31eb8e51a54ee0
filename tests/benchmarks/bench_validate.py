"""How long a load takes to be judged, in how much memory, next to bare Great Expectations and to push-down.

    python -m tests.benchmarks.bench_validate [ROWS ...]

Each size is judged twice, with every 500th row refused and with all rows refused, and bare Great Expectations runs
the same suite on the same frame: more than 1.5 times its time fails. Then a staged file is judged in a process that
may not grow with it. Push-down needs ``sqlalchemy-bigquery`` (not a dependency: Stockflow does not use it); without
it only the in-memory figures are printed.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from functions.validate.expectations import FORMAT, prepared
from functions.validate.judge import Bench, judge
from functions.validate.preload import import_great_expectations
from functions.validate.rows import EXTRA, LINE, ROW, pieces
from functions.validate.survey import Survey
from stockflow.contracts import Contract, load_contract
from stockflow.settings import Settings, bundle_root
from tests.support.memory import peak_bytes
from tests.support.rows import Table, table
from tests.support.stack import emulators, warehouse

BAD_EVERY = 500
LANDED = datetime(2026, 10, 12, tzinfo=UTC)
MOST_TIMES_BARE = 1.5
LIMIT_MB = 1024
LONG_ROWS = 1_000_000  # of the staged file


@cache
def contract() -> Contract:
    """Return the contract of what is judged."""
    return load_contract(bundle_root() / "contracts" / "sales.yaml")


def rows(count: int, bad_every: int = BAD_EVERY, start: int = 0) -> pa.Table:
    """Return synthetic sales; each so many rows a quantity cannot be read, nor a currency."""
    numbers = range(start, start + count)
    bad = [n % bad_every == 7 % bad_every for n in numbers]
    columns: dict[str, Any] = {
        "receipt_number": [f"T{n // 10}" for n in numbers],
        "line_number": [str(n % 10) for n in numbers],
        "business_date": ["2026-10-11"] * count,
        "sold_at": [f"2026-10-11T{n // 3600 % 24:02d}:{n // 60 % 60:02d}:{n % 60:02d}+02:00" for n in numbers],
        "sku": [f"SKU-{n % 5000}" for n in numbers],
        "location_code": ["LYO"] * count,
        "quantity": ["1O" if b else str(n % 9 + 1) for n, b in zip(numbers, bad, strict=True)],
        "unit": ["EA"] * count,
        "net_amount": [f"{n % 97}.50" for n in numbers],
        "gross_amount": [f"{n % 97 + 20}.00" for n in numbers],
        "currency": ["EURO" if b else "EUR" for b in bad],
    }
    return table(contract(), columns, count)


def ours(found: pa.Table) -> tuple[float, int]:
    """Return seconds of CPU and how many bad rows were named, with their original text."""
    named = 0

    def count(refused: pa.Table) -> None:
        nonlocal named
        named += len(refused)

    began = time.process_time()
    judge(contract(), Table(found), LANDED, count)
    return time.process_time() - began, named


def bare(found: pa.Table) -> float:
    """Return seconds of CPU of Great Expectations alone: the same suite on the same frame, asked for each bad row."""
    survey = Survey.of(contract(), Table(found).pieces(found.column_names))
    bench = Bench(contract(), survey, LANDED)
    frames = [bench.frame(batch) for batch in Table(found).pieces(found.column_names)]
    frame = pd.concat(frames, ignore_index=True)
    ready = prepared(contract())
    began = time.process_time()
    ready.batches.get_batch({"dataframe": frame}).validate(ready.suite, result_format=FORMAT)
    return time.process_time() - began


@dataclass(frozen=True)
class File:
    """Rows of a Parquet file on this machine, as the staged file of a load is read."""

    path: Path

    @property
    def count(self) -> int:
        """How many there are."""
        return int(parquet.ParquetFile(self.path).metadata.num_rows)

    def pieces(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield the rows in pieces, a row group at a time."""
        file = parquet.ParquetFile(self.path)
        yield from pieces(file.read_row_group(i, columns=list(columns)) for i in range(file.num_row_groups))


def write(path: Path, count: int, bad_every: int) -> None:
    """Write a staged file."""
    with parquet.ParquetWriter(path, rows(1).schema) as writer:
        for start in range(0, count, 50_000):
            part = rows(min(50_000, count - start), bad_every, start)
            writer.write_table(part.set_column(0, ROW, pa.array(range(start + 1, start + len(part) + 1))))


def long_file(path: Path) -> dict[str, float]:
    """Judge a staged file in this process; return seconds, refused rows and peak memory."""
    began = time.perf_counter()
    judgement, _ = judge(contract(), File(path), LANDED, lambda refused: None)
    peak = peak_bytes() / 1e6
    return {"seconds": time.perf_counter() - began, "rows": judgement.rows, "refused": judgement.refused, "mb": peak}


def push_down(found: pa.Table, client: Any) -> tuple[float, int, int]:
    """Return seconds, bad rows named and jobs sent, for six of the same rules as SQL."""
    import sqlalchemy

    gx = import_great_expectations()
    client.create_dataset("bench", exists_ok=True)
    frame = found.to_pandas()
    text = frame.drop(columns=[c for c in frame if frame[c].isna().all()] + [ROW, EXTRA], errors="ignore").astype(str)
    client.load_table_from_dataframe(text, "bench.sales").result()
    before = sum(1 for _ in client.list_jobs())
    began = time.perf_counter()
    context = gx.get_context(mode="ephemeral")
    url = "bigquery://bench/bench?user_supplied_client=True"
    engine = sqlalchemy.create_engine(url, connect_args={"client": client})
    # Great Expectations makes the engine itself and has no place for a client of an emulator.
    sqlalchemy.create_engine = lambda *_args, **_kwargs: engine
    source = context.data_sources.add_sql("sales", connection_string="bigquery://bench/bench", create_temp_table=False)
    asset = source.add_table_asset("sales", table_name="sales", schema_name="bench")
    batch = asset.add_batch_definition_whole_table("all").get_batch()
    e = gx.expectations
    required = [e.ExpectColumnValuesToNotBeNull(column=c) for c in ("sku", "quantity", "location_code")]
    shaped = [
        e.ExpectColumnValuesToMatchRegex(column="quantity", regex=r"^-?[0-9]+([.][0-9]+)?$"),
        e.ExpectColumnValuesToMatchRegex(column="net_amount", regex=r"^-?[0-9]+([.][0-9]+)?$"),
        e.ExpectColumnValuesToMatchRegex(column="currency", regex=r"^[A-Z]{3}$"),
    ]
    suite = gx.ExpectationSuite(name="bench", expectations=[*required, *shaped])
    outcome = batch.validate(
        suite, result_format={"result_format": "COMPLETE", "unexpected_index_column_names": [LINE]}
    )
    named = {i[LINE] for r in outcome.results for i in r.result.get("unexpected_index_list") or []}
    return time.perf_counter() - began, len(named), sum(1 for _ in client.list_jobs()) - before


def compare(count: int, bad_every: int) -> None:
    """Print how long one size takes, and fail when it takes too long next to the bare library."""
    found = rows(count, bad_every)
    times = [(ours(found), bare(found)) for _ in range(3)]
    (seconds, named), alone = min(t for t, _ in times), min(b for _, b in times)
    ratio = seconds / alone
    print(f"{count:>9,} rows, {named:>7,} verdicts: {seconds:6.2f} s of CPU, bare {alone:6.2f} s, ratio {ratio:.2f}")
    assert ratio <= MOST_TIMES_BARE, f"{ratio:.2f} times bare Great Expectations"


def flat(count: int, bad_every: int) -> None:
    """Print what judging a staged file of many rows takes in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "staged.parquet"
        write(path, count, bad_every)
        command = [sys.executable, "-m", "tests.benchmarks.bench_validate", "--file", str(path)]
        out = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
    print(f"{out['rows']:>9,} rows staged, {out['refused']:,} refused: {out['seconds']:.1f} s, peak {out['mb']:.0f} MB")
    assert out["mb"] < LIMIT_MB, out


def pushed_down(counts: list[int]) -> None:
    """Print what push-down takes."""
    from stockflow.gcp import Warehouse

    with tempfile.TemporaryDirectory() as folder, emulators(Path(folder)) as running, warehouse(running) as own:
        client = Warehouse(Settings(project="bench", bigquery_endpoint=own.url("bigquery"))).client
        for count in counts:
            seconds, named, jobs = push_down(rows(count), client)
            print(f"{count:>9,} rows  push-down {seconds:6.2f} s, {named:,} bad rows named, {jobs} jobs (6 rules)")


def main(counts: list[int]) -> None:
    """Print one line per case."""
    ours(rows(100))
    for count in counts:
        compare(count, BAD_EVERY)
        compare(count, 1)
    flat(LONG_ROWS, BAD_EVERY)
    if find_spec("sqlalchemy_bigquery"):
        pushed_down(counts)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--file"]:
        print(json.dumps(long_file(Path(sys.argv[2]))))
    else:
        main([int(a) for a in sys.argv[1:]] or [10_000, 100_000])
