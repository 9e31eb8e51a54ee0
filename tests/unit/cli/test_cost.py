"""The cost model: from the real schemas and statements, flat with age, and as wide as real rows are."""

import datetime
import io
import json
import re
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import compute as pc
from pyarrow import parquet
from typer.testing import CliRunner

from cli.cost.command import VOLUMES, compared
from cli.cost.lineage import events_of_a_file
from cli.cost.model import Load, bill
from cli.cost.prices import PRICES
from cli.cost.scans import references, statements
from cli.cost.widths import row_bytes
from cli.main import app
from functions.ingest.lineage.events import Bare, Writer, fitted
from functions.ingest.readers.decode import decode
from functions.ingest.readers.model import Facts, Target
from functions.ingest.staging import Staging, arrow_schema, stage
from stockflow.contracts import load_contracts
from stockflow.ledger import StageRecord
from stockflow.schema import schemas
from stockflow.settings import Settings, bundle_root

CONTRACTS = load_contracts(bundle_root() / "contracts")
TABLES = schemas(CONTRACTS)
SAMPLES = (
    "sales/sales_2026-W40.csv",
    "stock_movements/movements_*W*.csv.gz",
    "stock_snapshots/stock_2026-W*.csv",
    "products/products_2026*.csv",
)
NOW = datetime.datetime(2026, 10, 12, tzinfo=datetime.UTC)


def staged(file: Path, feed: str) -> pa.Table:
    """Return the rows of a sample as ingest stages them: a real Parquet file, read again."""
    sink = io.BytesIO()
    staging = Staging(arrow_schema(CONTRACTS[feed]), "0" * 20, "1" * 32, NOW.date(), NOW)
    with file.open("rb") as stream:
        list(stage(decode(stream, Target(CONTRACTS[feed], file.name), Facts(), 10**9), staging, sink))
    return parquet.read_table(io.BytesIO(sink.getvalue()))


def counted(rows: pa.Table) -> float:
    """Return the average bytes of a row as BigQuery counts them: 2 and the UTF-8 bytes of a text, 8 of the others."""
    total = 0
    for column in rows.columns:
        filled = len(column) - column.null_count
        text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
        total += 2 * filled + (pc.sum(pc.binary_length(column)).as_py() or 0) if text else 8 * filled
    return total / rows.num_rows


@pytest.mark.parametrize("pattern", SAMPLES)
def test_a_row_is_as_wide_as_in_a_real_file(pattern: str) -> None:
    feed = pattern.partition("/")[0]
    found = [counted(staged(f, feed)) for f in sorted((bundle_root() / "samples").glob(pattern))]
    modelled = row_bytes(TABLES[f"inventory_raw.{feed}"], CONTRACTS[feed])
    assert sum(found) / len(found) == pytest.approx(modelled, rel=0.35)


@pytest.mark.parametrize("feed", sorted(CONTRACTS))
def test_each_table_that_grows_and_that_a_statement_names_is_in_the_model(feed: str) -> None:
    """The history is left out: what is new does not read it."""
    for statement in statements(CONTRACTS[feed]):
        named = set(re.findall(r"\binventory_\w+\.\w+", re.sub(r"--[^\n]*", "", statement.sql)))
        growing = {t for t in named & set(TABLES) if not t.endswith("_history")}
        dimensions = {f"inventory_curated.{d}" for d in ("products", "exchange_rates")} - {f"inventory_curated.{feed}"}
        other_feeds = {t for t in growing if t.startswith("inventory_curated.") and not t.endswith(f".{feed}")}
        assert growing - other_feeds - dimensions == {scan.table for scan in statement.scans}, statement.name


def test_a_table_counts_once_a_statement() -> None:
    assert references("SELECT 1 FROM a JOIN a AS b ON TRUE; -- FROM c\nINSERT INTO b SELECT * FROM a;") == 3
    assert references("WITH a AS (SELECT 1 FROM t), b AS (SELECT 2 FROM a) SELECT 1 FROM b") == 1, "t; no named query"


@pytest.mark.parametrize("feed", ["sales", "stock_movements", "products"])
@pytest.mark.parametrize("files", VOLUMES)
def test_the_work_for_a_file_costs_the_same_after_a_year(files: int, feed: str) -> None:
    """At 100,000 files a day the windows of a week that ingest and transform look at fill up in the first week."""
    first = 1 if files < 100_000 else 10
    days = [
        sum(i.dollars for i in bill(Load(files, 1_000, age), CONTRACTS[feed]) if i.stage != "storage")
        for age in (first, 365)
    ]
    assert days[1] == pytest.approx(days[0], rel=0.2)


def test_each_item_has_a_price_with_its_source() -> None:
    for item in bill(Load(1_000, 1_000, 365), CONTRACTS["sales"]):
        assert PRICES[item.price].source.startswith("https://cloud.google.com/")


def test_the_page_has_the_table_of_today() -> None:
    page = (bundle_root() / "docs" / "cost.md").read_text()
    for files in VOLUMES:
        row = compared(files, 1_000, "sales")
        assert f"| {' | '.join(row.values())} |" in page


def test_a_file_tells_as_many_events_as_the_model_says() -> None:
    """Given the records of the four stages, written as the sweep sends them."""
    writer = Writer(Settings("p"), Bare(CONTRACTS))
    stages = {"ingest": "loaded", "validate": "validated", "transform": "transformed", "kpi": "refreshed"}
    records = [
        StageRecord("load", "sales", stage, state, "v", NOW, NOW, "b", "sales/a.csv", 1, landed_at=NOW)
        for stage, state in stages.items()
    ]
    sent = [part for record in records for event in writer.of_record(record) for part in fitted(event)]
    assert len(sent) == events_of_a_file() == 8


def test_lineage_is_counted_and_has_no_price() -> None:
    result = CliRunner().invoke(app, ["cost", "--files", "1000", "--json"])
    (row,) = (r for r in json.loads(result.output) if r["stage"] == "lineage")
    assert row["$ a day"] == "no price"
    kpis = len(list((bundle_root() / "functions/kpi/definitions").glob("*.sql")))
    assert row["quantity"] == f"{8_000 + 2 * kpis * 720:,}"  # a drain in 120 seconds
    page = (bundle_root() / "docs" / "cost.md").read_text()
    assert f"{row['quantity']} events" in page


def test_the_command_says_what_a_day_costs() -> None:
    result = CliRunner().invoke(app, ["cost", "--files", "1000", "--rows", "1000", "--days", "365"])
    assert result.exit_code == 0 and "$ a day" in result.output
    unknown = CliRunner().invoke(app, ["cost", "--feed", "nothing"])
    assert unknown.exit_code != 0
