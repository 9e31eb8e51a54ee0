"""What of a retention is read for something else, or names it: it must not end before it. Pure."""

from collections.abc import Iterator

from stockflow.retention import WITHOUT_LIMIT, Days

# The second must not end before the first.
PAIRS = (("landing", "raw"), ("staging", "raw"), ("raw", "quarantine"), ("raw", "rejects"), ("staging", "quarantine"),
         ("staging", "rejects"), ("quarantine", "ledger"), ("rejects", "ledger"), ("landing", "ledger"))  # fmt: skip


def broken(days: Days, where: str) -> Iterator[str]:
    """Yield each pair whose second ends first."""
    for kind, other in PAIRS:
        if ends_before(days[other], days[kind]):
            yield f"{kept(where, kind, other, days)}; expected {other} at least as long (or 0)"


def kept(where: str, kind: str, other: str, days: Days) -> str:
    """Return how long both are kept, in words."""
    first = f"{days[kind]} days" if days[kind] else "without limit"
    return f"{where}: {kind} is kept {first}, {other} only {days[other]} days"


def ends_before(one: int, other: int) -> bool:
    """Whether one of two numbers of days ends before the other; 0 is no end."""
    return one != WITHOUT_LIMIT and (other == WITHOUT_LIMIT or one < other)
