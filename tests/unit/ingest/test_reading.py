"""What the corpus is too small to show: long files, late surprises, limits, names."""

import gzip
import json

import pytest

from functions.ingest.readers import encoding, json_values, lines, source
from functions.ingest.readers.model import KEPT_TEXT, Reject, shown
from functions.ingest.rejects import MAX_REJECTS, Rejects
from stockflow.errors import PermanentError
from stockflow.filename import date_in
from tests.unit.ingest.reading import read

HEADER = "receipt_number,line_number,business_date,sku,location_code,quantity\n"


def row(number: int, sku: str = "A") -> str:
    return f"R{number},1,2026-09-01,{sku},LYO,1\n"


def test_an_accent_that_comes_late_still_decides_the_encoding() -> None:
    plain = HEADER + "".join(row(i) for i in range(encoding.BLOCK // len(row(10_000)) + 100))
    found = read((plain + row(0, "é")).encode("cp1252"))
    assert (found.rows[-1]["sku"], found.rejects, found.facts["encoding"]) == ("é", [], "cp1252")


def test_line_numbers_hold_over_many_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "BLOCK", 1000)
    text = HEADER + "".join(row(i) if i % 50 else '"a\nb",short\n' for i in range(500))
    found = read(text.encode())
    at = dict(enumerate(text.split("\n"), 1))
    assert all(at[r["line"]].startswith(r["receipt_number"]) for r in found.rows)
    assert len(found.rows) == 490
    found.check_books()


def test_an_open_quote_is_looked_after_for_a_megabyte_at_most() -> None:
    text = HEADER + 'R0,1,2026-09-01,"A,LYO,1\n' + "".join(row(i) for i in range(1, 40_000))
    found = read(text.encode())
    assert [(r.line, r.code) for r in found.rejects] == [(2, "unclosed_quote")]
    assert len(found.rows) == 39_999


def test_an_enormous_line_costs_only_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "BLOCK", 1 << 20)
    text = HEADER + row(1) + "R2,1,2026-09-01," + "x" * (lines.MAX_RECORD + 5_000_000) + ",LYO,1\n" + row(3)
    found = read(text.encode())
    assert [r["line"] for r in found.rows] == [2, 4]
    assert [(r.line, r.code) for r in found.rejects] == [(3, "too_long")]
    assert len(found.rejects[0].original_text) < KEPT_TEXT + 100
    found.check_books()


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("stock_2026-09-01.csv", "2026-09-01"),
        ("stock_20260901.csv.gz", "2026-09-01"),
        ("stock_20260901T013000.csv", "2026-09-01"),
        ("stock_20260901_0130.csv", "2026-09-01"),
        ("stock_2026_09_01-final.csv", "2026-09-01"),
        ("stock_25.09.2026.csv", "2026-09-25"),
        ("2026/09/01/stock.csv", "2026-09-01"),
        ("dt=2026-09-01/stock.csv", "2026-09-01"),
        ("stock_01.09.2026.csv", None),
        ("stock_2026-09-01_2026-09-07.csv", None),
        ("stock_2026-13-01.csv", None),
        ("stock_3012340001331.csv", None),
        ("stock.csv", None),
    ],
)
def test_a_name_dates_a_file_only_when_it_holds_exactly_one_date(name: str, found: str | None) -> None:
    assert date_in(f"stock_snapshots/{name}") == found


def test_a_gzip_file_that_never_ends_is_stopped() -> None:
    with pytest.raises(PermanentError) as stopped:
        read(gzip.compress((HEADER + row(1) * 100_000).encode()), name="sales/x.csv.gz", limit=1000)
    assert stopped.value.code == "too_large_for_function"
    assert "Split it" in stopped.value.message


def test_a_json_array_is_read_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "BLOCK", 300)
    record = dict(zip(HEADER.strip().split(","), row(1).strip().split(","), strict=True))
    text = "[\n" + ",\n".join(json.dumps({**record, "quantity": i}) for i in range(40)) + "\n]"
    found = read(text.encode(), name="sales/x.json")
    assert [(r["line"], r["quantity"]) for r in found.rows] == [(i + 2, str(i)) for i in range(40)]


def test_an_array_element_beyond_all_measure_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "BLOCK", 300)
    monkeypatch.setattr(json_values, "MAX_ELEMENT", 500)
    with pytest.raises(PermanentError, match="bad_json_array"):
        read(('[{"a": "' + "x\\n\n" * 1000 + '"}]').encode(), name="sales/x.json")


def test_more_rejects_than_anybody_reads_refuse_the_file() -> None:
    with Rejects() as rejects:
        for i in range(MAX_REJECTS):
            rejects.add(Reject(i, "wrong_width", "x"))
        with pytest.raises(PermanentError, match="too_many_rejects"):
            rejects.add(Reject(MAX_REJECTS, "wrong_width", "x"))


def test_rejects_travel_in_batches_that_one_insert_takes() -> None:
    with Rejects() as rejects:
        for i in range(1200):
            rejects.add(Reject(i, "wrong_width", "x", original_text="y" * (60_000 if i < 100 else 10)))
        batches = list(rejects.batches())
    assert [r["line"] for b in batches for r in b] == list(range(1200))
    assert max(len(b) for b in batches) <= 500
    assert max(len(json.dumps(b)) for b in batches) < 5_000_000


def test_an_enormous_record_is_shown_in_part() -> None:
    assert shown("x" * 100) == "x" * 100
    assert shown("x" * 1_000_000).endswith("(cut: 1000000 characters)")


def test_a_format_is_told_by_its_first_bytes_not_by_its_name() -> None:
    assert source.kind_of(b"PAR1....", "x.csv") == "parquet"
    assert source.kind_of(b"PK\x03\x04", "x.csv") == "zip"
    assert source.kind_of(b'{"a": 1}', "x.csv") == "json"
    assert source.kind_of(b"sku;qty", "x.jsonl.gz") == "json"
    assert source.kind_of(b"sku;qty", "x.txt") == "csv"
