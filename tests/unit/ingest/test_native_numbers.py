"""A number that a file holds as a number keeps its value, whatever decimal mark the texts of the load have."""

import io
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import fastavro
import openpyxl
import pyarrow as pa
import pytest
from pyarrow import parquet

from cli.trial.read import Trial, try_file
from stockflow.contracts import load_contracts
from stockflow.senders import Sender

ROOT = Path(__file__).parents[3]
CONTRACTS = load_contracts(ROOT / "contracts")
NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
COMMA = Sender("acme", ("*/acme/*",), {"decimalMark": ","})
HEADER = ("business_date", "sku", "location_code", "on_hand", "unit_cost")
Write = Callable[[list[float]], bytes]


def _rows(values: list[float]) -> list[tuple[str, str, str, float, float]]:
    return [("2026-09-01", f"A{i}", "LYO", value, 2) for i, value in enumerate(values)]


def json_lines(values: list[float]) -> bytes:
    lines = ('{{"business_date": "{}", "sku": "{}", "location_code": "{}", "on_hand": {}, "unit_cost": {}}}'.format(*r)
             for r in _rows(values))  # fmt: skip
    return "\n".join(lines).encode() + b"\n"


def json_array(values: list[float]) -> bytes:
    return b"[" + json_lines(values).replace(b"\n", b",")[:-1] + b"]"


def workbook(values: list[float]) -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    for row in (HEADER, *_rows(values)):
        book.active.append(row)
    book.save(out)
    return out.getvalue()


def of_floats(values: list[float]) -> bytes:
    return _parquet(pa.array(values, pa.float64()))


def of_decimals(values: list[float]) -> bytes:
    return _parquet(pa.array([Decimal(str(v)) for v in values], pa.decimal128(12, 3)))


def _parquet(numbers: pa.Array) -> bytes:
    out, columns = io.BytesIO(), list(zip(*_rows([0] * len(numbers)), strict=True))
    parquet.write_table(pa.table([*columns[:3], numbers, columns[4]], names=HEADER), out)
    return out.getvalue()


def avro(values: list[float]) -> bytes:
    kinds = dict.fromkeys(HEADER, "string") | {"on_hand": "double", "unit_cost": "double"}
    schema = {"type": "record", "name": "Stock", "fields": [{"name": n, "type": k} for n, k in kinds.items()]}
    out = io.BytesIO()
    fastavro.writer(out, schema, [dict(zip(HEADER, r, strict=True)) for r in _rows(values)])
    return out.getvalue()


def tried(folder: Path, data: bytes, sender: Sender | None = None) -> Trial:
    path = folder / "stock_2026-09-01"
    path.write_bytes(data)
    place = f"{sender.name}/" if sender else ""
    return try_file(path, f"stock_snapshots/{place}{path.name}", CONTRACTS, NOW, [sender] if sender else [])


def on_hand(trial: Trial) -> str | None:
    return next(c.get("read_as") for c in trial.columns if c["column"] == "on_hand")


FORMATS = [json_lines, json_array, workbook, of_floats, of_decimals, avro]


@pytest.mark.parametrize("write", FORMATS)
@pytest.mark.parametrize("value", [12.345, -1.234, 7.5, 0.125, 1234.567])
def test_a_sender_whose_texts_have_a_decimal_comma_sends_numbers(write: Write, value: float, tmp_path: Path) -> None:
    """Given a profile that declares the comma, a workbook's 12.345 is not twelve thousand, and 7.5 is not refused."""
    trial = tried(tmp_path, write([value]), COMMA)
    assert (trial.end_state, trial.refused, on_hand(trial)) == ("loaded", 0, str(value))


@pytest.mark.parametrize("write", FORMATS)
def test_numbers_prove_the_decimal_point(write: Write, tmp_path: Path) -> None:
    trial = tried(tmp_path, write([12.345]))
    assert (trial.conventions["decided_by"]["decimal mark"], trial.conventions["doubts"]) == ("values", [])
    assert on_hand(trial) == "12.345"


def test_a_number_beside_texts_with_a_decimal_comma_is_refused_and_not_multiplied(tmp_path: Path) -> None:
    """Given a workbook with costs as text, most values say comma: what cannot be read so is refused with its row."""
    book, out = openpyxl.Workbook(), io.BytesIO()
    for row in (HEADER, ("2026-09-01", "A1", "LYO", 12.345, "12,50"), ("2026-09-01", "A2", "LYO", 7, "1.012,50")):
        book.active.append(row)
    book.save(out)
    trial = tried(tmp_path, out.getvalue())
    assert trial.conventions["decimal_mark"] == ","
    assert [(r["line"], r["column_name"], r["value"]) for r in trial.first_refused] == [(2, "on_hand", "12.3450")]


def test_a_code_that_is_a_number_stays_as_it_is_written(tmp_path: Path) -> None:
    book, out = openpyxl.Workbook(), io.BytesIO()
    for row in (HEADER, ("2026-09-01", 12.345, "LYO", 1, 2)):
        book.active.append(row)
    book.save(out)
    for sender in (None, COMMA):
        columns = tried(tmp_path, out.getvalue(), sender).columns
        assert next(c["read_as"] for c in columns if c["column"] == "sku") == "12.345"
