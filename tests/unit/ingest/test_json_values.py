"""JSON of any shape and size: where parts end makes no difference, and nothing in it raises."""

import io
import json
import random
from collections.abc import Iterator

import pytest

from functions.ingest.readers import encoding, json_lines, json_values
from functions.ingest.readers.json_lines import read_json
from functions.ingest.readers.json_values import Values
from functions.ingest.readers.model import Facts, Reject, Target
from stockflow.errors import PermanentError
from tests.unit.ingest.reading import contracts, read

RECORD = {
    "receipt_number": "R",
    "line_number": 1,
    "business_date": "2026-09-01",
    "sku": "é\U0001f331",
    "location_code": "L",
}


def found(text: str | bytes, size: int) -> list[object]:
    data = text.encode() if isinstance(text, str) else text
    parts = (data[i : i + size] for i in range(0, len(data), size))
    try:
        return [v if isinstance(v, tuple) else (v.line, v.code, v.original_text) for v in Values(parts, "x", Facts())]
    except PermanentError as error:
        return [error.code]


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1}{"a": -2.5e3}\n{"a": "x\\u00e9\\ud83c\\udf31"} {"a": [1, {"b": null}]}\n',
        '[{"a": 1},\n{"a": 2}][{"a": 3}]\n{"a": 4}\n',
        '{\n"a": true\n}\n{\n"a": \n}\n{"a": false}\n',
        '{"a": 1} x\n{"a": 2\n{"a": 3}}\n12\n"b"\n[1, 2]\n{"a": "\n"}\n{"a": 5}',
        '{"a": bad}{"a": 2}\n{"a": "\\ud83c"}\n{"a": NaN}\n\n\n,{"a": 1, "a": 2}',
        '[{"a": 1}, {"a": }]',
        "",
        "  \n ",
    ],
)
def test_where_parts_end_makes_no_difference(text: str) -> None:
    whole = found(text, 10_000)
    assert [found(text, size) for size in range(1, 30)] == [whole] * 29


def test_an_array_on_one_line_of_any_size_is_read_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "BLOCK", 1000)
    monkeypatch.setattr(json_values, "MAX_ELEMENT", 5000)
    monkeypatch.setattr(json_lines, "PIECE", 1000)
    text = json.dumps([{**RECORD, "quantity": i} for i in range(2000)])
    reading = read(text.encode(), name="sales/x.json")
    assert [r["quantity"] for r in reading.rows] == [str(i) for i in range(2000)]
    assert {r["line"] for r in reading.rows} == {1}


def test_objects_on_one_line_of_any_size_are_read_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "BLOCK", 1000)
    monkeypatch.setattr(json_values, "MAX_ELEMENT", 5000)
    monkeypatch.setattr(json_lines, "PIECE", 1000)
    text = "".join(json.dumps({**RECORD, "quantity": i}) for i in range(2000))
    assert len(read(text.encode(), name="sales/x.json").rows) == 2000


def test_an_enormous_record_costs_only_itself_and_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_values, "MAX_ELEMENT", 5000)
    monkeypatch.setattr(json_lines, "PIECE", 1000)
    text = '{"a": 1}\n{"a": "' + "x" * 100_000 + '"}\n{"a": 2}\n'
    values = found(text, 1000)
    assert [v[0] for v in values] == [1, 2, 3]  # type: ignore[index]
    assert values[1][1] == "too_long"  # type: ignore[index]


def test_long_records_travel_in_small_batches() -> None:
    text = "\n".join(json.dumps({**RECORD, "quantity": 1, "note": "x" * 500_000}) for _ in range(40))
    chunks = read_json(io.BytesIO(text.encode()), Target(contracts()["sales"], "sales/x.json"), Facts())
    assert max(c.batch.nbytes for c in chunks if c.batch is not None) < 10_000_000


def broken(seed: int) -> Iterator[bytes]:
    """Small JSON files, damaged at random."""
    rng = random.Random(seed)
    lines = [json.dumps(RECORD, ensure_ascii=bool(i % 2)) for i in range(6)]
    shapes = ["\n".join(lines), "".join(lines), "[" + ",\n".join(lines) + "]", json.dumps(RECORD, indent=1) * 3]
    signs = [
        b'"',
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b"\\",
        b"\\ud83c",
        b"\xff",
        b"\xed\xa0\xbd",
        b"\0",
        b"\n",
        b"1e999",
        b"",
    ]
    while True:
        data = bytearray(rng.choice(shapes).encode())
        for _ in range(rng.randint(1, 6)):
            place = rng.randrange(len(data) + 1)
            data[place : place + rng.choice([0, 0, 1, 5, 60])] = rng.choice(signs) * rng.choice([1, 1, 2, 50])
        yield bytes(data)


def test_damaged_json_gives_rows_rejects_or_a_permanent_error() -> None:
    for data, _ in zip(broken(20260901), range(400), strict=False):
        try:
            reading = read(data, name="sales/x.json")
        except PermanentError as error:
            assert error.message
            continue
        assert all(isinstance(r, Reject) and r.message.encode() for r in reading.rejects)
        assert reading.rows or reading.rejects
