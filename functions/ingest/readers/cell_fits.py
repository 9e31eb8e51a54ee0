"""What the cells of a sheet are worth in their columns: a text, a number; or nothing, and the row is refused.

An error in a column of numbers or dates stays as it is (``#N/A``): validation refuses it by the column's own rule, as
in a CSV file. In a column of text it would pass for a value.
"""

from collections.abc import Iterable, Sequence

from functions.ingest.readers.cells import Coded, Dated, Problem, Rounded, Truth, Unreadable
from functions.ingest.readers.layout import Layout
from functions.ingest.readers.misfit import boolean_value, date_for_a_text, takes_booleans
from functions.ingest.readers.model import Reject, Target, shown
from functions.ingest.readers.native import NUMBERS, Marks
from functions.ingest.readers.sheet import column_letters

_AS_TEXT = "the code as text: format the column as text, and write it again"
_SAVED_AGAIN = "a value: open the workbook in a spreadsheet, look at the cell, and save it"
_CALCULATED = "a value: open the workbook in a spreadsheet, let it calculate, and save it"


class CellFits:
    """Puts codes into columns of text, numbers into those of numbers; refuses what validation would not see."""

    def __init__(self, plan: Layout, target: Target) -> None:
        self._plan = plan
        self._kinds = {i: target.contract.column(name).logical_type for i, name in plan.columns.items()}
        self._marks = Marks(target)
        self._stay = [self._types_that_stay(i) for i in range(plan.width)]
        self._all_text = not self._marks.comma

    def _types_that_stay(self, column: int) -> frozenset[type]:
        if self._marks.comma and self.is_number(column):
            return frozenset()
        return frozenset({str} if self._kinds.get(column) == "string" else {str, Dated})

    def is_number(self, column: int) -> bool:
        """Whether a column has numbers."""
        return self._kinds.get(column) in NUMBERS

    def odd(self, cells: Sequence[str]) -> Iterable[int]:
        """Return which cells of a row may be worth something else than they are."""
        if self._all_text and {*map(type, cells)} == {str}:
            return ()
        return [i for i, cell in enumerate(cells) if type(cell) not in self._stay[i]]

    def column(self, column: int, cells: Sequence[str]) -> Sequence[str | None]:
        """Return what the cells of a column are worth; None for one whose row is refused."""
        stay = self._stay[column]
        if stay.issuperset({*map(type, cells)}):
            return cells
        return [cell if type(cell) in stay else self.cell(column, cell) for cell in cells]

    def cell(self, column: int, value: str) -> str | None:
        """Return what a cell is worth; None when its row is refused."""
        kind = self._kinds.get(column)
        if isinstance(value, Coded):
            return value.shown if kind in {None, "string"} else str(value)
        if isinstance(value, Problem):
            return None if value.unknown or kind == "string" else str(value)
        if isinstance(value, Unreadable):
            return None if kind else str(value)
        if isinstance(value, Dated | Rounded) and kind == "string":
            return None
        if isinstance(value, Truth) and kind and not takes_booleans(kind):
            return None
        return self._marks.value(self._plan.columns.get(column), value) or ""

    def refused(self, number: int, column: int, value: str, text: str) -> Reject:
        """Return why a row is refused: for what is worth nothing."""
        name = self._plan.columns.get(column) or self._plan.header[column]
        where = f"cell {column_letters(column)}{number} ({name})"
        if isinstance(value, Dated):
            return date_for_a_text(number, where, str(value), text)
        if isinstance(value, Truth):
            return boolean_value(number, where, self._kinds[column], str(value), text)
        if isinstance(value, Rounded):
            message = f"{where} is a number of which only 15 digits are kept"
            return Reject(number, "rounded_number", message, str(value), _AS_TEXT, text)
        if isinstance(value, Unreadable):
            message = f"{where} holds {shown(value)!r}, {value.why}"
            return Reject(number, "unreadable_cell", message, shown(value), _SAVED_AGAIN, text)
        unknown = isinstance(value, Problem) and value.unknown
        code = "formula_without_value" if unknown else "error_cell"
        return Reject(number, code, f"{where} holds {value}", str(value), _CALCULATED, text)
