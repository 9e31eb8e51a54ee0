"""What goes wrong in files: one function per kind of damage; each says what must become of its line."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from scripts.sample_shop.carriers import Line, Outcome, Row


@dataclass
class SampleFile:
    """One file to drop: where, what its lines say and what must become of it."""

    path: str
    header: Sequence[str] = ()
    columns: Sequence[str] = ()
    lines: list[Line] = field(default_factory=list)
    data: bytes = b""
    story: str = ""
    end_state: str = "loaded"
    reason: str = ""

    @property
    def feed(self) -> str:
        """The feed, as the path says it."""
        return self.path.split("/", maxsplit=1)[0]

    def find(self, **facts: object) -> Line:
        """Return the first undamaged line whose row has these values."""
        return next(
            line
            for line in self.lines
            if line.row and not line.outcomes and all(line.row.get(k) == v for k, v in facts.items())
        )

    def index(self, line: Line) -> int:
        """Return the place of that very line."""
        return next(i for i, candidate in enumerate(self.lines) if candidate is line)

    def write(self, line: Line, column: str, text: str, *outcomes: Outcome) -> None:
        """Write ``text`` in one cell and note what must become of the line."""
        line.cells[list(self.columns).index(column)] = text
        line.outcomes.extend(outcomes)

    def insert(self, after: Line, raw: str, outcome: Outcome) -> None:
        """Put a raw line after another one."""
        self.lines.insert(self.index(after) + 1, Line([], raw=raw, outcomes=[outcome]))


def quarantine(column: str, value: str, code: str, note: str, stage: str = "validate") -> Outcome:
    """Return the outcome of a readable line that breaks a critical rule."""
    return Outcome("quarantined", code, stage, column, value, note)


def reject(code: str, note: str) -> Outcome:
    """Return the outcome of a line that cannot be read."""
    return Outcome("reject", code, "ingest", note=note)


def remark(note: str) -> Outcome:
    """Return the outcome of a line that looks odd and is right."""
    return Outcome("note", note=note)


def warn(column: str, value: str, code: str, note: str) -> Outcome:
    """Return the outcome of a line that breaks a warning rule: reported, kept."""
    return Outcome("warning", code, "validate", column, value, note)


def repeat(file: SampleFile, line: Line, **changes: Any) -> Line:
    """Write a line a second time at the end of the file, with some cells changed: the last one wins."""
    cells = list(line.cells)
    for column, value in changes.items():
        cells[list(file.columns).index(column)] = str(value)
    row: Row = {**(line.row or {}), **changes}
    again = Line(cells, row=row)
    file.lines.append(again)
    return again
