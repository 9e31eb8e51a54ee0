"""KPI tiles as HTML; the sparkline is an SVG inside the page's own text: no script, no request."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from cli import wording
from cli.texts import said
from local.dashboard.rollup import Headline, Point, runs

COLOUR = "#0f766e"
_WIDTH, _HEIGHT, _PAD = 200.0, 44.0, 4.0
_LINE = f'fill="none" stroke="{COLOUR}" vector-effect="non-scaling-stroke"'


@dataclass(frozen=True)
class Tile:
    """What one tile says."""

    name: str
    title: str
    unit: str
    meaning: str
    headline: Headline
    series: Sequence[Point]
    alarm: str = ""
    link: str = ""

    @property
    def tone(self) -> str:
        """``good``, ``bad`` or ``flat``: the colour of the change, if it is one when rounded."""
        if wording.change(self.headline.change, self.headline.previous, self.unit) == said(wording.UNCHANGED):
            return "flat"
        return {True: "good", False: "bad", None: "flat"}[self.headline.good]


def grid(tiles: Sequence[Tile]) -> str:
    """Return the HTML of all tiles."""
    return f'<div class="sf-tiles">{"".join(tile(t) for t in tiles)}</div>'


def tile(t: Tile) -> str:
    """Return the HTML of one tile."""
    return (
        f'<article class="sf-tile sf-{t.tone}" data-kpi="{escape(t.name)}" title="{escape(t.meaning)}">'
        f"<h3>{_title(t)}{_alarm(t)}</h3>{_value(t)}{_trend(t)}{sparkline(t.series)}</article>"
    )


def sparkline(series: Sequence[Point]) -> str:
    """Return an image of the series, broken where there is no value."""
    data = b64encode(svg(series).encode()).decode()
    return f'<img class="sf-spark" loading="lazy" alt="{escape(said("trend"))}" src="data:image/svg+xml;base64,{data}">'


def svg(series: Sequence[Point]) -> str:
    """Return the sparkline's SVG."""
    found = [_scaled(run, series) for run in runs(series)]
    body = "".join(_path(run) for run in found) + (_dot(found[-1][-1]) if found else "")
    box = f'viewBox="0 0 {_WIDTH:.0f} {_HEIGHT:.0f}" preserveAspectRatio="none"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {box}>{body}</svg>'


def _scaled(run: Sequence[tuple[int, float]], series: Sequence[Point]) -> list[tuple[float, float]]:
    values = [p.value for p in series if p.value is not None]
    low, high = min(values), max(values)
    return [(_x(place, len(series)), _y(value, low, high)) for place, value in run]


def _title(t: Tile) -> str:
    """The whole tile is the link's: the style stretches it."""
    return f'<a href="{escape(t.link)}" target="_self">{escape(t.title)}</a>' if t.link else escape(t.title)


def _alarm(t: Tile) -> str:
    return f'<span class="sf-alarm">{escape(t.alarm)}</span>' if t.alarm else ""


def _value(t: Tile) -> str:
    value = t.headline.value
    if value is None:
        why = escape(wording.reason(t.headline.reason))
        return f'<p class="sf-value sf-none">{said(wording.NO_VALUE)}<small>{why}</small></p>'
    number, unit = wording.parts(value, t.unit)
    return f'<p class="sf-value">{escape(number)}<small>{escape(unit)}</small></p>'


def _trend(t: Tile) -> str:
    h = t.headline
    words = wording.change(h.change, h.previous, t.unit)
    if h.change is None:
        return f'<p class="sf-trend">{escape(words)}</p>'
    arrow = "" if words == said(wording.UNCHANGED) else ("▲ " if h.change > 0 else "▼ ")
    return f'<p class="sf-trend"><b>{arrow}{escape(words)}</b> {escape(said("vs a week before"))}</p>'


def _x(index: int, count: int) -> float:
    return _PAD + (_WIDTH - 2 * _PAD) * (index / max(count - 1, 1))


def _y(value: float, low: float, high: float) -> float:
    share = (value - low) / (high - low) if high > low else 0.5
    return _HEIGHT - _PAD - (_HEIGHT - 2 * _PAD) * share


def _dot(at: tuple[float, float]) -> str:
    # A line of no length with round caps stays a circle when the picture is stretched.
    return f'<path d="M{at[0]:.1f} {at[1]:.1f}h0.01" {_LINE} stroke-width="6" stroke-linecap="round"/>'


def _path(run: Sequence[tuple[float, float]]) -> str:
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in run)
    area = f"{run[0][0]:.1f},{_HEIGHT} {line} {run[-1][0]:.1f},{_HEIGHT}"
    return (
        f'<polygon points="{area}" fill="{COLOUR}" opacity="0.09"/>'
        f'<polyline points="{line}" {_LINE} stroke-width="1.8" stroke-linejoin="round"/>'
    )
