"""Which KPIs a batch of loads touches, in which order, for which dates; each is computed or says why not."""

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from graphlib import TopologicalSorter

from functions.kpi.catalog import Catalog
from functions.kpi.dates import affected, gone, unseen
from functions.kpi.definition import Definition
from functions.kpi.dimensions import DimensionChanges, changes
from functions.kpi.graph import chains, columns, levels, reads, sorted_by_inputs
from functions.kpi.intervals import resting
from functions.kpi.kept import kept_from, still_kept
from functions.kpi.moved import touched
from functions.kpi.runner import RETIRED, Computed, Job, Run, compute, rebuild, record_runs
from functions.kpi.shares import shared_out
from functions.kpi.state import State, read_state
from stockflow.contracts import Contract
from stockflow.errors import PermanentError
from stockflow.ledger import StageRecord
from stockflow.log import log
from stockflow.points import reached
from stockflow.services import Services
from stockflow.settings import bundle_root

# Scripts at once: for a few loads many, so that their numbers are there soon; for a burst few, which cost fewer jobs.
# Ten is what the client of BigQuery keeps connections for (``pool_maxsize`` of requests).
SIDE_BY_SIDE = 10
IN_A_BURST = {300: 1, 20: 2}  # from so many loads on
# Says how far facts are known, not what they say: a KPI's span follows from it (see ``State``), its rows do not.
HORIZONS = "inventory_curated.known_days"


@dataclass(frozen=True)
class Work:
    """A transformed load, and the KPIs (``key``) that hold it already: computed before a drain put the others off.

    ``held_by`` is None when no drain put any off. ``all_days``: it is replayed, so its record says the days of all its
    transforms.
    """

    record: StageRecord
    held_by: frozenset[str] | None = None
    all_days: bool = False


@dataclass(frozen=True)
class Refreshed:
    """What was computed, failed or was skipped; ``keys``: the KPIs that hold all.

    ``left``: KPIs there was no time for; ``resting``: those that are not due yet, or read one, and when they are.
    """

    runs: list[Run]
    keys: frozenset[str] = frozenset()
    left: tuple[str, ...] = ()
    resting: Mapping[str, datetime] = field(default_factory=dict)


def key(definition: Definition) -> str:
    """Return what a checkpoint says of a KPI that was computed: its name and version."""
    return f"{definition.name} {definition.version}"


def refresh_all(catalog: Catalog, work: Iterable[Work], services: Services, end: float) -> Refreshed:
    """Compute what these loads can change, and what was never computed as it is defined now.

    Each is begun when those that it reads are there, so many side by side; none after ``end`` (``time.monotonic()``).
    """
    state = read_state(services)
    if not state.spans:
        return Refreshed([])
    plan = _plan(catalog)
    found = _Round(services, state, plan, list(work), end).refreshed()
    return replace(found, runs=[*found.runs, *_retired(catalog, state)])


def _retired(catalog: Catalog, state: State) -> list[Run]:
    """Return an end for each table whose definition is gone: should that come back, its table is made anew."""
    gone_ones = state.done.keys() - catalog.definitions.keys() - catalog.faults.keys()
    return [Run(name, RETIRED, message="its definition is gone, its rows stay") for name in sorted(gone_ones)]


@dataclass(frozen=True)
class _Plan:
    """The definitions that can run, in their order, and what is wrong with the others."""

    levels: list[list[Definition]]
    reads: dict[str, set[str]]
    faults: list[Run]
    views: Mapping[str, str]

    @property
    def definitions(self) -> dict[str, Definition]:
        """The definitions by name, each after those that it reads."""
        return {d.name: d for level in self.levels for d in level}

    @property
    def bad(self) -> list[str]:
        """Tables that nobody keeps up to date."""
        return [f"inventory_kpi.{run.kpi}" for run in self.faults]


def _plan(catalog: Catalog) -> _Plan:
    faults = [Run(name, "failed", message=error.message) for name, error in catalog.faults.items()]
    definitions = dict(catalog.definitions)
    views = without_horizons(views_by_name())
    read = reads(definitions, views)
    while True:
        try:
            return _Plan(levels(definitions, read), read, faults, views)
        except PermanentError as error:
            circle = set(error.facts["circle"])
            faults += [Run(name, "failed", message=error.message) for name in sorted(circle)]
            definitions = {name: d for name, d in definitions.items() if name not in circle}


