"""What changed between two days: the KPIs that moved most, and the items, files and lines behind one of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from html import escape
from typing import Any

import streamlit as st

from cli import wording
from cli.texts import said
from local.dashboard import charts, filters, page, queries, readings, source, sums
from local.dashboard.catalogue import Kpi
from local.dashboard.rollup import roll_up

_WEEK = timedelta(days=7)
_MOVES = 16
HEADS = ("Before", "After", "Change")


@dataclass(frozen=True)
class Move:
    """A KPI on two days. ``share`` is the change in per cent of the first; ``good``: whether it is good news."""

    kpi: Kpi
    before: float | None
    after: float | None

    @property
    def change(self) -> float | None:
        """The difference, in the KPI's unit."""
        return None if self.before is None or self.after is None else self.after - self.before

    @property
    def share(self) -> float | None:
        """The difference in per cent of the first day."""
        return 100 * self.change / abs(self.before) if self.change is not None and self.before else None

    @property
    def good(self) -> bool | None:
        """Whether the change is good news; None when it is neither."""
        if not self.change or self.kpi.direction not in ("up", "down"):
            return None
        return (self.change > 0) == (self.kpi.direction == "up")


def draw() -> None:
    """Draw the page."""
    content = page.frame()
    if content is None:
        return
    days, place = _days(content)
    if days[0] >= days[1]:
        st.info(said("Choose two days, the first one before the second."))
        return
    found = moves(content, source.rows(sums.moved(content.tables, days)), days)
    known = {move.kpi.name: move.kpi for move in found}
    kpi = known[filters.choose_kpi(said("Why did it move?"), {name: k.title for name, k in known.items()}, place)]
    left, right = st.columns([1, 1.05])
    with left.container(border=True, key="moves", height="stretch"):
        page.card(
            said("Largest movements"),
            said(
                "of {number} KPIs, by the change in per cent of the first day; the others can be chosen",
                number=len(found),
            ),
            level=2,
        )
        st.html(_moves_table(found, kpi))
    with right.container(border=True, key="why", height="stretch"):
        answer = source.why(kpi.name, *days)
        _parts(kpi, answer)
    if answer:
        _behind(kpi, answer)


def moves(content: readings.Content, rows: Sequence[queries.Row], days: tuple[date, date]) -> list[Move]:
    """Return each KPI on two days, the largest change first, those without one last."""
    cells = sums.found(rows, content.tables).cells

    def value(kpi: Kpi, day: date) -> float | None:
        of_day = [c for c in cells[kpi.name] if c.day == day]
        return roll_up(of_day, kpi.rollup)[0] if of_day else None

    found = [Move(kpi, value(kpi, days[0]), value(kpi, days[1])) for kpi in content.kpis]
    return sorted(found, key=lambda m: (m.share is None, -abs(m.share or 0.0), m.kpi.title))


def _days(content: readings.Content) -> tuple[tuple[date, date], Any]:
    first, last = content.bounds or (date.min, date.min)
    with st.container(border=True, key="filters"):
        one, two, place = st.columns([1, 1, 3], vertical_alignment="bottom")
        limits = {"min_value": first, "max_value": last, "format": "DD/MM/YYYY", "bind": "query-params"}
        start = one.date_input(said("From"), max(first, last - _WEEK), key="from", **limits)
        end = two.date_input(said("To"), last, key="to", **limits)
    return (start or first, end or last), place


def _moves_table(found: Sequence[Move], chosen: Kpi) -> str:
    most = max((abs(m.share) for m in found if m.share is not None), default=0.0) or 1.0
    shown = [*found[:_MOVES], *(m for m in found[_MOVES:] if m.kpi == chosen)]
    body = "".join(_move(m, most, m.kpi == chosen) for m in shown)
    before, after, change = (f'<th class="num">{escape(said(name))}</th>' for name in HEADS)
    head = f"<th>{escape(said('KPI'))}</th>{before}{after}<td></td>{change}"
    return f'<table class="sf-table"><tr>{head}</tr>{body}</table>'


def _move(m: Move, most: float, chosen: bool) -> str:
    unit = m.kpi.unit
    words = said("no figure") if m.change is None else wording.change(m.change, m.before, unit)
    tone = "flat" if words == said(wording.UNCHANGED) else {True: "good", False: "bad", None: "flat"}[m.good]
    width = 60 * min(1.0, abs(m.share or 0.0) / most)
    link = escape(filters.address("changed", kpi=m.kpi.name))
    return (
        f'<tr class="{"sf-chosen" if chosen else ""}" data-move="{escape(m.kpi.name)}">'
        f'<td><a href="{link}" target="_self">{escape(m.kpi.title)}</a></td>'
        f'<td class="num">{escape(wording.figure(m.before, unit))}</td>'
        f'<td class="num">{escape(wording.figure(m.after, unit))}</td>'
        f'<td class="sf-bar"><span class="sf-meter sf-{tone}" style="width:{width:.0f}px"></span></td>'
        f'<td class="num sf-{tone}"><b>{escape(words)}</b></td></tr>'
    )


def _parts(kpi: Kpi, answer: Mapping[str, Any] | None) -> None:
    if answer is None:
        page.card(kpi.title, said("it has no value on one of these days, so its change cannot be split"), 2)
        return
    from cli.kpi.movement import BY, WORDS

    start, end = (wording.figure(answer[name], kpi.unit) for name in ("start", "end"))
    change = wording.signed(answer["change"], kpi.unit)
    page.card(kpi.title, said("{start} to {end}: the parts add up to {change}", start=start, end=end, change=change), 2)
    rows = sorted(((said(WORDS.get(n, n)), v) for n, v in answer["parts"].items()), key=lambda row: -abs(row[1]))
    page.chart(charts.steps(rows, kpi.unit, max(150, 44 * len(rows))), "why-parts")
    for column, moved in answer["by"].items():
        told = [f"{row['name']} {wording.signed(row['change'], kpi.unit)}" for row in moved[:4] if row["change"]]
        if told:
            words = f"<b>{escape(said(BY.get(column, column)))}</b> &nbsp; {escape(' · '.join(told))}"
            st.html(f'<div class="sf-card"><p>{words}</p></div>')


def _behind(kpi: Kpi, answer: Mapping[str, Any]) -> None:
    """Draw the cells that moved most, and what files say of the first of them."""
    from cli.kpi.movement import CALLED, LINES, worded

    note = said("the {number} that moved most, with their parts of the change", number=len(answer["cells"]))
    page.section(said("The items behind it"), note)
    st.dataframe(
        [worded(cell, kpi.grain) for cell in answer["cells"]],
        hide_index=True,
        width="stretch",
        height=330,
        placeholder="",
    )
    page.section(said("What files say of the first three"), said("each line can be looked up in its file"))
    columns = LINES | {name: CALLED.get(name, name) for name in kpi.grain}
    lines = [{said(title): line.get(name) for name, title in columns.items()} for line in answer["lines"]]
    if lines:
        st.dataframe(lines, hide_index=True, width="stretch", height=260, placeholder="")
    else:
        st.markdown(said("No file states a quantity of them between these two days."))
