"""Which dates a change can reach. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Span:
    """First and newest business date that is known; of a KPI, the newest one is its horizon."""

    first: date
    last: date

    def days(self) -> set[date]:
        """Every day of the span."""
        return set(between(self.first, self.last))

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


def between(first: date, last: date) -> list[date]:
    """Return every day from first to last, none when last is before first."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def affected(changed: Iterable[date], lookback_days: int, span: Span) -> set[date]:
    """Return the days whose trailing window holds a changed day: ``[d, d + lookback]``, within the span.

    It takes time for the days of the span and for the changes, not for each change times its look-back.
    """
    reach: set[date] = set()
    seen = span.first  # the first day that no change before has looked at
    for day in sorted(set(changed)):
        last = min(day + timedelta(days=lookback_days), span.last) if day <= span.last else span.first - _DAY
        reach.update(between(max(day, seen), last))
        seen = max(seen, last + _DAY)
    return reach


def unseen(computed: Span | None, span: Span) -> set[date]:
    """Return the days of the span outside what was computed so far: a day without facts has a KPI too."""
    if computed is None:
        return span.days()
    return {d for d in span.days() if d not in computed}


def gone(computed: Span | None, span: Span) -> set[date]:
    """Return the days that were computed and that the span does not hold any more: their rows must go."""
    return set() if computed is None else {d for d in computed.days() if d not in span}
