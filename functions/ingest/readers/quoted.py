"""Lines in which every cell is in quotes: cut at the quotes, and proved by what stands between them.

Cut so, a record of ``n`` cells has ``2n + 1`` parts: nothing in front, delimiters between the cells, nothing behind. A
line with another number of quotes must be a whole record by itself: then no cell can reach beyond its line, and each
line is the record that the strict parser would read.
"""

import pyarrow as pa
import pyarrow.compute as pc

from functions.ingest.readers.arrow import text
from functions.ingest.readers.encoding import has_whole_ends, is_unmarked
from functions.ingest.readers.fast import Parsed, parse
from functions.ingest.readers.record import Syntax, read_record

ODD = 50  # one line in so many may have another number of quotes: each is read by itself, which takes time


def parse_quoted(data: bytes, syntax: Syntax, width: int) -> Parsed | None:
    """Return the cells of lines, and those of another width; None when a line may be anything but such a record."""
    if syntax.escaped or not data.startswith(syntax.quote) or not (has_whole_ends(data) and is_unmarked(data)):
        return None
    found = parse(data, Syntax(syntax.quote, quote=b""), 2 * width + 1)
    parts, between = found.columns, syntax.delimiter.decode()
    if len(found.misfits) * ODD > len(parts[0]) or not all(_is_whole(t, syntax) for _, t in found.misfits):
        return None
    if not (_all_are(parts[0], "") and _all_are(parts[-1], "") and all(_all_are(p, between) for p in parts[2:-1:2])):
        return None
    return Parsed(parts[1::2], found.misfits)


def cells_of(line: str, syntax: Syntax) -> list[str]:
    """Return the cells of a line that is a whole record."""
    return [cell.decode() for cell in read_record(line.encode() + b"\n", 0, syntax).cells]


def _is_whole(line: str, syntax: Syntax) -> bool:
    raw = line.rstrip("\r\n").encode() + b"\n"
    record = read_record(raw, 0, syntax)
    return not record.problem and record.end == len(raw)


def _all_are(column: pa.Array, value: str) -> bool:
    return bool(pc.all(pc.equal(column, text(value))).as_py() is not False)
