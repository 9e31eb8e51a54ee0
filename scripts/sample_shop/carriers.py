"""How rows become bytes: the same rows always give the same bytes."""

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape

import pyarrow as pa
import pyarrow.parquet as pq

Row = dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What becomes of a line: kind is reject, quarantined, superseded, warning or note."""

    kind: str
    code: str = ""
    stage: str = ""
    column: str = ""
    value: str = ""
    note: str = ""


@dataclass
class Line:
    """One record of a file: its cells as written, or the whole line as raw text.

    ``row`` is what the shop knows, for lines that state a business key.
    """

    cells: list[str]
    raw: str | None = None
    row: Row | None = None
    outcomes: list[Outcome] = field(default_factory=list)


@dataclass(frozen=True)
class Dialect:
    """How a text file writes its cells."""

    delimiter: str = ","
    encoding: str = "utf-8"
    decimal_mark: str = "."
    date_format: str = "%Y-%m-%d"
    newline: str = "\n"


PLAIN = Dialect()
FRENCH = Dialect(";", "cp1252", ",", "%d/%m/%Y", "\r\n")
SAP = Dialect("\t", "utf-8-sig", ",", "%d.%m.%Y", "\r\n")


def cell(value: Any, dialect: Dialect = PLAIN) -> str:
    """Return a value as this dialect writes it."""
    if value is None:
        return ""
    if isinstance(value, date):
        return value.strftime(dialect.date_format)
    if isinstance(value, Decimal):
        return str(value).replace(".", dialect.decimal_mark)
    return str(value)


def lines_of(rows: Sequence[Row], columns: Sequence[str], dialect: Dialect = PLAIN) -> list[Line]:
    """Return the rows as lines of cells, in the order of ``columns``."""
    return [Line([cell(row.get(name), dialect) for name in columns], row=row) for row in rows]


def csv_text(header: Sequence[str], lines: Sequence[Line], dialect: Dialect = PLAIN) -> str:
    """Return the text of a delimited file; raw lines go in as they are."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=dialect.delimiter, lineterminator=dialect.newline)
    writer.writerow(header)
    for line in lines:
        if line.raw is None:
            writer.writerow(line.cells)
        else:
            out.write(line.raw + dialect.newline)
    return out.getvalue()


def csv_bytes(header: Sequence[str], lines: Sequence[Line], dialect: Dialect = PLAIN) -> bytes:
    """Return a delimited file in the dialect's encoding."""
    return csv_text(header, lines, dialect).encode(dialect.encoding)


def gzipped(header: Sequence[str], lines: Sequence[Line], dialect: Dialect = PLAIN) -> bytes:
    """Return a gzipped delimited file without a time in it."""
    return gzip.compress(csv_bytes(header, lines, dialect), mtime=0)


def jsonl_bytes(header: Sequence[str], lines: Sequence[Line], number_columns: Sequence[str] = ()) -> bytes:
    """Return JSON Lines; the named columns are numbers, all others text."""
    return "".join(_json_line(header, line, number_columns) + "\n" for line in lines).encode()


def _json_line(header: Sequence[str], line: Line, numbers: Sequence[str]) -> str:
    if line.raw is not None:
        return line.raw
    pairs = zip(header, line.cells, strict=True)
    body = {name: json.loads(text) if name in numbers else text for name, text in pairs if text}
    return json.dumps(body, ensure_ascii=False)


def parquet_bytes(rows: Sequence[Row], schema: pa.Schema) -> bytes:
    """Return a Parquet file with typed columns."""
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), out, compression="zstd")
    return out.getvalue()


# ---- XLSX: the few parts a workbook needs, with fixed times in the archive --------------------------

_NS = "http://schemas.openxmlformats.org"
_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_NS}/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/xl/workbook.xml" ContentType='
    '"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
    '<Override PartName="/xl/styles.xml" ContentType='
    '"application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/>'
    '<Override PartName="/xl/worksheets/sheet1.xml" ContentType='
    '"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_NS}/package/2006/relationships"><Relationship Id="rId1" '
    f'Type="{_NS}/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_NS}/spreadsheetml/2006/main" '
    f'xmlns:r="{_NS}/officeDocument/2006/relationships"><sheets>'
    '<sheet name="Export" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_NS}/package/2006/relationships"><Relationship '
    f'Id="rId1" Type="{_NS}/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_NS}/officeDocument/2006/relationships/styles" Target="styles.xml"/>'
    "</Relationships>",
    # style 1 is a date, style 2 a date with time
    "xl/styles.xml": f'<styleSheet xmlns="{_NS}/spreadsheetml/2006/main"><numFmts count="1"><numFmt numFmtId="164" '
    'formatCode="yyyy\\-mm\\-dd hh:mm:ss"/></numFmts><fonts count="1"><font/></fonts><fills count="1"><fill><patternFill patternType="none"/></fill></fills>'  # noqa: E501
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="3"><xf/>'
    '<xf numFmtId="14" applyNumberFormat="1"/><xf numFmtId="164" applyNumberFormat="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>',
}


def xlsx_bytes(header: Sequence[str], lines: Sequence[Line], kinds: dict[str, str]) -> bytes:
    """Return a workbook of one sheet; ``kinds`` says which columns are ``number``, ``date`` or ``time``."""
    sheet_rows = [_xlsx_row(1, [_text] * len(header), header)]
    writers = [_WRITERS.get(kinds.get(name, ""), _text) for name in header]
    sheet_rows += [_xlsx_row(number, writers, line.cells) for number, line in enumerate(lines, 2)]
    body = f"<sheetData>{''.join(sheet_rows)}</sheetData>"
    sheet = f'<worksheet xmlns="{_NS}/spreadsheetml/2006/main">{body}</worksheet>'
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in {**_PARTS, "xl/worksheets/sheet1.xml": sheet}.items():
            member = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, f'<?xml version="1.0" encoding="UTF-8"?>{part}')
    return out.getvalue()


def _xlsx_row(number: int, writers: Sequence[Callable[[str, str], str]], cells: Sequence[str]) -> str:
    places = [f"{chr(65 + index)}{number}" for index in range(len(cells))]
    body = "".join(w(p, c) for w, p, c in zip(writers, places, cells, strict=False) if c)
    return f'<row r="{number}">{body}</row>'


def _text(place: str, value: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'


def _number(place: str, value: str) -> str:
    try:
        Decimal(value)
    except ArithmeticError:
        return _text(place, value)
    return f'<c r="{place}"><v>{value}</v></c>'


def _date(place: str, value: str) -> str:
    return f'<c r="{place}" s="1"><v>{_serial(value)}</v></c>'


def _time(place: str, value: str) -> str:
    hours, minutes, seconds = (int(part) for part in value[11:19].split(":"))
    fraction = (hours * 3600 + minutes * 60 + seconds) / 86400
    return f'<c r="{place}" s="2"><v>{_serial(value) + fraction:.8f}</v></c>'


def _serial(value: str) -> int:
    return (date.fromisoformat(value[:10]) - date(1899, 12, 30)).days


_WRITERS: dict[str, Callable[[str, str], str]] = {"number": _number, "date": _date, "time": _time}
