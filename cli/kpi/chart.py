"""A chart of a KPI over days, drawn with characters. Pure."""

from collections.abc import Sequence
from datetime import date

from cli import wording

HEIGHT = 6
_EIGHTHS = " ▁▂▃▄▅▆▇█"
Point = tuple[date, float | None]


def columns(points: Sequence[Point], unit: str, height: int = HEIGHT) -> str:
    """Return a column for each day, scaled from 0 (or the lowest value below it) to the highest; · is no value."""
    known = [value for _, value in points if value is not None]
    if not known:
        return "no day has a value"
    low, high = min(0.0, *known), max(0.0, *known)
    labels = {height - 1: wording.figure(high, unit), 0: wording.figure(low, unit)}
    width = max(map(len, labels.values()))
    rows = [
        f"{labels.get(level, ''):>{width}} │{''.join(_cell(value, low, high, level, height) for _, value in points)}"
        for level in reversed(range(height))
    ]
    first, last = points[0][0], points[-1][0]
    days = f"{first:%d %b}" if first == last else f"{first:%d %b} to {last:%d %b}"
    return "\n".join([*rows, f"{'':>{width}} └{'─' * len(points)}", f"{'':>{width}}  {days}"])


def _cell(value: float | None, low: float, high: float, level: int, height: int) -> str:
    if value is None:
        return "·" if level == 0 else " "
    filled = 8 * height * ((value - low) / (high - low) if high > low else 0.5)
    return _EIGHTHS[max(0, min(8, round(filled - 8 * level)))]
