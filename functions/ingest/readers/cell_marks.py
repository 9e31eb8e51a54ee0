"""What calamine does not tell of the cells of XLS: errors, and the formats that show a number as a code."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from functions.ingest.readers.cells import Coded, Problem, Render, plain, renderer
from functions.ingest.readers.sheet import Merge

ERRORS = {0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!", 42: "#N/A"}
_BOUNDSHEET, _FORMAT, _XF, _EOF = 0x85, 0x41E, 0xE0, 0x0A
_BOOLERR, _FORMULA, _NUMBER, _RK, _MULRK = 0x205, 0x06, 0x203, 0x27E, 0xBD


@dataclass
class Marks:
    """Of one sheet, by row and column from 0: the errors, how a number is shown; the merged ranges of an ODS sheet."""

    errors: dict[tuple[int, int], Problem] = field(default_factory=dict)
    renders: dict[tuple[int, int], Render] = field(default_factory=dict)
    merges: list[Merge] = field(default_factory=list)


def error(code: int) -> Problem:
    """Return the words of an error."""
    return Problem(ERRORS.get(code, f"#ERROR {code}"))


def xls_marks(data: bytes) -> list[Marks]:
    """Return the marks of the sheets of a workbook stream, in the order of their tabs."""
    starts: list[int] = []
    codes: dict[int, str] = {}
    styles: list[int] = []
    for kind, body in _xls_records(data, 0):
        if kind == _BOUNDSHEET:
            starts.append(struct.unpack_from("<I", body)[0])
        elif kind == _FORMAT:
            codes[struct.unpack_from("<H", body)[0]] = _format_code(body)
        elif kind == _XF:
            styles.append(struct.unpack_from("<H", body, 2)[0])
    renders = {i: r for i, n in enumerate(styles) if (r := _code_renderer(codes.get(n, ""))) is not None}
    return [_sheet_marks(data, start, renders) for start in starts]


def _xls_records(data: bytes, place: int) -> Iterator[tuple[int, bytes]]:
    while place + 4 <= len(data):
        kind, length = struct.unpack_from("<HH", data, place)
        yield kind, data[place + 4 : place + 4 + length]
        if kind == _EOF:
            return
        place += 4 + length


def _format_code(body: bytes) -> str:
    count, wide = struct.unpack_from("<HB", body, 2)
    return body[5:].decode("utf-16-le", "replace")[:count] if wide & 1 else body[5 : 5 + count].decode("latin-1")


def _code_renderer(code: str) -> Render | None:
    """Return the renderer of a format that shows zeros or letters; None for all others, dates too."""
    found = renderer(-1, code, since_1904=False)
    shown = found("1") if found is not plain else ""
    return found if isinstance(shown, Coded) or (shown.isdigit() and shown != "1") else None


def _sheet_marks(data: bytes, start: int, renders: dict[int, Render]) -> Marks:
    marks = Marks()
    for kind, body in _xls_records(data, start):
        if kind == _BOOLERR and body[7]:
            marks.errors[struct.unpack_from("<HH", body)] = error(body[6])
        elif kind == _FORMULA and body[12:14] == b"\xff\xff" and body[6] == 2:
            marks.errors[struct.unpack_from("<HH", body)] = error(body[8])
        elif kind in {_NUMBER, _RK, _FORMULA, _MULRK}:
            for row, column, style in _styled(kind, body):
                if style in renders:
                    marks.renders[row, column] = renders[style]
    return marks


def _styled(kind: int, body: bytes) -> Iterator[tuple[int, int, int]]:
    row, first, style = struct.unpack_from("<HHH", body)
    if kind != _MULRK:
        yield row, first, style
        return
    for i in range((len(body) - 6) // 6):
        yield row, first + i, struct.unpack_from("<H", body, 4 + 6 * i)[0]
