"""What an assistant is told of KPIs: each answer names the table, the definition's version, and as of when it is."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from cli import wording
from cli.freshness import ARRIVALS, freshness
from cli.kpi.environment import one_kpi, parsed_days
from cli.kpi.figures import Figure, Part, Run, figures, known_by, last_run, series, splits
from cli.kpi.lineage import traced
from cli.kpi.movement import WORDS
from cli.kpi.why import answer, asked, both
from cli.kpi.workspace import open_workspace
from cli.output import CommandError
from cli.texts import LANGUAGE, said
from functions.kpi.catalog import Catalog, catalog_of, contracts_of, read_texts
from functions.kpi.definition import Definition
from functions.kpi.headline import UNKNOWN, told
from functions.kpi.state import read_spans
from stockflow.services import Services

Where = Mapping[str, str | list[str]] | None
Answer = dict[str, Any]
_WEEKS = timedelta(days=34)  # how far back the newest day with facts is looked for


def list_kpis(services: Services) -> Answer:
    """Return every KPI with what it means, and the definitions that cannot be read."""
    catalog = _catalog(services)
    told_of = (d.told_in(LANGUAGE.get()) for d in catalog.definitions.values() if d.kind == "kpi")
    kpis = sorted(told_of, key=lambda d: d.title)
    return {
        "project": services.settings.project,
        "kpis": [{**_defined(d), "split_by": splits(d)} for d in kpis],
        "cannot_be_read": {name: fault.message for name, fault in catalog.faults.items()},
    }


def describe_kpi(services: Services, kpi: str) -> Answer:
    """Return one KPI's whole definition: header, SQL, worked examples."""
    definition = one_kpi(_definition(services, kpi))
    return {
        **_defined(definition),
        "source_of_formula": definition.source, "owner": definition.owner, "grain": list(definition.grain),
        "split_by": splits(definition), "rollup": definition.rollup, "thresholds": definition.thresholds,
        "lookback_days": definition.lookback_days, "sql": definition.sql, "examples": list(definition.examples),
        "source": _source(services, definition, None, None),
    }  # fmt: skip


def read_kpi(services: Services, kpi: str, day: str = "", where: Where = None, by: str = "", limit: int = 20) -> Answer:
    """Return a KPI on a day (the newest one that is known), and its largest parts ``by`` a column."""
    found = _Asked(services, kpi, where)
    on = parsed_days(day, "")[0] or found.newest()
    rows = figures(services, found.definition, [on], found.part, known_by(found.definition, by)) if by else []
    return {
        **found.head(on),
        **found.told(figures(services, found.definition, [on], found.part), on),
        **({"by": by, **_largest([_row(f) for f in rows], "value", limit)} if by else {}),
    }


def read_series(services: Services, kpi: str, first: str, last: str, where: Where = None) -> Answer:
    """Return a KPI on each day from ``first`` to ``last``; a day without rows is not there."""
    found = _Asked(services, kpi, where)
    start, end = both(*parsed_days(first, last))
    rows = series(services, found.definition, start, end, found.part)
    return {**found.head(end), "from": start, "to": end, "days": [{"day": f.day, **_row(f)} for f in rows]}


def compare_kpi(
    services: Services, kpi: str, first: str, last: str, where: Where = None, by: str = "", limit: int = 20
) -> Answer:
    """Return a KPI on two days and the change between them, in all and ``by`` a column, largest change first."""
    found = _Asked(services, kpi, where)
    days = both(*parsed_days(first, last))
    ends = {f.day: f for f in figures(services, found.definition, days, found.part)}
    pair = _pair(ends.get(days[0]), ends.get(days[1]))
    rows = []
    if by:
        parts: dict[str | None, dict[date, Figure]] = {}
        for figure in figures(services, found.definition, days, found.part, known_by(found.definition, by)):
            parts.setdefault(figure.name, {})[figure.day] = figure
        rows = [{"name": name, **_pair(at.get(days[0]), at.get(days[1]))} for name, at in parts.items()]
    return {
        **found.head(days[1]), "from": days[0], "to": days[1], **pair,
        **({"by": by, **_largest(rows, "change", limit)} if by else {}),
    }  # fmt: skip


def why_kpi(services: Services, kpi: str, first: str, last: str, known_at: str = "", limit: int = 10) -> Answer:
    """Return why a KPI moved between two days: parts that add up to the change, then cells, files and lines."""
    subject = asked(kpi, services)
    found = answer(subject, both(*parsed_days(first, last)), known_at, limit)
    parts = {said(WORDS.get(name, name)): amount for name, amount in found["parts"].items()}
    return {**found, "parts": parts, "source": _source(services, subject.definition, found["to"], None)}


def lineage_of(services: Services, kpi: str, column: str = "value") -> Answer:
    """Return the columns of files that a KPI's column is computed from, and the steps in between."""
    workspace = open_workspace([kpi], services.settings.definitions_uri, services)
    origin, sources = traced(workspace, column)
    return {
        "kpi": kpi, "column": column, "files": sources, "steps": origin.tree(),
        "source": _source(services, workspace.one(), None, None),
    }  # fmt: skip


