"""Rows of an XLSX sheet look alike: what one row is made of is the pattern of the next ones.

A shape is made of the cells of one row. It takes a row whole, character by character, or not at all; cells may be
missing or empty, nothing else may differ but row numbers and values.
"""

import re
from collections.abc import Callable, Sequence
from functools import partial
from operator import call

from functions.ingest.readers.xlsx_sheet import RowHandler, unescaped

Cell = tuple[str, ...]  # as ``xlsx_rows`` finds it: all of it, letters, style, kind, formula, value, inline text
Convert = Callable[[str], str]

MOST_CELLS = 200
KEPT = 8  # shapes at a time
MADE = 64  # shapes of a sheet: making one takes longer than reading some rows without
_FORMULA = r"<f(?: [^<>]*)?(?:/>|>[^<]*</f>)"


class Shape:
    """The pattern of a row, and what becomes of the value in each of its cells."""

    def __init__(self, cells: Sequence[Cell], handler: RowHandler) -> None:
        self._match = re.compile("".join(map(_pattern, cells))).fullmatch
        self._columns = [handler.columns[cell[1]] for cell in cells]
        self._converts = [_convert(cell, handler) for cell in cells]

    def cells(self, text: str) -> dict[int, str] | None:
        """Return the cells of a row, from behind its opening tag on; None when it looks otherwise."""
        found = self._match(text)
        if found is None:
            return None
        values = found.groups()
        if None in values:
            whole = zip(self._columns, self._converts, values, strict=True)
            return {column: shown for column, convert, v in whole if v is not None and (shown := convert(v))}
        texts = [*map(call, self._converts, values)]
        if all(texts):
            return dict(zip(self._columns, texts, strict=True))
        return {column: shown for column, shown in zip(self._columns, texts, strict=True) if shown}


class Shapes:
    """The shapes of a sheet that were met last."""

    def __init__(self, handler: RowHandler) -> None:
        self._handler = handler
        self._shapes: list[Shape] = []
        self._made = 0

    def cells(self, text: str) -> dict[int, str] | None:
        """Return the cells of a row of a known shape; None when there is none that fits."""
        for place, shape in enumerate(self._shapes):
            cells = shape.cells(text)
            if cells is None:
                continue
            if place:
                self._shapes.insert(0, self._shapes.pop(place))
            return cells
        return None

    def learn(self, cells: Sequence[Cell]) -> None:
        """Take a row that was read otherwise as a shape, if there is still room for one."""
        if self._made == MADE or not 0 < len(cells) <= MOST_CELLS:
            return
        self._made += 1
        self._shapes.insert(0, Shape(cells, self._handler))
        del self._shapes[KEPT:]


def _pattern(cell: Cell) -> str:
    """Return the pattern of a cell; its value is the one group."""
    whole, letters, style, kind, formula, _, _ = cell
    begin = f'<c r="{letters}\\d+"' + (f' s="{style}"' if style else "")
    stated = (f' t="{kind}"' if kind else "") + ">" + (_FORMULA if formula else "")
    inline = "<is>" in whole or (kind == "inlineStr" and not formula)
    plain = "<v>([0-9]{1,9})</v>" if _is_shared(cell) else "<v>([^<]*)</v>"
    value = r'<is><t(?: xml:space="preserve")?>([^<]*)</t></is>' if inline else plain
    return f"(?:{begin}(?:/>|{stated}{value}</c>))?+"


def _is_shared(cell: Cell) -> bool:
    return cell[3] == "s" and not cell[4] and "<v>" in cell[0]


def _convert(cell: Cell, handler: RowHandler) -> Convert:
    """Return what makes the text that people see of a cell's value."""
    _, _, style, kind, formula, _, _ = cell
    if kind in {"", "n"} and not formula:
        return handler.renders[int(style or 0)].__getitem__
    if _is_shared(cell):
        return lambda text: handler.strings[int(text)]
    if kind in {"inlineStr", "str"} and not formula:
        return unescaped
    return partial(handler.value, kind=kind, style=style, formula=bool(formula))
