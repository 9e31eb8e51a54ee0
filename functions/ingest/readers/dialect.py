"""The dialect of a delimited file, from its beginning: delimiter, quotes, header, and what stands above it."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from functions.ingest.readers.alignment import aligned
from functions.ingest.readers.encoding import readable
from functions.ingest.readers.fits import Fit, filled_cells, whole_records
from functions.ingest.readers.headers import check_above
from functions.ingest.readers.layout import recognised
from functions.ingest.readers.model import Target
from functions.ingest.readers.record import Record, Syntax, read_record
from functions.ingest.readers.usual import Usual
from stockflow.errors import PermanentError

DELIMITERS = (b",", b";", b"\t", b"|")
SAMPLE = 262_144
SEARCHED = 50  # lines in which a header is looked for
SAMPLED = 200  # records by which a delimiter is judged
EVEN = 2_000  # records by which backslashes are
_SEP = re.compile(rb"(?i)^\"?sep=(.)\"?\r?$")


@dataclass(frozen=True)
class Dialect:
    """``start``/``end``: bytes of the header record in the sample; ``line``: its line (from 1).

    ``added``: cells that the header got to be as wide as the rows (less than 0: that it lost);
    ``filled``: cells that its records fill at least; ``usual``: what stands in them.
    """

    syntax: Syntax
    header: tuple[str, ...]
    line: int
    start: int
    end: int
    added: int = 0
    filled: int = 0
    usual: Usual = field(default_factory=Usual)


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
    told = _told(sample) or _declared(target)
    syntaxes = [_syntax(sample, d) for d in told or DELIMITERS]
    guesses = [g for s in syntaxes for g in _guesses(sample, s, target)]
    if line := target.contract.properties.get("headerLine"):
        guesses = [g for g in guesses if g.dialect.line == line]
        if not guesses:
            what = f"line {line} of {target.name}, which the sender's profile calls the header, holds no known header"
            raise PermanentError("no_header", what)
    if not guesses:
        what = f"the first {SEARCHED} lines of {target.name} hold no record that could be a header"
        raise PermanentError("no_header", f"{what}: a quote is opened and never closed?")
    best = max(guesses, key=lambda g: (g.rank, -g.dialect.line)).dialect
    if not line:
        above = ((at, _names(cells)) for at, _, end, cells in _records(sample, best.syntax) if end <= best.start)
        check_above(above, (best.line, best.header), target)
    rest = [_names(cells) for *_, cells in _records(_whole_lines(data[best.end :]), best.syntax)]
    header = aligned(best.header, rest, target)
    fit = Fit.of(header, target)
    filled, usual = filled_cells(rest, fit), Usual.of(whole_records(rest, fit))
    return replace(best, header=header, added=len(header) - len(best.header), filled=filled, usual=usual)


def _whole_lines(data: bytes) -> bytes:
    """Return the beginning of a text, up to the end of a line."""
    return data if len(data) <= SAMPLE else data[: data.rfind(b"\n", 0, SAMPLE) + 1] or data[:SAMPLE]


def _told(sample: bytes) -> tuple[bytes, ...]:
    """Excel's ``sep=;`` line says it."""
    found = _SEP.match(sample.split(b"\n", 1)[0])
    return (found[1],) if found else ()


def _declared(target: Target) -> tuple[bytes, ...]:
    """The delimiter that the sender's profile says."""
    said = target.contract.properties.get("delimiter")
    return (str(said).encode(),) if said else ()


def _syntax(sample: bytes, delimiter: bytes) -> Syntax:
    """Return how cells are quoted: by single quotes, or with backslashes, only when records are read better so."""
    usual = Syntax(delimiter)
    single = Syntax(delimiter, quote=b"'")
    if _begins_cells(sample, single) and _quoted_throughout(sample, single):
        usual = single
    escaped = replace(usual, escaped=True)
    odd = b"\\" + usual.quote in sample or b"\\" + delimiter in sample
    return escaped if odd and _oddness(sample, escaped) < _oddness(sample, usual) else usual


def _begins_cells(sample: bytes, syntax: Syntax) -> bool:
    return sample.startswith(syntax.quote) or (syntax.delimiter + syntax.quote) in sample


def _quoted_throughout(sample: bytes, syntax: Syntax) -> bool:
    """Whether each sampled record can be read with these quotes, and at least half of them are quoted."""
    records = [(sample[start : r.end], r) for start, r in _read(sample, syntax, SAMPLED) if start < r.end]
    if any(r.problem for _, r in records) or not records:
        return False
    quoted = [raw for raw, r in records if len(r.cells) > 1 and _enclosed(raw, syntax)]
    return len(quoted) * 2 >= len(records)


def _enclosed(raw: bytes, syntax: Syntax) -> bool:
    cells = [c.strip() for c in raw.strip(b"\r\n").split(syntax.delimiter)]
    return any(len(c) > 1 and c.startswith(syntax.quote) and c.endswith(syntax.quote) for c in cells)


def _oddness(sample: bytes, syntax: Syntax) -> tuple[int, int]:
    """Return how many records cannot be read, and (less than 0) how many have the width that most have."""
    records = [record for _, record in _read(sample, syntax, EVEN)]
    widths = Counter(len(r.cells) for r in records if not r.problem and len(r.cells) > 1)
    return sum(bool(r.problem) for r in records), -max(widths.values(), default=0)


def _guesses(sample: bytes, syntax: Syntax, target: Target) -> Iterator[_Guess]:
    records = list(_records(sample, syntax, 2 * SAMPLED))
    widths = Counter(len(cells) for _, _, _, cells in records if len(cells) > 1)
    usual, times = max(widths.items(), key=lambda w: (w[1], w[0])) if widths else (1, 0)
    consistency = times / max(len(records), 1)
    first = True
    for line, start, end, cells in records:
        if line > SEARCHED:
            break
        names = _names(cells)
        known = recognised(names, target)
        if known or (first and len(names) == usual):
            yield _Guess(Dialect(syntax, names, line, start, end), known, consistency)
            first = first and len(names) != usual
    if first and records:
        line, start, end, cells = records[0]
        yield _Guess(Dialect(syntax, _names(cells), line, start, end), 0, 0)


def _names(cells: tuple[bytes, ...]) -> tuple[str, ...]:
    return tuple(readable(c) for c in cells)


def _records(
    sample: bytes, syntax: Syntax, most: int | None = None
) -> Iterator[tuple[int, int, int, tuple[bytes, ...]]]:
    """Yield (line, start, end, cells) of the sample's records; a broken one and a blank one are passed over.

    ``most``: how many are looked at, these too: with another delimiter all that are in quotes are broken.
    """
    line, place, count = 1, 0, 0
    for start, record in _read(sample, syntax, most):
        line += sample.count(b"\n", place, start)
        place = start
        if any(c.strip() for c in record.cells):
            yield line, start, record.end, record.cells
            count += 1
        if count == SAMPLED:
            return


def _read(sample: bytes, syntax: Syntax, most: int | None = None) -> Iterator[tuple[int, Record]]:
    """Yield where each record starts, and the record; a broken one ends with its line."""
    place, count = 0, 0
    while place < len(sample) and count != most:
        record = read_record(sample, place, syntax)
        end = record.end if not record.problem else sample.find(b"\n", place) + 1 or len(sample)
        yield place, replace(record, end=end)
        place, count = end, count + 1
