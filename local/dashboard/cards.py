"""A KPI's card as HTML: its course and where it stands highest. No script draws it: a page has forty of them."""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from cli import wording
from cli.texts import said
from local.dashboard.rollup import MOST_DAYS, Bar, Point, runs

_WIDTH, _HEIGHT = 300.0, 100.0
_COLOUR = "#14958a"
_MOST_SLOTS = MOST_DAYS  # places of a chart that say their figures when they are pointed at: each day has its own
_GAP = "#94a3b8"
_STROKE = f'fill="none" stroke="{_COLOUR}" vector-effect="non-scaling-stroke"'


@dataclass(frozen=True)
class Card:
    """What one card says."""

    name: str
    title: str
    unit: str
    now: str
    meaning: str
    formula: str
    link: str
    notes: tuple[str, ...] = ()
    series: Sequence[Point] = ()
    bars: Sequence[Bar] = ()
    nothing: str = ""


def grid(cards: Sequence[Card]) -> str:
    """Return the HTML of all cards."""
    return f'<div class="sf-cards">{"".join(map(card, cards))}</div>'


def card(c: Card) -> str:
    """Return the HTML of one card."""
    notes = "".join(f'<p class="sf-note">{escape(note)}</p>' for note in c.notes)
    body = f'<div class="sf-pair">{plot(c.series, c.unit)}{bars(c.bars, c.unit)}</div>' if c.series else ""
    empty = f"<p>{escape(c.nothing)}</p>" if not c.series else ""
    return (
        f'<article class="sf-kpi" data-card="{escape(c.name)}"><div class="sf-card">'
        f'<span class="sf-now">{escape(c.now)}</span>'
        f'<h3><a href="{escape(c.link)}" target="_self">{escape(c.title)}</a></h3>'
        f'<p title="{escape(c.formula)}">{escape(c.meaning)}</p>{notes}{empty}</div>{body}</article>'
    )


def bars(rows: Sequence[Bar], unit: str) -> str:
    """Return horizontal bars in their order; one without a value shows its reason."""
    most = max((abs(bar.value) for bar in rows if bar.value is not None), default=0.0) or 1.0
    return f'<ul class="sf-bars">{"".join(_bar(bar, unit, most) for bar in rows)}</ul>'


def _bar(bar: Bar, unit: str, most: float) -> str:
    value = bar.value or 0.0
    label = wording.reason(bar.reason) if bar.value is None else wording.short(bar.value, unit)
    less = " sf-less" if value < 0 else ""
    width = f"calc((100% - 5rem) * {abs(value) / most:.3f})"
    return (
        f'<li title="{escape(bar.name)}"><span>{escape(bar.name)}</span>'
        f'<span class="sf-track"><i class="sf-fill{less}" style="width:{width}"></i>'
        f"<b>{escape(label)}</b></span></li>"
    )


def plot(series: Sequence[Point], unit: str) -> str:
    """Return the course of a KPI with its scale, its dates, and each day's figure where it is pointed at."""
    low, high = domain(series)
    scale = "".join(f"<span>{escape(wording.short(v, unit))}</span>" for v in (high, (low + high) / 2, low))
    ends = (series[0].day, series[len(series) // 2].day, series[-1].last) if len(series) > 2 else (series[-1].last,)
    dates = "".join(f"<span>{day.day} {escape(said(f'{day:%b}'))}</span>" for day in ends)
    image = b64encode(_svg(series, low, high).encode()).decode()
    told = escape("\t".join(_slots(series, unit)))
    return (
        f'<div class="sf-plot"><div class="sf-scale">{scale}</div><div class="sf-area">'
        f'<img class="sf-line" loading="lazy" alt="{escape(said("trend"))}" src="data:image/svg+xml;base64,{image}">'
        f'<div class="sf-slots" data-told="{told}"></div></div><div class="sf-dates">{dates}</div></div>'
    )


def domain(series: Sequence[Point]) -> tuple[float, float]:
    """Return a range around the values, at least a fifth of them high, so that noise looks like noise."""
    values = [p.value for p in series if p.value is not None] or [0.0, 1.0]
    low, high = min(values), max(values)
    room = max((high - low) * 1.15, 0.2 * max(abs(low), abs(high)), 1e-9) - (high - low)
    bottom = low - room / 2
    return (max(bottom, 0.0) if low >= 0 else bottom), high + room / 2


def _svg(series: Sequence[Point], low: float, high: float) -> str:
    missing = "".join(_gap(place, len(series)) for place, point in enumerate(series) if point.value is None)
    drawn = missing + "".join(_path(run, len(series), low, high) for run in runs(series))
    box = f'viewBox="0 0 {_WIDTH:.0f} {_HEIGHT:.0f}" preserveAspectRatio="none"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {box}>{drawn}</svg>'


def _gap(place: int, count: int) -> str:
    left, right = place * _WIDTH / count, (place + 1) * _WIDTH / count
    return f'<path d="M{left:.1f} 0H{right:.1f}V{_HEIGHT:.0f}H{left:.1f}z" fill="{_GAP}" opacity="0.16"/>'


def _path(run: Sequence[tuple[int, float]], count: int, low: float, high: float) -> str:
    at = [((n + 0.5) * _WIDTH / count, _HEIGHT - _HEIGHT * (value - low) / (high - low)) for n, value in run]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in at)
    if len(at) == 1:  # a line of no length with round caps is a dot
        return f'<path d="M{line.replace(",", " ")}h0.01" {_STROKE} stroke-width="5" stroke-linecap="round"/>'
    area = f"{at[0][0]:.1f},{_HEIGHT} {line} {at[-1][0]:.1f},{_HEIGHT}"
    return (
        f'<polygon points="{area}" fill="{_COLOUR}" opacity="0.08"/>'
        f'<polyline points="{line}" {_STROKE} stroke-width="2" stroke-linejoin="round"/>'
    )


def _slots(series: Sequence[Point], unit: str) -> Iterator[str]:
    """Yield what each place of a chart says; `page.js` makes the places of a chart that is pointed at."""
    step = -(-len(series) // _MOST_SLOTS)
    for first in range(0, len(series), step):
        yield "\n".join(_told(point, unit) for point in series[first : first + step])


def _told(point: Point, unit: str) -> str:
    told = wording.reason(point.reason) if point.value is None else wording.figure(point.value, unit)
    covered = "" if point.coverage is None else f" · {said('Coverage')} {point.coverage:.0f} %"
    return f"{wording.days(point.day, point.last)}: {told}{covered}"
