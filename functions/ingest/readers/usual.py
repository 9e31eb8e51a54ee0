"""What the cells of a file's whole records look like, by which a short one shows whether its cells have moved.

A short record lacks its last cells, or one in its middle: then all behind it stand in wrong columns. Columns of dates
and numbers tell (``fits``). Where only columns of texts take the moved cells, the other records do: a number where they
have words, a currency where they have units.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_WHOLE = re.compile(r"[-+]?[0-9]+")
_FIGURES = re.compile(r"[-+]?[0-9][-+0-9.,:/ TZ'’\u00a0]*")
FEW = 20  # different values of a column that are remembered
LEAST = 5  # cells of a column, below which its values say nothing
KNOWN, UNKNOWN, NEW, UNLIKE = 0, 1, 1, 3  # how strange a cell is: a value not seen before is where any may stand


@dataclass(frozen=True)
class Habit:
    """What the cells of one column have in common: their looks, and their values where there are few."""

    looks: frozenset[str]
    values: frozenset[str]

    @classmethod
    def of(cls, column: Sequence[str]) -> "Habit":
        """Return that of the filled cells of a column."""
        found = frozenset(column)
        again = len(column) >= LEAST and 2 * len(found) <= len(column) and len(found) <= FEW
        words = any(_look(text) == "words" for text in found)
        return cls(frozenset(map(_look, column)), found if again and words else frozenset())

    def is_usual(self, text: str) -> bool:
        """Whether nothing tells a cell from the others of the column."""
        return (not self.looks or _look(text) in self.looks) and (not self.values or text in self.values)

    def strangeness(self, text: str) -> int:
        """Return how much a cell is unlike the others of the column."""
        if self.looks and _look(text) not in self.looks:
            return UNLIKE
        return (KNOWN if text in self.values else NEW) if self.values else UNKNOWN


@dataclass(frozen=True)
class Usual:
    """What the whole records of a file have in common, column by column."""

    habits: tuple[Habit, ...] = ()

    @classmethod
    def of(cls, rows: Sequence[Sequence[str]]) -> "Usual":
        """Return what records of the header's width have in common."""
        columns = zip(*rows, strict=True)
        return cls(tuple(Habit.of([text for cell in column if (text := cell.strip())]) for column in columns))

    def moved(self, cells: Sequence[str], width: int) -> bool:
        """Whether a short record is more like the others when cells are missing in its middle, not at its end."""
        if not any(self._may_have_moved(at, text.strip(), width - len(cells)) for at, text in enumerate(cells)):
            return False
        strange = self._strangeness(cells)
        return any(self._strangeness(other) < strange for other in _with_a_gap(cells, width))

    def _may_have_moved(self, at: int, text: str, missing: int) -> bool:
        """Whether a cell is not like those of its column, or is one of those that a column behind it has."""
        if not text or at >= len(self.habits):
            return False
        here, behind = self.habits[at], self.habits[at + 1 : at + 1 + missing]
        return not here.is_usual(text) or (not here.values and any(text in habit.values for habit in behind))

    def _strangeness(self, cells: Sequence[str]) -> int:
        return sum(habit.strangeness(text) for habit, text in self._filled(cells))

    def _filled(self, cells: Sequence[str]) -> Iterator[tuple[Habit, str]]:
        return ((habit, text) for habit, cell in zip(self.habits, cells, strict=False) if (text := cell.strip()))


def _with_a_gap(cells: Sequence[str], width: int) -> Iterator[Sequence[str]]:
    """Yield the record with empty cells in its middle: in each place, as many as are missing, or fewer."""
    for count in range(1, width - len(cells) + 1):
        yield from ([*cells[:at], *[""] * count, *cells[at:]] for at in range(len(cells)))


def _look(text: str) -> str:
    return "whole" if _WHOLE.fullmatch(text) else "figures" if _FIGURES.fullmatch(text) else "words"
