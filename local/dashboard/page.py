"""The frame of every page: style, head with its links, and what is said when there is nothing to show."""

from base64 import b64encode
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st

from cli import wording
from cli.freshness import LATE, freshness
from cli.texts import LANGUAGE, LANGUAGES, said
from local.dashboard import charts, filters, readings, source

_STYLE = Path(__file__).with_name("style.css")
_SCRIPT = Path(__file__).with_name("page.js").read_text(encoding="utf-8")
_ICON = Path(__file__).with_name("icon.svg")
_MARK = f'<img alt="" src="data:image/svg+xml;base64,{b64encode(_ICON.read_bytes()).decode()}">'
NEXT = (
    "Then press Refresh. `stockflow loads` shows how far each file is, `stockflow explain FILE` why a row was refused."
)
# What the chips count: one of them, several of them.
_LOADED, _REJECTED = ("file loaded", "files loaded"), ("file rejected", "files rejected")
_REFUSED, _FEEDS_LATE = ("row refused", "rows refused"), ("feed late", "feeds late")
CHIPS = (*_LOADED, *_REJECTED, *_REFUSED, *_FEEDS_LATE)
# The pages that the head links to; each session runs in a context of its own.
PAGES: ContextVar[tuple[Any, ...]] = ContextVar("pages", default=())


def set_up() -> None:
    """Name the page, load its style, and draw charts for a light or a dark one."""
    st.set_page_config(page_title="Stockflow", page_icon=str(_ICON), layout="wide")
    asked = st.query_params.get("lang", "en")
    LANGUAGE.set(asked if asked in LANGUAGES else "en")
    # Screen readers pronounce a page as its language says; Streamlit's own page says English.
    script = f"document.documentElement.lang = '{LANGUAGE.get()}'\n{_SCRIPT}"
    st.html(f"<script>{script}</script>", unsafe_allow_javascript=True)
    st.html(_STYLE)
    charts.PALETTE.set(charts.DARK if st.context.theme.type == "dark" else charts.LIGHT)


def frame() -> readings.Content | None:
    """Draw the head and return what there is to show; None when there is nothing, which is then said."""
    try:
        content, health = source.opened()
    except readings.UnavailableError as problem:
        unavailable(problem)
        return None
    head(content, health, datetime.now(UTC))
    for fault in content.faults:  # the other KPIs are shown all the same
        st.warning(said("This KPI is left out: {fault}", fault=fault), icon=":material/warning:")
    if content.bounds is None:
        empty(content)
        return None
    return content


def head(content: readings.Content, health: readings.Health, now: datetime) -> None:
    """Draw the title, the links to the pages, the state of the pipeline in four chips, and the refresh button."""
    left, middle, right = st.columns([5, 6, 1], vertical_alignment="center")
    last = content.bounds[1] if content.bounds else None
    note = said("KPIs as of {day}", day=wording.day(last)) if last else said("No KPI yet")
    left.html(
        f'<div class="sf-head">{_MARK}<div><h1>Stockflow</h1>'
        f"<p>{note} &middot; {escape(content.project)}</p></div></div>"
    )
    middle.html(f'<div class="sf-chips">{"".join(_chips(health, now))}</div>')
    right.button(said("Refresh"), icon=":material/refresh:", on_click=source.refresh, width="stretch")
    with st.container(horizontal=True, key="nav"):
        for linked in PAGES.get():
            st.page_link(linked, query_params=filters.parameters())
        st.html(f'<nav class="sf-languages" aria-label="{escape(said("Language"))}">{_languages()}</nav>')


def _languages() -> str:
    """Return a link to this page in each language; the address keeps it."""
    return "".join(_language(code, name) for code, name in LANGUAGES.items())


def _language(code: str, name: str) -> str:
    current = ' aria-current="true"' if code == LANGUAGE.get() else ""
    link = escape(filters.address("", lang=code))
    return f'<a href="{link}" target="_self" lang="{code}" hreflang="{code}"{current}>{name}</a>'


def section(title: str, note: str = "") -> None:
    """Draw a section's heading."""
    st.html(f'<div class="sf-section"><h2>{escape(title)}</h2><span>{escape(note)}</span></div>')


def card(title: str, note: str = "", level: int = 3) -> None:
    """Draw the heading of a card; of level 2 where no section is above it."""
    st.html(f'<div class="sf-card"><h{level}>{escape(title)}</h{level}><p>{escape(note)}</p></div>')


def newest(title: str, count: int, shown: int) -> None:
    """Draw the heading of a card of files, of which the newest are shown."""
    left_out = said(", the newest {number} are shown", number=shown) if count > shown else ""
    card(title, f"{wording.count(count, 'file')}{left_out}")


def chart(drawn: Any, key: str) -> None:
    """Draw a chart in the width that there is."""
    st.altair_chart(drawn, width="stretch", theme=None, key=key)


def heads(*names: str) -> str:
    """Return the heads of a table's columns."""
    return "".join(f"<th>{escape(said(name))}</th>" for name in names)


def empty(content: readings.Content) -> None:
    """Say how the first KPI comes about."""
    known = said("Loads arrived, but no KPI was computed from them yet.") if content.columns else ""
    st.html(
        f'<div class="sf-empty"><h2>{escape(said("The warehouse has no KPI yet"))}</h2><p>{escape(known)} '
        f"{escape(said('Drop files of your own, or those of the sample shop, which bring every feed:'))}</p>"
        "<pre>stockflow demo</pre>"
        f"<p>{coded(said(NEXT))}</p></div>"
    )


def unavailable(problem: readings.UnavailableError) -> None:
    """Say why nothing can be shown and what to do."""
    st.html(
        f'<div class="sf-head">{_MARK}<div><h1>Stockflow</h1><p>{escape(said("Nothing can be shown"))}</p></div></div>'
        f'<div class="sf-empty"><h2>{escape(said("The warehouse or a definition cannot be read"))}</h2>'
        f"<p>{escape(str(problem))}</p>"
        f"<pre>stockflow status    # {escape(said('which part is down'))}\n"
        f"stockflow up        # {escape(said('start the stack'))}</pre>"
        f"<p>{escape(said('This page tries again when it is reloaded.'))}</p></div>"
    )
    st.button(said("Try again"), icon=":material/refresh:", on_click=source.refresh)


def _chips(health: readings.Health, now: datetime) -> list[str]:
    t = health.totals
    late = [f for f in freshness(health.expected, health.freshness, now) if f.state == LATE]
    return [
        _chip("ok" if t.waiting == 0 else "warn", t.by_state.get("loaded", 0), _LOADED, t.waiting),
        _chip("bad" if t.by_state.get("rejected") else "ok", t.by_state.get("rejected", 0), _REJECTED),
        _chip("warn" if t.rejects + t.quarantined else "ok", t.rejects + t.quarantined, _REFUSED),
        _chip("warn" if late else "ok", len(late), _FEEDS_LATE),
    ]


def _chip(tone: str, number: int, words: tuple[str, str], waiting: int = 0) -> str:
    more = said(" · {number} on their way", number=waiting) if waiting else ""
    told = escape(said(words[number != 1]) + more)
    return f'<span class="sf-chip {tone}"><b>{wording.whole(number)}</b> {told}</span>'


def within(length: timedelta | None) -> str:
    """Return the age that a contract allows as words."""
    return said("no expectation") if length is None else said("within {span}", span=wording.span(length))


def coded(text: str) -> str:
    """Return words with what stands in back quotes as code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if n % 2 else part for n, part in enumerate(parts))
