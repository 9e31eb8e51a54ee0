"""Delimited text as programs really write it: quotes, backslashes, line ends, missing and surplus delimiters."""

import csv
import io
import json
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from functions.ingest.readers import encoding
from functions.ingest.readers.record import Syntax, read_record
from functions.ingest.readers.trailer import stated_count
from stockflow.errors import PermanentError
from tests.unit.ingest.reading import Reading, read

HEADER = ["sku", "location_code", "quantity", "receipt_number", "line_number", "business_date", "note"]
SALES = "receipt_number,line_number,business_date,sku,location_code,quantity"
WITH_OPTIONAL = SALES + ",unit,net_amount,remark"
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

# A cell that is nothing but two single quotes is an empty one of the single-quote dialect: no file can say which.
text = st.text(st.sampled_from("abZ09 ,;|\t\"'é=.-/"), max_size=8).filter(lambda cell: not cell.startswith("'"))
lines_too = st.text(st.sampled_from("abZ09 ,;\"'é\\\n"), max_size=8)


def tables(cell: st.SearchStrategy[str], rows: int = 1) -> st.SearchStrategy[list[list[str]]]:
    first = st.text(st.sampled_from("AB12"), min_size=1, max_size=5)
    return st.lists(st.tuples(first, *[cell] * (len(HEADER) - 1)).map(list), min_size=rows, max_size=8)


def cells(found: Reading) -> list[list[str]]:
    assert found.rejects == []
    found.check_books()
    return [[*(r[h] for h in HEADER[:-1]), json.loads(r["_extra"])["note"]] for r in found.rows]


def joined(table: list[list[str]], delimiter: str, quote: str, around: tuple[str, str] = ("", "")) -> str:
    def cell(value: str) -> str:
        return around[0] + quote + value.replace(quote, quote * 2) + quote + around[1]

    return "".join(delimiter.join(map(cell, row)) + "\n" for row in [HEADER, *table])


@given(table=tables(text), delimiter=st.sampled_from(",;\t|"))
@example(table=[["A", "", "", "", "", "", '"']], delimiter=",")
@QUICK
def test_single_quotes_read_back_the_same(table: list[list[str]], delimiter: str) -> None:
    found = read(joined(table, delimiter, "'").encode())
    assert cells(found) == table
    assert found.facts["quote"] == "'"


@given(table=tables(lines_too), delimiter=st.sampled_from(",;\t|"), quoting=st.sampled_from([csv.QUOTE_ALL]))
@QUICK
def test_backslash_escapes_read_back_the_same(table: list[list[str]], delimiter: str, quoting: Any) -> None:
    out = io.StringIO()
    options: dict[str, Any] = {"escapechar": "\\", "doublequote": False, "lineterminator": "\n"}
    table[0][1] = 'a"b' + delimiter
    csv.writer(out, delimiter=delimiter, quoting=quoting, **options).writerows([HEADER, *table])
    found = read(out.getvalue().encode())
    assert cells(found) == table
    assert found.facts["escape"] == "\\"


@given(table=tables(text), delimiter=st.sampled_from(",;\t|"), after=st.sampled_from(["", " ", "  "]))
@QUICK
def test_blanks_around_quotes_are_not_part_of_the_cell(table: list[list[str]], delimiter: str, after: str) -> None:
    found = read(joined(table, delimiter, '"', (" ", after)).encode())
    assert cells(found) == [[c + after for c in row] for row in table]


@given(
    table=tables(text), delimiter=st.sampled_from(",;\t|"), quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL])
)
@QUICK
def test_doubled_carriage_returns_are_one_line_end(table: list[list[str]], delimiter: str, quoting: Any) -> None:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\r\r\n", quoting=quoting).writerows([HEADER, *table])
    data, before = out.getvalue().encode(), encoding.BLOCK
    assert cells(read(data)) == table
    encoding.BLOCK = 5 + 2 * len(",".join(HEADER)) + 2 * len(HEADER)
    try:
        assert cells(read(data)) == table
    finally:
        encoding.BLOCK = before


def test_one_doubled_carriage_return_costs_nothing() -> None:
    found = read(f'{SALES}\n"R1","1","2026-09-01","A","LYO","1"\r\r\nR2,1,2026-09-01,B,LYO,2\r\r\n'.encode())
    assert [(r["line"], r["quantity"]) for r in found.rows] == [(2, "1"), (3, "2")]


@pytest.mark.parametrize(
    ("cell", "taken"),
    [
        ('5" pipe', True),
        ('12"x24"', True),
        ('12" x 24"', True),
        ('="0161"', True),
        ('the "blue" one', True),
        ('LYO"A"', False),
        ('1"2026-09-01"', False),
        ('"A"LYO', False),
        ('"A" x', False),
    ],
)
def test_a_quote_behind_a_letter_is_a_lost_delimiter_and_an_inch_is_not(cell: str, taken: bool) -> None:
    found = read(f"{SALES}\nR1,1,2026-09-01,{cell},LYO,1\nR2,1,2026-09-01,B,LYO,2\n".encode())
    assert [r["sku"] for r in found.rows] == ([cell, "B"] if taken else ["B"])
    assert [r.line for r in found.rejects] == ([] if taken else [2])


