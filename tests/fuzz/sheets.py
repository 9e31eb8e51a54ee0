"""Workbooks of all kinds of rows, read with rows taken together and, a second time, row by row: both say the same.

python -m tests.fuzz.sheets COUNT [FIRST_SEED]
"""

import io
import random
import sys
import zipfile
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from typing import Any
from unittest.mock import patch
from xml.sax.saxutils import escape

from functions.ingest.readers import sheet_batches, xlsx_text, xml_events
from functions.ingest.readers.model import Facts, Target
from functions.ingest.readers.workbook import read_workbook
from stockflow.errors import PermanentError
from tests.fuzz.twice import only_strict
from tests.unit.ingest.reading import contracts

_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_OF = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
_KIND = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
HEADER = ("receipt_number", "line_number", "business_date", "sku", "location_code", "quantity", "net_amount", "Remark")
_RICH = "<si><r><t>in </t></r><r><rPr><b/></rPr><t>bold</t></r><rPh><t>said</t></rPh></si>"
STRINGS = ("Lyon", "SKU-1", "00417", "", " ", "a_x000D_b", "R&D é", "Total", "quantity", *HEADER)
STYLES = (
    '<numFmts><numFmt numFmtId="164" formatCode="&quot;AB-&quot;0000"/><numFmt numFmtId="165" formatCode="00000"/>'
    '</numFmts><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="22"/><xf numFmtId="164"/>'
    '<xf numFmtId="165"/><xf numFmtId="46"/></cellXfs>'
)
NUMBERS = ("1", "7", "300", "46266", "46266.33402777778", "12.345")
ODD = ("0", "-3", "1.5E-3", "1E+20", "0.1", "abc", "1_000", " 5")
TEXTS = (
    "A1",
    "SKU-00417",
    " x ",
    " ",
    "_x0041_",
    "R&D",
    "é",
    "12,50",
    "2026-09-01",
    "#N/A",
    "Total",
    "sku",
    "quantity",
)
_NUMERIC = (
    '<c r="{place}"><v>{number}</v></c>', '<c r="{place}" t="n"><v>{number}</v></c>',
    '<c r="{place}" s="4"><v>{number}</v></c>',
)  # fmt: skip
_WORDS = (
    '<c r="{place}" t="s"><v>{string}</v></c>', '<c r="{place}" s="1" t="s"><v>{string}</v></c>',
    '<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>', '<c r="{place}" t="str"><v>{text}</v></c>',
    '<c r="{place}" t="inlineStr"><is><t xml:space="preserve"> {text}</t></is></c>',
    '<c r="{place}" s="3"><v>{number}</v></c>',
)  # fmt: skip
_DATES = ('<c r="{place}" s="1"><v>{number}</v></c>', '<c r="{place}" s="2" t="n"><v>{number}</v></c>')
_ANY = (*_NUMERIC, *_WORDS, *_DATES, '<c r="{place}" s="5"><v>{number}</v></c>', '<c r="{place}"/>', "")
CELLS = (_WORDS, _NUMERIC, _DATES, _WORDS, _WORDS, _NUMERIC, _NUMERIC, _ANY)  # as the columns of the header
RARE = (
    "", "", '<c r="{place}"/>', '<c r="{place}" s="2"/>', '<c r="{place}" s="2"></c>', '<c r="{place}"><v></v></c>',
    '<c r="{place}" t="s"/>', '<c r="{place}" t="b"><v>1</v></c>', '<c r="{place}" t="b"><v>maybe</v></c>',
    '<c r="{place}" t="e"><v>#N/A</v></c>', '<c r="{place}" t="d"><v>2026-09-01T00:00:00</v></c>',
    '<c r="{place}" t="S"><v>{number}</v></c>', '<c r="{place}"><f>A1*2</f><v>{number}</v></c>',
    '<c r="{place}" t="str"><f>A1&amp;"é"</f><v>{text}</v></c>', '<c r="{place}"><f>A1</f></c>',
    '<c r="{place}" t="shared"><f t="shared" si="0"/><v></v></c>', '<c r="{place}" cm="1"><v>{number}</v></c>',
    '<c r="{place}" t="inlineStr"><is><r><t>rich</t></r><r><t> {text}</t></r></is></c>',
    '<c r="{place}" t="inlineStr"><is><t></t></is></c>', '<c r="{place}"><v>{number}</v><is><t>{text}</t></is></c>',
    '<c r="ZZ1"><v>1</v></c>', '<c r="A1"><v>1</v></c>',
    '<c t="n"><v>{number}</v></c>', '<c r="{place}" t="n" s="1"><v>{number}</v></c>', "\n<c r='{place}'/>",
)  # fmt: skip
DAMAGE = (
    '<c r="{place}" s="{string}"><v>{number}</v></c>',
    '<c r="{place}" t="s"><v>99</v></c>', '<c r="{place}" s="99"><v>1</v></c>', '<c r="{place}" t="s"><v>x</v></c>',
)  # fmt: skip
ROWS = (
    '<row r="{number}">', '<row r="{number}" spans="1:8" ht="15">', '<row r="{number}" hidden="1">', "<row>",
    '<row r="{number}" hidden="0">', '<row spans="1:8" r="{number}">', '\r\n <row r="{number}">',
    '<row r="{number}" hidden="true">', '<row r="0{number}">', '<row r="{number}"/><row r="{next}">',
    '<row r="1048577">', '<row r="2">', '<!-- a comment --><row r="{number}">',
)  # fmt: skip


