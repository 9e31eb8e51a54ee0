"""A worksheet, whatever the format of its workbook."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
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


class Sheet(ABC):
    """A sheet with a name; its rows can be read more than once."""

    def __init__(self, name: str, visible: bool) -> None:
        self.name = name
        self.visible = visible

    @abstractmethod
    def rows(self) -> Iterator[Row]:
        """Yield the rows that have something in them, in order."""

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
