"""Charts of a KPI: trend with its gaps explained, Pareto, stacked ages, the parts of a change."""

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import altair as alt

from cli import wording
from cli.texts import LANGUAGE, said
from local.dashboard.cards import domain
from local.dashboard.rollup import Point, gaps, segments


@dataclass(frozen=True)
class Palette:
    """The colours of a chart on a light or a dark page."""

    ink: str
    muted: str
    grid: str
    gap: str
    line: str
    accent: str
    soft: str
    good: str
    bad: str


LIGHT = Palette("#14213d", "#64748b", "#e9edf2", "#eef1f5", "#cbd5e1", "#0f766e", "#99d5cf", "#15803d", "#b91c1c")
DARK = Palette("#e2e8f0", "#94a3b8", "#263247", "#1d283a", "#475569", "#2dd4bf", "#1f7a72", "#4ade80", "#f87171")
# Which page the charts of this run are drawn on; each session runs in a context of its own.
PALETTE: ContextVar[Palette] = ContextVar("palette", default=LIGHT)
CLASSES = {"A": "#0f766e", "B": "#5aa9a1", "C": "#c5d5d4"}
AGES = ["#0f766e", "#5aa9a1", "#e9c46a", "#e08e45", "#b91c1c", "#94a3b8"]
_PADDING = {"left": 2, "right": 6, "top": 6, "bottom": 2}
_MONTHS = [
    *("janvier", "février", "mars", "avril", "mai", "juin"),
    *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
]
_SHORT_MONTHS = ["janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."]
_DAYS = ["dimanche", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi"]
_FRENCH = {
    "number": {"decimal": ",", "thousands": "\u202f", "grouping": [3], "currency": ["", "\u00a0€"]},
    "time": {
        "dateTime": "%A %e %B %Y à %X", "date": "%d/%m/%Y", "time": "%H:%M:%S", "periods": ["AM", "PM"],
        "days": _DAYS, "shortDays": [f"{d[:3]}." for d in _DAYS], "months": _MONTHS, "shortMonths": _SHORT_MONTHS,
    },
}  # fmt: skip
FONT = "Source Sans, Inter, Segoe UI, sans-serif"


def trend(series: Sequence[Point], unit: str, height: int = 210) -> alt.LayerChart:
    """Return the line of a KPI over time; a date without a value is a grey band that says why."""
    x = alt.X("day:T", title=None, axis=_date_axis())
    line = alt.Chart(alt.Data(values=_trend_rows(series, unit)))
    y = alt.Y("value:Q", title=None, scale=alt.Scale(domain=list(domain(series))), axis=_axis(unit))
    hover = alt.selection_point(fields=["day"], nearest=True, on="pointerover", empty=False, clear="pointerout")
    tips = [
        alt.Tooltip("when:N", title=said("Date")),
        alt.Tooltip("shown:N", title=said("Value")),
        alt.Tooltip("coverage:N", title=said("Coverage")),
    ]
    known = line.transform_filter("isValid(datum.value)").encode(x=x, y=y, detail="segment:N")
    curve = known.mark_line(color=_now().accent, strokeWidth=2.2, interpolate="monotone")
    dots = known.mark_point(color=_now().accent, filled=True, size=70).encode(
        tooltip=tips, opacity=alt.condition(hover, alt.value(1), alt.value(0))
    )
    return _finish(alt.layer(*_bands(series), curve, dots.add_params(hover)), height)


def pareto(rows: Sequence[Mapping[str, Any]], height: int = 210) -> alt.LayerChart:
    """Return consumption value by rank in ABC colours under its cumulative share."""
    base = alt.Chart(alt.Data(values=[dict(r) for r in rows])).encode(
        x=alt.X("rank:Q", title=said("Products by value of consumption"), axis=_plain_axis(grid=False)),
        tooltip=[
            alt.Tooltip("sku:N", title=said("SKU")),
            alt.Tooltip("class:N", title=said("Class")),
            alt.Tooltip("value:Q", title=said("Value"), format=",.0f"),
            alt.Tooltip("share:Q", title=said("Cumulative"), format=".1%"),
        ],
    )
    colour = alt.Color(
        "class:N",
        scale=alt.Scale(domain=list(CLASSES), range=list(CLASSES.values())),
        legend=_legend(),
    )
    bar = base.mark_bar(binSpacing=0).encode(
        y=alt.Y("value:Q", title=None, axis=_axis("EUR")),
        color=colour,
        x=alt.X("rank:Q", title=said("Products by value of consumption"), axis=_plain_axis(grid=False)),
    )
    line = base.mark_line(color=_now().ink, strokeWidth=2).encode(
        y=alt.Y("share:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=_percent_axis())
    )
    return _finish(alt.layer(bar, line).resolve_scale(y="independent"), height)


def stacked(rows: Sequence[Mapping[str, Any]], buckets: Sequence[str], height: int = 210) -> alt.Chart:
    """Return the share of stock in each age bucket, one bar a name."""
    chart = (
        alt.Chart(alt.Data(values=[dict(r) for r in rows]))
        .mark_bar(size=20)
        .encode(
            y=alt.Y("name:N", title=None, sort="ascending", axis=_name_axis()),
            x=alt.X("amount:Q", stack="normalize", title=None, axis=_share_axis()),
            color=alt.Color(
                "bucket:N",
                sort=list(buckets),
                scale=alt.Scale(domain=list(buckets), range=AGES[: len(buckets)]),
                legend=_legend(),
            ),
            order=alt.Order("position:Q"),
            tooltip=[
                alt.Tooltip("name:N", title=said("Name")),
                alt.Tooltip("bucket:N", title=said("Age in days")),
                alt.Tooltip("amount:Q", title=said("Stock"), format=",.0f"),
            ],
        )
    )
    return _finish(chart, height)


def steps(rows: Sequence[tuple[str, float]], unit: str, height: int = 230) -> alt.LayerChart:
    """Return bars for the parts of a change: what adds to the right, what takes away to the left."""
    shown = [{"name": name, "value": value, "label": wording.signed(value, unit)} for name, value in rows]
    base = alt.Chart(alt.Data(values=shown)).encode(
        y=alt.Y("name:N", sort=[r["name"] for r in shown], title=None, axis=_name_axis(190)),
        tooltip=[alt.Tooltip("name:N", title=said("Part")), alt.Tooltip("label:N", title=said("Change"))],
    )
    bar = base.mark_bar(cornerRadius=3, size=18).encode(
        x=alt.X("value:Q", title=None, axis=None, scale=alt.Scale(padding=60)),
        color=alt.condition("datum.value >= 0", alt.value(_now().accent), alt.value("#e08e45")),
    )
    return _finish(alt.layer(bar, *_labels(base, 12)), height)


def _labels(base: Any, size: float) -> list[Any]:
    """Return the words beside bars: to the right of what adds, to the left of what takes away."""
    ink = _now().ink
    right = base.transform_filter("datum.value >= 0").mark_text(align="left", dx=5, color=ink, fontSize=size)
    left = base.transform_filter("datum.value < 0").mark_text(align="right", dx=-5, color=ink, fontSize=size)
    return [side.encode(x="value:Q", text="label:N") for side in (right, left)]


def _now() -> Palette:
    return PALETTE.get()


def _bands(series: Sequence[Point]) -> list[alt.Chart]:
    rows = [
        {
            "from": (first.isoformat() + "T00:00:00") if first == series[0].day else _noon(first, -1),
            "to": _noon(last, 0),
            "why": wording.reason(why),
            "when": said("{first} to {last}", first=first, last=last) if first != last else str(first),
        }
        for first, last, why in gaps(series)
    ]
    if not rows:
        return []
    return [
        alt.Chart(alt.Data(values=rows))
        .mark_rect(color=_now().gap, stroke=_now().line, strokeDash=[2, 3], strokeWidth=0.8)
        .encode(
            x=alt.X("from:T"),
            x2="to:T",
            tooltip=[alt.Tooltip("when:N", title=said("No value")), alt.Tooltip("why:N", title=said("Because"))],
        )
    ]


def _noon(day: Any, shift: int) -> str:
    return f"{day + timedelta(days=shift)}T12:00:00"


def _trend_rows(series: Sequence[Point], unit: str) -> list[dict[str, Any]]:
    return [
        {
            "day": f"{p.day.isoformat()}T00:00:00",
            "value": p.value,
            "segment": segment,
            "when": wording.days(p.day, p.last),
            "shown": wording.figure(p.value, unit),
            "coverage": said(wording.NO_VALUE) if p.coverage is None else f"{p.coverage:.0f} %",
        }
        for p, segment in zip(series, segments(series), strict=True)
    ]


def _legend() -> alt.Legend:
    return alt.Legend(title=None, orient="top", symbolType="square", symbolSize=70, columnPadding=9, labelFontSize=11)


def _axis(unit: str) -> alt.Axis:
    return alt.Axis(format=wording.axis_format(unit), tickCount=4, domain=False, ticks=False, gridColor=_now().grid)


def _date_axis() -> alt.Axis:
    return alt.Axis(format="%-d %b", tickCount=5, grid=False, domainColor=_now().line, tickColor=_now().line)


def _name_axis(limit: int = 110) -> alt.Axis:
    return alt.Axis(domain=False, ticks=False, labelLimit=limit, labelColor=_now().ink, grid=False)


def _plain_axis(grid: bool) -> alt.Axis:
    line = _now().line
    return alt.Axis(grid=grid, domainColor=line, tickColor=line, titleColor=_now().muted, titleFontWeight=400)


def _percent_axis() -> alt.Axis:
    return alt.Axis(format=".0%", grid=False, domain=False, ticks=False, orient="right", tickCount=5)


def _share_axis() -> alt.Axis:
    return alt.Axis(format=".0%", grid=False, domain=False, ticks=False, tickCount=5)


def _locale() -> dict[str, Any]:
    """Return how axes write numbers and dates: Vega's own way, or the reader's."""
    return {"locale": _FRENCH} if LANGUAGE.get() == "fr" else {}


def _finish(chart: Any, height: int) -> Any:
    return (
        chart.properties(height=height, background="transparent", padding=_PADDING)
        .configure(font=FONT, **_locale())
        .configure_view(stroke=None)
        .configure_axis(labelColor=_now().muted, labelFontSize=11.5, titleFontSize=11.5)
        .configure_legend(labelColor=_now().ink, labelFontSize=11.5)
    )
