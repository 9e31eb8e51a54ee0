"""Rules of severity ``load``: they judge a file as a whole, next to an earlier one of its series. Pure.

A file is compared with the newest one before it that speaks of the same locations. One that states nothing newer
than that one is a correction: it replaces some rows and leaves the others as they are, so it is not held to the other's
size. A newer generation of the same object takes its place, and is compared in any case.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from functions.validate.model import LOAD, Check, Extent, Judgement, Result
from stockflow.contracts import Contract, Rule

COMPARING = ("stockflow_row_count_not_below_previous", "stockflow_locations_not_absent")
SAME_SET = 0.8  # share of the locations of both that a file has in common with one of its own kind
_NONE = "no load before this one to compare with"


@dataclass(frozen=True)
class Previous:
    """An earlier load of the series: its rows, what it speaks of, and whether it is the same object."""

    load_id: str
    rows: int
    extent: Extent = field(default_factory=Extent)
    same_object: bool = False


def compares(contract: Contract) -> bool:
    """Whether a rule of the contract compares a file with one before it."""
    return any(r.severity == LOAD and r.expectation in COMPARING for r in contract.rules)


def load_results(
    contract: Contract, judgement: Judgement, filled: set[str], earlier: Iterable[Previous] = ()
) -> list[Result]:
    """Return what the rules of severity load say; ``filled`` are the columns with a value, ``earlier`` newest first."""
    before = comparable(judgement.extent, list(earlier))
    rules = [r for r in contract.rules if r.severity == LOAD]
    return [_result(rule, judgement, filled, before) for rule in rules]


def comparable(extent: Extent, earlier: list[Previous]) -> Previous | None:
    """Return the load that a file is compared with: of its own set of locations, else one that shares some."""
    own = next((e for e in earlier if _alike(extent, e.extent) >= SAME_SET), None)
    before = own or next((e for e in earlier if _alike(extent, e.extent) > 0), None)
    return None if before is None or _corrects(extent, before) else before


def _alike(a: Extent, b: Extent) -> float:
    """Return which share of the locations of both is common; 1 where locations say nothing."""
    if not a.locations or not b.locations:
        return 1.0
    return len(a.locations & b.locations) / len(a.locations | b.locations)


def _corrects(extent: Extent, before: Previous) -> bool:
    if before.same_object or extent.last_date is None or before.extent.last_date is None:
        return False
    return extent.last_date <= before.extent.last_date


def _result(rule: Rule, judgement: Judgement, filled: set[str], before: Previous | None) -> Result:
    kwargs = rule.kwargs
    if rule.expectation == "stockflow_columns_present":
        observed, expected = _columns_present(kwargs, judgement.rows, filled)
    elif before is None:
        observed, expected = "", _NONE
    elif rule.expectation == "stockflow_row_count_not_below_previous":
        observed, expected = _row_count(kwargs, judgement.rows, before)
    else:
        observed, expected = _locations(kwargs, judgement.extent, before)
    check = Check(rule.id, rule.expectation, rule.column, kwargs, rule.severity, rule.description, expected)
    return Result(check, checked=judgement.rows, failed=int(bool(observed)), observed=observed)


def _columns_present(kwargs: dict[str, Any], rows: int, filled: set[str]) -> tuple[str, str]:
    empty = [c for c in kwargs["columns"] if rows and c not in filled]
    return (f"no value at all in {', '.join(empty)}" if empty else ""), "a value in each key column"


def _row_count(kwargs: dict[str, Any], rows: int, before: Previous) -> tuple[str, str]:
    least = int(before.rows * kwargs["min_ratio"])
    expected = f"at least {least} rows ({kwargs['min_ratio']:.0%} of the {before.rows} of load {before.load_id})"
    return (f"{rows} rows" if rows < least else ""), expected


def _locations(kwargs: dict[str, Any], extent: Extent, before: Previous) -> tuple[str, str]:
    known = before.extent.locations
    if not known:
        return "", _NONE
    # Of more locations than are kept both have a sample, by the same hash: only what both could have is compared.
    absent = sorted(known - extent.locations)
    expected = f"at most {kwargs['max_absent_ratio']:.0%} of the locations of load {before.load_id} absent"
    share = len(absent) / len(known)
    shown = ", ".join(absent[:20]) + (f" and {len(absent) - 20} more" if len(absent) > 20 else "")
    return (f"absent: {shown}" if share > kwargs["max_absent_ratio"] else ""), expected
