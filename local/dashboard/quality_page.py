"""Data quality: how each file ended, what waits for a person, each refused row with its reason and what fixes it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any

import streamlit as st

from cli import wording
from cli.freshness import Freshness, freshness
from cli.texts import said
from local.dashboard import doubts, page, readings, refusals, source
from local.dashboard.health import Totals

LOADS = {
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
QUARANTINE = {
    "feed": "Feed",
    "object": "File",
    "line": "Line",
    "column_name": "Column",
    "value": "Value",
    "rule": "Rule",
    "expected": "Expected",
    "stage": "Stage",
}
REJECTS = {
    "feed": "Feed",
    "object": "File",
    "line": "Line",
    "code": "Reason",
    "found": "Found",
    "expected": "Expected",
    "original_text": "Text of the line",
}
_TONES = {"on time": "ok", "late": "warn"}


# How a file that needs somebody ended -> what is wrong, and what fixes it.
FIXES = {
    "held": (
        "waits for a decision",
        "stockflow loads release {file}",
        "or `stockflow loads reject {file} --reason ...`",
    ),
    "failed": ("was given up after too many attempts", "stockflow loads retry {file}", "once its cause is gone"),
    "rejected": ("could not be used as a whole", "stockflow drop {file} --wait", "once it is corrected"),
    "retrying": ("failed and is tried again", "stockflow explain {file}", "says why"),
}
_WAITING = 12
_OF_FILES = ("File", "Feed", "State", "Reason", "What fixes it")
_OF_FEEDS, _NUMBERS = ("Feed", "State", "Last file", "Expected"), ("Loads", "Rows")
HEADS = (*_OF_FILES, *_OF_FEEDS, *_NUMBERS)
HOW_QUARANTINED = (
    "`stockflow quarantine export` writes them to a file to be corrected and dropped again; "
    "`stockflow quarantine release` takes them as they are, once the contract allows it."
)


def draw() -> None:
    """Draw the page."""
    try:
        (content, health), quality = source.opened(), source.quality()
    except readings.UnavailableError as problem:
        page.unavailable(problem)
        return
    now = datetime.now(UTC)
    page.head(content, health, now)
    page.section(said("Files"), _books(health.totals))
    _attention(quality.attention)
    left, right = st.columns([1.15, 1])
    with left.container(border=True, key="freshness", height="stretch"):
        _freshness(health, now)
    with right.container(border=True, key="days", height="stretch"):
        refusals.by_day(quality.by_day)
    with st.container(border=True, key="reasons"):
        refusals.by_rule(quality.reasons)
    with st.container(border=True, key="doubts"):
        doubts.draw(quality.doubts)
    _rows(health.totals, quality)


def _rows(t: Totals, quality: readings.Quality) -> None:
    """Draw the newest loads, quarantined rows and rejected lines, one of the three at a time."""
    loads, quarantined, rejected = st.tabs(
        [
            said("Loads ({number})", number=wording.whole(sum(t.by_state.values()))),
            said("Quarantined rows ({number})", number=wording.whole(t.quarantined)),
            said("Rejected lines ({number})", number=wording.whole(t.rejects)),
        ]
    )
    with loads:
        _table(
            [{**load, "not_used": not_used(load)} for load in quality.loads],
            LOADS,
            said("Nothing landed yet: `stockflow drop FILE --wait`."),
        )
    with quarantined:
        st.caption(said(HOW_QUARANTINED))
        _table(quality.quarantine, QUARANTINE, said("No row is in quarantine."))
    with rejected:
        st.caption(said("A line that cannot be read is corrected in its file, and the file dropped again."))
        _table(quality.rejects, REJECTS, said("Every line could be read."))


def _attention(found: Sequence[Mapping[str, Any]]) -> None:
    """Draw the files that need somebody, with the reason and the command that fixes it; nothing where there is none."""
    with st.container(border=True, key="attention"):
        if not found:
            page.card(said("Nothing waits for you"), said("no file is held, failed or rejected"))
            return
        page.newest(said("Files that need you"), int(found[0]["loads"]), _WAITING)
        body = "".join(_needs(load) for load in found[:_WAITING])
        head = page.heads(*_OF_FILES)
        st.html(f'<table class="sf-table"><tr>{head}</tr>{body}</table>')


def _state_of(load: Mapping[str, Any]) -> str:
    return next((s for s in (load["end_state"], load["state"]) if s in FIXES), "")


def _needs(load: Mapping[str, Any]) -> str:
    state = _state_of(load)
    what, command, then = FIXES[state]
    name = (load["object"] or load["load_id"]).rpartition("/")[2]
    told = ": ".join(str(t).replace("_", " ") if t == load["reason_code"] else str(t)
                     for t in (load["reason_code"], load["message"]) if t)  # fmt: skip
    tone = "warn" if state in ("held", "retrying") else "bad"
    fix = f"<code>{escape(command.format(file=name))}</code> {page.coded(said(then, file=name))}"
    return (
        f"<tr><td>{escape(load['object'] or '')}</td><td>{escape(load['feed'] or '')}</td>"
        f'<td><span class="sf-state {tone}" title="{escape(said(what))}">{escape(said(state))}</span></td>'
        f"<td>{escape(told or said(what))}</td><td>{fix}</td></tr>"
    )


def not_used(load: Mapping[str, Any]) -> str:
    """Return the headers of a file that no alias knows, each with the nearest column."""
    return doubts.unused(wording.parsed(load["unused_columns"]))


def _books(t: Totals) -> str:
    states = ", ".join(f"{number} {said(state.replace('_', ' '))}" for state, number in sorted(t.by_state.items()))
    if not states:
        return said("no file landed yet")
    return said(
        "{states} · {lines} = {rows} in raw + {rejects}; {quarantined} of the rows quarantined",
        states=states, lines=wording.count(t.lines, "line"), rows=wording.count(t.rows, "row"),
        rejects=wording.count(t.rejects, "reject"), quarantined=wording.whole(t.quarantined),
    )  # fmt: skip


def _freshness(health: readings.Health, now: datetime) -> None:
    page.card(said("Freshness"), said("when each feed last brought rows, against its contract"))
    body = "".join(_feed(f, now) for f in freshness(health.expected, health.freshness, now))
    numbers = "".join(f'<th class="num">{escape(said(name))}</th>' for name in _NUMBERS)
    head = page.heads(*_OF_FEEDS)
    st.html(f'<table class="sf-table"><tr>{head}{numbers}</tr>{body}</table>')


def _feed(f: Freshness, now: datetime) -> str:
    return (
        f"<tr><td>{escape(f.feed)}</td><td>{_state(f.state)}</td><td>{wording.ago(f.last, now)}</td>"
        f'<td>{page.within(f.expected)}</td><td class="num">{wording.whole(f.loads)}</td>'
        f'<td class="num">{wording.whole(f.rows)}</td></tr>'
    )


def _state(state: str) -> str:
    return f'<span class="sf-state {_TONES.get(state, "")}">{escape(said(state))}</span>'


def _table(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str], nothing: str) -> None:
    if not rows:
        st.markdown(nothing)
        return
    shown = [{said(title): row[name] for name, title in columns.items()} for row in rows]
    height = min(35 * (len(shown) + 1) + 3, 390)
    st.dataframe(shown, hide_index=True, width="stretch", height=height, placeholder="")
