"""Rows of a sheet read by the shape of those before them are what an XML parser makes of them."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.ingest.readers.cells import Dated, plain, renderer
from functions.ingest.readers.sheet import Block, Part, Row
from functions.ingest.readers.xlsx_rows import parts_of_sheet
from functions.ingest.readers.xml_events import XmlError

STRINGS = ["Lyon", "a_x000D_b", "", "00417"]
RENDERS = [plain, renderer(14, "", False), renderer(0, '"AB-"0000', False)]
CELLS = (
    "", "<c r='{}'/>", '<c r="{}"/>', '<c r="{}" s="1"/>', '<c r="{}"><v>{v}</v></c>', '<c r="{}" s="1"><v>{v}</v></c>',
    '<c r="{}" s="2" t="n"><v>{v}</v></c>', '<c r="{}" t="s"><v>{s}</v></c>', '<c r="{}" t="b"><v>1</v></c>',
    '<c r="{}" t="e"><v>#N/A</v></c>', '<c r="{}" t="str"><v>_x0041_{v}</v></c>', '<c r="{}"><v></v></c>',
    '<c r="{}" t="inlineStr"><is><t>x{v}</t></is></c>', '<c r="{}" t="inlineStr"><is><t></t></is></c>',
    '<c r="{}" t="inlineStr"><is><t xml:space="preserve"> {v} </t></is></c>',
    '<c r="{}" t="inlineStr"><is><r><t>rich</t></r><r><t> text</t></r></is></c>',
    '<c r="{}"><f>A1*2</f><v>{v}</v></c>', '<c r="{}"><f t="shared" si="0"/><v></v></c>', '<c r="{}"><f>A1</f></c>',
    '<c r="{}" t="str"><f>A1&amp;"é"</f><v>{v} &lt; 3</v></c>', '<c r="{}" cm="1"><v>{v}</v></c>',
)  # fmt: skip
kinds = st.lists(st.sampled_from(CELLS), max_size=4)


def sheet(rows: list[list[str]], values: list[int], before: str = "") -> bytes:
    """Return a sheet of these cells; what stands before it may send it to the parser."""
    text = ""
    for number, cells in enumerate(rows, 1):
        value = values[number % len(values)]
        written = (c.format(f"{'ABCD'[i]}{number}", v=value, s=abs(value) % 4) for i, c in enumerate(cells))
        text += f'<row r="{number}"{" hidden=" if value < 0 else ""}{chr(34) + "1" + chr(34) if value < 0 else ""}>'
        text += "".join(written) + "</row>"
    return f"<worksheet>{before}<sheetData>{text}</sheetData></worksheet>".encode()


def parts(data: bytes) -> list[Part]:
    return list(parts_of_sheet(io.BytesIO(data), STRINGS, RENDERS))


def read(data: bytes) -> list[Row]:
    return [row for part in parts(data) for row in part.rows()]


def kinds_of(rows: list[Row]) -> list[list[type]]:
    return [[*map(type, row.cells.values())] for row in rows]


@given(st.lists(kinds, max_size=3), st.integers(1, 4), st.lists(st.integers(-9, 99_999), min_size=1, max_size=5))
def test_rows_are_what_a_parser_makes_of_them(shapes: list[list[str]], times: int, values: list[int]) -> None:
    rows = shapes * times
    quick, strict = read(sheet(rows, values)), read(sheet(rows, values, before="<!-- -->"))
    assert quick == strict
    assert kinds_of(quick) == kinds_of(strict)


def test_a_sheet_of_many_shapes_is_read_whatever_is_remembered() -> None:
    plain_cells, odd = CELLS[4], CELLS[14]
    rows = [[odd if n >> i & 1 else plain_cells for i in range(4)] for n in range(16)] * 8
    assert len(rows) > 64
    assert read(sheet(rows, [5])) == read(sheet(rows, [5], before="<!-- -->"))


def test_rows_written_alike_are_read_together_with_cells_that_are_missing_or_written_in_two_ways() -> None:
    inline, number, shared = CELLS[12], CELLS[4], CELLS[7]
    rows = [[inline, number], [shared, number], [inline, CELLS[2]], [CELLS[3], number]] * 5
    found = parts(sheet(rows, [3]))
    blocks = [part for part in found if isinstance(part, Block)]
    assert sum(len(block.numbers) for block in blocks) == len(rows) - 2  # by which the two ways were learned
    assert [row.cells for row in blocks[-1].rows()] == [{0: "x3"}, {1: "3"}]


@pytest.mark.parametrize("text", ["1E+20", "-1E+20", "999999999", "inf", "nan"])
def test_a_duration_that_no_calendar_holds_is_a_number_or_unreadable(text: str) -> None:
    shown = renderer(46, "", False)(text)
    assert shown == plain(text)
    assert type(shown) is type(plain(text)) is not Dated


def test_a_row_that_refers_to_no_string_is_damage_also_in_a_known_shape() -> None:
    good, bad = CELLS[7].format("A1", s=1), CELLS[7].format("A2", s=99)
    data = f'<worksheet><sheetData><row r="1">{good}</row><row r="2">{bad}</row></sheetData></worksheet>'
    with pytest.raises(XmlError, match="near row 2"):
        read(data.encode())
