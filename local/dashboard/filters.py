"""The filter bar. What is chosen stands in the address: a link shows what its sender saw."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from cli.texts import said
from local.dashboard import readings
from local.dashboard.rollup import Selection

_DEFAULT_SPAN = timedelta(days=41)
DIMENSIONS = {"location": "Location", "category": "Category"}
# Page -> the parameters that its own widgets have.
OF_PAGES = {
    "": ("dates", "locations", "categories", "by"), "kpi": ("dates", "locations", "categories", "kpi"),
    "changed": ("from", "to", "kpi"), "quality": (),
}  # fmt: skip
_REMEMBERED = "remembered"
ALL = {"locations": "All locations", "categories": "All categories"}


@dataclass(frozen=True)
class Chosen:
    """What the reader set in the filter bar."""

    selection: Selection
    dimension: str


def bar(content: readings.Content, split: bool = True) -> Chosen:
    """Draw the filter bar and return what is chosen. ``split``: also by what to break down."""
    with st.container(border=True, key="filters"):
        dates, places, groups, *by = st.columns([2.2, 3, 3, 1.8] if split else [2.2, 3, 3], vertical_alignment="bottom")
        start, end = _dates(dates, content)
        locations = _choice(places, said("Location"), content.locations, "locations")
        categories = _choice(groups, said("Product category"), content.categories, "categories")
        dimension = _dimension(by[0]) if split else "location"
    chosen = Selection(start, end, frozenset(locations), frozenset(categories))
    return Chosen(chosen, dimension)


def untouched(content: readings.Content) -> Chosen:
    """Return what a reader sees who chose nothing."""
    return Chosen(Selection(*_span(content)), "location")


def _span(content: readings.Content) -> tuple[date, date]:
    first, last = content.bounds or (date.min, date.min)
    return max(first, last - _DEFAULT_SPAN), last


def _dimension(place: Any) -> str:
    """Draw the choice of what to break down by; the address holds its name, the same in every language."""
    asked = st.query_params.get("by", "").lower()
    if "by" not in st.session_state:
        st.session_state["by"] = asked if asked in DIMENSIONS else "location"
    chosen: str = place.segmented_control(
        said("Break down by"), list(DIMENSIONS), format_func=lambda name: said(DIMENSIONS[name]), key="by",
        required=True,
    )  # fmt: skip
    st.query_params["by"] = chosen
    return chosen


def choose_kpi(label: str, titles: dict[str, str], place: Any = st) -> str:
    """Draw the choice of a KPI (name -> title) and return its name, which stands in the address."""
    asked = st.query_params.get("kpi")
    if "kpi" not in st.session_state and asked in titles:
        st.session_state["kpi"] = asked
    chosen: str = place.selectbox(label, list(titles), format_func=lambda name: titles.get(name, name), key="kpi")
    st.query_params["kpi"] = chosen
    return chosen


def remember(page: str) -> None:
    """Keep what the address says for pages that have no place for it: from them, too, links lead back to it."""
    before = st.session_state.get(_REMEMBERED, {})
    others = {name: values for name, values in before.items() if name not in OF_PAGES[page]}
    st.session_state[_REMEMBERED] = others | _in_address()


def parameters() -> dict[str, list[str]]:
    """Return the parameters that a link carries: those of the address, and those of other pages."""
    remembered: dict[str, list[str]] = st.session_state.get(_REMEMBERED, {})
    return remembered | _in_address()


def _in_address() -> dict[str, list[str]]:
    return {name: st.query_params.get_all(name) for name in st.query_params}


def address(page: str, **changes: str) -> str:
    """Return the address of a page with the filters as they are, and these parameters."""
    kept = [(name, value) for name, values in parameters().items() if name not in changes for value in values]
    return f"{page}?{urlencode([*kept, *changes.items()])}"


def _choice(place: Any, label: str, names: tuple[str, ...], key: str) -> list[str]:
    chosen: list[str] = place.multiselect(label, names, placeholder=said(ALL[key]), key=key, bind="query-params")
    return chosen


def _dates(place: Any, content: readings.Content) -> tuple[date, date]:
    start, last = _span(content)
    picked = place.date_input(
        said("Dates"),
        (start, last),
        min_value=content.bounds[0] if content.bounds else start,
        max_value=last,
        format="DD/MM/YYYY",
        key="dates",
        bind="query-params",
    )
    if len(picked) == 2:
        return picked[0], picked[1]
    return picked[0] if picked else start, last
