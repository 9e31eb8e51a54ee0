"""A worksheet, whatever the format of its workbook."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Merge:
    """Cells merged into one: the first and last row (from 1), the first and last column (from 0)."""

    top: int
    bottom: int
    left: int
    right: int


@dataclass(frozen=True, slots=True)
class Row:
    """A row: its number (from 1), its cells by column (from 0; only those with something), whether it is hidden."""

    number: int
    cells: dict[int, str]
    hidden: bool = False

    def rows(self) -> "Iterator[Row]":
        """Yield the row."""
        yield self


@dataclass(frozen=True, slots=True)
class Block:
    """Rows by column: their numbers, and all cells of each column (from 0) with something in it; ``""`` for none."""

    numbers: Sequence[int]
    columns: Mapping[int, Sequence[str]]

    def column(self, place: int) -> Sequence[str]:
        """Return the cells of a column."""
        return self.columns.get(place) or [""] * len(self.numbers)

    def row(self, place: int) -> Row:
        """Return one of the rows, by its place in the block."""
        return Row(self.numbers[place], {i: cell for i, c in self.columns.items() if (cell := c[place])})

    def rows(self) -> Iterator[Row]:
        """Yield the rows."""
        return map(self.row, range(len(self.numbers)))


Part = Row | Block


class Sheet(ABC):
    """A sheet with a name; its rows can be read more than once."""

    def __init__(self, name: str, visible: bool) -> None:
        self.name = name
        self.visible = visible

    @abstractmethod
    def rows(self) -> Iterator[Row]:
        """Yield the rows that have something in them, in order."""

    def parts(self) -> Iterator[Part]:
        """Yield the rows, those together that a reader has together."""
        yield from self.rows()

    def merges(self) -> list[Merge]:
        """Return the merged ranges that are known."""
        return []


def column_letters(column: int) -> str:
    """Return the name of a column: 0 is A, 26 is AA."""
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name
