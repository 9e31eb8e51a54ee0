"""Records over several lines, read by the fast parser: the same cells, lines and refusals as by the strict one."""

import csv
import io
from unittest.mock import patch

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from functions.ingest.readers import encoding
from functions.ingest.readers.delimited import read_delimited
from functions.ingest.readers.folded import parse_folded
from functions.ingest.readers.model import Target
from functions.ingest.readers.record import Syntax
from tests.fuzz.twice import read_twice
from tests.unit.ingest.reading import contracts

COMMA = Syntax(b",")
HEADER = "receipt_number,line_number,business_date,sku,location_code,quantity,note"
ROW = "R,1,2026-09-01,A,L,1,"


def test_inner_line_breaks_stay_in_their_cells() -> None:
    found = parse_folded(b'a,"b\r\nc"\r\nd,e\n"f ""g""\n","h,\ni"\n', COMMA, 2, final=True)
    assert found is not None
    assert [c.to_pylist() for c in found.parsed.columns] == [["a", "d", 'f "g"\n'], ["b\r\nc", "e", "h,\ni"]]
    assert (found.begins, found.continued) == ([0, 2, 3], 3)
    assert found.data.split(b"\n")[0].translate(found.restore) == b'a,"b\r\nc"\r'


def test_a_record_that_is_open_at_the_end_waits_for_the_next_block() -> None:
    found = parse_folded(b'a,"b\nc"\nd,"e\n', COMMA, 2, final=False)
    assert found is not None and (found.used, found.begins) == (8, [0])
    assert parse_folded(b'a,"b\nc"\nd,"e\n', COMMA, 2, final=True) is None
    assert parse_folded(b'a,"b\nc,"d\n', COMMA, 2, final=False) is None


@pytest.mark.parametrize(
    "data",
    [
        b'a,b"c\nd",e\n',  # a quote within a cell
        b'a, "b\nc"\n',  # blanks around quotes
        b'a,"b\nc" \n',
        b'a,"b\nc"d\n',
        b'a,"b\nc"\rd,e\n',  # a carriage return alone
        b'a,"b\nc","d"\n',  # over several lines, and another width: a quote was left open
        b'a,"b\n\0"\n',
        b'a,"b\n\xff"\n',
        b'\xef\xbb\xbfa,"b\nc"\n',
        b'a,"b\n' + b"c" * 1_000_000 + b'"\n',  # longer than the strict parser looks ahead
    ],
)
def test_what_is_not_well_formed_is_left_to_the_strict_parser(data: bytes) -> None:
    assert parse_folded(data, COMMA, 2, final=True) is None


note = st.text(st.sampled_from("ab1é,;\"\n\r ='"), max_size=5)
whole = note.map(lambda cell: '"' + cell.replace('"', '""') + '"')
line = st.builds(lambda cell: ROW + cell, whole) | note | st.builds(lambda cell: ROW + cell, note) | st.just(HEADER)


@given(lines=st.lists(line, min_size=1, max_size=12), block=st.sampled_from([90, 200, encoding.BLOCK]))
@example(lines=[ROW + '"a\nb"', HEADER.replace(",note", ',"no\nte"'), ROW + '"c\nd"'], block=encoding.BLOCK)
@example(lines=[ROW + '"a\nb"', ROW + '"c"', "short", ROW + '"d,\n"'], block=90)
@settings(max_examples=300, deadline=None)
def test_both_parsers_say_the_same(lines: list[str], block: int) -> None:
    data = "\n".join([HEADER, ROW + '"a\nb"', *lines]).encode()
    with patch.object(encoding, "BLOCK", block):
        read_twice(read_delimited, data, Target(contracts()["sales"], "sales/x.csv"))


@given(rows=st.lists(st.lists(note, min_size=3, max_size=3), min_size=1, max_size=8))
@settings(deadline=None)
def test_it_agrees_with_the_csv_module(rows: list[list[str]]) -> None:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(rows)
    found = parse_folded(out.getvalue().encode(), COMMA, 3, final=True)
    assert found is not None and found.parsed.misfits == []
    assert [list(cells) for cells in zip(*(c.to_pylist() for c in found.parsed.columns), strict=True)] == rows


def test_a_header_again_with_a_fault_is_one_in_any_file() -> None:
    """Whether the strict or the fast parser reads the line: most of its cells are headers."""
    again = HEADER.replace("line_number", "line_numbr")
    for quoted in ("", ROW + '"x" y'):
        data = "\n".join([HEADER, ROW + "a", again, ROW + "b", quoted]).encode()
        read_twice(read_delimited, data, Target(contracts()["sales"], "sales/x.csv"))