def test_a_path_that_ends_with_a_backslash_is_no_escape() -> None:
    data = f'{SALES},note\n"R1","1","2026-09-01","A","LYO","1","C:\\tmp\\"\n"R2","1","2026-09-01","B","LYO","1","x"\n'
    found = read(data.encode())
    assert [json.loads(r["_extra"])["note"] for r in found.rows] == ["C:\\tmp\\", "x"]
    assert "escape" not in found.facts


@pytest.mark.parametrize("quote", ["", '"'])
def test_last_optional_cells_may_be_missing(quote: str) -> None:
    rows = ["R1,1,2026-09-01,A,LYO,1,EA,2.50,t1", "R2,1,2026-09-01,B,LYO,1,EA,2.50", "R3,1,2026-09-01,C,LYO,1"]
    found = read(_quoted([WITH_OPTIONAL, *rows], quote).encode())
    assert [(r["sku"], r["unit"], r["net_amount"]) for r in found.rows] == [
        ("A", "EA", "2.50"),
        ("B", "EA", "2.50"),
        ("C", "", ""),
    ]
    assert found.facts["short_lines"] == 2
    found.check_books()


@pytest.mark.parametrize("quote", ["", '"'])
@pytest.mark.parametrize(
    "line",
    [
        "R2,1,2026-09-01,A,LYO",  # a needed cell is missing
        "R2,1,A,LYO,1,EA,2.50,t1",  # a cell in the middle is missing: the date is not one
        "R2,1,2026-09-01,A,LYO,EA,2.50,t1",  # the quantity is
        "R2,1,2026-09-01,A,,1",
        "printed by Zoe",
    ],
)
def test_a_line_that_may_have_shifted_is_refused(line: str, quote: str) -> None:
    found = read(_quoted([WITH_OPTIONAL, "R1,1,2026-09-01,A,LYO,1,EA,2.50,t1", line], quote).encode())
    assert [(r.line, r.code) for r in found.rejects] == [(3, "wrong_width")]
    assert len(found.rows) + len(found.rejects) == 2


def test_a_short_last_line_without_its_end_was_cut() -> None:
    body = f"{WITH_OPTIONAL}\nR1,1,2026-09-01,A,LYO,1,,,\nR2,1,2026-09-01,A,LYO,1"
    assert [r.line for r in read(body.encode()).rejects] == [3]
    assert [r.line for r in read((body + ',"E"').encode()).rejects] == [3]
    assert read((body + "\n").encode()).rejects == []


def test_a_single_short_line_among_records_that_fill_every_cell_was_cut() -> None:
    rows = [f"R{i},1,2026-09-01,A,LYO,1,EA,2.50,t1" for i in range(30)]
    found = read("\n".join([WITH_OPTIONAL, *rows, "R30,1,2026-09-01,A,LYO,1,EA", *rows, ""]).encode())
    assert [(r.line, r.code) for r in found.rejects] == [(32, "wrong_width")]


def _quoted(lines: list[str], quote: str) -> str:
    return "".join(",".join(f"{quote}{c}{quote}" for c in line.split(",")) + "\n" for line in lines)


@pytest.mark.parametrize(
    ("header", "rows", "sku"),
    [
        (SALES + ",", ["R1,1,2026-09-01,A,LYO,1", "R2,1,2026-09-01,A,LYO,1"], "A"),  # one more, at its end
        (SALES, ["R1,1,2026-09-01,A,LYO,1,", "R2,1,2026-09-01,A,LYO,1,"], "A"),  # one less
        (SALES, ["1,R1,1,2026-09-01,A,LYO,1", "2,R2,1,2026-09-01,A,LYO,1"], "A"),  # row names in front
        (SALES, ["R1,1,2026-09-01,A,LYO,1,new", "R2,1,2026-09-01,A,LYO,1,old"], "A"),  # a remark behind
        (SALES.replace(",sku", ",,sku"), ["R1,1,2026-09-01,A,LYO,1", "R2,1,2026-09-01,A,LYO,1"], "A"),  # one doubled
    ],
)
@pytest.mark.parametrize("quote", ["", '"'])
def test_a_header_with_a_delimiter_more_or_less_does_not_cost_the_file(
    header: str, rows: list[str], sku: str, quote: str
) -> None:
    found = read(_quoted([header, *rows], quote).encode())
    assert found.rejects == []
    assert [(r["receipt_number"], r["sku"], r["quantity"]) for r in found.rows] == [("R1", sku, "1"), ("R2", sku, "1")]
    assert found.facts["header_cells_added"] in {1, -1}
    found.check_books()


def test_a_header_that_fits_in_two_ways_is_left_alone() -> None:
    found = read(b"supplier_code,name\nS1,Verger,x\nS2,Jardin,y\n", "suppliers", "suppliers/x.csv")
    assert [r.code for r in found.rejects] == ["wrong_width", "wrong_width"]


