"""The warehouse's answers, kept until a load or a KPI run changes what they were made of."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from cli.texts import LANGUAGE, said
from functions.kpi.catalog import Catalog
from functions.kpi.definition import Definition
from local.dashboard import queries, readings
from local.dashboard.readings import Content, Health, Quality, Texts, Version

TTL_SECONDS = 20  # of the files of definitions
HEALTH_SECONDS = 60  # of what no version tells: attempts that fail
VERSION_SECONDS = 3
SESSION_SECONDS = 30  # what a reader filters stays the same for so long
_MOST_ANSWERS = 300
_SEEN = "seen"


def _kept(read: Any, seconds: float | None = None) -> Any:
    """Keep answers as they are, not copied: nobody changes them."""
    return st.cache_resource(read, ttl=seconds, max_entries=_MOST_ANSWERS, show_spinner=False)


def _read_version() -> Version:
    return readings.version(_texts())


def _read(version: str, what: str, *asked: Any) -> Any:
    """Return what a function of ``readings`` says; ``version`` tells when it may say something else."""
    del version
    return getattr(readings, what)(*asked)


def _read_content(version: Version, language: str) -> Content:
    return readings.content(_catalog(_texts()), language, _answer(version.tables, "tables"))


_texts: Callable[[], Texts] = _kept(readings.texts, TTL_SECONDS)
_catalog: Callable[[Texts], Catalog] = _kept(readings.catalog)
_newest: Callable[[], Version] = _kept(_read_version, VERSION_SECONDS)
_answer: Callable[..., Any] = _kept(_read)
_content: Callable[[Version, str], Content] = _kept(_read_content)


def _version() -> Version:
    """Return the state that a reader sees: the newest when a page is opened, then the same for a while."""
    if get_script_run_ctx() is None:
        return _newest()
    seen: tuple[Version, float] | None = st.session_state.get(_SEEN)
    if seen and time.monotonic() < seen[1]:
        return seen[0]
    version = _newest()
    st.session_state[_SEEN] = version, time.monotonic() + SESSION_SECONDS
    return version


def opened() -> tuple[Content, Health]:
    """Return what there is to show, in the reader's language, and what the head says; asked side by side."""
    with st.spinner(said("Reading the warehouse ...")), ThreadPoolExecutor(1) as pool:
        version = _version()
        health = pool.submit(_answer, _moment(version), "health")
        return _content(version, LANGUAGE.get()), health.result()


def quality() -> Quality:
    """Return what the page about data quality shows."""
    found: Quality = _answer(_moment(_version()), "quality")
    return found


def definition(kpi: str) -> tuple[Definition, dict[str, Any]]:
    """Return a KPI's definition, and its ``lineage`` and last ``run``."""
    found: tuple[Definition, dict[str, Any]] = _answer(_version().figures, "definition", kpi)
    return found


def why(kpi: str, first: date, last: date) -> dict[str, Any] | None:
    """Return why a KPI moved between two days; None when it has no value on one of them."""
    with st.spinner(said("Looking for what moved it ...")):
        found: dict[str, Any] | None = _answer(_version().figures, "why", kpi, first, last)
    return found


def rows(query: queries.Query) -> list[queries.Row]:
    """Return the rows of a query; the same question is asked once until something was loaded or computed."""
    found: list[queries.Row] = _answer(_version().figures, "rows", query.sql, query.params)
    return found


def _moment(version: Version) -> str:
    """Return a version that also ends after a while."""
    return f"{version.figures} {time.monotonic() // HEALTH_SECONDS}"


def refresh() -> None:
    """Forget what was read, so that the next run asks again; the connection stays."""
    st.cache_resource.clear()
    st.session_state.pop(_SEEN, None)
