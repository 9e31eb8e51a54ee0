"""docs/formats.md, from the table of formats and from what the readers of messages know."""

from collections.abc import Iterator

from functions.ingest.limits import COSTS
from functions.ingest.readers import edifact, x12, xml_reports
from functions.ingest.readers.formats import FORMATS, Format
from functions.ingest.readers.reports import Message
from functions.ingest.readers.source import MAX_PACKINGS

HEAD = """# Formats

Generated from `functions/ingest/readers/` by `make docs`: do not edit.

A format is told by the content of a file, never by its name alone. Every row keeps where it came from (`_line`); what
cannot be read is kept with its text and the reason, and costs nothing but itself. `stockflow try FILE` says how a file
would be read.

| format | told by | `_line` | memory | the whole file is refused for |
|---|---|---|---|---|
"""
PACKED = f"""## Packed files

Each of them may be packed by gzip, zstd or bzip2 (up to {MAX_PACKINGS} times), or be in a zip file, alone or with
others of the same header. A zip file within a zip file is opened, a third one is not.

In a zip file, `_line` counts within each file, and messages name it. Control files (`a.csv.md5`, `a.ok`) are compared
with the file beside them, as in the bucket. A README, a licence, what systems leave behind (`__MACOSX/`, `Thumbs.db`),
empty files and, beside files with an ending of data, those without one are not read; the receipt names them.

Recognised, and refused by name: PDF, images, other XML and HTML, ORC, 7-Zip, RAR, xz.
"""
SHORT = """## Short lines

Spreadsheets leave out the delimiters of empty last cells. So a line with fewer cells than the header is read when what
the feed needs is there, dates and numbers stand where they belong, and other lines leave those cells empty, too. When a
cell in the middle is missing, all behind it have moved: the line is refused (`wrong_width`) when a column of dates or
numbers shows it, or when it is more like the file's whole lines with an empty cell in between (an amount where they
have units). What no line can show is a text that moved into another column of texts, where each line has a text of its
own: a name that stands for a remark.
"""
CHANGED = """## What programs change

| in the file | becomes |
|---|---|
| a date or a time of a workbook, Parquet or Avro in a column of texts (Excel: `05-Dec`) | `date_for_a_text` |
| a number of more than 15 digits in a workbook, in a column of texts | `rounded_number` |
| a cell of an unknown type, or with a value that is not of its type | `unreadable_cell` |
| an object or an array in a column (JSON, Parquet, Avro) | `nested_value` |
| a boolean of a workbook, JSON, Parquet or Avro in a column whose type is not `boolean` | `boolean_value` |

What cannot be seen: a CSV file that a spreadsheet saved has `05-Dec` or `1.20E+12` as a text like any other, and in a
cell of numbers the code `22E1` is 220 and `0012` is 12 where no format shows the zeros.
"""
MESSAGES = """## X12, EDIFACT and XML

Every count and number of the envelope is checked (SE, GE, IEA; UNT, UNZ), and so are CTT and CNT: a file that was cut
is refused as a whole. A damaged item is a reject with its segments.

| message | feed | quantity | column |
|---|---|---|---|
"""
RULES = f"""
- The SKU is the first of these product numbers that an item has: X12 {", ".join(x12.PRODUCTS)}; EDIFACT
  {", ".join(edifact.PRODUCTS)};
  XML that of the {", ".join(xml_reports.PRODUCTS[:3])}, then the GTIN. The others are kept in `_extra`.
- The place is that of the item (X12 SDQ, or N1 with {", ".join(x12.PLACES)}; EDIFACT LOC with
  {", ".join(edifact.PLACES)}), else that of the message (N1; NAD with {", ".join(edifact.PARTIES)};
  in XML who reports). Of several
  places the message must say which quantities belong to which; otherwise the item is a reject.
- Quantities without a column are kept in `_extra`, and `stockflow explain` counts them.
- A period of several days is recorded on its last day, and the file's notes say so.
- Sales messages have no receipts: the receipt is `852 SKU` or `SLSRPT SKU`, the line counts what a file says of a
  product for a place and a day. So a message that is sent again, or corrected, takes the place of the one before, and
  the messages of one file add up, unless one says that it replaces another (EDIFACT BGM, function 5).
- Parts of a day that come in files of their own must state their hours (EDIFACT DTM 356, or 90 and 91; X12 DTM 090 and
  091): the receipt is then `SLSRPT 0800-1200 SKU`, and the parts add up. Without hours the later file of a day is
  a correction of the earlier one: nothing tells one from the other. A period that ends at midnight belongs to the
  day before.
- A message that cancels another one is refused: send the right quantities.
"""
FIXED = """
## Fixed width

A contract declares where the fields stand, under `customProperties`; `start` counts bytes from 1. Records may be lines
or follow one another. `type` is `text` (the default), `number` (digits with or without a sign), `zoned` or `packed`;
`decimals` are implied. `encoding` is any code page that Python has, such as `cp037`, `cp273` or `cp1140`.

```yaml
  - property: fixedWidth
    value:
      encoding: cp037
      recordLength: 30
      columns:
        - {name: sku, start: 1, length: 10}
        - {name: location_code, start: 11, length: 4}
        - {name: business_date, start: 15, length: 8}
        - {name: on_hand, start: 23, length: 4, type: packed, decimals: 2}
        - {name: unit_cost, start: 27, length: 4, type: zoned, decimals: 2}
```

A field that does not hold what it should makes its record a reject, with the bytes. Text that is ASCII where EBCDIC is
declared was transferred as text: the packed numbers are ruined, and the file is refused.

A line may leave out its last blanks. One that ends within a number or a date was cut, and is refused; so is the last
one of a file when it alone is short and has no line end. A cut within a text, or right behind a field, in the middle of
the file cannot be told from blanks that were left out.
"""


def formats_page() -> str:
    """Return docs/formats.md."""
    rows = "\n".join(_row(kind, form) for kind, form in FORMATS.items())
    messages = "\n".join(
        _quantities([*x12.MESSAGES.values(), *edifact.MESSAGES.values(), xml_reports.UBL, xml_reports.GS1])
    )
    return f"{HEAD}{rows}\n\n{PACKED}\n{SHORT}\n{CHANGED}\n{MESSAGES}{messages}\n{RULES}{FIXED}"


def _row(kind: str, form: Format) -> str:
    cost = COSTS[kind]
    whole = f"{cost.spooled + cost.read:g} bytes for each byte of the file; at a time: " if form.whole else ""
    return f"| {form.name} | {form.told_by} | {form.line} | {whole}{form.holds} | {form.refused} |"


def _quantities(messages: list[Message]) -> Iterator[str]:
    for message in messages:
        for feed, measures in message.measures.items():
            for code, column in measures.items():
                yield f"| {message.name} | {feed} | {code} | `{column}` |"
