"""A boolean that a file holds as one is kept in a column of booleans, and refused where something else is meant."""

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import fastavro
import openpyxl
import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.unit.ingest import reading
from tests.unit.ingest.reading import read

HEADER = ("receipt_number", "line_number", "business_date", "sku", "location_code", "quantity")
Rows = Sequence[tuple[Any, ...]]


def row(sku: Any, quantity: Any = 1) -> tuple[Any, ...]:
    return "R", 1, "2026-09-01", sku, "LYO", quantity


def json_lines(rows: Rows) -> bytes:
    return b"".join(json.dumps(dict(zip(HEADER, r, strict=True))).encode() + b"\n" for r in rows)


def json_array(rows: Rows) -> bytes:
    return b"[\n" + json_lines(rows).replace(b"\n", b",\n")[:-2] + b"\n]"


def workbook(rows: Rows) -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    for cells in (HEADER, *rows):
        book.active.append(cells)
    book.save(out)
    return out.getvalue()


def of_arrow(rows: Rows) -> bytes:
    out = io.BytesIO()
    parquet.write_table(pa.table([pa.array(c) for c in zip(*rows, strict=True)], names=HEADER), out)
    return out.getvalue()


def avro(rows: Rows) -> bytes:
    out, kinds = io.BytesIO(), ["string", "long", "boolean"]
    fields = [{"name": name, "type": kinds} for name in HEADER]
    records = [dict(zip(HEADER, r, strict=True)) for r in rows]
    fastavro.writer(out, {"type": "record", "name": "r", "fields": fields}, records)
    return out.getvalue()


FORMATS = pytest.mark.parametrize("write", [json_lines, json_array, workbook, of_arrow, avro])


@FORMATS
def test_a_column_of_booleans_keeps_them(write: Callable[[Rows], bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    sales = reading.contracts()["sales"]
    columns = [replace(c, logical_type="boolean") if c.name == "sku" else c for c in sales.columns]
    contract = replace(sales, columns=tuple(columns))
    monkeypatch.setattr(reading, "contracts", lambda: {"sales": contract})
    found = read(write([row(True), row(False)]))
    assert not found.rejects
    assert [r["sku"].lower() for r in found.rows] == ["true", "false"]


@FORMATS
def test_no_row_is_left_where_each_has_one(write: Callable[[Rows], bytes]) -> None:
    found = read(write([row(True), row(False)]))
    assert not found.rows
    assert [r.code for r in found.rejects] == ["boolean_value"] * 2


def test_lines_around_one_are_read_by_column() -> None:
    """... and the lines that are refused have their own numbers, texts and first columns, as they are written."""
    rows = [row(f"S{i}", i) for i in range(100)]
    rows[40], rows[60] = row(True, False), row("é", True)
    data = json_lines(rows).replace(b"\n", b"  \r\n").replace(b'"\\u00e9"', '"é"'.encode())
    found = read(data)
    assert [r["line"] for r in found.rows] == [i + 1 for i in range(100) if i not in {40, 60}]
    assert [(r.line, r.found, r.message.split("'")[1]) for r in found.rejects] == [
        (41, "true", "sku"), (61, "true", "quantity"),
    ]  # fmt: skip
    assert [r.original_text for r in found.rejects] == [t.decode().strip() for t in data.splitlines()[40:61:20]]


def test_the_words_in_quotes_are_texts() -> None:
    found = read(json_lines([row("true"), row("false")]))
    assert [r["sku"] for r in found.rows] == ["true", "false"]
