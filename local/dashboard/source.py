"""The warehouse's answers, kept for a few seconds, so that a filter costs no query."""

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlsplit

import streamlit as st

from cli.freshness import ARRIVALS
from cli.texts import LANGUAGE, said, speaking
from functions.kpi.catalog import read_catalog
from functions.kpi.definition import Definition
from local.dashboard import queries
from local.dashboard.catalogue import Kpi, shown
from stockflow.errors import StockflowError
from stockflow.services import Services

TTL_SECONDS = 20
HORIZON_DAYS = 400
_HEALTH_QUERIES = {name: queries.text(name) for name in ("loads", "rejects", "quarantine", "reasons")}
_HEALTH_QUERIES["freshness"] = ARRIVALS


class UnavailableError(Exception):
    """The warehouse or the definitions cannot be read; the message says what to do."""


@dataclass(frozen=True)
class Content:
    """What there is to show: KPIs, days, locations and categories. The figures are asked for when they are drawn."""

    project: str
    kpis: tuple[Kpi, ...]
    columns: dict[str, tuple[str, ...]]
    bounds: tuple[date, date] | None = None
    locations: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()

    @property
    def tables(self) -> dict[str, tuple[str, ...]]:
        """The columns of each KPI's table."""
        return {kpi.name: self.columns[kpi.name] for kpi in self.kpis}


@dataclass(frozen=True)
class Health:
    """Everything about the pipeline that the page shows."""

    loads: list[queries.Row]
    rejects: list[queries.Row]
    quarantine: list[queries.Row]
    reasons: list[queries.Row]
    freshness: list[queries.Row]
    expected: dict[str, timedelta | None]


@contextmanager
def _plain_words() -> Iterator[Services]:
    """Give the services; turn what can go wrong with them into words for the page."""
    try:
        s = services()
        _answering(s.settings.bigquery_endpoint)
        yield s
    except KeyError as error:
        raise UnavailableError(f"The variable {error} is not set. Start with `stockflow up`.") from error
    except (StockflowError, OSError) as error:
        raise UnavailableError(str(error)) from error


def _answering(endpoint: str | None) -> None:
    # The client would try a warehouse that is down for ten minutes before it says so.
    if endpoint:
        at = urlsplit(endpoint)
        socket.create_connection((at.hostname or "", at.port or 80), timeout=3).close()


def _read_content(language: str) -> Content:
    with _plain_words() as s, speaking(language):
        return _content(s)


def _content(s: Services) -> Content:
    columns = queries.kpi_tables(s.warehouse)
    catalog = read_catalog(s.settings.definitions_uri, s)
    kpis = shown(catalog.definitions.values(), columns)
    faults = tuple(fault.message for fault in catalog.faults.values())
    found = Content(s.settings.project, kpis, columns, faults=faults)
    if not kpis:
        return found
    (days,) = _asked(s, queries.bounds(found.tables))
    if days["last_day"] is None:
        return found
    since = days["last_day"] - timedelta(days=HORIZON_DAYS)
    places, groups = (queries.names(c, found.tables, since) for c in ("location_code", "category"))
    return replace(
        found, bounds=(max(days["first_day"], since), days["last_day"]), locations=_names(s, places),
        categories=_names(s, groups),
    )  # fmt: skip


def _names(s: Services, query: queries.Query | None) -> tuple[str, ...]:
    return tuple(row["name"] for row in _asked(s, query)) if query else ()


def _asked(s: Services, query: queries.Query) -> list[queries.Row]:
    return s.warehouse.query(query.sql, dict(query.params))


def _read_health() -> Health:
    with _plain_words() as s:
        with ThreadPoolExecutor(4) as pool:
            found = pool.map(s.warehouse.query, _HEALTH_QUERIES.values())
        answers = dict(zip(_HEALTH_QUERIES, found, strict=True))
        return Health(**answers, expected={feed: c.fresh_within for feed, c in s.contracts.items()})


def _read_rows(sql: str, params: tuple[tuple[str, Any], ...]) -> list[queries.Row]:
    with _plain_words() as s:
        return s.warehouse.query(sql, dict(params))


def _read_why(kpi: str, first: date, last: date) -> dict[str, Any] | None:
    """Return why a KPI moved, as ``stockflow kpi why`` says it; None when it has no value on one of the days."""
    from cli.kpi.why import answer, asked
    from cli.output import CommandError

    with _plain_words() as s:
        try:
            return answer(asked(kpi, s), (first, last), most=25)
        except CommandError:
            return None


def _read_definition(kpi: str) -> tuple[Definition, dict[str, Any]]:
    """Return a KPI's definition, and its ``lineage`` and last ``run``."""
    from cli.kpi.figures import last_run
    from cli.kpi.lineage import traced
    from cli.kpi.workspace import open_workspace
    from cli.output import CommandError

    with _plain_words() as s:
        workspace = open_workspace([kpi], s.settings.definitions_uri, s)
        definition = workspace.one()
        facts: dict[str, Any] = {"run": None, "lineage": [], "steps": None}
        with suppress(CommandError, StockflowError):
            facts["run"] = last_run(s, definition)
        with suppress(CommandError, StockflowError):
            origin, facts["lineage"] = traced(workspace, "value")
            facts["steps"] = origin.tree()
        return definition, facts


services: Callable[[], Services] = st.cache_resource(Services.from_env)
_content_in: Callable[[str], Content] = st.cache_data(ttl=TTL_SECONDS, show_spinner=False)(_read_content)
health: Callable[[], Health] = st.cache_data(ttl=TTL_SECONDS, show_spinner=False)(_read_health)
_why: Callable[[str, date, date], dict[str, Any] | None] = st.cache_data(ttl=TTL_SECONDS, show_spinner=False)(_read_why)
definition: Callable[[str], tuple[Definition, dict[str, Any]]] = st.cache_data(ttl=TTL_SECONDS, show_spinner=False)(
    _read_definition
)
_rows: Callable[[str, tuple[tuple[str, Any], ...]], list[queries.Row]] = st.cache_data(
    ttl=TTL_SECONDS, show_spinner=False
)(_read_rows)


def content() -> Content:
    """Return what there is to show, in the reader's language."""
    with st.spinner(said("Reading the warehouse ...")):
        return _content_in(LANGUAGE.get())


def why(kpi: str, first: date, last: date) -> dict[str, Any] | None:
    """Return why a KPI moved between two days; None when it has no value on one of them."""
    with st.spinner(said("Looking for what moved it ...")):
        return _why(kpi, first, last)


def rows(query: queries.Query) -> list[queries.Row]:
    """Return the rows of a query; the same question is asked once in a while only."""
    return _rows(query.sql, query.params)


def refresh() -> None:
    """Forget what was read, so that the next run asks again."""
    st.cache_data.clear()
