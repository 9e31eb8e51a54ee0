"""Any table, written as CSV in any dialect and encoding, reads back the same; so does any text, as rows and rejects."""

import csv
import gzip
import io
import json
from decimal import Decimal
from typing import Any

import fastavro
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from functions.ingest.readers import encoding
from functions.ingest.readers.avro import read_avro
from functions.ingest.readers.delimited import read_delimited
from functions.ingest.readers.lines import blocks
from functions.ingest.readers.model import Facts, Target
from functions.ingest.readers.quoted import parse_quoted
from functions.ingest.readers.record import Syntax, cell_by_cell, read_record, read_whole, whole_line
from stockflow.errors import PermanentError
from tests.fuzz.twice import read_twice
from tests.unit.ingest.reading import contracts, read

HEADER = ["sku", "location_code", "quantity", "receipt_number", "line_number", "business_date", "note"]
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

latin = st.text(st.sampled_from("aZ09 ,;|\t\"'éàœ€=.-\n/"), max_size=8)
anything = st.text(st.characters(exclude_characters="\0\r", exclude_categories=["Cs", "Cn"]), max_size=8)


def tables(cell: st.SearchStrategy[str]) -> st.SearchStrategy[list[list[str]]]:
    # the first cell is never blank: a row of nothing but blanks is a blank line
    first = st.text(st.sampled_from("AB12"), min_size=1, max_size=5)
    return st.lists(st.tuples(first, *[cell] * (len(HEADER) - 1)).map(list), min_size=1, max_size=8)


def written(table: list[list[str]], delimiter: str, newline: str, quoting: Any) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator=newline, quoting=quoting).writerows([HEADER, *table])
    return out.getvalue()


def values(data: bytes, name: str = "sales/x.csv") -> list[list[str]]:
    found = read(data, name=name)
    assert found.rejects == []
    found.check_books()
    return [[*(r[h] for h in HEADER[:-1]), json.loads(r["_extra"])["note"]] for r in found.rows]


dialects = {
    "delimiter": st.sampled_from(",;\t|"),
    "newline": st.sampled_from(["\n", "\r\n"]),
    "quoting": st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
}


@given(table=tables(anything), code=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]), **dialects)
@QUICK
def test_a_table_in_unicode_reads_back_the_same(table, code, delimiter, newline, quoting) -> None:  # type: ignore[no-untyped-def]
    assert values(written(table, delimiter, newline, quoting).encode(code)) == table


@given(table=tables(latin), **dialects)
@example(table=[["1", "", "", "", "", "", "ààà"]], delimiter=",", newline="\n", quoting=csv.QUOTE_MINIMAL)
@QUICK
def test_a_table_in_cp1252_reads_back_the_same(table, delimiter, newline, quoting) -> None:  # type: ignore[no-untyped-def]
    data = written(table, delimiter, newline, quoting).encode("cp1252")
    assume(data.decode("utf-8", "ignore").isascii())  # "éœ" followed by "œ" are the bytes of a Chinese sign
    assert values(data) == table


@given(table=tables(anything), block=st.integers(1, 40))
@QUICK
def test_where_blocks_end_makes_no_difference(table: list[list[str]], block: int) -> None:
    data = written(table, ";", "\n", csv.QUOTE_ALL).encode()
    whole, before = values(data), encoding.BLOCK
    encoding.BLOCK = block + len(";".join(HEADER)) * 2  # the header is looked for in the first block
    try:
        assert values(data) == whole == table
    finally:
        encoding.BLOCK = before


@given(table=tables(anything))
@QUICK
def test_gzip_makes_no_difference(table: list[list[str]]) -> None:
    data = written(table, ",", "\n", csv.QUOTE_MINIMAL).encode()
    assert values(gzip.compress(data), "sales/x.csv.gz") == table


@given(table=tables(anything))
@QUICK
def test_json_lines_read_back_the_same(table: list[list[str]]) -> None:
    lines = "\n".join(json.dumps(dict(zip(HEADER, row, strict=True)), ensure_ascii=False) for row in table)
    assert values(lines.encode(), "sales/x.jsonl") == table


