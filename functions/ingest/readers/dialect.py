"""The dialect of a delimited file, from its beginning: delimiter, header, and what stands above it."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from functions.ingest.readers.encoding import readable
from functions.ingest.readers.layout import recognised
from functions.ingest.readers.model import Target
from functions.ingest.readers.record import read_record
from stockflow.errors import PermanentError

DELIMITERS = (b",", b";", b"\t", b"|")
SAMPLE = 262_144
SEARCHED = 50  # lines in which a header is looked for
SAMPLED = 200  # records by which a delimiter is judged
_SEP = re.compile(rb"(?i)^\"?sep=(.)\"?\r?$")


@dataclass(frozen=True)
class Dialect:
    """``start``/``end``: bytes of the header record in the sample; ``line``: its line (from 1)."""

    delimiter: bytes
    header: tuple[str, ...]
    line: int
    start: int
    end: int


@dataclass(frozen=True)
class _Guess:
    dialect: Dialect
    known: int
    consistency: float

    @property
    def rank(self) -> tuple[int, float, int]:
        return self.known, self.consistency, len(self.dialect.header)


def sniff(data: bytes, target: Target) -> Dialect:
    """Return the dialect of a file that begins with ``data``.

    The header is the record, among the first 50 lines, with the most names that the contract knows; that decides
    the delimiter too. Without any known name, the delimiter is the one that cuts the records most evenly.

    Raises:
        PermanentError: ``no_header`` when no record can be read at all.
    """
    sample = _whole_lines(data)
    told = _told(sample)
    guesses = [g for d in (told or DELIMITERS) for g in _guesses(sample, d, target)]
    if not guesses:
        what = f"the first {SEARCHED} lines of {target.name} hold no record that could be a header"
        raise PermanentError("no_header", f"{what}: a quote is opened and never closed?")
    best = max(guesses, key=lambda g: (g.rank, -g.dialect.line)).dialect
    return _widened(best, data)


def _whole_lines(data: bytes) -> bytes:
    """Return the beginning of a text, up to the end of a line."""
    return data if len(data) <= SAMPLE else data[: data.rfind(b"\n", 0, SAMPLE) + 1] or data[:SAMPLE]


def _told(sample: bytes) -> tuple[bytes, ...]:
    """Excel's ``sep=;`` line says it."""
    found = _SEP.match(sample.split(b"\n", 1)[0])
    return (found[1],) if found else ()


def _guesses(sample: bytes, delimiter: bytes, target: Target) -> Iterator[_Guess]:
    records = list(_records(sample, delimiter))
    widths = Counter(len(cells) for _, _, _, cells in records if len(cells) > 1)
    usual, times = max(widths.items(), key=lambda w: (w[1], w[0])) if widths else (1, 0)
    consistency = times / max(len(records), 1)
    first = True
    for line, start, end, cells in records:
        if line > SEARCHED:
            break
        names = tuple(readable(c) for c in cells)
        known = recognised(names, target)
        if known or (first and len(names) == usual):
            yield _Guess(Dialect(delimiter, names, line, start, end), known, consistency)
            first = first and len(names) != usual
    if first and records:
        line, start, end, cells = records[0]
        yield _Guess(Dialect(delimiter, tuple(readable(c) for c in cells), line, start, end), 0, 0)


def _records(sample: bytes, delimiter: bytes) -> Iterator[tuple[int, int, int, tuple[bytes, ...]]]:
    """Yield (line, start, end, cells) of the sample's records; a broken one is passed over."""
    place, line, count = 0, 1, 0
    while place < len(sample) and count < SAMPLED:
        record = read_record(sample, place, delimiter)
        end = record.end if not record.problem else sample.find(b"\n", place) + 1 or len(sample)
        if any(c.strip() for c in record.cells):
            yield line, place, end, record.cells
            count += 1
        line += sample.count(b"\n", place, end)
        place = end


def _widened(dialect: Dialect, data: bytes) -> Dialect:
    """When every sampled record has the same number of empty cells behind the header's last, so has the header."""
    width = len(dialect.header)
    rest = [cells for *_, cells in _records(_whole_lines(data[dialect.end :]), dialect.delimiter)]
    widths = {len(c) for c in rest}
    if len(rest) < 2 or len(widths) != 1 or (more := widths.pop() - width) < 1:
        return dialect
    if any(cell for cells in rest for cell in cells[width:]):
        return dialect
    header = (*dialect.header, *[""] * more)
    return Dialect(dialect.delimiter, header, dialect.line, dialect.start, dialect.end)
