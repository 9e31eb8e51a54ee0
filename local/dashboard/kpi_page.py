"""One KPI, made from its header: what it means, its course, where it stands, its rows, where it comes from."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from html import escape
from typing import Any

import streamlit as st

from cli import wording
from cli.texts import LANGUAGE, said
from functions.kpi.definition import Definition
from local.dashboard import breakdowns, charts, filters, page, queries, source, sums
from local.dashboard.breakdowns import Ranking, Split
from local.dashboard.cards import bars
from local.dashboard.catalogue import Kpi, class_column
from local.dashboard.overview import NO_ROW, drawn_as, shape, unmoved
from local.dashboard.rollup import Course, Selection, gaps, headline
from local.dashboard.shapes import buckets

_NAMES, _ROWS, _EXPORTED = 10, 200, 50_000
LIMITS = {"low": "at least {limit}", "high": "at most {limit}"}
COUNTS = ("{count} in all, on {day}", "the {shown} largest of {count}, on {day}")
BETTER = {"up": "higher", "down": "lower"}
BY = {
    "location": "By location", "category": "By category", "supplier": "By supplier", "SKU": "By SKU",
}  # fmt: skip


def draw() -> None:
    """Draw the page."""
    content = page.frame()
    if content is None:
        return
    known = {kpi.name: kpi for kpi in content.kpis}
    kpi = known[filters.choose_kpi(said("KPI"), {name: k.title for name, k in known.items()})]
    chosen = filters.bar(content, split=False)
    columns = content.columns[kpi.name]
    rows = source.rows(sums.over_time({kpi.name: columns}, chosen.selection))
    course = sums.found(rows, [kpi.name]).course(kpi.name, kpi.rollup)
    definition, facts = source.definition(kpi.name)
    definition = definition.told_in(LANGUAGE.get())
    _top(kpi, columns, course, definition, chosen.selection)
    if not course.days:
        st.info(said(NO_ROW))
    else:
        _charts(kpi, columns, chosen, course)
        _table(kpi, columns, chosen.selection, course.days[-1].day)
    _background(definition, facts)


def _top(kpi: Kpi, columns: Sequence[str], course: Course, definition: Definition, selection: Selection) -> None:
    """Draw the figure with its meaning, and beside it how it is defined."""
    now = headline(course.days, kpi.direction)
    number, unit = wording.parts(now.value, kpi.unit) if now.value is not None else (said(wording.NO_VALUE), "")
    meaning = wording.filled(kpi.meaning, now.value, kpi.unit) if now.value is not None else wording.reason(now.reason)
    change = wording.change(now.change, now.previous, kpi.unit)
    tone = {True: "good", False: "bad", None: "flat"}[now.good]
    since = "" if now.change is None else " " + said("vs a week before")
    alarm = wording.beyond(kpi.alarm(now.value), kpi.low, kpi.high, kpi.unit)
    note = " ".join(n for n in (wording.silences(gaps(course.drawn)), unmoved(columns, selection)) if n)
    left, right = st.columns([1.1, 1])
    with left.container(border=True, key="kpi-now", height="stretch"):
        st.html(
            f'<div class="sf-hero sf-{tone}"><h2>{escape(kpi.title)}</h2>'
            f'<p class="sf-value">{escape(number)}<small>{escape(unit)}</small>'
            f"{f'<span class=sf-alarm>{escape(alarm)}</span>' if alarm else ''}</p>"
            f'<p class="sf-trend"><b>{escape(change)}</b>{escape(since)}'
            f" &middot; {escape(wording.day(now.day))}</p>"
            f"<p>{escape(meaning)}</p>{f'<p class=sf-note>{escape(note)}</p>' if note else ''}</div>"
        )
    with right.container(border=True, key="kpi-defined", height="stretch"):
        st.html(_facts(definition))


def _facts(definition: Definition) -> str:
    limits = ", ".join(
        said(LIMITS[name], limit=wording.limit(value, definition.unit))
        for name, value in definition.thresholds.items()
        if name in LIMITS
    )
    better = said(BETTER.get(definition.direction, "neither higher nor lower"))
    rows = {
        said("Definition"): definition.description, said("Formula"): definition.formula,
        said("Source"): definition.source, said("Better"): better, said("Target"): limits or said("none is defined"),
        said("One row for each"): ", ".join(definition.grain) or said("day"), said("Owner"): definition.owner,
    }  # fmt: skip
    body = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in rows.items())
    return f'<dl class="sf-facts">{body}</dl>'


def _charts(kpi: Kpi, columns: tuple[str, ...], chosen: filters.Chosen, course: Course) -> None:
    with st.container(border=True, key="kpi-trend"):
        page.card(said("Trend"), drawn_as(chosen.selection))
        page.chart(charts.trend(course.drawn, kpi.unit, 260), "kpi-trend-chart")
    day = course.days[-1].day
    _rankings(kpi, columns, chosen.selection, day)
    if class_column(columns) or buckets(columns):
        with st.container(border=True, key="kpi-shape"):
            page.card(said("By class") if class_column(columns) else said("By age"), said("on the last day"))
            shape(kpi, columns, chosen, day)


def _rankings(kpi: Kpi, columns: tuple[str, ...], selection: Selection, day: date) -> None:
    """Draw where the KPI stands highest, by each dimension that it is known by."""
    places: list[Any] = []
    ranked = _ranked(kpi, columns, selection, day)
    for index, (dimension, ranking) in enumerate((d, r) for d, r in ranked.items() if r.bars):
        if index % 2 == 0:
            places = st.columns(2)
        with places[index % 2].container(border=True, key=f"kpi-by-{dimension.lower()}", height="stretch"):
            _ranking(kpi, dimension, ranking, day)


def _ranked(kpi: Kpi, columns: tuple[str, ...], selection: Selection, day: date) -> dict[str, Ranking]:
    """Return the largest names of each dimension, by one question for all of them."""
    splits = [s for d in queries.DIMENSIONS if (s := Split(kpi, columns, d, day)).known]
    if not splits:
        return {}
    found = breakdowns.rankings(source.rows(breakdowns.question(splits, selection, _NAMES)), splits)
    return {split.dimension: ranking for split, ranking in zip(splits, found, strict=True)}


def _ranking(kpi: Kpi, dimension: str, ranking: Ranking, day: date) -> None:
    told = COUNTS[ranking.names > len(ranking.bars)]
    figures = {"shown": len(ranking.bars), "count": wording.whole(ranking.names), "day": wording.day(day)}
    page.card(said(BY[dimension]), said(told, **figures))
    st.html(bars(ranking.bars, kpi.unit))


def _table(kpi: Kpi, columns: Sequence[str], selection: Selection, day: date) -> None:
    """Draw the largest rows of the last day; the export has more of them, asked for when it is pressed."""

    def rows(most: int) -> list[queries.Row]:
        return source.rows(queries.table(kpi, columns, day, selection, most))

    with st.container(border=True, key="kpi-rows"):
        left, right = st.columns([5, 1.2], vertical_alignment="center")
        with left:
            figures = {"shown": _ROWS, "day": wording.day(day), "exported": wording.whole(_EXPORTED)}
            page.card(said("Rows"), said("the {shown} largest of {day}; the export has up to {exported}", **figures))
        right.download_button(
            said("Export CSV"), lambda: csv_text(rows(_EXPORTED)), f"{kpi.name}_{day}.csv", "text/csv", width="stretch",
            icon=":material/download:", key="export", on_click="ignore",
        )  # fmt: skip
        shown = rows(_ROWS)
        height = min(330, 40 + 35 * len(shown))  # of its head and its rows, where they are few
        st.dataframe(shown, hide_index=True, width="stretch", height=height, placeholder="")


def csv_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows as CSV with their names in the first line."""
    import csv
    import io

    out = io.StringIO()
    if rows:
        writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return out.getvalue()