@given(table=tables(anything), codec=st.sampled_from(["null", "deflate", "bzip2"]))
@QUICK
def test_avro_reads_back_the_same(table: list[list[str]], codec: str) -> None:
    fields = [{"name": name, "type": "string"} for name in HEADER]
    rows = [dict(zip(HEADER, row, strict=True)) for row in table]
    out = io.BytesIO()
    fastavro.writer(out, {"type": "record", "name": "sale", "fields": fields}, rows, codec=codec)
    out.seek(0)
    chunks = read_avro(out, Target(contracts()["sales"], "sales/x"), Facts())
    found = [row for chunk in chunks if chunk.batch for row in chunk.batch.to_pylist()]
    assert [[*(r[h] for h in HEADER[:-1]), json.loads(r["_extra"])["note"]] for r in found] == table


def packed(number: int) -> bytes:
    return bytes.fromhex(f"{abs(number):07d}{'d' if number < 0 else 'c'}")


def zoned(number: int) -> bytes:
    digits = [0xF0 + int(d) for d in f"{abs(number):07d}"]
    return bytes([*digits[:-1], digits[-1] - (0x20 if number < 0 else 0x30)])


@given(
    rows=st.lists(
        st.tuples(st.text("AZ09é#-", min_size=1, max_size=6), *[st.integers(-9_999_999, 9_999_999)] * 2), min_size=1
    ),
    code=st.sampled_from(["cp037", "cp273", "cp500", "cp1140"]),
    newline=st.sampled_from([b"", b"\n", b"\r\n"]),
)
@QUICK
def test_fixed_width_reads_back_the_same(rows: list[tuple[str, int, int]], code: str, newline: bytes) -> None:
    names = {"sku": (1, 6), "location_code": (7, 2), "business_date": (9, 8)}
    columns: list[dict[str, Any]] = [{"name": n, "start": at, "length": size} for n, (at, size) in names.items()]
    columns += [{"name": "on_hand", "start": 17, "length": 4, "type": "packed", "decimals": 2}]
    columns += [{"name": "unit_cost", "start": 21, "length": 7, "type": "zoned"}]
    declared = {"fixedWidth": {"encoding": code, "recordLength": 27, "columns": columns}}
    data = b"".join(f"{s:<6}L120260901".encode(code) + packed(a) + zoned(b) + newline for s, a, b in rows)
    found = read(data, "stock_snapshots", "stock_snapshots/x", declared=declared)
    assert found.rejects == []
    assert [(r["sku"], int(Decimal(r["on_hand"]) * 100), int(r["unit_cost"])) for r in found.rows] == rows


junk = st.binary(max_size=60) | st.text(st.sampled_from('a,"\n\r\0 é;'), max_size=60).map(str.encode)


@given(body=junk)
@example(body=b'"a\n\r\n"')
@example(body=b"a,b\r")
@settings(max_examples=200, deadline=None)
def test_whatever_stands_under_a_header_every_line_is_accounted_for(body: bytes) -> None:
    found = read(b"receipt_number,line_number,business_date,sku,location_code,quantity\n" + body)
    found.check_books()
    lines = [r["line"] for r in found.rows] + [r.line for r in found.rejects]
    assert len(set(lines)) == len(lines)


@given(data=st.binary(max_size=200))
@example(data=b"ISA")
@settings(max_examples=100, deadline=None)
def test_no_bytes_give_anything_but_rows_rejects_or_a_permanent_error(data: bytes) -> None:
    for name in ("sales/x.csv", "sales/x.jsonl"):
        try:
            read(data, name=name).check_books()
        except PermanentError as error:
            assert error.message


@given(parts=st.lists(st.text(st.sampled_from("ab\n"), max_size=9).map(str.encode)), limit=st.integers(3, 6))
@QUICK
def test_cutting_into_lines_loses_nothing_and_counts_right(parts: list[bytes], limit: int) -> None:
    text = b"".join(parts)
    text += b"\n" if text and not text.endswith(b"\n") else b""
    expected = dict(enumerate(text.split(b"\n")[:-1], 1))
    for block in blocks(parts, limit):
        if block.too_long:
            assert expected.pop(block.line).startswith(block.data[:limit])
        else:
            for number, line in enumerate(block.data.split(b"\n")[:-1], block.line):
                assert expected.pop(number) == line
    assert expected == {}


