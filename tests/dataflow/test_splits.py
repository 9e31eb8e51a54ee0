"""A file read in parts gives exactly what the whole gives: rows, rejects with lines and texts, facts."""

import csv
import io
import json
import pickle
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataflow.offsets import line_feed
from dataflow.reading import Part, put_together, read_part
from dataflow.split import split
from functions.ingest.readers import encoding
from functions.ingest.readers.decode import decode
from functions.ingest.readers.model import Chunk, Facts, Target
from stockflow.errors import PermanentError
from tests.unit.ingest.reading import contracts

QUICK = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
HEADER = "receipt_number,line_number,business_date,sku,location_code,quantity,note"
JSON_HEAD = ("receipt_number", "line_number", "business_date", "sku", "location_code", "quantity", "note")


def target(name: str) -> Target:
    return Target(contracts()["sales"], name)


class Read:
    """Rows by line, rejects, facts; or the error that refused the file."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.rejects: list[Any] = []
        self.facts: dict[str, Any] = {}
        self.error: tuple[str, str] | None = None

    def take(self, chunk: Chunk) -> None:
        if chunk.batch is not None:
            self.rows += [{k: v for k, v in r.items() if v is not None} for r in chunk.batch.to_pylist()]
        self.rejects += chunk.rejects


def whole(data: bytes, name: str) -> Read:
    read, facts = Read(), Facts()
    try:
        for chunk in decode(io.BytesIO(data), target(name), facts, 10**9):
            read.take(chunk)
    except PermanentError as error:
        read.error = (error.code, error.message)
    read.facts = facts.values
    return read


def in_parts(data: bytes, name: str, part_bytes: int) -> tuple[Read, int]:
    """Return what the parts give, each read by itself from a pickled plan; and how many there were (0: not cut)."""
    read, facts = Read(), Facts()
    try:
        how = split(io.BytesIO(data), target(name), facts, part_bytes)
        if how is None:
            return whole(data, name), 0
        how = pickle.loads(pickle.dumps(how))
        assert [r.end for r in how.ranges[:-1]] == [r.start for r in how.ranges[1:]]
        assert how.ranges[-1].end == len(data)
        parts = []
        for at in how.ranges:
            part = Part()
            for chunk in read_part(io.BytesIO(data[at.start : at.end]), at, how, target(name), part):
                read.take(chunk)
            parts.append(pickle.loads(pickle.dumps(part)))
        put_together(parts, facts, target(name))
    except PermanentError as error:
        read.error = (error.code, error.message)
        read.facts = facts.values
        return read, 1
    read.facts = facts.values
    return read, len(parts)


def assert_same(data: bytes, name: str, part_bytes: int, block: int = 1 << 21) -> int:
    before, encoding.BLOCK = encoding.BLOCK, block
    try:
        expected = whole(data, name)
        found, count = in_parts(data, name, part_bytes)
    finally:
        encoding.BLOCK = before
    assert found.error == expected.error
    if expected.error is None:
        assert found.rows == expected.rows
        assert found.rejects == expected.rejects
        assert found.facts == expected.facts
    return count


cells = st.text(st.sampled_from("aZ09 ,;\"'éœ€\n"), max_size=6)
lines = st.one_of(
    st.tuples(*[st.text(st.sampled_from("AB12"), min_size=1, max_size=4)] * 6, cells).map(
        lambda row: ("csv", list(row))
    ),
    st.text(st.sampled_from('a1,"" \n;\\'), max_size=25).map(lambda text: ("text", text)),
    st.sampled_from(
        [("text", HEADER), ("text", ""), ("text", "Total;12"), ("text", "EOF,3"), ("bytes", b"\xff\xfe,1")]
    ),
)


def written(rows: list[tuple[str, Any]], newline: str, code: str, quoting: Any, ends: bool) -> bytes:
    out = bytearray((HEADER + newline).encode(code))
    wide = "" if code in ("utf-8", "utf-8-sig", "cp1252") else code
    for kind, row in rows:
        if kind == "bytes":
            out += row if not wide else b""
            continue
        text = io.StringIO()
        if kind == "csv":
            csv.writer(text, lineterminator=newline, quoting=quoting).writerow(row)
        else:
            text.write(row + newline)
        out += (
            text.getvalue().encode(wide if wide != "utf-16" else "utf-16-le", "replace")[0:]
            if wide
            else (text.getvalue().encode("utf-8" if code == "utf-8-sig" else code, "replace"))
        )
    unit = len("\n".encode("utf-16-le" if code == "utf-16" else code if wide else "ascii"))
    return bytes(out if ends else out[:-unit])


@given(
    rows=st.lists(lines, min_size=1, max_size=25),
    newline=st.sampled_from(["\n", "\r\n", "\r\r\n", "\r"]),
    code=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "cp1252"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    ends=st.booleans(),
    part_bytes=st.integers(1, 400),
    block=st.integers(200, 900),
)
@QUICK
def test_a_delimited_file_in_parts_is_the_whole(rows, newline, code, quoting, ends, part_bytes, block) -> None:
    assert_same(written(rows, newline, code, quoting, ends), "sales/x.csv", part_bytes, block // 4 * 4)


objects = st.fixed_dictionaries(
    {k: st.text(st.sampled_from('aB1é"\\\n'), min_size=1, max_size=4) for k in JSON_HEAD[:6]},
    optional={"note": cells, "more": st.integers(), "deep": st.just({"a": [1, {"b": None}]})},
)
json_lines = st.one_of(
    objects.map(json.dumps),
    objects.map(lambda o: json.dumps(o, ensure_ascii=False)),
    objects.map(lambda o: json.dumps(o, indent=1)),
    st.just(
        '{"receipt_number":"1","line_number":"2","business_date":"2026-10-01","sku":"A","location_code":"L","quantity":"1"}'
    ),
    st.lists(objects, min_size=1, max_size=2).map(json.dumps),
    st.sampled_from(
        ["", " ", '{"sku": "A"', "}", "17", '{"sku": 1, "sku": 2}', '{"sku": "x"} 5', "[", '"a"', ",", "{\n"]
    ),
)


@given(
    rows=st.lists(json_lines, min_size=1, max_size=25),
    newline=st.sampled_from(["\n", "\r\n"]),
    code=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    ends=st.booleans(),
    part_bytes=st.integers(1, 300),
    block=st.integers(100, 900),
)
@QUICK
def test_json_lines_in_parts_are_the_whole(rows, newline, code, ends, part_bytes, block) -> None:
    data = (newline.join(rows) + newline * ends).encode(code, "replace")
    assert_same(data, "sales/x.jsonl", part_bytes, block // 4 * 4)


def _sales(count: int, quoted: bool = False) -> bytes:
    note = '"a, ""b""\nsecond line"' if quoted else "plain"
    rows = (f"R{i},1,2026-10-01,SKU{i % 7},LYO,{i},{note}\n" for i in range(count))
    return (HEADER + "\n" + "".join(rows)).encode()


@pytest.mark.parametrize("code", ["utf-8", "utf-16", "cp1252"])
@pytest.mark.parametrize("quoted", [False, True])
def test_a_plain_large_file_is_cut_into_parts_of_about_that_size(code: str, quoted: bool) -> None:
    data = _sales(4_000, quoted).decode().replace("LYO", "Orléans").encode(code)
    count = assert_same(data, "sales/x.csv", 20_000, 8_192)
    assert len(data) // 30_000 <= count <= len(data) // 20_000 + 1


def test_json_lines_are_cut_even_where_no_two_are_written_alike() -> None:
    rows = [{**dict.fromkeys(JSON_HEAD, "1"), "quantity": i, f"k{i}": {"a": i}} for i in range(2_000)]
    data = "\n".join(map(json.dumps, rows)).encode()
    assert assert_same(data, "sales/x.jsonl", 20_000, 8_192) > 5


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(_sales(2_000).replace(b"\n", b"\r"), id="the line ends of an old Macintosh"),
        pytest.param(b"[" + b",\n".join([b'{"sku": "A"}'] * 2_000) + b"]", id="an array of JSON"),
    ],
)
def test_what_cannot_be_cut_safely_is_one_part(data: bytes) -> None:
    name = "sales/x.json" if data.startswith(b"[") else "sales/x.csv"
    assert assert_same(data, name, 5_000, 8_192) in (0, 1)


def test_a_line_feed_is_certain_in_unicode_and_in_encodings_of_one_byte() -> None:
    assert line_feed("utf-16-be") == b"\0\n"
    assert line_feed("cp1252") == line_feed("cp850") == line_feed("utf-8") == b"\n"
    assert [line_feed(e) for e in ("cp932", "gb18030", "utf-7", "cp037", "utf-16", "utf-8-sig")] == [None] * 6


OTHER = "receipt_number,line_number,business_date,sku,quantity,location_code,note"


@pytest.mark.parametrize("quoted", [False, True])
@pytest.mark.parametrize("again", [HEADER, HEADER.upper(), OTHER])
def test_a_header_where_a_part_begins_has_its_line_in_the_whole_file(again: str, quoted: bool) -> None:
    text = _sales(200, quoted).decode()
    at = text.index("\nR150,") + 1
    data = f"{text[:at]}{again}\n{text[at:]}".encode()
    line = data[:at].count(b"\n") + 1
    assert _starts(data, at) > {at}
    assert_same(data, "sales/x.csv", 1, at)
    found, _ = in_parts(data, "sales/x.csv", 1)
    if again == OTHER:
        assert found.error is not None and f"line {line} is another header" in found.error[1]
    else:
        assert [(r.line, r.code) for r in found.rejects] == [(line, "repeated_header")]


def _starts(data: bytes, block: int) -> set[int]:
    """Return where the parts of a file begin that is read in blocks of that size."""
    before, encoding.BLOCK = encoding.BLOCK, block
    try:
        how = split(io.BytesIO(data), target("sales/x.csv"), Facts(), 1)
    finally:
        encoding.BLOCK = before
    assert how is not None
    return {at.start for at in how.ranges}
