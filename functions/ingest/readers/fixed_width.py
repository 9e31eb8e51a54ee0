"""Fixed width, as AS/400 and mainframes write it: text in any code page, zoned and packed decimals.

Where the fields are stands in the contract (its property ``fixedWidth``); a file of the feed is read so when its first
records fit. Packed decimals hold two digits in a byte and the sign in the last half of one: a transfer that turned
EBCDIC into ASCII has ruined them, and such a file is refused.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

from functions.ingest.readers.batches import batch_of_rows
from functions.ingest.readers.fixed_fields import Field, FieldError
from functions.ingest.readers.fixed_shape import MAX_RECORD, Shape, shape_of
from functions.ingest.readers.headers import TYPED
from functions.ingest.readers.layout import Layout, layout
from functions.ingest.readers.model import Chunk, Facts, Reject, Target
from functions.ingest.readers.native import Marks
from stockflow.contracts import normalise_header
from stockflow.errors import PermanentError

BATCH = 20_000
PART = 1 << 20
LOOKED_AT = 20  # records


def fits(head: bytes, target: Target) -> bool:
    """Whether a file whose beginning is ``head`` is one of the feed's fixed width.

    Raises:
        PermanentError: ``packed_in_ascii`` when its text says so in ASCII, and its packed fields are ruined.
    """
    shape = shape_of(target)
    if shape is None:
        return False
    records = [r for r in _first(head, shape) if len(r) == shape.length or shape.only_text]
    if records and sum(_readable(r, shape) for r in records) * 2 > len(records):
        return True
    texts = tuple(f for f in shape.fields if f.kind == "text")
    plain = Shape(shape.length, "ascii", texts)
    first = head[: shape.length]
    if len(texts) < len(shape.fields) and shape.ebcdic and len(first) == shape.length and _readable(first, plain):
        values = [v for v in plain.values(first) if v]
        if values and b"\n" not in first[: texts[0].end] and not _has_header(head, target):
            raise PermanentError(
                "packed_in_ascii",
                f"{target.name}: its text is ASCII, but the contract says {shape.encoding} with packed or zoned "
                "numbers: it was transferred as text, which ruins them. Transfer it in binary mode",
                expected=shape.encoding,
            )
    return False


def _has_header(head: bytes, target: Target) -> bool:
    """Whether a beginning is that of a delimited file."""
    line = head[:4_000].decode("latin-1").lstrip().splitlines()[0]
    names = re.split(r'[,;\t|"]+', line)
    return sum(normalise_header(name) in target.headers for name in names) > 1


def _first(head: bytes, shape: Shape) -> list[bytes]:
    """Return the first records, of a file with or without line ends."""
    if _in_lines(head, shape):
        return [line.rstrip(b"\r") for line in head.split(b"\n")[:LOOKED_AT] if line.strip()]
    return [head[i : i + shape.length] for i in range(0, min(len(head), LOOKED_AT * shape.length), shape.length)]


def _in_lines(head: bytes, shape: Shape) -> bool:
    """Whether records end with a line end; in EBCDIC and with packed fields its byte may be a part of a number."""
    if shape.only_text:
        return b"\n" in head[: shape.length + 2] or len(head) < shape.length
    behind = head[shape.length : shape.length + 2]
    return behind == b"\r\n" or behind[:1] == b"\n"


def _readable(record: bytes, shape: Shape) -> bool:
    try:
        return any(shape.values(record.ljust(shape.length)))
    except FieldError:
        return False


def read_fixed_width(stream: BinaryIO, target: Target, facts: Facts) -> Iterator[Chunk]:
    """Yield the rows and rejects; ``_line`` is the number of the record, which is its line where it has one.

    Raises:
        PermanentError: ``bad_fixed_width``, or the layout's.
    """
    shape = shape_of(target)
    assert shape is not None
    plan = layout([f.name for f in shape.fields], target)
    facts.note(format="fixed_width", encoding=shape.encoding, encoding_source="declared")
    facts.note(header=list(plan.header), record_length=shape.length, **plan.notes)
    marks = Marks(target)
    typed = [n for i, n in plan.columns.items() if shape.fields[i].kind != "text"]
    ends = _Ends(shape, _of_figures(shape, plan, target))

    def chunk(numbers: list[int], rows: list[list[str]], rejects: list[Reject]) -> Chunk:
        batch = marks.batch(batch_of_rows(plan, numbers, rows), typed) if rows else None
        return Chunk(batch, tuple(rejects))

    numbers: list[int] = []
    rows: list[list[str]] = []
    rejects: list[Reject] = []
    for number, record in enumerate(_records(stream, shape), 1):
        if not record.strip(b" \0@\x1a") and len(record) <= shape.length:
            facts.count("blank_lines")
            continue
        try:
            rows.append(ends.values(record))
            numbers.append(number)
        except FieldError as error:
            text = _shown(record, shape)
            rejects.append(Reject(number, error.code, str(error), error.found, error.expected, text))
        if len(rows) + len(rejects) == BATCH:
            yield chunk(numbers, rows, rejects)
            numbers, rows, rejects = [], [], []
    if rows or rejects:
        yield chunk(numbers, rows, rejects)


def _records(stream: BinaryIO, shape: Shape) -> Iterator[bytes]:
    """Yield the records; the last one may be short."""
    data = stream.read(PART)
    lines = _in_lines(data, shape)
    loose = lines and shape.only_text
    while data:
        place = 0
        while True:
            end = data.find(b"\n", place) if loose else place + shape.length
            if end < 0 or end + 2 * (not loose) > len(data):
                break
            yield data[place:end].rstrip(b"\r") if loose else data[place:end]
            place = end + (1 if loose else _gap(data, end) if lines else 0)
        more = stream.read(PART)
        rest = data[place:]
        if loose and len(rest) > MAX_RECORD:
            raise PermanentError(
                "bad_fixed_width", f"a line of more than {MAX_RECORD:,} bytes; expected {shape.length}"
            )
        if not more:
            yield from _tail(rest, shape, lines)
            return
        data = rest + more


def _tail(rest: bytes, shape: Shape, lines: bool) -> Iterator[bytes]:
    """Yield what is left at the end of the file."""
    if not lines:
        while rest:
            yield _Unended(rest[: shape.length])
            rest = rest[shape.length :]
    elif rest.strip(b"\r\n\x1a"):
        yield _Unended(rest.rstrip(b"\r\n\x1a")) if shape.only_text else rest[: shape.length]


def _gap(data: bytes, end: int) -> int:
    return 2 if data[end : end + 2] == b"\r\n" else 1 if data[end : end + 1] == b"\n" else 0


class _Unended(bytes):
    """The last record of a file, when no line end follows."""


def _of_figures(shape: Shape, plan: Layout, target: Target) -> tuple[Field, ...]:
    """Return the fields of numbers and dates, a part of which would pass for another one."""
    kinds = {i: target.contract.column(name).logical_type for i, name in plan.columns.items()}
    return tuple(f for i, f in enumerate(shape.fields) if f.kind != "text" or kinds.get(i) in TYPED)


class _Ends:
    """Reads records, and sees that each ends where one may: blanks at its end may be left out, figures may not."""

    def __init__(self, shape: Shape, figures: tuple[Field, ...]) -> None:
        self._shape, self._figures, self._text = shape, figures, shape.only_text
        self._shortened = False  # whether lines have left out their last blanks so far

    def values(self, record: bytes) -> list[str]:
        """Return the values of a record.

        Raises:
            FieldError: when it is too long, cut, or a field cannot be read.
        """
        length = self._shape.length
        if len(record) == length:
            return self._shape.values(record)
        if not self._text or len(record.rstrip(b" ")) > length:
            raise FieldError(Field("record", 0, len(record)), "wrong_length", _bytes(len(record)), _bytes(length))
        self._check_end(record)
        return self._shape.values(record.ljust(length))

    def _check_end(self, record: bytes) -> None:
        end = len(record)
        within = next((f for f in self._figures if f.start < end < f.end), None)
        if within is not None:
            found = record[within.start :].decode(self._shape.encoding, "backslashreplace")
            raise FieldError(within, "cut_line", found, f"{_bytes(within.length)}: the line ends behind byte {end}")
        if end < self._shape.length and isinstance(record, _Unended) and not self._shortened:
            whole = Field("record", 0, self._shape.length)
            raise FieldError(whole, "cut_line", _bytes(end), f"{_bytes(self._shape.length)}: the file ends in the line")
        self._shortened = True


def _bytes(count: int) -> str:
    return f"{count} bytes"


def _shown(record: bytes, shape: Shape) -> str:
    """Return a record for people: its text, and the bytes where numbers are packed."""
    try:
        text = record.decode(shape.encoding, "backslashreplace")
    except (UnicodeError, TypeError):
        text = record.decode("latin-1")
    shown = "".join(c if c.isprintable() else "." for c in text)
    return shown if shape.only_text else f"{shown} ({record.hex(' ')})"
