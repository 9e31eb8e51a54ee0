"""What the pages read of the warehouse and the definitions."""

import socket
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from cli.freshness import ARRIVALS
from cli.texts import speaking
from functions.kpi.catalog import Catalog, catalog_of, contracts_of, read_texts
from functions.kpi.definition import Definition
from local.dashboard import queries
from local.dashboard.catalogue import Kpi, shown
from local.dashboard.health import Totals, totals
from stockflow.errors import StockflowError
from stockflow.identity import digest
from stockflow.services import Services

HORIZON_DAYS = 400
services = cache(Services.from_env)
_QUALITY_QUERIES = {
    name: queries.text(name) for name in ("loads", "attention", "rejects", "quarantine", "reasons", "by_day", "doubts")
}


Texts = tuple[tuple[str, str], ...]  # file of a definition, and its text


class UnavailableError(Exception):
    """The warehouse or the definitions cannot be read; the message says what to do."""


@dataclass(frozen=True)
class Version:
    """A state of the warehouse: ``figures`` moves with each load and KPI run, ``tables`` with the definitions only."""

    figures: str
    tables: str


@dataclass(frozen=True)
class Content:
    """What there is to show: KPIs, days, locations and categories. The figures are asked for when they are drawn."""

    project: str
    kpis: tuple[Kpi, ...]
    columns: dict[str, tuple[str, ...]]
    last_days: Mapping[str, date] = field(default_factory=dict)
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
    """What the head of each page says about the pipeline."""

    totals: Totals
    freshness: list[queries.Row]
    expected: dict[str, timedelta | None]


@dataclass(frozen=True)
class Quality:
    """What the page about data quality shows: the newest of each."""

    loads: list[queries.Row]
    attention: list[queries.Row]
    rejects: list[queries.Row]
    quarantine: list[queries.Row]
    reasons: list[queries.Row]
    by_day: list[queries.Row]
    doubts: list[queries.Row]


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


def texts() -> Texts:
    """Return the files of the environment's definitions."""
    with _plain_words() as s:
        return tuple(sorted(read_texts(s.settings.definitions_uri, s).items()))


def catalog(files: Texts) -> Catalog:
    """Return what these files define."""
    with _plain_words() as s:
        return catalog_of(dict(files), contracts_of(s))


def tables() -> dict[str, tuple[str, ...]]:
    """Return the columns of each KPI's table."""
    with _plain_words() as s:
        return queries.kpi_tables(s.warehouse)


def content(defined: Catalog, language: str, columns: dict[str, tuple[str, ...]]) -> Content:
    """Return what there is to show of these definitions."""
    with _plain_words() as s, speaking(language):
        kpis = shown(defined.definitions.values(), columns)
        faults = tuple(fault.message for fault in defined.faults.values())
        return _filled(s, Content(s.settings.project, kpis, columns, faults=faults))


def _filled(s: Services, found: Content) -> Content:
    days = _asked(s, queries.bounds(found.tables)) if found.kpis else []
    if not days:
        return found
    first, last = min(row["first_day"] for row in days), max(row["last_day"] for row in days)
    since = last - timedelta(days=HORIZON_DAYS)
    with ThreadPoolExecutor(2) as pool:
        asked = (queries.names(column, found.tables, since) for column in ("location_code", "category"))
        places, groups = pool.map(lambda query: _names(s, query), asked)
    return replace(
        found, last_days={row["kpi"]: row["last_day"] for row in days}, bounds=(max(first, since), last),
        locations=places, categories=groups,
    )  # fmt: skip


def _names(s: Services, query: queries.Query | None) -> tuple[str, ...]:
    return tuple(row["name"] for row in _asked(s, query)) if query else ()


def _asked(s: Services, query: queries.Query) -> list[queries.Row]:
    return s.warehouse.query(query.sql, dict(query.params))


def health() -> Health:
    """Return what the head of each page says about the pipeline."""
    with _plain_words() as s:
        counted = totals(s.warehouse.query(queries.text("totals")))
        expected = {feed: c.fresh_within for feed, c in s.contracts.items()}
        return Health(counted, s.warehouse.query(ARRIVALS), expected)


def quality() -> Quality:
    """Return what the page about data quality shows."""
    with _plain_words() as s, ThreadPoolExecutor(3) as pool:
        found = pool.map(s.warehouse.query, _QUALITY_QUERIES.values())
        return Quality(**dict(zip(_QUALITY_QUERIES, found, strict=True)))


def version(files: Texts) -> Version:
    """Return the state of what was loaded and computed, and of the definitions."""
    with _plain_words() as s:
        (found,) = s.warehouse.query(queries.text("version"))
    defined = digest(*(part for file in files for part in file))
    return Version(digest(*found.values(), defined), digest(found["definitions"], defined))


def rows(sql: str, params: tuple[tuple[str, Any], ...]) -> list[queries.Row]:
    """Return the rows of a query."""
    with _plain_words() as s:
        return s.warehouse.query(sql, dict(params))


def why(kpi: str, first: date, last: date) -> dict[str, Any] | None:
    """Return why a KPI moved, as ``stockflow kpi why`` says it; None when it has no value on one of the days."""
    from cli.kpi.why import answer, asked
    from cli.output import CommandError

    with _plain_words() as s:
        try:
            return answer(asked(kpi, s), (first, last), most=25)
        except CommandError:
            return None


def definition(kpi: str) -> tuple[Definition, dict[str, Any]]:
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