@given(cells=st.lists(st.text(st.sampled_from('a, "\n'), max_size=4), min_size=1, max_size=4))
@QUICK
def test_the_strict_reader_agrees_with_the_csv_module(cells: list[str]) -> None:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL).writerow(cells)
    data = out.getvalue().encode()
    record = read_record(data, 0, Syntax(b","))
    assert [c.decode() for c in record.cells] == cells
    assert record.end == len(data)


quoted_lines = st.lists(
    st.text(st.sampled_from("ab,;'é\t "), max_size=4).map(lambda c: f'"{c}"'), min_size=6, max_size=6
)
odd_lines = st.text(st.sampled_from('a"",\n\r =\ufeff\0'), max_size=16)


@given(rows=st.lists(quoted_lines.map(",".join) | odd_lines, min_size=1), newline=st.sampled_from(["\n", "\r\n"]))
@example(rows=['"a","b","c","d","e","f\n"a","b","c","d","e","f"'], newline="\n")
@example(rows=['"a","b","c","d","e","f"', '"a","b","c","d","e"', '"a""","b","c","d","e","f"'], newline="\r\n")
@example(rows=['"a","b","c","d","e","f"', '"a" ,"b","c","d","e","f"', '"a"","b","c","d","e","f"'], newline="\n")
@settings(max_examples=300, deadline=None)
def test_lines_cut_at_their_quotes_are_those_that_are_read_strictly(rows: list[str], newline: str) -> None:
    header = '"receipt_number","line_number","business_date","sku","location_code","quantity"'
    data = newline.join([header, '"R","1","2026-09-01","A","L","1"', *rows]).encode("utf-8", "surrogatepass")
    read_twice(read_delimited, data, Target(contracts()["sales"], "sales/x.csv"))


def test_a_block_in_quotes_is_cut_at_them() -> None:
    lines = b'"a","b,"\n"c"\n' + b'"","x"\n' * 60
    parsed = parse_quoted(lines, Syntax(b","), 2)
    assert parsed is not None
    assert [c[:2].to_pylist() for c in parsed.columns] == [["a", ""], ["b,", "x"]]
    assert parsed.misfits == [(1, '"c"')]
    for other in (b'"a" ,"b"\n', b'"a",b\n', b'"a","b\n', b'"a"x,"b"\n', b'a,"b"\n', b'"a","\0"\n', b'"a","\xff"\n'):
        assert parse_quoted(lines + other, Syntax(b","), 2) is None, other


SYNTAXES = (Syntax(b","), Syntax(b";", b"'"), Syntax(b"\t"), Syntax(b",", b'"', escaped=True))


@given(st.text(alphabet="aé,;\t \"'\\\r\n=\ufeff", max_size=30), st.sampled_from(SYNTAXES), st.integers(1, 4))
def test_a_record_taken_by_one_match_is_the_one_that_is_read_cell_by_cell(
    text: str, syntax: Syntax, width: int
) -> None:
    data = f"x\n{text}\n".encode()
    if whole := read_whole(data, 2, syntax, width):
        assert whole == read_record(data, 2, syntax)
        assert len(whole.cells) == width


in_quotes = st.lists(st.text("a,;\t' ", max_size=3).map(lambda c: f'"{c}"'), min_size=1, max_size=3).map(",".join)


@given(st.text(alphabet="aé,;\t \"'\\\r\n=\ufeff", max_size=30) | in_quotes, st.sampled_from(SYNTAXES))
@example('"', SYNTAXES[0])
@example('"a""b","c"', SYNTAXES[0])
@example('"a","\n"', SYNTAXES[0])
@QUICK
def test_a_line_cut_at_its_delimiters_is_the_record_that_is_read_cell_by_cell(text: str, syntax: Syntax) -> None:
    data = f"x\n{text}\n".encode()
    if whole := whole_line(data, 2, syntax):
        assert whole == cell_by_cell(data, 2, syntax)


def test_a_record_with_line_breaks_in_quotes_is_taken_by_one_match() -> None:
    data = b'1,"two\nlines, ""quoted""",3\r\n4,5,6\n'
    whole = read_whole(data, 0, Syntax(b","), 3)
    assert whole is not None and whole.cells == (b"1", b'two\nlines, "quoted"', b"3")
