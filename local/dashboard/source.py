"""The warehouse's answers, kept for a few seconds, so that a filter costs no query."""

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlsplit

import streamlit as st

from functions.kpi.catalog import read_catalog
from local.dashboard import queries
from local.dashboard.catalogue import Kpi, shown
from local.dashboard.rollup import Cell
from stockflow.errors import StockflowError
from stockflow.services import Services

TTL_SECONDS = 20
HORIZON_DAYS = 400
_HEALTH_QUERIES = ("loads", "rejects", "quarantine", "reasons", "freshness")


class UnavailableError(Exception):
    """The warehouse or the definitions cannot be read; the message says what to do."""


@dataclass(frozen=True)
class Content:
    """Everything about KPIs that the page shows."""

    project: str
    kpis: tuple[Kpi, ...]
    columns: dict[str, tuple[str, ...]]
    cells: dict[str, list[Cell]]
    faults: tuple[str, ...] = ()

    @property
    def bounds(self) -> tuple[date, date] | None:
        """The first and last date with KPI rows; None when nothing was computed yet."""
        days = [c.day for cells in self.cells.values() for c in cells]
        return (min(days), max(days)) if days else None

    def names(self, dimension: str) -> list[str]:
        """The locations or categories that any KPI knows."""
        found = {getattr(c, dimension) for cells in self.cells.values() for c in cells}
        return sorted(n for n in found if n is not None)


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


def _read_content() -> Content:
    with _plain_words() as s:
        return _content(s)


def _content(s: Services) -> Content:
    columns = queries.kpi_tables(s.warehouse)
    catalog = read_catalog(s.settings.definitions_uri, s)
    kpis = shown(catalog.definitions.values(), columns)
    with ThreadPoolExecutor(4) as pool:
        found = pool.map(lambda k: queries.cells(s.warehouse, k.name, columns[k.name], HORIZON_DAYS), kpis)
        cells = {k.name: c for k, c in zip(kpis, found, strict=True)}
    faults = tuple(fault.message for fault in catalog.faults.values())
    return Content(s.settings.project, kpis, columns, cells, faults)


def _read_health() -> Health:
    with _plain_words() as s:
        with ThreadPoolExecutor(4) as pool:
            found = pool.map(lambda name: s.warehouse.query(queries.text(name)), _HEALTH_QUERIES)
        answers = dict(zip(_HEALTH_QUERIES, found, strict=True))
        return Health(**answers, expected={feed: c.fresh_within for feed, c in s.contracts.items()})


def _read_rows(sql: str, params: tuple[tuple[str, Any], ...]) -> list[queries.Row]:
    with _plain_words() as s:
        return s.warehouse.query(sql, dict(params))


services: Callable[[], Services] = st.cache_resource(Services.from_env)
content: Callable[[], Content] = st.cache_data(ttl=TTL_SECONDS, show_spinner="Reading the warehouse ...")(_read_content)
health: Callable[[], Health] = st.cache_data(ttl=TTL_SECONDS, show_spinner=False)(_read_health)
rows: Callable[[str, tuple[tuple[str, Any], ...]], list[queries.Row]] = st.cache_data(
    ttl=TTL_SECONDS, show_spinner=False
)(_read_rows)


def refresh() -> None:
    """Forget what was read, so that the next run asks again."""
    st.cache_data.clear()