def _background(definition: Definition, facts: Mapping[str, Any]) -> None:
    """Draw lineage, SQL and worked examples."""
    run = facts["run"]
    made = said("not computed")
    if run:
        at = f"{run.computed_at:%Y-%m-%d %H:%M}"
        made = said("computed {at} UTC by version {version}", at=at, version=run.definition_version)
    defined = said("defined as version {version}", version=definition.version)
    page.section(said("Where it comes from"), f"{definition.table} · {defined} · {made}")
    worked = said("Worked examples ({number})", number=len(definition.examples))
    lineage, sql, examples = st.tabs([said("Lineage"), "SQL", worked])
    with lineage:
        _lineage(facts)
    with sql:
        st.code(definition.sql.strip(), language="sql", line_numbers=True)
    with examples:
        for number, example in enumerate(definition.examples, 1):
            _example(number, example)


def _lineage(facts: Mapping[str, Any]) -> None:
    if facts["steps"] is None:
        st.markdown(said("No lineage is known: it reads what has no contract."))
        return
    steps, files = st.columns([1, 1.3])
    with steps:
        page.card(said("Steps"), said("tables and views that its value passes"))
        st.html(f'<div class="sf-steps">{"".join(_steps(facts["steps"]))}</div>')
    with files:
        page.card(said("Columns of files"), said("where it ends"))
        body = "".join(
            f"<tr><td><code>{escape(_plain(c['column']))}</code></td><td>{escape(c['description'])}</td></tr>"
            for c in facts["lineage"]
        )
        head = f"<th>{escape(said('Column'))}</th><th>{escape(said('Meaning'))}</th>"
        st.html(f'<table class="sf-table"><tr>{head}</tr>{body}</table>')


def _steps(tree: Mapping[str, Any]) -> Iterable[str]:
    """Yield each table on the way once, those nearest to the KPI first."""
    levels: list[list[str]] = []
    seen: set[str] = set()
    left = [tree]
    while left:
        new = {_plain(node["column"]).rpartition(".")[0] for node in left} - seen
        if new:
            levels.append(sorted(new))
        seen |= new
        left = [inner for node in left for inner in node["inputs"]]
    for number, tables in enumerate(levels):
        arrow = '<span class="sf-arrow">&larr;</span>' if number else ""
        yield f"<div>{arrow}{''.join(f'<code>{escape(table)}</code>' for table in tables)}</div>"


def _plain(column: str) -> str:
    return column.removeprefix("inventory_")


def _example(number: int, example: Mapping[str, Any]) -> None:
    st.html(f'<div class="sf-card"><h3>{escape(said("Example {number}", number=number))}</h3></div>')
    for table, rows in (example["given"] or {}).items():
        st.caption(said("given in {table}", table=table))
        st.html(_small_table(rows))
    st.caption(said("is computed as"))
    st.html(_small_table(example["expect"] or []))


def _small_table(rows: Sequence[Mapping[str, Any]]) -> str:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join("<tr>" + "".join(f"<td>{_cell(row.get(c, ''))}</td>" for c in columns) + "</tr>" for row in rows)
    return f'<div class="sf-scroll"><table class="sf-table sf-plain"><tr>{head}</tr>{body}</table></div>'


def _cell(value: Any) -> str:
    return f'<span class="sf-null">{escape(said("no value"))}</span>' if value is None else escape(str(value))
