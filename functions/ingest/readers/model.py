"""What every reader is given and gives."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pyarrow as pa

from stockflow.contracts import Contract

KEPT_TEXT = 65_536  # of a rejected record; the file itself stays in the bucket
READER_MEMORY = 350_000_000  # bytes, unless the instance's memory says otherwise


@dataclass(frozen=True)
class Reject:
    """A record that cannot be read: where it starts, why, and its text as it stands in the file."""

    line: int
    code: str
    message: str
    found: str = ""
    expected: str = ""
    original_text: str = ""


Found = tuple[int, dict[str, Any]] | Reject  # a record with its line, or why there is none


@dataclass(frozen=True)
class Chunk:
    """A part of a file: a batch of rows (``_line``, columns, ``_extra``; all text) and its rejects."""

    batch: pa.RecordBatch | None = None
    rejects: tuple[Reject, ...] = ()


@dataclass(frozen=True)
class Target:
    """What a file is read for: the feed's contract, and the object's name (which may hold the date).

    ``memory_bytes``: what the reader of a format that is read in a process of its own may take.
    """

    contract: Contract
    name: str
    memory_bytes: int = READER_MEMORY

    @cached_property
    def headers(self) -> dict[str, str]:
        """Normalised header -> column."""
        return self.contract.headers

    @cached_property
    def needed(self) -> tuple[str, ...]:
        """The columns without which a file is refused: those that a load rule names, and each required one."""
        named = tuple(self._needs.kwargs["columns"]) if self._needs else self.contract.key
        return tuple(dict.fromkeys((*named, *(c.name for c in self.contract.stated if c.required))))

    @cached_property
    def needed_code(self) -> str:
        """The reason code of a file without them: that rule's name."""
        return self._needs.id if self._needs else "missing_columns"

    @cached_property
    def _needs(self) -> Any:
        rules = self.contract.rules
        return next((r for r in rules if r.expectation == "stockflow_columns_present"), None)


@dataclass
class Facts:
    """What was found out about a file while it was read; it goes into the ledger's ``detail``."""

    format: str = ""
    values: dict[str, Any] = field(default_factory=dict)

    def note(self, **values: Any) -> None:
        """Keep facts."""
        self.values.update(values)

    def count(self, name: str, by: int = 1) -> None:
        """Add to a counter."""
        self.values[name] = self.values.get(name, 0) + by


def shown(text: str) -> str:
    """Return a record's text, cut when it is enormous."""
    if len(text) <= KEPT_TEXT:
        return text
    return f"{text[:KEPT_TEXT]}... (cut: {len(text)} characters)"


def listed(names: Iterable[str]) -> str:
    """Return names for a message."""
    return ", ".join(repr(n) for n in names) or "nothing"
