"""Pipeline health: what the loads came to."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_ON_THE_WAY = {"loaded", "validated", "transformed"}


@dataclass(frozen=True)
class Totals:
    """The loads in figures."""

    by_state: dict[str, int]
    lines: int
    rows: int
    rejects: int
    quarantined: int
    waiting: int


def totals(loads: Sequence[Mapping[str, Any]]) -> Totals:
    """Return the loads counted by end state, their lines summed, and how many are still on their way."""
    states = Counter(str(load["end_state"]) for load in loads)
    waiting = sum(load["state"] in _ON_THE_WAY for load in loads)
    sums = {k: sum(int(load[k] or 0) for load in loads) for k in ("lines", "rows", "rejects", "quarantined")}
    return Totals(by_state=dict(states), waiting=waiting, **sums)