def data_freshness(services: Services) -> Answer:
    """Return when each feed last brought rows, what its contract expects, and how far the facts of KPIs reach."""
    rows = services.warehouse.query(ARRIVALS)
    expected = {feed: contract.fresh_within for feed, contract in services.contracts.items()}
    now = services.clock()
    return {
        "now": now,
        "feeds": [
            {"feed": f.feed, "state": f.state, "last_file": f.last, "ago": wording.ago(f.last, now),
             "expected_every": wording.span(f.expected) if f.expected else None, "loads": f.loads, "rows": f.rows}
            for f in freshness(expected, rows, now)
        ],
        "facts": {horizon: {"from": span.first, "to": span.last} for horizon, span in read_spans(services).items()},
        "source": {"project": services.settings.project, "tables": ["inventory_ops.loads",
                                                                    "inventory_curated.known_days"], "as_of": now},
    }  # fmt: skip


class _Asked:
    """A KPI and the part of the business that an assistant asks about."""

    def __init__(self, services: Services, kpi: str, where: Where) -> None:
        self.services = services
        self.definition = one_kpi(_definition(services, kpi))
        self.part = Part.of(self.definition, where)
        self.run: Run = last_run(services, self.definition)

    def newest(self) -> date:
        """Return the newest day on which most cells are known, as headlines have it."""
        until = self.run.last_day
        known = series(self.services, self.definition, until - _WEEKS, until, self.part)
        sure = [f.day for f in known if f.value is not None or f.reason not in UNKNOWN]
        return max(sure or [f.day for f in known] or [until])

    def head(self, as_of: date) -> Answer:
        """Return what every answer begins with."""
        shown = told(self.definition)[0]
        return {
            "kpi": self.definition.name, "title": self.definition.title, "unit": shown.unit,
            "formula": self.definition.formula, "where": {c: list(v) for c, v in self.part.columns.items()},
            "source": _source(self.services, self.definition, as_of, self.run),
        }  # fmt: skip

    def told(self, found: Sequence[Figure], day: date) -> Answer:
        """Return the figure of a day in words and numbers."""
        if not found:
            words = said("no row of {table} for {day} and these filters", table=self.definition.table, day=day)
            return {"day": day, "value": None, "said": words}
        shown = told(self.definition)[0]
        (figure,) = found
        meaning = wording.filled(shown.meaning, figure.value, shown.unit)
        told_of = meaning or wording.figure(figure.value, shown.unit)
        words = wording.reason(figure.reason) if figure.value is None else told_of
        return {"day": day, **_row(figure), "said": words, "cells": figure.cells,
                "cells_without_value": figure.without_value}  # fmt: skip


_read: dict[frozenset[tuple[str, str]], Catalog] = {}  # the definitions that were read last: most calls find the same


def _catalog(services: Services) -> Catalog:
    texts = read_texts(services.settings.definitions_uri, services)
    known = frozenset(texts.items())
    if known not in _read:
        _read.clear()
        _read[known] = catalog_of(texts, contracts_of(services))
    return _read[known]


def _definition(services: Services, kpi: str) -> Definition:
    catalog = _catalog(services)
    if kpi in catalog.faults:
        raise catalog.faults[kpi]
    if kpi not in catalog.definitions:
        names = ", ".join(sorted(d.name for d in catalog.definitions.values() if d.kind == "kpi"))
        raise CommandError(f"no KPI {kpi!r}: there are {names}")
    return catalog.definitions[kpi].told_in(LANGUAGE.get())


def _defined(definition: Definition) -> Answer:
    return {
        "kpi": definition.name, "title": definition.title, "description": definition.description,
        "meaning": definition.meaning, "formula": definition.formula, "unit": told(definition)[0].unit,
        "better": {"up": "higher", "down": "lower"}.get(definition.direction, "neither"),
        "version": definition.version, "table": definition.table,
    }  # fmt: skip


def _source(services: Services, definition: Definition, as_of: date | None, run: Run | None) -> Answer:
    """Return where a number comes from; ``defined_version`` differs while the rows are not computed anew yet."""
    if run is None:
        try:
            run = last_run(services, definition)
        except CommandError:
            run = None
    return {
        "project": services.settings.project, "table": definition.table,
        "definition_version": run.definition_version if run else None, "defined_version": definition.version,
        "computed_at": run.computed_at if run else None, "as_of": as_of or (run.last_day if run else None),
    }  # fmt: skip


def _row(figure: Figure) -> Answer:
    named = {} if figure.name is None else {"name": figure.name}
    reason = {} if figure.value is not None else {"reason": figure.reason}
    return {**named, "value": figure.value, **reason, "numerator": figure.numerator, "denominator": figure.denominator}


def _pair(before: Figure | None, after: Figure | None) -> Answer:
    one, two = before.value if before else None, after.value if after else None
    return {
        "before": one, "after": two, "change": None if one is None or two is None else two - one,
        "change_pct": None if one is None or two is None or not one else 100 * (two - one) / abs(one),
        **{f"reason_{end}": f.reason if f else "no_data"
           for end, f in (("before", before), ("after", after)) if f is None or f.value is None},
    }  # fmt: skip


def _largest(rows: list[Answer], column: str, limit: int) -> Answer:
    """Return the rows that weigh most, and how many are left out."""
    ordered = sorted(rows, key=lambda r: (r[column] is None, -abs(r[column] or 0.0), str(r.get("name"))))
    return {"rows": ordered[:limit], "rows_left_out": max(0, len(ordered) - limit)}
