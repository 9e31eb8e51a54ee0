"""Roll-ups of KPI cells: ratio of sums or sum on a date, never a mean of ratios and never an invented 0."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import groupby

WEEK = timedelta(days=7)
_SIX_DAYS = timedelta(days=6)
NOT_COMPUTED = "not_computed"
MOST_DAYS = 120  # beyond them, charts have one point a week


@dataclass(frozen=True)
class Cell:
    """Sums of a KPI's rows that share date and reason (None: the rows have a value)."""

    day: date
    reason: str | None
    numerator: float | None
    denominator: float | None
    total: float | None
    rows: int
    coverage_sum: float | None = None
    coverage_rows: int = 0


@dataclass(frozen=True)
class Selection:
    """What the reader asked to see; an empty choice means everything."""

    start: date
    end: date
    locations: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()

    @property
    def weekly(self) -> bool:
        """Whether the time is so long that a chart's points are weeks."""
        return (self.end - self.start).days >= MOST_DAYS


@dataclass(frozen=True)
class Point:
    """A KPI on one date, or in the week that begins there: a value, or None and the reason why there is none."""

    day: date
    value: float | None
    reason: str | None
    rows: int
    coverage: float | None
    days: int = 1

    @property
    def last(self) -> date:
        """Its last day."""
        return self.day + timedelta(days=self.days - 1)


@dataclass(frozen=True)
class Course:
    """A KPI over time: the points that are drawn, and the days of which figures are told."""

    drawn: Sequence[Point] = ()
    days: Sequence[Point] = ()


@dataclass(frozen=True)
class Bar:
    """A KPI of one location or category on one date."""

    name: str
    value: float | None
    reason: str | None


@dataclass(frozen=True)
class Headline:
    """The latest figure, what it was a week before, and whether the change is good news."""

    day: date | None
    value: float | None
    reason: str | None
    previous: float | None
    coverage: float | None
    good: bool | None

    @property
    def change(self) -> float | None:
        """The difference from a week before, in the KPI's unit."""
        if self.value is None or self.previous is None:
            return None
        return self.value - self.previous


def roll_up(cells: Sequence[Cell], how: str) -> tuple[float | None, str | None]:
    """Return (value, None) or (None, reason) of cells of one date.

    ``how`` is the header's ``rollup``: ``ratio`` = SUM(numerator) / SUM(denominator), ``sum`` = SUM(value).
    """
    value = _total(c.total for c in cells) if how == "sum" else _ratio(cells)
    return (value, None) if value is not None else (None, main_reason(cells))


def main_reason(cells: Iterable[Cell]) -> str:
    """Return the reason most rows give (ties by name); ``not_computed`` when none gives any."""
    counts: dict[str, int] = defaultdict(int)
    for cell in cells:
        if cell.reason:
            counts[cell.reason] += cell.rows
    return min(counts, key=lambda r: (-counts[r], r), default=NOT_COMPUTED)


def points(cells: Iterable[Cell], how: str) -> list[Point]:
    """Return one point a day from the first to the last day with data; a day without rows is a gap."""
    days = _by_day(cells)
    if not days:
        return []
    first, last = min(days), max(days)
    span = (first + timedelta(days=i) for i in range((last - first).days + 1))
    return [_point(day, days.get(day, []), how) for day in span]


def weeks(cells: Sequence[Cell], how: str, last: date) -> list[Point]:
    """Return one point a week, Monday to Sunday, from the first day with data to ``last``; one without rows is a gap.

    Each cell is a week's: what a ratio is made of is added up, what has no ratio is the average of the week's days.
    """
    found = {_monday(cell.day): cell for cell in cells}
    first = min(cell.day for cell in cells)
    mondays = (_monday(first) + n * WEEK for n in range((_monday(last) - _monday(first)) // WEEK + 1))
    return [_week((max(monday, first), min(monday + _SIX_DAYS, last)), found.get(monday), how) for monday in mondays]


def headline(series: Sequence[Point], direction: str) -> Headline:
    """Return the last point against the one seven days before it."""
    if not series:
        return Headline(None, None, NOT_COMPUTED, None, None, None)
    last = series[-1]
    before = next((p.value for p in series if p.day == last.day - WEEK), None)
    good = _good(last.value, before, direction)
    return Headline(last.day, last.value, last.reason, before, last.coverage, good)


def gaps(series: Sequence[Point]) -> list[tuple[date, date, str]]:
    """Return the runs of days without a value, each as (first, last, reason)."""
    runs = []
    for reason, group in groupby(series, key=lambda p: p.reason if p.value is None else None):
        run = list(group)
        if reason is not None:
            runs.append((run[0].day, run[-1].last, reason))
    return runs


def runs(series: Sequence[Point]) -> list[list[tuple[int, float]]]:
    """Return the unbroken runs of values, each value with its place in the series."""
    found: list[list[tuple[int, float]]] = [[]]
    for place, point in enumerate(series):
        if point.value is None:
            found.append([])
        else:
            found[-1].append((place, point.value))
    return [run for run in found if run]


def segments(series: Sequence[Point]) -> list[int]:
    """Number the unbroken runs of values, so that no line is drawn across a gap."""
    number, numbers = 0, []
    for before, point in zip([None, *series], series, strict=False):
        if before is not None and (before.value is None) != (point.value is None):
            number += 1
        numbers.append(number)
    return numbers


def _by_day(cells: Iterable[Cell]) -> dict[date, list[Cell]]:
    days: dict[date, list[Cell]] = defaultdict(list)
    for cell in cells:
        days[cell.day].append(cell)
    return days


def _point(day: date, cells: Sequence[Cell], how: str) -> Point:
    value, reason = roll_up(cells, how)
    return Point(day, value, reason, sum(c.rows for c in cells), _coverage(cells))


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _week(days: tuple[date, date], cell: Cell | None, how: str) -> Point:
    point = _point(days[0], [cell] if cell else [], how)
    return replace(point, days=(days[1] - days[0]).days + 1)


def _total(values: Iterable[float | None]) -> float | None:
    present = [v for v in values if v is not None]
    return sum(present) if present else None


def _ratio(cells: Sequence[Cell]) -> float | None:
    above, below = _total(c.numerator for c in cells), _total(c.denominator for c in cells)
    return above / below if above is not None and below else None


def _coverage(cells: Sequence[Cell]) -> float | None:
    total, rows = _total(c.coverage_sum for c in cells), sum(c.coverage_rows for c in cells)
    return total / rows if total is not None and rows else None


def _good(value: float | None, before: float | None, direction: str) -> bool | None:
    if value is None or before is None or value == before or direction not in {"up", "down"}:
        return None
    return (value > before) == (direction == "up")
