"""The first page: what each KPI says today, its trend, and where it stands highest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import streamlit as st

from cli import wording
from cli.texts import said
from local.dashboard import breakdowns, cards, charts, filters, page, queries, readings, shapes, source, sums, tiles
from local.dashboard.breakdowns import Ranking, Split
from local.dashboard.catalogue import Kpi, class_column
from local.dashboard.rollup import Course, Point, Selection, gaps, headline

_BARS = 6
NO_ROW = "No row of this KPI is inside the filters."
GAPS = "a grey band is a time without a value, never a zero"
WEEKS = "a point is a week: ratios are of its totals, amounts are the average of its days"


@dataclass(frozen=True)
class Figures:
    """What the page shows of each KPI: its course, and where it stands highest on its last day."""

    courses: dict[str, Course]
    rankings: dict[str, Ranking]


def draw() -> None:
    """Draw the page."""
    content = page.frame()
    if content is None:
        return
    chosen = filters.bar(content)
    found = figures(content, chosen)
    _tiles(content, chosen.selection, found.courses)
    _cards(content, chosen.selection, found)


def figures(content: readings.Content, chosen: filters.Chosen) -> Figures:
    """Ask for everything that the page shows: one question, whatever the number of KPIs."""
    splits = _splits(content, chosen)
    rows = source.rows(sums.ranked(content.tables, splits, chosen.selection, _BARS))
    found = sums.found(rows, content.tables, splits)
    return Figures({kpi.name: found.course(kpi.name, kpi.rollup) for kpi in content.kpis}, found.rankings)


def _splits(content: readings.Content, chosen: filters.Chosen) -> dict[str, Split]:
    """Return by what each KPI is split: the chosen dimension, or the first one that it is known by."""
    order = (chosen.dimension, "location", "category", "supplier")
    days = {name: min(day, chosen.selection.end) for name, day in content.last_days.items()}
    found = {
        kpi.name: breakdowns.first_known(kpi, content.columns[kpi.name], order, days[kpi.name])
        for kpi in content.kpis
        if kpi.name in days
    }
    return {name: split for name, split in found.items() if split}


def _tiles(content: readings.Content, selection: Selection, courses: Mapping[str, Course]) -> None:
    """Draw a tile for each KPI."""
    drawn = [_tile(kpi, courses[kpi.name]) for kpi in content.kpis]
    watch = sum(bool(tile.alarm) for tile in drawn)
    note = said("on {day}, or the last date with data before it", day=wording.day(selection.end))
    page.section(said("Key figures"), note + (said(" · {number} to watch", number=watch) if watch else ""))
    st.html(tiles.grid(drawn))


def _tile(kpi: Kpi, course: Course) -> tiles.Tile:
    now = headline(course.days, kpi.direction)
    meaning = wording.filled(kpi.meaning, now.value, kpi.unit)
    link = filters.address("kpi", kpi=kpi.name)
    return tiles.Tile(kpi.name, kpi.title, kpi.unit, meaning, now, course.drawn, _limit(kpi, course.days), link)


def _limit(kpi: Kpi, series: Sequence[Point]) -> str:
    value = series[-1].value if series else None
    return wording.beyond(kpi.alarm(value), kpi.low, kpi.high, kpi.unit)


def _cards(content: readings.Content, selection: Selection, found: Figures) -> None:
    """Draw a card for each KPI."""
    page.section(said("Charts"), drawn_as(selection))
    drawn = [_card(kpi, content.columns[kpi.name], selection, found) for kpi in content.kpis]
    st.html(cards.grid(drawn))


def drawn_as(selection: Selection) -> str:
    """Return how charts are to be read."""
    return "; ".join(said(text) for text in (GAPS, WEEKS)[: 1 + selection.weekly])


def _card(kpi: Kpi, columns: Sequence[str], selection: Selection, found: Figures) -> cards.Card:
    course = found.courses[kpi.name]
    value = headline(course.days, kpi.direction).value
    notes = (wording.silences(gaps(course.drawn)), unmoved(columns, selection))
    return cards.Card(
        kpi.name, kpi.title, kpi.unit, wording.figure(value, kpi.unit), wording.filled(kpi.meaning, value, kpi.unit),
        kpi.formula, filters.address("kpi", kpi=kpi.name), tuple(n for n in notes if n), course.drawn,
        found.rankings.get(kpi.name, Ranking()).bars, said(NO_ROW),
    )  # fmt: skip


def unmoved(columns: Sequence[str], selection: Selection) -> str:
    """Say which filters cannot reach a KPI because it is not known at that grain."""
    asked = {"location": selection.locations, "category": selection.categories}
    missing = [said(d) for d, names in asked.items() if names and queries.dimension_of(d, columns)[0] is None]
    told = said("Not known by {columns}: that filter does not change it.", columns=said(" or ").join(missing))
    return told if missing else ""


def shape(kpi: Kpi, columns: Sequence[str], chosen: filters.Chosen, day: date) -> None:
    """Draw what a KPI's own columns ask for: classes a Pareto, ages a stacked bar."""
    if class_column(columns):
        rows = shapes.pareto_rows(source.rows(shapes.pareto_query(kpi.name, columns, chosen.selection, day)))
        page.chart(charts.pareto(rows), f"pareto-{kpi.name}")
    elif found := shapes.buckets(columns):
        query = shapes.age_query(kpi.name, columns, chosen.dimension, chosen.selection, day)
        rows = shapes.age_rows(source.rows(query), found)
        page.chart(charts.stacked(rows, found.labels), f"ages-{kpi.name}")
