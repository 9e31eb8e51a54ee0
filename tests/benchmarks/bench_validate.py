"""Great Expectations in memory against push-down into the warehouse, on the same rows in the same run.

    python -m tests.benchmarks.bench_validate [ROWS ...]

Push-down needs ``sqlalchemy-bigquery`` (not a dependency: Stockflow does not use it); without it only the
in-memory figures are printed.
"""

import resource
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd

from functions.validate.frame import LINE, conventions
from functions.validate.judge import judge
from functions.validate.warm import import_great_expectations
from stockflow.contracts import load_contracts
from stockflow.settings import Settings, bundle_root
from tests.support.stack import emulators

BAD_EVERY = 500


def rows(count: int) -> pd.DataFrame:
    """Return synthetic sales; every 500th quantity cannot be read."""
    numbers = pd.RangeIndex(count)
    return pd.DataFrame(
        {
            LINE: numbers + 2,
            "receipt_number": [f"T{n // 10}" for n in numbers],
            "line_number": [str(n % 10) for n in numbers],
            "business_date": "2026-10-11",
            "sold_at": None,
            "sku": [f"SKU-{n % 5000}" for n in numbers],
            "location_code": "LYO",
            "quantity": ["1O" if n % BAD_EVERY == 7 else str(n % 9 + 1) for n in numbers],
            "unit": "EA",
            "net_amount": [f"{n % 97}.50" for n in numbers],
            "gross_amount": [f"{n % 97 + 20}.00" for n in numbers],
            "currency": "EUR",
        }
    )


def in_memory(frame: pd.DataFrame) -> tuple[float, int]:
    """Return seconds and how many bad rows were named."""
    contract = load_contracts(bundle_root() / "contracts")["sales"]
    began = time.perf_counter()
    formats = conventions(contract, {c.name: frame[c.name].dropna().unique() for c in contract.stated})
    judgement = judge(contract, frame, formats, datetime(2026, 10, 12, tzinfo=UTC))
    return time.perf_counter() - began, len(judgement.quarantined)


def push_down(frame: pd.DataFrame, client: Any) -> tuple[float, int, int]:
    """Return seconds, bad rows named and jobs sent, for six of the same rules as SQL."""
    import sqlalchemy

    gx = import_great_expectations()
    client.create_dataset("bench", exists_ok=True)
    text = frame.drop(columns=["sold_at"]).astype(str)
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


def main(counts: list[int]) -> None:
    """Print one line per size."""
    import_great_expectations()
    in_memory(rows(100))
    with tempfile.TemporaryDirectory() as folder, emulators(Path(folder)) as running:
        client = None
        if find_spec("sqlalchemy_bigquery"):
            from stockflow.gcp import Warehouse

            client = Warehouse(Settings(project="bench", bigquery_endpoint=running.bigquery)).client
        for count in counts:
            frame = rows(count)
            seconds, named = in_memory(frame)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(f"{count:>9,} rows  in memory {seconds:6.2f} s, {named:,} bad rows named, 0 jobs, peak {peak:.0f} MB")
            if client is not None:
                seconds, named, jobs = push_down(frame, client)
                print(f"{'':>14}  push-down {seconds:6.2f} s, {named:,} bad rows named, {jobs} jobs (6 rules of 25)")


if __name__ == "__main__":
    main([int(a) for a in sys.argv[1:]] or [10_000, 100_000])
