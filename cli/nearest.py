"""The nearest known name to one that nothing has."""

import difflib
from collections.abc import Iterable

MOST = 30  # names that an error lists


def nearest(wrong: str, known: Iterable[str]) -> str:
    """Return the known name that is most like a wrong one; "" where none is."""
    return next(iter(difflib.get_close_matches(wrong, sorted(set(known)), 1, 0.5)), "")


def hint(wrong: str, known: Iterable[str]) -> str:
    """Return how an error goes on: with the nearest known name, else with all of them, when they are not too many."""
    names = sorted(set(known))
    if near := nearest(wrong, names):
        return f"; did you mean {near}?"
    return f"; expected one of {', '.join(names)}" if 0 < len(names) <= MOST else ""
