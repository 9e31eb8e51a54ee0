"""The first page: what each KPI says today, its trend, and where it stands highest."""

from collections.abc import Sequence
from datetime import date
from html import escape
from typing import Any

import streamlit as st

from cli import wording
from cli.texts import said
from local.dashboard import charts, filters, page, queries, shapes, source
from local.dashboard.catalogue import Kpi, class_column
from local.dashboard.rollup import Bar, Point, Selection, gaps, headline, points
from local.dashboard.tiles import Tile, grid

Series = dict[str, list[Point]]
_BARS = 8
NO_ROW = "No row of this KPI is inside the filters."


def draw() -> None:
    """Draw the page."""
    content = page.frame()
    if content is None:
        return
    chosen = filters.bar(content)
    found = source.rows(queries.daily(content.tables, chosen.selection))
    cells = queries.by_kpi(found, content.tables)
    series = {kpi.name: points(cells[kpi.name], kpi.rollup) for kpi in content.kpis}
    tiles(content, chosen.selection, series)
    cards(content, chosen, series)


def tiles(content: source.Content, selection: Selection, series: Series) -> None:
    """Draw a tile for each KPI."""
    drawn = [_tile(kpi, series[kpi.name]) for kpi in content.kpis]
    watch = sum(bool(tile.alarm) for tile in drawn)
    note = said("on {day}, or the last date with data before it", day=wording.day(selection.end))
    page.section(said("Key figures"), note + (said(" · {number} to watch", number=watch) if watch else ""))
    st.html(grid(drawn))


def _tile(kpi: Kpi, series: Sequence[Point]) -> Tile:
    now = headline(series, kpi.direction)
    meaning = wording.filled(kpi.meaning, now.value, kpi.unit)
    link = filters.address("kpi", kpi=kpi.name)
    return Tile(kpi.name, kpi.title, kpi.unit, meaning, now, series, _limit(kpi, series), link)


def _limit(kpi: Kpi, series: Sequence[Point]) -> str:
    value = series[-1].value if series else None
    return wording.beyond(kpi.alarm(value), kpi.low, kpi.high, kpi.unit)


def cards(content: source.Content, chosen: filters.Chosen, series: Series) -> None:
    """Draw a card with charts for each KPI, two a row."""
    page.section(said("Charts"), said("a grey band is a time without a value, never a zero"))
    columns: list[Any] = []
    for index, kpi in enumerate(content.kpis):
        if index % 2 == 0:
            columns = st.columns(2)
        with columns[index % 2].container(border=True, key=f"card-{kpi.name}"):
            _card(kpi, content, chosen, series[kpi.name])


def _card(kpi: Kpi, content: source.Content, chosen: filters.Chosen, series: Sequence[Point]) -> None:
    columns = content.columns[kpi.name]
    notes = (wording.silences(gaps(series)), unmoved(columns, chosen.selection))
    _card_head(kpi, headline(series, kpi.direction).value, " ".join(n for n in notes if n))
    if not series:
        st.html(f'<div class="sf-card"><p>{escape(said(NO_ROW))}</p></div>')
        return
    own = class_column(columns) or shapes.buckets(columns)
    left, right = st.columns([1, 1.25] if own else [1.55, 1])
    with left:
        page.chart(charts.trend(series, kpi.unit), f"trend-{kpi.name}")
    with right:
        if own:
            shape(kpi, columns, chosen, series[-1].day)
        else:
            _breakdown(kpi, columns, chosen)


def _card_head(kpi: Kpi, value: float | None, note: str) -> None:
    now = escape(wording.figure(value, kpi.unit))
    st.html(
        f'<div class="sf-card"><span class="sf-now">{now}</span><h3>{escape(kpi.title)}</h3>'
        f'<p title="{escape(kpi.formula)}">{escape(wording.filled(kpi.meaning, value, kpi.unit))}</p>'
        f"{f'<p class=sf-note>{escape(note)}</p>' if note else ''}</div>"
    )


def unmoved(columns: Sequence[str], selection: Selection) -> str:
    """Say which filters cannot reach a KPI because it is not known at that grain."""
    asked = {"location": selection.locations, "category": selection.categories}
    missing = [said(d) for d, names in asked.items() if names and queries.dimension_of(d, columns)[0] is None]
    told = said("Not known by {columns}: that filter does not change it.", columns=said(" or ").join(missing))
    return told if missing else ""


def _breakdown(kpi: Kpi, columns: Sequence[str], chosen: filters.Chosen) -> None:
    for dimension in (chosen.dimension, "location", "category", "supplier"):
        rows, _ = named(kpi, columns, dimension, chosen.selection, _BARS)
        if rows:
            page.chart(charts.bars(rows, kpi.unit), f"bars-{kpi.name}")
            return


def named(kpi: Kpi, columns: Sequence[str], dimension: str, selection: Selection, most: int) -> tuple[list[Bar], int]:
    """Return the largest names of a dimension on the KPI's last day, and how many there are."""
    query = queries.breakdown(kpi, columns, dimension, selection, most)
    rows = source.rows(query) if query else []
    return queries.bars(rows), int(rows[0]["names"]) if rows else 0


def shape(kpi: Kpi, columns: Sequence[str], chosen: filters.Chosen, day: date) -> None:
    """Draw what a KPI's own columns ask for: classes a Pareto, ages a stacked bar."""
    if class_column(columns):
        rows = shapes.pareto_rows(source.rows(shapes.pareto_query(kpi.name, columns, chosen.selection, day)))
        page.chart(charts.pareto(rows), f"pareto-{kpi.name}")
    elif found := shapes.buckets(columns):
        query = shapes.age_query(kpi.name, columns, chosen.dimension, chosen.selection, day)
        rows = shapes.age_rows(source.rows(query), found)
        page.chart(charts.stacked(rows, found.labels), f"ages-{kpi.name}")
