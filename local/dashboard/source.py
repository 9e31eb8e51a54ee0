"""The warehouse's answers, kept until a load or a KPI run changes what they were made of."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import streamlit as st

from cli.texts import LANGUAGE, said
from functions.kpi.catalog import Catalog
from functions.kpi.definition import Definition
from local.dashboard import queries, readings
from local.dashboard.readings import Content, Health, Quality

TTL_SECONDS = 20  # of what no version tells: attempts that fail, files of definitions
VERSION_SECONDS = 3
_MOST_ANSWERS = 300


def _kept(read: Any, seconds: float | None = None) -> Any:
    """Keep answers as they are, not copied: nobody changes them."""
    return st.cache_resource(read, ttl=seconds, max_entries=_MOST_ANSWERS, show_spinner=False)


def _read_version() -> str:
    return readings.version(_catalog())


def _read(version: str, what: str, *asked: Any) -> Any:
    """Return what a function of ``readings`` says; ``version`` tells when it may say something else."""
    del version
    return getattr(readings, what)(*asked)


def _read_content(version: str, language: str) -> Content:
    del version
    return readings.content(_catalog(), language)


_catalog: Callable[[], Catalog] = _kept(readings.catalog, TTL_SECONDS)
_version: Callable[[], str] = _kept(_read_version, VERSION_SECONDS)
_answer: Callable[..., Any] = _kept(_read)
_content: Callable[[str, str], Content] = _kept(_read_content)


def content() -> Content:
    """Return what there is to show, in the reader's language."""
    with st.spinner(said("Reading the warehouse ...")):
        return _content(_version(), LANGUAGE.get())


def health() -> Health:
    """Return what the head says about the pipeline."""
    found: Health = _answer(_moment(), "health")
    return found


def quality() -> Quality:
    """Return what the page about data quality shows."""
    found: Quality = _answer(_moment(), "quality")
    return found


def definition(kpi: str) -> tuple[Definition, dict[str, Any]]:
    """Return a KPI's definition, and its ``lineage`` and last ``run``."""
    found: tuple[Definition, dict[str, Any]] = _answer(_version(), "definition", kpi)
    return found


def why(kpi: str, first: date, last: date) -> dict[str, Any] | None:
    """Return why a KPI moved between two days; None when it has no value on one of them."""
    with st.spinner(said("Looking for what moved it ...")):
        found: dict[str, Any] | None = _answer(_version(), "why", kpi, first, last)
    return found


def rows(query: queries.Query) -> list[queries.Row]:
    """Return the rows of a query; the same question is asked once until something was loaded or computed."""
    return _of(_version(), query)


def together(questions: Sequence[queries.Query]) -> list[list[queries.Row]]:
    """Return the rows of several queries, asked side by side."""
    version = _version()
    with ThreadPoolExecutor(len(questions)) as pool:
        return list(pool.map(lambda query: _of(version, query), questions))


def _of(version: str, query: queries.Query) -> list[queries.Row]:
    found: list[queries.Row] = _answer(version, "rows", query.sql, query.params)
    return found


def _moment() -> str:
    """Return a version that also ends after a while."""
    return f"{_version()} {time.monotonic() // TTL_SECONDS}"


def refresh() -> None:
    """Forget what was read, so that the next run asks again; the connection stays."""
    st.cache_resource.clear()
