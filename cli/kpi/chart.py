"""A chart of a KPI over days, drawn with characters. Pure."""

from collections.abc import Sequence
from datetime import date

from cli import wording
from cli.texts import said

HEIGHT = 6
SIDE = 24  # cells on each side of the line between what falls and what rises
_EIGHTHS = " ▁▂▃▄▅▆▇█"
Point = tuple[date, float | None]


def columns(points: Sequence[Point], unit: str, height: int = HEIGHT) -> str:
    """Return a column for each day, scaled from 0 (or the lowest value below it) to the highest; · is no value."""
    known = [value for _, value in points if value is not None]
    if not known:
        return said("no day has a value")
    low, high = min(0.0, *known), max(0.0, *known)
    labels = {height - 1: wording.figure(high, unit), 0: wording.figure(low, unit)}
    width = max(map(len, labels.values()))
    rows = [
        f"{labels.get(level, ''):>{width}} │{''.join(_cell(value, low, high, level, height) for _, value in points)}"
        for level in reversed(range(height))
    ]
    first, last = points[0][0], points[-1][0]
    days = _day(first) if first == last else said("{first} to {last}", first=_day(first), last=_day(last))
    return "\n".join([*rows, f"{'':>{width}} └{'─' * len(points)}", f"{'':>{width}}  {days}"])


def changes(rows: Sequence[tuple[str, float]], unit: str, width: int = SIDE) -> str:
    """Return a bar for each named change: what falls to the left of a line, what rises to the right of it."""
    most = max((abs(change) for _, change in rows), default=0.0)
    longest = max((len(name) for name, _ in rows), default=0)
    sides = [(name, _bar(-change, most, width), _bar(change, most, width), change) for name, change in rows]
    drawn = [
        f"{name:<{longest}}  {left.replace('▏', '▕'):>{width}}│{right:<{width}} {wording.signed(change, unit)}"
        for name, left, right, change in sides
    ]
    return "\n".join(drawn)


def _day(day: date) -> str:
    return f"{day:%d} {said(f'{day:%b}')}"


def _bar(value: float, most: float, width: int) -> str:
    """Return a bar of full cells, or a thin one for what would be less than one."""
    if value <= 0 or most <= 0:
        return ""
    return "█" * round(width * value / most) or "▏"


def _cell(value: float | None, low: float, high: float, level: int, height: int) -> str:
    if value is None:
        return "·" if level == 0 else " "
    filled = 8 * height * ((value - low) / (high - low) if high > low else 0.5)
    return _EIGHTHS[max(0, min(8, round(filled - 8 * level)))]
