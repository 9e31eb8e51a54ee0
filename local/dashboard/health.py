"""Pipeline health: what the loads came to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Totals:
    """The loads in figures."""

    by_state: dict[str, int]
    lines: int
    rows: int
    rejects: int
    quarantined: int
    waiting: int


def totals(counted: Sequence[Mapping[str, Any]]) -> Totals:
    """Return the loads by end state, their lines summed, and how many are still on their way."""
    states = {str(row["ended"]): int(row["loads"]) for row in counted}
    sums = ("lines", "rows", "rejects", "quarantined", "waiting")
    return Totals(by_state=states, **{name: sum(int(row[name] or 0) for row in counted) for name in sums})
