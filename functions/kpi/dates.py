"""Which dates a change can reach. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True)
class Span:
    """First and newest business date that any fact knows."""

    first: date
    last: date

    def days(self) -> set[date]:
        """Every day of the span."""
        return {self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)}


def affected(changed: Iterable[date], lookback_days: int, span: Span) -> set[date]:
    """Return the days whose trailing window holds a changed day: ``[d, d + lookback]``, within the span."""
    reach: set[date] = set()
    for day in sorted(changed):
        last = min(day + timedelta(days=lookback_days), span.last)
        current = max(day, span.first)
        while current <= last:
            reach.add(current)
            current += timedelta(days=1)
    return reach


def beyond(last_computed: date | None, span: Span) -> set[date]:
    """Return the days that are newer than what was computed so far: a day without facts has a KPI too."""
    if last_computed is None:
        return span.days()
    return {d for d in span.days() if d > last_computed}
