"""One delimited record, read strictly: the slow road for what a fast parser must not guess about."""

import re
from dataclasses import dataclass
from functools import cache

LOOK_AHEAD = 1_000_000
_QUOTED = re.compile(rb'"([^"]*+(?:""[^"]*+)*+)"')
_BLANKS = re.compile(rb" *")


@dataclass(frozen=True)
class Record:
    """Cells, and where the next record starts; or a problem (``unclosed_quote``, ``bad_quote``)."""

    end: int
    cells: tuple[bytes, ...] = ()
    problem: str = ""
    at: int = 0  # where the problem is


@cache
def _plain(delimiter: bytes) -> re.Pattern[bytes]:
    return re.compile(rb"[^" + re.escape(delimiter) + rb"\n]*")


def read_record(data: bytes, start: int, delimiter: bytes) -> Record:
    """Return the record that starts at ``start``; quotes may hold delimiters and line breaks."""
    cells: list[bytes] = []
    place = start
    while True:
        quoted = data[place : place + 1] == b'"'
        cell, place, problem = _quoted(data, place) if quoted else _bare(data, place, delimiter)
        mark = data[place : place + 1]
        if quoted and not problem and data[place : place + 2] == b"\r\n":
            mark, place = b"\n", place + 1
        if problem or mark not in {delimiter, b"\n", b""}:
            return Record(start, problem=problem or "bad_quote", at=place)
        cells.append(cell)
        if mark != delimiter:
            break
        place += 1
    if not quoted:
        cells[-1] = cells[-1].removesuffix(b"\r")
    return Record(place + 1, tuple(cells))


def _bare(data: bytes, place: int, delimiter: bytes) -> tuple[bytes, int, str]:
    match = _plain(delimiter).match(data, place)
    assert match is not None  # it may match nothing, but it matches
    return match[0], match.end(), ""


def _quoted(data: bytes, place: int) -> tuple[bytes, int, str]:
    """Return the cell in quotes, with the blanks behind them if there are any."""
    match = _QUOTED.match(data, place, place + LOOK_AHEAD)
    if match is None:
        return b"", min(len(data), place + LOOK_AHEAD), "unclosed_quote"
    blanks = _BLANKS.match(data, match.end())
    assert blanks is not None
    return match[1].replace(b'""', b'"') + blanks[0], blanks.end(), ""


@cache
def plain_records(delimiter: bytes, width: int) -> re.Pattern[bytes]:
    """Return a pattern that matches as many one-line, well-formed records of that width as there are.

    Possessive throughout: it never goes back, so its time is linear in the text.
    """
    d = re.escape(delimiter)
    cell = rb'(?:"[^"\r\n\0]*+(?:""[^"\r\n\0]*+)*+"|(?!")[^' + d + rb"\r\n\0]*+)"
    return re.compile(rb"(?:" + cell + rb"(?:" + d + cell + rb"){%d}\r?\n)++" % (width - 1))
