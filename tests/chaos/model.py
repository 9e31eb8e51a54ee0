"""What the warehouse must hold, in ten lines: the last statement of a key wins; before that, what landed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from stockflow.events import ObjectRef
from stockflow.filename import date_in

Key = str


@dataclass(frozen=True)
class Line:
    """One line of a file: what it states, or why it states nothing (``refused`` by a rule, ``unreadable``)."""

    key: Key
    quantity: int
    kind: str = "good"


@dataclass(frozen=True)
class File:
    """A file to drop. ``kind``: sales (read line by line), broken (rejected whole) or marker (ignored)."""

    name: str
    lines: tuple[Line, ...] = ()
    kind: str = "sales"

    @property
    def is_whole(self) -> bool:
        """Whether a newer generation replaces all that it states: that of a fact with a date in its name."""
        return date_in(self.name) is not None

    @property
    def is_doubtful(self) -> bool:
        """Whether it is held until a person releases it: none of its lines is good, or too few are."""
        bad = len(self.lines) - self.count("good")
        return self.kind == "sales" and bad > 0 and (bad == len(self.lines) or (bad > 10 and bad > len(self.lines) / 5))

    def count(self, kind: str) -> int:
        """How many of its lines are of that kind."""
        return sum(line.kind == kind for line in self.lines)


@dataclass
class Landed:
    """One generation that landed, and what became of its object: ``kept``, or ``gone`` (overwritten, deleted)."""

    ref: ObjectRef
    file: File
    gone: bool = False
    is_copy: bool = False
    is_released: bool = False
    is_unheard: bool = False  # its announcement was lost

    @property
    def counts(self) -> bool:
        """Whether what it states counts once it is read."""
        return self.is_released or not self.file.is_doubtful

    @property
    def allowed(self) -> set[str]:
        """The end states that are right for it."""
        own = {"sales": "refreshed", "broken": "rejected", "marker": "ignored"}[self.file.kind]
        own = own if self.counts else "held"
        # Nobody can know of a generation that was never announced and is overwritten when the sweep looks.
        missed = {"nothing"} if self.gone and self.is_unheard else set()
        gone = {"ignored"} if self.gone else set()
        return {own} | gone | missed | ({"duplicate_content"} if self.is_copy else set())


def current(read: Iterable[Landed]) -> dict[Key, int]:
    """Return key -> quantity after all files that were read: the newest generation wins, then the last line."""
    rows: dict[Key, int] = {}
    ordered = sorted((one for one in read if one.counts), key=lambda one: one.ref.generation)
    newest = {one.file.name: one.ref.generation for one in ordered if one.file.count("good")}
    for one in ordered:
        if one.file.is_whole and newest[one.file.name] != one.ref.generation:
            continue
        rows |= {line.key: line.quantity for line in one.file.lines if line.kind == "good"}
    return rows


# ---- how a file is written

HEADER = "receipt_number,line_number,business_date,sku,location_code,quantity,net_amount\n"
FIRST_DAY = date(2026, 9, 1)


def body(file: File) -> bytes:
    """Return the file's bytes."""
    if file.kind == "broken":
        return b"%PDF-1.4 not a table\n" + file.name.encode()
    if file.kind == "marker":
        return b""
    return (HEADER + "".join(map(_text, file.lines))).encode()


def _text(line: Line) -> str:
    """All but the quantity follows from the key, so that whatever the contract's key is, it is the same."""
    number = int(line.key[1:])
    day = FIRST_DAY.replace(day=1 + number % 28)
    start = f"{line.key},1,{day},SKU{number % 7},L{number % 3}"
    if line.kind == "unreadable":
        return f"{start}\n"
    return f"{start},{999_999_999_999 if line.kind == 'refused' else line.quantity},{line.quantity}\n"