def test_a_header_in_brackets_is_not_json() -> None:
    data = b"[Receipt number],[Line],[Sale date],[SKU],[Store code],[Quantity]\nR1,1,2026-09-01,A,LYO,1\n"
    assert [r["sku"] for r in read(data).rows] == ["A"]


def test_repeated_headers_take_time_in_proportion() -> None:
    header = ",".join(f'"{h}"' for h in SALES.split(","))
    line = '"R1","1","2026-09-01","A","LYO","1"'

    def seconds(times: int) -> float:
        data = (header + "\n" + f"{line}\n{header}\n" * times).encode()
        started = time.perf_counter()
        found = read(data)
        assert {r.code for r in found.rejects} == {"repeated_header"}
        assert (len(found.rows), len(found.rejects)) == (times, times)
        return time.perf_counter() - started

    small = min(seconds(1_500) for _ in range(2))
    assert seconds(15_000) < 60 * small


@given(st.data())
@QUICK
def test_rows_and_rejects_keep_the_order_of_the_file(data: st.DataObject) -> None:
    kinds = ['"R{0}","1","2026-09-01","A","LYO","1"', 'R{0}, "1",2026-09-01,A,LYO,1', "R{0},1,2026-09-01,A,LYO,1"]
    kinds += ['R{0},1,2026-09-01,"a\nb",LYO,1', "R{0},1,x", 'R{0},1,"x" y,A,LYO,1', ""]
    chosen = data.draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=12))
    found = read_unsorted((SALES + "\n" + "\n".join(k.format(i) for i, k in enumerate(chosen)) + "\n").encode())
    assert [r["line"] for r in found.rows] == sorted(r["line"] for r in found.rows)
    assert [r.line for r in found.rejects] == sorted(r.line for r in found.rejects)
    found.check_books()


def read_unsorted(data: bytes) -> Reading:
    from functions.ingest.readers.delimited import read_delimited
    from functions.ingest.readers.model import Facts, Target
    from tests.unit.ingest.reading import contracts

    facts, found = Facts(), Reading()
    for chunk in read_delimited(io.BytesIO(data), Target(contracts()["sales"], "sales/x.csv"), facts):
        found.rows += [{"line": r["_line"], **r} for r in chunk.batch.to_pylist()] if chunk.batch is not None else []
        found.rejects += chunk.rejects
    found.facts = facts.values
    return found


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ("TRAILER;000012", 12),
        ("TRL|12", 12),
        ("T,12", 12),
        ("EOF 12", 12),
        ("End of file: 12", 12),
        ("Nombre de lignes : 12", 12),
        ("Row count;12", 12),
        ("Records: 12", 12),
        ("(12 rows affected)", 12),
        ("12 rows selected.", 12),
        ("Total records: 12", 12),
        ("Total;12", None),
        ("T,20260901", None),
        ("R2,12", None),
        ("12", None),
        ("printed 12 times", None),
    ],
)
def test_a_trailer_is_told_by_its_words(line: str, count: int | None) -> None:
    assert stated_count(line) == count


@pytest.mark.parametrize(
    ("trailer", "counts"),
    [("TRAILER,2", "records"), ("(2 rows)", "records"), ("TRL;3", "records and header"), ("4 records", "lines")],
)
def test_a_trailer_that_counts_right_is_noted(trailer: str, counts: str) -> None:
    found = read(f"{SALES}\nR1,1,2026-09-01,A,LYO,1\nR2,1,2026-09-01,A,LYO,1\n{trailer}\n\n".encode())
    assert (len(found.rows), [r.code for r in found.rejects]) == (2, ["trailer_row"])
    assert found.facts["trailer_counts"] == counts


@pytest.mark.parametrize(
    "trailer", ["TRAILER,5", '"TRAILER","5"', "5 rows selected.", "3 rows selected.", "(3 rows)", "Records: 1"]
)
def test_a_trailer_that_counts_other_records_refuses_the_file(trailer: str) -> None:
    with pytest.raises(PermanentError) as refused:
        read(f"{SALES}\nR1,1,2026-09-01,A,LYO,1\nR2,1,2026-09-01,A,LYO,1\n{trailer}\n".encode())
    assert refused.value.code == "trailer_count"
    assert "the file holds 2" in refused.value.message


def test_a_trailer_of_the_first_of_two_joined_files_is_not_held_against_both() -> None:
    found = read(f"{SALES}\nR1,1,2026-09-01,A,LYO,1\nTRAILER,9\nR2,1,2026-09-01,A,LYO,1\n".encode())
    assert [r.code for r in found.rejects] == ["trailer_row"]


def test_the_strict_reader_takes_a_cell_that_a_blank_leads_in() -> None:
    record = read_record(b'a, "b, c" ,d\n', 0, Syntax(b","))
    assert record.cells == (b"a", b"b, c ", b"d")
