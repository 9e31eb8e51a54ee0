"""The KPI part of the page: filters, tiles, one card a KPI."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from html import escape
from typing import Any

import streamlit as st

from local.dashboard import charts, page, shapes, source, wording
from local.dashboard.catalogue import Kpi
from local.dashboard.queries import class_column
from local.dashboard.rollup import Bar, Point, Selection, breakdown, gaps, headline, points
from local.dashboard.tiles import Tile, grid

_DEFAULT_SPAN = timedelta(days=41)
_DIMENSIONS = {"Location": "location", "Category": "category"}


@dataclass(frozen=True)
class Chosen:
    """What the reader set in the filter bar."""

    selection: Selection
    dimension: str


def filters(content: source.Content) -> Chosen:
    """Draw the filter bar and return what is chosen."""
    bounds = content.bounds or (date.min, date.min)
    with st.container(border=True, key="filters"):
        dates, places, groups, split = st.columns([2.2, 3, 3, 1.8], vertical_alignment="bottom")
        start, end = _dates(dates, bounds)
        locations = places.multiselect(
            "Location", content.names("location"), placeholder="All locations", key="locations"
        )
        categories = groups.multiselect(
            "Product category", content.names("category"), placeholder="All categories", key="categories"
        )
        by = split.segmented_control("Break down by", list(_DIMENSIONS), default="Location", key="by", required=True)
    chosen = Selection(start, end, frozenset(locations), frozenset(categories))
    return Chosen(chosen, _DIMENSIONS[by or "Location"])


def tiles(content: source.Content, selection: Selection) -> None:
    """Draw a tile for each KPI."""
    page.section("Key figures", f"on {wording.day(selection.end)}, or the last date with data before it")
    st.html(grid([_tile(k, content, selection) for k in content.kpis]))


def cards(content: source.Content, chosen: Chosen) -> None:
    """Draw a card with charts for each KPI, two a row."""
    page.section("Charts", "a grey band is a time without a value, never a zero")
    columns: list[Any] = []
    for index, kpi in enumerate(content.kpis):
        if index % 2 == 0:
            columns = st.columns(2)
        with columns[index % 2].container(border=True, key=f"card-{kpi.name}"):
            _card(kpi, content, chosen)


def _dates(place: Any, bounds: tuple[date, date]) -> tuple[date, date]:
    first, last = bounds
    start = max(first, last - _DEFAULT_SPAN)
    picked = place.date_input("Dates", (start, last), min_value=first, max_value=last, format="DD/MM/YYYY", key="dates")
    if len(picked) == 2:
        return picked[0], picked[1]
    return picked[0] if picked else start, last


def _tile(kpi: Kpi, content: source.Content, selection: Selection) -> Tile:
    series = points(content.cells[kpi.name], kpi.rollup, selection)
    now = headline(series, kpi.direction)
    meaning = wording.filled(kpi.meaning, now.value, kpi.unit)
    return Tile(kpi.name, kpi.title, kpi.unit, meaning, now, series, _limit(kpi, series))


def _limit(kpi: Kpi, series: Sequence[Point]) -> str:
    value = series[-1].value if series else None
    return wording.beyond(kpi.alarm(value), kpi.low, kpi.high, kpi.unit)


def _card(kpi: Kpi, content: source.Content, chosen: Chosen) -> None:
    series = points(content.cells[kpi.name], kpi.rollup, chosen.selection)
    notes = (wording.silences(gaps(series)), _unmoved(content, kpi, chosen.selection))
    _card_head(kpi, headline(series, kpi.direction).value, " ".join(n for n in notes if n))
    if not series:
        st.html('<div class="sf-card"><p>No row of this KPI is inside the filters.</p></div>')
        return
    columns = content.columns[kpi.name]
    own = class_column(columns) or shapes.buckets(columns)
    left, right = st.columns([1, 1.25] if own else [1.55, 1])
    with left:
        _draw(charts.trend(series, kpi.unit), f"trend-{kpi.name}")
    with right:
        if class_column(columns):
            _pareto(kpi, columns, chosen, series[-1].day)
        elif shapes.buckets(columns):
            _ages(kpi, columns, chosen, series[-1].day)
        else:
            _breakdown(kpi, content, chosen)


def _card_head(kpi: Kpi, value: float | None, note: str) -> None:
    now = escape(wording.figure(value, kpi.unit))
    st.html(
        f'<div class="sf-card"><span class="sf-now">{now}</span><h3>{escape(kpi.title)}</h3>'
        f'<p title="{escape(kpi.formula)}">{escape(wording.filled(kpi.meaning, value, kpi.unit))}</p>'
        f"{f'<p class=sf-note>{escape(note)}</p>' if note else ''}</div>"
    )


def _unmoved(content: source.Content, kpi: Kpi, selection: Selection) -> str:
    """Say which filters cannot reach a KPI because it is not known at that grain."""
    cells = content.cells[kpi.name]
    known = {d for d in _DIMENSIONS.values() if any(getattr(c, d) is not None for c in cells)}
    asked = {"location": selection.locations, "category": selection.categories}
    missing = [d for d, names in asked.items() if names and d not in known]
    return f"Not known by {' or '.join(missing)}: that filter does not change it." if missing else ""


def _breakdown(kpi: Kpi, content: source.Content, chosen: Chosen) -> None:
    rows: list[Bar] = []
    for dimension in (chosen.dimension, *_DIMENSIONS.values(), "supplier"):
        rows = rows or breakdown(content.cells[kpi.name], dimension, kpi.rollup, chosen.selection)
    if rows:
        _draw(charts.bars(rows, kpi.unit), f"bars-{kpi.name}")


def _pareto(kpi: Kpi, columns: Sequence[str], chosen: Chosen, day: date) -> None:
    query = shapes.pareto_query(kpi.name, columns, chosen.selection, day)
    rows = shapes.pareto_rows(source.rows(query.sql, query.params))
    _draw(charts.pareto(rows), f"pareto-{kpi.name}")


def _ages(kpi: Kpi, columns: Sequence[str], chosen: Chosen, day: date) -> None:
    query = shapes.age_query(kpi.name, columns, chosen.dimension, chosen.selection, day)
    found = shapes.buckets(columns)
    if found is not None:
        rows = shapes.age_rows(source.rows(query.sql, query.params), found)
        _draw(charts.stacked(rows, found.labels), f"ages-{kpi.name}")


def _draw(chart: Any, key: str) -> None:
    st.altair_chart(chart, width="stretch", theme=None, key=key)
