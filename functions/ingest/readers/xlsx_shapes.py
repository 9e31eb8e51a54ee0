"""Rows of an XLSX sheet look alike: a pattern, made of rows that were met, takes all rows of a text at once.

It takes a row whole, character by character, or hands it out as it stands: no character is passed over. Cells may be
missing or empty, and be written in some ways each; nothing else may differ but row numbers and values.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from functions.ingest.readers.sheet import Block
from functions.ingest.readers.xlsx_sheet import RowHandler, unescaped

Cell = tuple[str, ...]  # as ``xlsx_rows`` finds it: all of it, letters, style, kind, formula, value, inline text
Found = tuple[str, ...]  # a row's number and values; or, in the last place, the row as it stands
Convert = Callable[[Sequence[str]], Sequence[str]]  # of a column; "" stays ""

MOST = 256  # cells of a shape, in all their ways: each has its place in what is found of each row
WAYS = 4  # in which the cells of a column are written
EFFORT = 4_000  # cells compiled for a sheet: making a pattern takes longer than reading some rows without
_ROW = r'\s*+<row r="([1-9][0-9]{0,5}|10[0-3][0-9]{4})"(?: (?!r=|hidden="(?:1|true)")[\w:]+="[^"<>&\r]*+")*+>'
_OTHER = r"</row>|(.*?</row>)"
_FORMULA = r"<f(?: [^<>&\r]*)?(?:/>|>[^<&\r]*+</f>)"
_TEXT = '<is><t(?: xml:space="preserve")?+>{}</t></is>'
_EMPTY = rf'(?: s="[0-9]++")?+(?: t="[a-zA-Z]++")?+(?:/>|>(?:<v></v>|<v ?/>|{_TEXT.format("")})?+</c>)'
_VALUE, _PLACE = r"([^<&\r]++)", "<v>([0-9]{1,9}+)</v>"


@dataclass(frozen=True)
class Column:
    """The cells of a column: its letters, the patterns of how they are written, and what becomes of their values."""

    letters: str
    ways: Mapping[str, Convert] = field(default_factory=dict)

    @property
    def pattern(self) -> str:
        """The pattern of its cell in a row; each way has a group for the value."""
        return f'(?:<c r="{self.letters}[0-9]++"(?:{"|".join((*self.ways, _EMPTY))}))?+'

    def cells(self, groups: Sequence[Sequence[str]]) -> Sequence[str]:
        """Return what people see, from what the groups of a column found; nothing where none did."""
        shown: Sequence[str] = ()
        for convert, values in zip(self.ways.values(), groups, strict=True):
            if any(values):
                more = convert(values)
                shown = [one or other for one, other in zip(shown, more, strict=True)] if shown else more
        return shown


class Shape:
    """The pattern of rows whose cells stand in these columns."""

    def __init__(self, columns: Mapping[int, Column], handler: RowHandler) -> None:
        self.columns = dict(sorted(columns.items()))
        self._handler = handler
        self._pattern = re.compile(_ROW + "".join(c.pattern for c in self.columns.values()) + _OTHER, re.DOTALL)

    def found(self, text: str) -> list[Found]:
        """Return all rows of a text that ends with one."""
        return self._pattern.findall(text)

    def blocks(self, found: Sequence[Found]) -> Iterator[Block]:
        """Yield rows of this shape.

        Raises:
            ValueError, IndexError: when a cell refers to what is not there; the rows above it were yielded.
        """
        try:
            block = self._block(found)
        except (ValueError, IndexError):
            yield from (self._block([row]) for row in found)
        else:
            yield block

    def _block(self, found: Sequence[Found]) -> Block:
        numbers, *groups, _ = zip(*found, strict=True)
        lines = [*map(int, numbers)]
        self._handler.number = lines[-1]
        cells: dict[int, Sequence[str]] = {}
        start = 0
        for place, column in self.columns.items():
            end = start + len(column.ways)
            if shown := column.cells(groups[start:end]):
                cells[place] = shown
            start = end
        return Block(lines, cells)


class Shapes:
    """The shape of the rows of a sheet, as far as they were met."""

    def __init__(self, handler: RowHandler) -> None:
        self._handler = handler
        self._effort = 0
        self.shape = Shape({}, handler)

    def learn(self, cells: Sequence[Cell]) -> None:
        """Let the shape take rows like this one, if there is still room for it."""
        columns = dict(self.shape.columns)
        for cell in cells:
            place = self._handler.columns[cell[1]]
            columns[place] = self._with(columns.get(place, Column(cell[1])), cell)
        size = sum(len(c.ways) + 1 for c in columns.values())
        if columns != self.shape.columns and size <= MOST and self._effort < EFFORT:
            self.shape = Shape(columns, self._handler)
            self._effort += size

    def _with(self, column: Column, cell: Cell) -> Column:
        way = _way(cell)
        if way is None or way in column.ways:
            return column
        ways = {way: _convert(cell, self._handler), **column.ways}
        return Column(column.letters, dict(list(ways.items())[:WAYS]))


def _way(cell: Cell) -> str | None:
    """Return the pattern of a cell behind its place; None when there is no value in it, or two."""
    _, _, style, kind, formula, value, inline = cell
    if bool(value) == bool(inline):
        return None
    stated = (f' s="{style}"' if style else "") + (f' t="{kind}"' if kind else "") + ">" + (_FORMULA if formula else "")
    plain = _PLACE if kind == "s" else f"<v>{_VALUE}</v>"
    return f"{stated}{_TEXT.format(_VALUE) if inline else plain}</c>"


def _convert(cell: Cell, handler: RowHandler) -> Convert:
    """Return what makes the texts that people see of the values of cells like this one."""
    _, _, style, kind, _, value, _ = cell
    if kind in {"", "n"}:
        shown = handler.renders[int(style or 0)].__getitem__
        return lambda values: [*map(shown, values)]
    if kind == "s" and value:
        strings = handler.strings
        return lambda values: [strings[int(v)] if v else "" for v in values]
    if kind in {"inlineStr", "str"}:
        return _unescaped
    return lambda values: [handler.value(v, kind, style, False) for v in values]


def _unescaped(values: Sequence[str]) -> Sequence[str]:
    return [*map(unescaped, values)] if "_x" in "".join(values) else values
