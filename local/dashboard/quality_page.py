"""Data quality: how each file ended, what waits for a person, each refused row with its reason and what fixes it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any

import streamlit as st

from cli import wording
from cli.freshness import Freshness, freshness
from cli.texts import said
from functions.ingest.receipts.described import unused
from local.dashboard import page, source
from local.dashboard.health import Totals, totals

_REASONS_SHOWN = 10
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
_OF_REASONS = ("Feed", "Reason", "Column", "Kept in", "Rows")
HEADS = (*_OF_FILES, *_OF_FEEDS, *_NUMBERS, *_OF_REASONS)
HOW_QUARANTINED = (
    "`stockflow quarantine export` writes them to a file to be corrected and dropped again; "
    "`stockflow quarantine release` takes them as they are, once the contract allows it."
)


def draw() -> None:
    """Draw the page."""
    try:
        content, health = source.content(), source.health()
    except source.UnavailableError as problem:
        page.unavailable(problem)
        return
    now = datetime.now(UTC)
    page.head(content, health, now)
    t = totals(health.loads)
    page.section(said("Files"), _books(t))
    _attention(health.loads)
    left, right = st.columns([1, 1.15])
    with left.container(border=True, key="freshness", height="stretch"):
        _freshness(health, now)
    with right.container(border=True, key="reasons", height="stretch"):
        _reasons(health.reasons)
    loads, quarantined, rejected = st.tabs(
        [
            said("Loads ({number})", number=wording.whole(len(health.loads))),
            said("Quarantined rows ({number})", number=wording.whole(t.quarantined)),
            said("Rejected lines ({number})", number=wording.whole(t.rejects)),
        ]
    )
    with loads:
        _table(
            [{**load, "not_used": not_used(load)} for load in health.loads],
            LOADS,
            said("Nothing landed yet: `stockflow drop FILE --wait`."),
        )
    with quarantined:
        st.caption(said(HOW_QUARANTINED))
        _table(health.quarantine, QUARANTINE, said("No row is in quarantine."))
    with rejected:
        st.caption(said("A line that cannot be read is corrected in its file, and the file dropped again."))
        _table(health.rejects, REJECTS, said("Every line could be read."))


def _attention(loads: Sequence[Mapping[str, Any]]) -> None:
    """Draw the files that need somebody, with the reason and the command that fixes it; nothing where there is none."""
    found = [load for load in loads if _state_of(load) in FIXES]
    with st.container(border=True, key="attention"):
        if not found:
            page.card(said("Nothing waits for you"), said("no file is held, failed or rejected"))
            return
        left_out = said(", the newest {number} are shown", number=_WAITING) if len(found) > _WAITING else ""
        page.card(said("Files that need you"), f"{wording.count(len(found), 'file')}{left_out}")
        body = "".join(_needs(load) for load in found[:_WAITING])
        head = _heads(*_OF_FILES)
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
    return unused(wording.parsed(load["unused_columns"]))


def _books(t: Totals) -> str:
    states = ", ".join(f"{number} {said(state.replace('_', ' '))}" for state, number in sorted(t.by_state.items()))
    if not states:
        return said("no file landed yet")
    return said(
        "{states} · {lines} = {rows} in raw + {rejects}; {quarantined} of the rows quarantined",
        states=states, lines=wording.count(t.lines, "line"), rows=wording.count(t.rows, "row"),
        rejects=wording.count(t.rejects, "reject"), quarantined=wording.whole(t.quarantined),
    )  # fmt: skip


def _freshness(health: source.Health, now: datetime) -> None:
    page.card(said("Freshness"), said("when each feed last brought rows, against its contract"))
    body = "".join(_feed(f, now) for f in freshness(health.expected, health.freshness, now))
    numbers = "".join(f'<th class="num">{escape(said(name))}</th>' for name in _NUMBERS)
    head = _heads(*_OF_FEEDS)
    st.html(f'<table class="sf-table"><tr>{head}{numbers}</tr>{body}</table>')


def _feed(f: Freshness, now: datetime) -> str:
    return (
        f"<tr><td>{escape(f.feed)}</td><td>{_state(f.state)}</td><td>{wording.ago(f.last, now)}</td>"
        f'<td>{page.within(f.expected)}</td><td class="num">{wording.whole(f.loads)}</td>'
        f'<td class="num">{wording.whole(f.rows)}</td></tr>'
    )


def _state(state: str) -> str:
    return f'<span class="sf-state {_TONES.get(state, "")}">{escape(said(state))}</span>'


def _reasons(rows: Sequence[Mapping[str, Any]]) -> None:
    page.card(said("Why rows were refused"), said("every refused row is kept with its original text"))
    if not rows:
        st.markdown(said("No row was refused."))
        return
    most = max(int(row["refused"]) for row in rows)
    body = "".join(_reason(row, most) for row in rows[:_REASONS_SHOWN])
    head = _heads(*_OF_REASONS)
    st.html(f'<table class="sf-table"><tr>{head}</tr>{body}</table>')


def _reason(row: Mapping[str, Any], most: int) -> str:
    refused = int(row["refused"])
    meter = f'<span class="sf-meter" style="width:{70 * refused / most:.0f}px"></span>'
    column = f"<code>{escape(row['column_name'])}</code>" if row["column_name"] else ""
    return (
        f"<tr><td>{escape(row['feed'] or '')}</td><td>{escape(row['reason'].replace('_', ' '))}</td>"
        f"<td>{column}</td><td>{escape(said(row['kind']))}</td><td>{meter}{wording.whole(refused)}</td></tr>"
    )


def _heads(*names: str) -> str:
    return "".join(f"<th>{escape(said(name))}</th>" for name in names)


def _table(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str], nothing: str) -> None:
    if not rows:
        st.markdown(nothing)
        return
    shown = [{said(title): row[name] for name, title in columns.items()} for row in rows]
    height = min(35 * (len(shown) + 1) + 3, 390)
    st.dataframe(shown, hide_index=True, width="stretch", height=height, placeholder="")
