"""One delimited record, read strictly: the slow parser for what a fast one must not guess about."""

import re
from dataclasses import dataclass
from functools import cache

LOOK_AHEAD = 1_000_000
MARK = b"\xef\xbb\xbf"  # a byte order mark in front of a record: two files were joined
_LETTER = rb"[0-9A-Za-z\x80-\xff]"


@dataclass(frozen=True)
class Syntax:
    """How cells are written: ``escaped`` when a backslash takes the meaning from the character behind it."""

    delimiter: bytes
    quote: bytes = b'"'
    escaped: bool = False


@dataclass(frozen=True)
class Record:
    """Cells, and where the next record starts; or a problem (``unclosed_quote``, ``bad_quote``, ``joined_cells``)."""

    end: int
    cells: tuple[bytes, ...] = ()
    problem: str = ""
    at: int = 0  # where the problem is


@dataclass(frozen=True)
class _Patterns:
    opening: re.Pattern[bytes]
    bare: re.Pattern[bytes]
    quoted: re.Pattern[bytes]
    closing: re.Pattern[bytes]
    escape: re.Pattern[bytes]
    joined: re.Pattern[bytes]


@cache
def _patterns(syntax: Syntax) -> _Patterns:
    d, q = re.escape(syntax.delimiter), re.escape(syntax.quote)
    blanks = rb" *+" if syntax.delimiter == b"\t" else rb"[ \t]*+"
    back, any_escape = (rb"\\", rb"|\\.") if syntax.escaped else (b"", b"")
    return _Patterns(
        opening=re.compile(blanks + rb"(?=" + q + rb")"),
        bare=re.compile(rb"(?s:[^" + d + rb"\n" + back + rb"]++" + any_escape + rb")*+"),
        quoted=re.compile(
            rb"(?s)"
            + q
            + rb"([^"
            + q
            + back
            + rb"]*+(?:(?:"
            + q * 2
            + any_escape
            + rb")[^"
            + q
            + back
            + rb"]*+)*+)"
            + q
        ),
        closing=re.compile(rb"(" + blanks + rb")(\r*+\n|" + d + rb"|\Z)?"),
        escape=re.compile(rb"\\([\\\r\n" + d + q + rb"])"),
        # a quote right behind a letter, and one at the end: 12"x24" is a measure, LYO"1" lacks a delimiter
        joined=re.compile(
            _LETTER + q + rb"(?![xX] ?\d)(?!\xc3\x97)" + _LETTER + rb"[^" + q + rb"]*+" + q + rb"[ \t\r]*+\Z"
        ),
    )


def read_record(data: bytes, start: int, syntax: Syntax) -> Record:
    """Return the record that starts at ``start``; quotes may hold delimiters and line breaks."""
    return whole_line(data, start, syntax) or cell_by_cell(data, start, syntax)


def whole_line(data: bytes, start: int, syntax: Syntax) -> Record | None:
    """Return a record of one line without quotes, or with nothing but cells in quotes; None when it may be another.

    Each delimiter between two quotes takes two of them, and the ends take two: where the line has no more, its cells
    hold none.
    """
    end = data.find(b"\n", start, start + LOOK_AHEAD)
    if end < 0 or syntax.escaped or data.startswith(MARK, start):
        return None
    line, quote = data[start:end].rstrip(b"\r"), syntax.quote
    quotes = line.count(quote)
    if not quotes:
        return Record(end + 1, tuple(line.split(syntax.delimiter)))
    if not (line.startswith(quote) and line.endswith(quote)):
        return None
    cells = line[1:-1].split(quote + syntax.delimiter + quote)
    return Record(end + 1, tuple(cells)) if quotes == 2 * len(cells) else None


def cell_by_cell(data: bytes, start: int, syntax: Syntax) -> Record:
    """Return what ``read_record`` returns, of any record."""
    patterns, cells = _patterns(syntax), []
    place = start
    while data.startswith(MARK, place):
        place += len(MARK)
    while True:
        opening = patterns.opening.match(data, place)
        if opening:
            cell, place, mark = _quoted(data, opening.end(), syntax, patterns)
        else:
            cell, place, mark = _bare(data, place, syntax, patterns)
        if len(mark) > 1:  # a problem
            return Record(start, problem=mark.decode(), at=place)
        cells.append(cell)
        if mark != syntax.delimiter:
            return Record(place, tuple(cells))


