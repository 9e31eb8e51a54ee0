"""Records over several lines: their inner line breaks are folded away, so that the fast parser can read them.

Split at its quotes, well-formed text lies inside of quotes in every second part. Outside of them, what follows a quote
begins with a delimiter or a line end and what stands before one ends with such, or nothing stands there (two quotes
stand for one). Where that holds for the whole block, its records are those that the strict parser would read, as long
as each one over several lines has the right number of cells.
"""

from dataclasses import dataclass, replace
from itertools import accumulate

import pyarrow as pa
import pyarrow.compute as pc

from functions.ingest.readers.encoding import has_whole_ends, is_unmarked
from functions.ingest.readers.fast import Parsed, parse
from functions.ingest.readers.record import LOOK_AHEAD, Syntax

_SIGNS = [bytes([sign]) for sign in range(1, 32) if sign not in b"\t\n\r\x1a"]
_LONGEST = 65_536  # bytes that may wait for the next block: more may be a quote that nobody closes


@dataclass(frozen=True)
class Folded:
    """``used`` bytes of a block: their records, one a line of ``data``, and the line (from 0) where each begins.

    ``continued`` counts the lines of records beyond their first one; ``restore`` translates a folded line back.
    """

    data: bytes
    used: int
    begins: list[int]
    continued: int
    parsed: Parsed
    restore: bytes


def parse_folded(data: bytes, syntax: Syntax, width: int, final: bool) -> Folded | None:
    """Return the records of a block, without an open one at its end; None when they need the strict parser."""
    signs = [sign for sign in _SIGNS if sign not in data][:2]
    if syntax.escaped or len(signs) < 2 or not is_unmarked(data):
        return None
    parts = data.split(syntax.quote)
    used = len(data)
    if len(parts) % 2 == 0:  # a quote is open at the end
        if final or not (parts := _closed(parts)):
            return None
        used = sum(map(len, parts)) + len(parts) - 1
    if len(data) - used > _LONGEST or not _well_formed(parts, syntax.delimiter):
        return None
    inside = syntax.quote.join(parts[1::2]).replace(b"\n", signs[0]).replace(b"\r", signs[1])
    parts[1::2] = inside.split(syntax.quote) if len(parts) > 1 else []
    return _parsed(syntax.quote.join(parts), used, syntax, width, signs)


def _parsed(text: bytes, used: int, syntax: Syntax, width: int, signs: list[bytes]) -> Folded | None:
    lines = text.split(b"\n")[:-1]
    if not lines or max(map(len, lines)) >= LOOK_AHEAD:
        return None
    found = parse(text, syntax, width)
    breaks, back = signs[0].decode(), signs[1].decode()
    if any(breaks in misfit or back in misfit for _, misfit in found.misfits):
        return None
    more = [line.count(signs[0]) for line in lines]
    begins = [0, *accumulate(1 + n for n in more[:-1])]
    columns = [_unfolded(c, {breaks: "\n", back: "\r"}) for c in found.columns]
    restore = bytes.maketrans(b"".join(signs), b"\n\r")
    return Folded(text, used, begins, sum(more), replace(found, columns=columns), restore)


def _closed(parts: list[bytes]) -> list[bytes]:
    """Return the parts up to the end of the last record that is whole; none when there is no such record."""
    for place in range(len(parts) - 2, -1, -2):
        if end := parts[place].rfind(b"\n") + 1:
            return [*parts[:place], parts[place][:end]]
    return []


def _well_formed(parts: list[bytes], delimiter: bytes) -> bool:
    """Whether each quote opens or closes a cell, or stands for a quote within one."""
    between = set(parts[2:-1:2]) - {b""}
    first, last = parts[0], parts[-1]
    return (
        last.endswith(b"\n")
        and (len(parts) == 1 or (_opens(first, delimiter) and _closes(last, delimiter)))
        and all(_opens(part, delimiter) and _closes(part, delimiter) for part in between)
        and all(map(has_whole_ends, {first, last, *between}))
    )


def _opens(part: bytes, delimiter: bytes) -> bool:
    return not part or part.endswith((delimiter, b"\n"))


def _closes(part: bytes, delimiter: bytes) -> bool:
    return part.startswith((delimiter, b"\n", b"\r\n"))


def _unfolded(column: pa.Array, signs: dict[str, str]) -> pa.Array:
    for sign, meant in signs.items():
        if pc.any(pc.match_substring(column, sign)).as_py():
            column = pc.replace_substring(column, sign, meant)
    return column