def views_by_name(dataset: str = "*") -> dict[str, str]:
    """Return ``dataset.view`` -> SELECT of the project's views."""
    folder = bundle_root() / "warehouse" / "views"
    return {f"{p.parent.name}.{p.stem}": p.read_text(encoding="utf-8") for p in folder.glob(f"{dataset}/*.sql")}


def without_horizons(views: Mapping[str, str]) -> dict[str, str]:
    """Return the views that decide what rows of KPIs say."""
    return {name: sql for name, sql in views.items() if name != HORIZONS}


class _Round:
    """One pass over the definitions: which dates, what was computed, and which tables cannot be relied on."""

    def __init__(self, services: Services, state: State, plan: _Plan, work: list[Work], end: float) -> None:
        self._services, self._state, self._plan, self._work, self._end = services, state, plan, work, end
        self._definitions = plan.definitions
        self._behind = chains(plan.levels, plan.reads)
        self._bad = set(plan.bad)
        self._done: list[Computed] = []  # what is not recorded yet
        self._runs: dict[str, Run] = {}
        self._left = dict[str, str]()  # KPIs there was no time for, and their tables
        self._not_due = resting(state, services)
        self._kept_from = kept_from(services)
        self._resting = dict[str, datetime]()  # KPIs with work that are not due yet
        self._known: dict[frozenset[str], dict[str, set[date]]] = {}  # loads that are new to a KPI -> table -> dates

    def refreshed(self) -> Refreshed:
        """Compute each KPI as soon as those that it reads are there, until the time is over."""
        sorter = sorted_by_inputs(self._definitions, self._plan.reads)
        waiting: list[Job] = []
        running: dict[Future[list[Run | None]], list[Job]] = {}
        with ThreadPoolExecutor(self._side_by_side) as pool:
            while sorter.is_active():
                waiting += self._ready(sorter)
                for share in self._shares(waiting)[: self._side_by_side - len(running)]:
                    running[pool.submit(self._computed, share)] = share
                    waiting = [job for job in waiting if job not in share]
                for ended in wait(running, return_when=FIRST_COMPLETED).done:
                    share = running.pop(ended)
                    self._note(share, ended.result())
                    sorter.done(*(job.definition.name for job in share))
        record_runs(self._done, self._services)
        runs = [self._runs[name] for name in self._definitions if name in self._runs]
        left = tuple(name for name in self._definitions if name in self._left)
        held = self._definitions.keys() - self._left.keys() - self._resting.keys()
        return Refreshed(self._plan.faults + runs, frozenset(map(self._key, held)), left, self._resting)

    def _key(self, name: str) -> str:
        return key(self._definitions[name])

    def _ready(self, sorter: "TopologicalSorter[str]") -> list[Job]:
        """Return the jobs that can begin now; KPIs that have none are done."""
        jobs: list[Job] = []
        while names := sorter.get_ready():
            found = {name: self._begun(self._definitions[name]) for name in sorted(names)}
            sorter.done(*(name for name, job in found.items() if job is None))
            jobs += [job for job in found.values() if job is not None]
        return jobs

    def _begun(self, definition: Definition) -> Job | None:
        """Return what there is to compute of a KPI, None when nothing is, or nothing can be."""
        inputs = self._plan.reads[definition.name]
        if failed := sorted(inputs & self._bad):
            self._ended(definition, Run(definition.name, "skipped", message=f"reads {', '.join(failed)}, which failed"))
            return None
        if inputs & set(self._left.values()):
            self._left[definition.name] = definition.table
            return None
        dates = self._dates(definition)
        if dates and (due := self._due(definition)):
            self._resting[definition.name] = due
            return None
        return self._job(definition, dates) if dates else None

    def _due(self, definition: Definition) -> datetime | None:
        """Return when a KPI is due: it rests, or one that it reads does. None when it is computed now.

        A table that is to be made anew rests for its inputs only: nobody can rely on what it holds.
        """
        own = self._not_due.get(definition.name) if self._state.stands(definition) else None
        inputs = self._plan.reads[definition.name]
        resting = [due for name, due in self._resting.items() if self._definitions[name].table in inputs]
        return max(filter(None, [own, *resting]), default=None)

    def _note(self, share: list[Job], runs: list[Run | None]) -> None:
        """Note how the jobs of a script ended: a run of None is one there was no time for."""
        for job, run in zip(share, runs, strict=True):
            if run is None:
                self._left[job.definition.name] = job.definition.table
                continue
            self._ended(job.definition, run)
            reached("kpi.computed")
            log("INFO", f"kpi {run.kpi} {run.state}", fields={"dates": len(job.dates)}, stage="kpi", kpi=run.kpi)

    def _ended(self, definition: Definition, run: Run) -> None:
        self._runs[definition.name] = run
        if run.state != "computed":
            self._bad.add(definition.table)

    def _job(self, definition: Definition, dates: set[date]) -> Job:
        span = self._state.span(definition)
        inside = frozenset(day for day in dates if day in span) or frozenset({span.last})
        inputs = dated_inputs(self._plan.reads[definition.name], self._services.contracts)
        return Job(definition, inside, span, frozenset(inputs))

    def _shares(self, jobs: Iterable[Job]) -> list[list[Job]]:
        """Return the jobs of each script, those first that most others wait for.

        A table that is made anew is alone, the others share a few scripts.
        """
        anew = [[job] for job in jobs if not self._state.stands(job.definition)]
        others = [job for job in jobs if self._state.stands(job.definition)]
        shares = anew + shared_out(others, self._state.seconds, self._behind, self._side_by_side)
        return sorted(shares, key=lambda share: -max(self._behind[job.definition.name] for job in share))

    @property
    def _side_by_side(self) -> int:
        loads = len(self._work)
        return next((scripts for least, scripts in IN_A_BURST.items() if loads >= least), SIDE_BY_SIDE)

    def _dates(self, definition: Definition) -> set[date]:
        """Return the days to compute: what the loads that are new to it changed, and what it does not cover yet."""
        new = frozenset(w.record.record_id for w in self._work if key(definition) not in (w.held_by or ()))
        if new not in self._known:
            self._known[new] = self._changed(new)
        return self._known[new].get(definition.table, set())

    def _changed(self, new: frozenset[str]) -> dict[str, set[date]]:
        """Return table -> the dates that these loads change in it, KPI tables included."""
        records = [w.record for w in self._work if w.record.record_id in new]
        changed, dimensions = touched(records, self._state.spans["all"]), changes(records, self._services)
        for definition in self._definitions.values():
            if dates := self._reached(definition, changed, dimensions):
                changed[definition.table] = dates
        return changed

    def _reached(
        self, definition: Definition, changed: Mapping[str, set[date]], dimensions: DimensionChanges
    ) -> set[date]:
        span, covered = self._state.span(definition), self._state.covered(definition)
        inputs = self._plan.reads[definition.name]
        if not self._state.stands(definition) or self._state.overtaken(definition, inputs):
            return span.days() | gone(covered, span)
        days = defaultdict[int, set[date]](set)  # look-back -> days that changed
        for table in inputs & changed.keys():
            days[definition.lookback(table)] |= changed[table]
        if first := dimensions.first_day(definition, inputs, self._plan.views):
            days[0] |= {day for day in span.days() if day >= first}
        beyond, new = gone(covered, span), unseen(covered, span)
        if columns(definition) == ["business_date"]:
            return new | beyond  # the days of a spine come and go, they do not change
        reached = (affected(still_kept(at, self._kept_from), lookback, span) for lookback, at in days.items())
        return set[date]().union(new, beyond, *reached)

    def _computed(self, share: list[Job]) -> list[Run | None]:
        """Run the jobs of one script; None for each when the time is over."""
        if time.monotonic() > self._end:
            return [None] * len(share)
        if not self._state.stands(share[0].definition):
            return [rebuild(share[0], self._services)]
        started = self._services.clock()
        runs = compute(share, self._services)
        took = (self._services.clock() - started).total_seconds() / len(share)
        self._done += [Computed(j, took) for j, run in zip(share, runs, strict=True) if run.state == "computed"]
        return [*runs]


def dated_inputs(inputs: Iterable[str], contracts: Mapping[str, Contract]) -> set[str]:
    """Return the tables, of those that a definition reads, that have a row for each business date."""
    facts = {f"inventory_curated.{feed}" for feed, contract in contracts.items() if contract.business_date}
    return {t for t in inputs if t in facts or t.startswith("inventory_kpi.")}