def read_whole(data: bytes, start: int, syntax: Syntax, width: int) -> Record | None:
    """Return what ``read_record`` returns, for a record of that width that is written as programs write it; else None.

    One match takes it: its cells are without quotes, or in quotes from end to end.
    """
    found = _whole_record(syntax, width).match(data, start, start + LOOK_AHEAD)
    if found is None:
        return None
    cells, quote = found.groups(), syntax.quote
    pairs = zip(cells[::2], cells[1::2], strict=True)
    return Record(found.end(), tuple(b if q is None else q.replace(quote * 2, quote) for q, b in pairs))


@cache
def _whole_record(syntax: Syntax, width: int) -> re.Pattern[bytes]:
    """Return the pattern of one record, which has two groups for each cell: in quotes, and without."""
    d, q = re.escape(syntax.delimiter), re.escape(syntax.quote)
    back = rb"\\" if syntax.escaped else b""
    within = rb"[^" + q + back + rb"]*+"
    quoted = q + rb"(" + within + rb"(?:" + q * 2 + within + rb")*+)" + q
    cell = rb"(?:" + quoted + rb"|([^" + d + q + back + rb"\r\n]*+))"
    return re.compile(rb"(?!" + MARK + rb")" + cell + (d + cell) * (width - 1) + rb"\r?+\n")


def _bare(data: bytes, place: int, syntax: Syntax, patterns: _Patterns) -> tuple[bytes, int, bytes]:
    """Return the cell, the place behind its delimiter, and that; or a problem in the delimiter's stead."""
    match = patterns.bare.match(data, place)
    assert match is not None  # it may match nothing, but it matches
    cell, end = match[0], match.end()
    mark = data[end : end + 1]
    if mark != syntax.delimiter:
        cell = cell.rstrip(b"\r")
    if syntax.quote in cell and patterns.joined.search(cell):
        return b"", end, b"joined_cells"
    return _unescaped(cell, syntax, patterns), end + 1, mark


def _quoted(data: bytes, place: int, syntax: Syntax, patterns: _Patterns) -> tuple[bytes, int, bytes]:
    """Return the same of a cell in quotes; blanks in front of them are dropped."""
    match = patterns.quoted.match(data, place, place + LOOK_AHEAD)
    if match is None:
        return b"", min(len(data), place + LOOK_AHEAD), b"unclosed_quote"
    closing = patterns.closing.match(data, match.end())
    assert closing is not None
    if closing[2] is None:
        return b"", closing.end(), b"bad_quote"
    cell = match[1].replace(syntax.quote * 2, syntax.quote)
    return (
        _unescaped(cell, syntax, patterns) + closing[1],
        max(closing.end(), match.end() + 1),
        closing[2].lstrip(b"\r"),
    )


def _unescaped(cell: bytes, syntax: Syntax, patterns: _Patterns) -> bytes:
    return patterns.escape.sub(rb"\1", cell) if syntax.escaped and b"\\" in cell else cell


@cache
def plain_records(syntax: Syntax, width: int) -> re.Pattern[bytes]:
    """Return a pattern that matches as many one-line, well-formed records of that width as there are.

    Possessive throughout: it never goes back, so its time is linear in the text.
    """
    d, q = re.escape(syntax.delimiter), re.escape(syntax.quote)
    never = rb"\r\n\0" + (rb"\\" if syntax.escaped else b"")
    quoted = q + rb"[^" + q + never + rb"]*+(?:" + q * 2 + rb"[^" + q + never + rb"]*+)*+" + q
    rest = rb"[^" + d + q + never + rb"]*+"
    bare = (
        rb"(?![ \t]*+" + q + rb")(?:=" + q + rest + q + rb"|" + rest + rb"(?:" + q + rest + rb")?+)"
    )  # ="01", 5" pipe
    cell = rb"(?:" + quoted + rb"|" + bare + rb")"
    return re.compile(rb"(?:(?!" + MARK + rb")" + cell + rb"(?:" + d + cell + rb"){%d}\r?\n)++" % (width - 1))
