"""Whether cells stand in the right columns: told by the columns that hold dates and numbers."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from functions.ingest.readers.model import Target
from functions.ingest.readers.usual import Usual
from stockflow.contracts import normalise_header

_NUMBER = re.compile(r"""[-+−]?\s*[0-9.][0-9.,'’\s]*(?:[eE][+-]?[0-9]{1,2})?\s*-?""")
_MOMENT = re.compile(r"(?=.*[0-9])[0-9][-0-9/.:,+TZ\s]*(?:[AaPp]\.?[Mm]\.?)?(?:\s*(?:UTC|GMT))?")
_LOOKS = {
    "integer": _NUMBER,
    "number": _NUMBER,
    "date": _MOMENT,
    "timestamp": _MOMENT,
}


@dataclass(frozen=True)
class Fit:
    """What the cells of a record must look like. ``columns``: position -> column of the contract."""

    columns: Mapping[int, str]
    target: Target
    width: int
    filled: int = 0  # cells that the file's records have at least, without the empty ones behind
    usual: Usual = field(default_factory=Usual)  # what stands in them

    @classmethod
    def of(cls, header: Sequence[str], target: Target) -> "Fit":
        """Return the fit of a header; of several headers of one column the first counts."""
        columns: dict[int, str] = {}
        for position, name in enumerate(header):
            column = target.headers.get(normalise_header(name))
            if column and column not in columns.values():
                columns[position] = column
        return cls(columns, target, len(header))

    @cached_property
    def _looks(self) -> dict[int, re.Pattern[str]]:
        kinds = {i: self.target.contract.column(c).logical_type for i, c in self.columns.items()}
        return {i: _LOOKS[kind] for i, kind in kinds.items() if kind in _LOOKS}

    @cached_property
    def shortest(self) -> int:
        """How many cells a record must have: up to the last needed column, and half of all, and two."""
        needed = {*self.target.needed, *self.target.contract.key}
        last = max((i + 1 for i, c in self.columns.items() if c in needed), default=self.width)
        return max(last, self.filled, (self.width + 1) // 2, 2)

    def complete(self, cells: Sequence[str]) -> bool:
        """Whether a short record only lacks its last, optional cells, as spreadsheets leave them out when empty."""
        if not self.shortest <= len(cells) < self.width:
            return False
        return self.holds(cells) and self.states(cells) and not self.usual.moved(cells, self.width)

    def holds(self, cells: Sequence[str]) -> bool:
        """Whether no cell of a date or a number holds anything else."""
        cut = len(cells)
        values = ((look, cells[i].strip().strip("'")) for i, look in self._looks.items() if i < cut)
        return all(not value or look.fullmatch(value) for look, value in values)

    def tells(self, cells: Sequence[str]) -> bool:
        """Whether a date or a number is stated at all, so that ``holds`` says something."""
        return any(i < len(cells) and cells[i].strip() for i in self._looks)

    def states(self, cells: Sequence[str]) -> bool:
        """Whether what a record cannot do without is stated."""
        return all(cells[i].strip() for i, c in self.columns.items() if c in self.target.needed)


def whole_records(rows: Sequence[Sequence[str]], fit: Fit) -> list[Sequence[str]]:
    """Return the records that are as wide as the header, without totals."""
    return [row for row in rows if len(row) == fit.width and fit.states(row)]


def filled_cells(rows: Sequence[Sequence[str]], fit: Fit) -> int:
    """Return how many cells the shortest record fills, as far as the file shows that its last ones may be empty.

    It does when whole records leave them empty, or when lines are short again and again; a single short line among
    records that fill every cell was cut.
    """
    ends = [max((i + 1 for i, c in enumerate(row) if c.strip()), default=0) for row in whole_records(rows, fit)]
    short = [len(row) for row in rows if len(row) < fit.width]
    if len(short) > 1 and len(short) * 10 >= len(rows):
        ends += short
    return min(ends, default=fit.width)
