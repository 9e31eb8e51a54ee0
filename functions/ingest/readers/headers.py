"""Another header in the middle of a file: two tables, joined or one below the other, and the second has other columns.

By the first header its rows would stand in the wrong columns; such a file is refused, with the line.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

from functions.ingest.readers.arrow import texts
from functions.ingest.readers.fits import Fit
from functions.ingest.readers.layout import recognised, without_personal_data
from functions.ingest.readers.model import Target, listed
from stockflow.contracts import normalise_header
from stockflow.errors import PermanentError

Header = tuple[int, Sequence[str]]  # its line, its cells
LEAST = 2  # known headers that make a line another header, and at least half of what stands in it
_SHOWN = 20
_FIGURES = b"0123456789-/:. +,TZ'()"
TYPED = frozenset({"integer", "number", "date", "timestamp"})


@dataclass(frozen=True)
class Headers:
    """Tells headers below the one of a file from rows. ``columns``: position -> column of the contract."""

    columns: dict[int, str]
    target: Target

    @cached_property
    def place(self) -> int:
        """The column that is looked at in each row: one of dates or numbers, which never hold a header."""
        kinds = {i: self.target.contract.column(c).logical_type for i, c in self.columns.items()}
        return min(self.columns, key=lambda i: (kinds[i] not in TYPED, i), default=0)

    @cached_property
    def names(self) -> frozenset[str]:
        """Headers as they may be written."""
        known = {a for c in self.target.contract.stated for a in (c.name, c.name.replace("_", " "), *c.aliases)}
        known |= {*self.target.headers, *(self.target.contract.properties.get("headers") or {})}
        return frozenset(form(n) for n in known for form in (str, str.lower, str.upper, str.title, str.capitalize))

    @cached_property
    def _names(self) -> pa.Array:
        return texts(sorted(self.names))

    def places(self, columns: Sequence[pa.Array]) -> list[int]:
        """Return the rows that may be headers."""
        found = set[int]()
        for place in {0, self.place} if columns else ():
            if _has_words(columns[place]):
                found.update(pc.indices_nonzero(pc.is_in(columns[place], value_set=self._names)).to_pylist())
        return sorted(found)

    def may_be(self, cells: Sequence[str]) -> bool:
        """Whether a row may be a header."""
        return any(cells[i] in self.names for i in (0, self.place) if i < len(cells))

    def repeated(self, line: int, cells: Sequence[str]) -> bool:
        """Whether a row is the header again, in capitals or another language.

        Raises:
            PermanentError: ``second_header`` when the rows below it stand in other columns.
        """
        if not is_header(cells, self.target):
            return False
        meant = {i: self.target.headers.get(normalise_header(c)) for i, c in enumerate(cells) if c.strip()}
        if any(self._differs(i, column) for i, column in meant.items()):
            raise second_header(line, cells, self.target)
        return True

    def _differs(self, place: int, column: str | None) -> bool:
        known = self.columns.get(place)
        return column != known and (known is not None or column not in self.columns.values())


def _has_words(column: pa.Array) -> bool:
    """Whether something else than dates and numbers stands in a column."""
    text = column.buffers()[2]
    return text is not None and bool(text.to_pybytes().translate(None, _FIGURES))


def check_above(above: Iterable[tuple[int, Sequence[str]]], header: Header, target: Target) -> None:
    """Refuse a file in which a whole table stands above the header that was chosen, which knows more columns.

    Raises:
        PermanentError: ``second_header``.
    """
    line, names = header
    needed = {*target.needed}.intersection(Fit.of(names, target).columns.values())
    fit: Fit | None = None
    for _, cells in above:
        if fit is None and is_header(cells, target):
            found = Fit.of(cells, target)
            fit = found if needed <= {*found.columns.values()} else None
        elif (
            fit is not None and len(cells) == fit.width and fit.states(cells) and fit.holds(cells) and fit.tells(cells)
        ):
            raise second_header(line, names, target)


def is_header(cells: Iterable[str], target: Target) -> bool:
    """Whether most of what stands in cells are headers."""
    filled = [c for c in cells if c.strip()]
    known = recognised(filled, target)
    return known >= LEAST and known * 2 >= len(filled)


def second_header(line: int, cells: Sequence[str], target: Target) -> PermanentError:
    """Return the error of a file with another header in that line."""
    shown = [without_personal_data(c, target)[:60] for c in cells[:_SHOWN]]
    return PermanentError(
        "second_header",
        f"{target.name}: line {line} is another header ({listed(shown)}), with other columns than the first one: two "
        "tables in one file. Send a file for each",
        line=line,
    )
