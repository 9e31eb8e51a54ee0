"""Which KPIs a batch of loads touches, in which order, for which dates; each is computed or says why not."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from functions.kpi.catalog import Catalog
from functions.kpi.dates import Span, affected, gone, unseen
from functions.kpi.definition import Definition
from functions.kpi.graph import columns, in_order, reads
from functions.kpi.runner import Job, Run, compute, rebuild
from functions.kpi.state import State, read_state
from stockflow.contracts import Contract
from stockflow.errors import PermanentError
from stockflow.ledger import StageRecord
from stockflow.log import log
from stockflow.points import reached
from stockflow.services import Services
from stockflow.settings import bundle_root

# Says how far facts are known, not what they say: a KPI's span follows from it (see ``State``), its rows do not.
HORIZONS = "inventory_curated.known_days"


def refresh_all(catalog: Catalog, work: Iterable[StageRecord], services: Services) -> list[Run]:
    """Compute what these loads can change, and what was never computed as it is defined now."""
    state = read_state(services)
    if not state.spans:
        return []
    plan = _plan(catalog)
    round_ = _Round(services, state, plan.reads, touched(work, state.spans["all"]), set(plan.bad))
    return [*plan.faults, *round_.runs(plan.order)]


@dataclass(frozen=True)
class _Plan:
    """The definitions that can run, in their order, and what is wrong with the others."""

    order: list[Definition]
    reads: dict[str, set[str]]
    faults: list[Run]

    @property
    def bad(self) -> list[str]:
        """Tables that nobody keeps up to date."""
        return [f"inventory_kpi.{run.kpi}" for run in self.faults]


def _plan(catalog: Catalog) -> _Plan:
    faults = [Run(name, "failed", message=error.message) for name, error in catalog.faults.items()]
    definitions = dict(catalog.definitions)
    views = {name: sql for name, sql in views_by_name().items() if name != HORIZONS}
    read = reads(definitions, views)
    while True:
        try:
            return _Plan(in_order(definitions, read), read, faults)
        except PermanentError as error:
            circle = set(error.facts["circle"])
            faults += [Run(name, "failed", message=error.message) for name in sorted(circle)]
            definitions = {name: d for name, d in definitions.items() if name not in circle}


def views_by_name(dataset: str = "*") -> dict[str, str]:
    """Return ``dataset.view`` -> SELECT of the project's views."""
    folder = bundle_root() / "warehouse" / "views"
    return {f"{p.parent.name}.{p.stem}": p.read_text(encoding="utf-8") for p in folder.glob(f"{dataset}/*.sql")}


def touched(work: Iterable[StageRecord], span: Span) -> dict[str, set[date]]:
    """Return table -> the business dates that these loads touched; a dimension touches all.

    Dates beyond the span stay: a corrected typo in a year leaves rows there that must go.
    """
    changed: dict[str, set[date]] = {}
    for record in work:
        days = {date.fromisoformat(d) for d in record.detail.get("dates") or []}
        if record.detail.get("all_dates"):
            days |= span.days()
        for table in record.detail.get("tables") or []:
            changed.setdefault(table, set()).update(days)
    return changed


@dataclass
class _Round:
    """One pass over the definitions: what has changed so far, and which tables cannot be relied on."""

    services: Services
    state: State
    reads: Mapping[str, set[str]]
    changed: dict[str, set[date]]
    bad: set[str] = field(default_factory=set)

    def runs(self, order: Iterable[Definition]) -> list[Run]:
        return [run for definition in order if (run := self._one(definition)) is not None]

    def _one(self, definition: Definition) -> Run | None:
        inputs = self.reads[definition.name]
        if failed := sorted(inputs & self.bad):
            self.bad.add(definition.table)
            return Run(definition.name, "skipped", message=f"reads {', '.join(failed)}, which failed")
        dates = self._dates(definition, inputs)
        if not dates:
            return None
        run = self._computed(definition, inputs, dates)
        reached("kpi.computed")
        if run.state != "computed":
            self.bad.add(definition.table)
        self.changed[definition.table] = dates
        log("INFO", f"kpi {run.kpi} {run.state}", fields={"dates": len(dates)}, stage="kpi", kpi=run.kpi)
        return run

    def _dates(self, definition: Definition, inputs: Iterable[str]) -> set[date]:
        span, covered = self.state.span(definition), self.state.covered(definition)
        if not self.state.stands(definition):
            return span.days() | gone(covered, span)
        changes = {day for table in inputs for day in self.changed.get(table, ())}
        beyond, new = gone(covered, span), unseen(covered, span)
        if columns(definition) == ["business_date"]:
            return new | beyond  # the days of a spine come and go, they do not change
        return affected(changes, definition.lookback_days, span) | new | beyond

    def _computed(self, definition: Definition, inputs: Iterable[str], dates: set[date]) -> Run:
        span = self.state.span(definition)
        inside = frozenset(day for day in dates if day in span) or frozenset({span.last})
        job = Job(definition, inside, span)
        if not self.state.stands(definition):
            return rebuild(job, self.services)
        return compute(job, dated_inputs(inputs, self.services.contracts), self.services)


def dated_inputs(inputs: Iterable[str], contracts: Mapping[str, Contract]) -> set[str]:
    """Return the tables, of those that a definition reads, that have a row for each business date."""
    facts = {f"inventory_curated.{feed}" for feed, contract in contracts.items() if contract.business_date}
    return {t for t in inputs if t in facts or t.startswith("inventory_kpi.")}