class Rows:
    """Makes the rows of a sheet: most of them alike, some odd."""

    def __init__(self, chosen: random.Random) -> None:
        self._chosen = chosen
        self._width = chosen.randint(5, len(HEADER) + 1)
        self._usual = [self._some_forms(i) for i in range(self._width)]
        self._odd = chosen.choice((0.0, 0.0, 0.01, 0.1))  # of the cells
        self._damage = chosen.choice((0.0, 0.0, 0.0, 0.002))
        self._rows = chosen.choice((0.0, 0.02, 0.2))
        self._number = 0

    def _some_forms(self, column: int) -> list[str]:
        fitting = CELLS[column] if column < len(CELLS) and self._chosen.random() < 0.95 else _ANY
        return self._chosen.choices(fitting, k=self._chosen.choice((1, 1, 1, 2, 6)))

    def text(self, count: int) -> str:
        """Return so many rows below a header."""
        below = (self._row() for _ in range(count))
        return self._written('<row r="{number}">', HEADER) + "".join(below)

    def _row(self) -> str:
        draw = self._chosen.random()
        if draw < self._rows / 4:
            self._number += self._chosen.randint(1, 4)
        if draw < self._rows / 8:
            self._usual = [self._some_forms(i) for i in range(self._width)]
        if draw < self._rows / 16:
            return self._written('<row r="{number}">', self._chosen.choice((HEADER, _IN_CAPITALS, _TOTAL, _WIDE, ())))
        begin = self._chosen.choice(ROWS) if self._chosen.random() < self._rows else ROWS[0]
        self._number += 1 if self._chosen.random() > self._rows / 20 else 100_000
        cells = (self._cell(i) for i in range(self._width))
        return f"{begin.format(number=self._number, next=self._number + 1)}{''.join(cells)}</row>"

    def _cell(self, column: int) -> str:
        form = self._chosen.choice(self._usual[column])
        if self._is_odd():
            form = self._chosen.choice(RARE)
        if self._chosen.random() < self._damage:
            form = self._chosen.choice(DAMAGE)
        text, number = self._chosen.choice(TEXTS), self._chosen.choice(ODD if self._is_odd() else NUMBERS)
        place = f"{chr(65 + column)}{self._number}"
        return form.format(place=place, number=number, text=escape(text), string=self._chosen.randrange(len(STRINGS)))

    def _is_odd(self) -> bool:
        return self._chosen.random() < self._odd

    def _written(self, begin: str, texts: tuple[str, ...]) -> str:
        self._number += 1
        form = '<c r="{}{}" t="inlineStr"><is><t>{}</t></is></c>'
        cells = (form.format(chr(65 + i), self._number, text) for i, text in enumerate(texts))
        return begin.format(number=self._number) + "".join(cells) + "</row>"


