"""The pipeline part of the page: loads, freshness, and each refused row with its reason."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any

import streamlit as st

from local.dashboard import page, source, wording
from local.dashboard.health import Freshness, Totals, freshness, totals

_REASONS_SHOWN = 10
_LOADS = {
    "feed": "Feed",
    "object": "File",
    "end_state": "End state",
    "stage": "Stage reached",
    "lines": "Lines",
    "rows": "Rows",
    "rejects": "Rejects",
    "quarantined": "Quarantined",
    "seconds": "Seconds",
    "reason_code": "Reason",
    "not_used": "Columns not used",
    "load_id": "Load",
}
_QUARANTINE = {
    "feed": "Feed",
    "object": "File",
    "line": "Line",
    "column_name": "Column",
    "value": "Value",
    "rule": "Rule",
    "expected": "Expected",
    "stage": "Stage",
}
_REJECTS = {
    "feed": "Feed",
    "object": "File",
    "line": "Line",
    "code": "Reason",
    "found": "Found",
    "expected": "Expected",
    "original_text": "Text of the line",
}
_TONES = {"on time": "ok", "late": "warn"}


def show(health: source.Health, now: datetime) -> None:
    """Draw the section."""
    t = totals(health.loads)
    page.section("Pipeline health", _books(t))
    left, right = st.columns([1, 1.15])
    with left.container(border=True, key="freshness"):
        _freshness(health, now)
    with right.container(border=True, key="reasons"):
        _reasons(health.reasons)
    loads, quarantined, rejected = st.tabs(
        [
            f"Loads ({len(health.loads):,})",
            f"Quarantined rows ({t.quarantined:,})",
            f"Rejected lines ({t.rejects:,})",
        ]
    )
    with loads:
        _table(
            [{**load, "not_used": not_used(load)} for load in health.loads],
            _LOADS,
            "Nothing landed yet: `stockflow drop FILE --wait`.",
        )
    with quarantined:
        _table(health.quarantine, _QUARANTINE, "No row is in quarantine.")
    with rejected:
        _table(health.rejects, _REJECTS, "Every line could be read.")


def not_used(load: Mapping[str, Any]) -> str:
    """Return the headers of a file that no alias knows, each with the nearest column."""
    return wording.unused(wording.parsed(load["unused_columns"]))


def _books(t: Totals) -> str:
    states = ", ".join(f"{number} {state.replace('_', ' ')}" for state, number in sorted(t.by_state.items()))
    if not states:
        return "no file landed yet"
    return (
        f"{states} · {wording.count(t.lines, 'line')} = {wording.count(t.rows, 'row')} in raw"
        f" + {wording.count(t.rejects, 'reject')}; {t.quarantined:,} of the rows quarantined"
    )


def _freshness(health: source.Health, now: datetime) -> None:
    _title("Freshness", "when each feed last brought rows, against its contract")
    body = "".join(_feed(f, now) for f in freshness(health.expected, health.freshness, now))
    head = '<th>Feed</th><th>State</th><th>Last file</th><th>Expected</th><th class="num">Loads</th>'
    st.html(f'<table class="sf-table"><tr>{head}<th class="num">Rows</th></tr>{body}</table>')


def _feed(f: Freshness, now: datetime) -> str:
    return (
        f"<tr><td>{escape(f.feed)}</td><td>{_state(f.state)}</td><td>{wording.ago(f.last, now)}</td>"
        f'<td>{page.within(f.expected)}</td><td class="num">{f.loads:,}</td>'
        f'<td class="num">{f.rows:,}</td></tr>'
    )


def _state(state: str) -> str:
    return f'<span class="sf-state {_TONES.get(state, "")}">{state}</span>'


def _reasons(rows: Sequence[Mapping[str, Any]]) -> None:
    _title("Why rows were refused", "every refused row is kept with its original text")
    if not rows:
        st.markdown("No row was refused.")
        return
    most = max(int(row["refused"]) for row in rows)
    body = "".join(_reason(row, most) for row in rows[:_REASONS_SHOWN])
    head = "<th>Feed</th><th>Reason</th><th>Column</th><th>Kept in</th><th>Rows</th>"
    st.html(f'<table class="sf-table"><tr>{head}</tr>{body}</table>')


def _reason(row: Mapping[str, Any], most: int) -> str:
    refused = int(row["refused"])
    meter = f'<span class="sf-meter" style="width:{70 * refused / most:.0f}px"></span>'
    column = f"<code>{escape(row['column_name'])}</code>" if row["column_name"] else ""
    return (
        f"<tr><td>{escape(row['feed'] or '')}</td><td>{escape(row['reason'].replace('_', ' '))}</td>"
        f"<td>{column}</td><td>{row['kind']}</td><td>{meter}{refused:,}</td></tr>"
    )


def _title(title: str, note: str) -> None:
    st.html(f'<div class="sf-card"><h3>{title}</h3><p>{note}</p></div>')


def _table(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str], nothing: str) -> None:
    if not rows:
        st.markdown(nothing)
        return
    shown = [{title: _blank(row[name]) for name, title in columns.items()} for row in rows]
    height = min(35 * (len(shown) + 1) + 3, 390)
    st.dataframe(shown, hide_index=True, width="stretch", height=height)


def _blank(value: Any) -> Any:
    return "" if value is None else value
