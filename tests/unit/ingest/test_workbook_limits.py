"""What a workbook makes its reader hold is bounded: a small file that unpacks to a lot is refused with the limit."""

import io
import zipfile
from xml.sax.saxutils import escape

import pytest

from functions.ingest.readers.decode import decode
from functions.ingest.readers.model import Facts, Target
from functions.ingest.readers.workbook import read_workbook
from functions.ingest.readers.workbook_limits import MAX_MERGES, MAX_SHEETS, MAX_STYLES
from stockflow.errors import PermanentError
from tests.unit.ingest.reading import contracts

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
OF = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
KIND = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
HEADER = ["receipt_number", "line_number", "business_date", "sku", "location_code", "quantity", "net_amount"]
SMALL = 466_000_000  # an instance of little memory


def cell(column: int, row: int, text: str) -> str:
    return f'<c r="{chr(65 + column)}{row}" t="inlineStr"><is><t>{escape(text)}</t></is></c>'


def sheet(last: str = cell(6, 2, "10"), after: str = "") -> str:
    header = "".join(cell(i, 1, h) for i, h in enumerate(HEADER))
    row = "".join(cell(i, 2, v) for i, v in enumerate(["R1", "1", "2026-09-01", "A", "LYO", "1"]))
    rows = f'<row r="1">{header}</row><row r="2">{row}{last}</row>'
    return f"<worksheet {MAIN}><sheetData>{rows}</sheetData>{after}</worksheet>"


def workbook(strings: str = "", styles: str = "", sheets: int = 1, content: str = "") -> bytes:
    """Return an XLSX file with these parts; each sheet after the first one is hidden."""
    names = [f'<sheet name="S{i}" sheetId="{i}" r:id="s"/>' for i in range(1)]
    names += [f'<sheet name="S{i}" sheetId="{i}" state="hidden" r:id="s"/>' for i in range(1, sheets)]
    parts = {
        "xl/workbook.xml": f"<workbook {MAIN} {OF}><sheets>{''.join(names)}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f"<Relationships {PACKAGE}>"
        f'<Relationship Id="s" Type="{KIND}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="t" Type="{KIND}/sharedStrings" Target="sharedStrings.xml"/>'
        f'<Relationship Id="y" Type="{KIND}/styles" Target="styles.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": content or sheet(),
        "xl/sharedStrings.xml": f"<sst {MAIN}>{strings}</sst>",
        "xl/styles.xml": f"<styleSheet {MAIN}>{styles}</styleSheet>",
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return out.getvalue()


def refused(data: bytes, memory_bytes: int = 20_000_000) -> PermanentError:
    target = Target(contracts()["sales"], "sales/x.xlsx", memory_bytes)
    with pytest.raises(PermanentError) as error:
        list(read_workbook(io.BytesIO(data), target, Facts()))
    assert error.value.code == "too_large_for_function", error.value
    assert all(word in error.value.message for word in ("sales/x.xlsx", "CSV", "split")), error.value.message
    return error.value


def rows(data: bytes, memory_bytes: int = 20_000_000) -> int:
    target = Target(contracts()["sales"], "sales/x.xlsx", memory_bytes)
    return sum(len(c.batch) for c in read_workbook(io.BytesIO(data), target, Facts()) if c.batch is not None)


def test_many_shared_strings_are_refused_before_they_fill_memory() -> None:
    data = workbook("<si><t>the same words again and again</t></si>" * 200_000)
    assert len(data) < 100_000
    error = refused(data)
    assert "shared strings" in error.message and "10,000,000 bytes" in error.message
    assert error.facts["limit"] == 10_000_000


def test_one_enormous_shared_string_is_refused_while_it_is_read() -> None:
    data = workbook(f"<si><t>{'x' * 30_000_000}</t></si>")
    assert len(data) < 100_000
    assert "shared strings" in refused(data).message


def test_shared_strings_within_the_limit_are_read() -> None:
    strings = "<si><t>10</t></si>" + "<si><t>the same words again and again</t></si>" * 50_000
    assert rows(workbook(strings, content=sheet('<c r="G2" t="s"><v>0</v></c>'))) == 1


def test_the_limit_of_shared_strings_follows_the_instances_memory() -> None:
    data = workbook(f"<si><t>{'x' * 30_000}</t></si>" * 3_000)
    assert rows(data, 400_000_000) == 1
    with pytest.raises(PermanentError) as error:
        list(decode(io.BytesIO(data), Target(contracts()["sales"], "sales/x.xlsx"), Facts(), 10**9, SMALL))
    assert error.value.code == "too_large_for_function"
    assert "shared strings" in error.value.message


@pytest.mark.parametrize(
    ("styles", "words"),
    [
        (f"<cellXfs>{'<xf numFmtId="0"/>' * (MAX_STYLES + 1)}</cellXfs>", "cell styles"),
        (f"<numFmts>{'<numFmt numFmtId="200" formatCode="0"/>' * (MAX_STYLES + 1)}</numFmts>", "cell styles"),
    ],
)
def test_more_styles_than_a_workbook_can_have_are_refused(styles: str, words: str) -> None:
    error = refused(workbook(styles=styles))
    assert words in error.message and f"{MAX_STYLES:,}" in error.message


def test_more_sheets_than_anybody_sends_are_refused() -> None:
    assert rows(workbook(sheets=20)) == 1
    error = refused(workbook(sheets=MAX_SHEETS + 1))
    assert "sheets" in error.message and f"{MAX_SHEETS:,}" in error.message


def test_more_merged_ranges_than_a_table_has_are_refused() -> None:
    merges = f"<mergeCells>{'<mergeCell ref="A1:B1"/>' * (MAX_MERGES + 1)}</mergeCells>"
    error = refused(workbook(content=sheet(after=merges)))
    assert "merged ranges" in error.message and f"{MAX_MERGES:,}" in error.message