_IN_CAPITALS = tuple(name.upper() for name in HEADER)
_TOTAL = ("Total", "", "", "", "", "7", "7.00", "", "", "7")
_WIDE = ("R1", "1", "2026-09-01", "A", "LYO", "1", "1.00", "", "", "", "note")


def workbook(chosen: random.Random) -> bytes:
    """Return an XLSX file."""
    rows = Rows(chosen).text(chosen.choice((3, 40, 200)))
    merged = f'<mergeCell ref="D{chosen.randint(2, 40)}:D{chosen.randint(2, 60)}"/>' * (chosen.random() < 0.1)
    strings = "".join(f"<si><t>{escape(text)}</t></si>" for text in STRINGS) + chosen.choice(("", _RICH, "<!-- -->"))
    parts = {
        "xl/workbook.xml": f"<workbook {_MAIN} {_OF}>"
        '<sheets><sheet name="S" sheetId="1" r:id="s"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f"<Relationships {_PACKAGE}>"
        f'<Relationship Id="s" Type="{_KIND}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="t" Type="{_KIND}/sharedStrings" Target="sharedStrings.xml"/>'
        f'<Relationship Id="y" Type="{_KIND}/styles" Target="styles.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f"<worksheet {_MAIN}><sheetData>{rows}</sheetData>"
        f"<mergeCells>{merged}</mergeCells></worksheet>",
        "xl/sharedStrings.xml": f"<sst {_MAIN}>{strings}</sst>",
        "xl/styles.xml": f"<styleSheet {_MAIN}>{STYLES}</styleSheet>",
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return out.getvalue()


def target(comma: bool) -> Target:
    """Return what the rows are read for; with ``comma``, a sender whose profile declares the decimal comma."""
    contract = contracts()["sales"]
    said = {"sender": "acme", "decimalMark": ",", "decimalMarkCertain": True} if comma else {}
    return Target(replace(contract, properties={**contract.properties, **said}), "sales/x.xlsx")


@dataclass(frozen=True)
class Sizes:
    """What a workbook is read by: parts of so many bytes, elements of so many characters, batches of so many rows."""

    part: int
    longest: int
    batch: int


def said_of(data: bytes, read_for: Target, sizes: Sizes) -> tuple[Any, ...]:
    """Return what is made of a workbook: its chunks, the error, the facts."""
    facts, said = Facts(), list[Any]()
    with ExitStack() as stack:
        stack.enter_context(patch.object(xml_events, "PART", sizes.part))
        stack.enter_context(patch.object(xlsx_text, "LONGEST", sizes.longest))
        stack.enter_context(patch.object(sheet_batches, "BATCH", sizes.batch))
        try:
            for chunk in read_workbook(io.BytesIO(data), read_for, facts):
                said.append((chunk.batch and chunk.batch.to_pylist(), [asdict(r) for r in chunk.rejects]))
        except PermanentError as error:
            said.append((error.code, error.message))
    return *said, facts.values


def read_twice(chosen: random.Random) -> tuple[Any, ...]:
    """Make a workbook, and read it both ways; return what was said of it."""
    data, read_for = workbook(chosen), target(chosen.random() < 0.2)
    longest = chosen.choice((700, 1 << 23, 1 << 23))
    sizes = Sizes(chosen.choice((120, 1_000, 9_000, 1 << 18)), longest, chosen.choice((7, 50, 20_000)))
    together = said_of(data, read_for, sizes)
    with only_strict():
        alone = said_of(data, read_for, sizes)
    for one, other in zip(together, alone, strict=True):
        assert one == other, f"together: {one!r}\nrow by row: {other!r}"
    return together


if __name__ == "__main__":
    first = int(sys.argv[2]) if sys.argv[2:] else 0
    for seed in range(first, first + int(sys.argv[1])):
        try:
            read_twice(random.Random(seed))
        except AssertionError:
            print(f"seed {seed}")
            raise
