"""One drain: all pending loads, the KPIs that they touch in their order, then their events."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from functions.kpi.catalog import load_definitions
from functions.kpi.dates import Span, affected, beyond
from functions.kpi.definition import Definition
from functions.kpi.graph import in_order, reads
from functions.kpi.runner import Run, compute, rebuild
from stockflow.errors import TransientError
from stockflow.events import StageEvent, encode
from stockflow.identity import code_version, run_id, stage_version
from stockflow.ledger import StageRecord, is_duplicate, next_record
from stockflow.log import log
from stockflow.services import Services
from stockflow.settings import bundle_root
from stockflow.singleflight import SingleFlight

_HERE = Path(__file__).resolve().parent
_flight: SingleFlight[frozenset[str]] = SingleFlight()
ALL = "all"  # one key: KPIs read tables of every feed


def refresh(event: StageEvent, services: Services) -> None:
    """Return when the KPIs hold the load that the event names and everyone was told.

    Raises:
        TransientError: ``not_transformed_yet``, or what the warehouse or the bus could not do now.
    """
    unknown = _flight.join(ALL, event.load_id, lambda asked: drain(asked, services))
    if event.load_id in unknown:
        raise TransientError("not_transformed_yet", f"the ledger has no transform of load {event.load_id}")


@dataclass(frozen=True)
class State:
    """What was computed so far: KPI -> (definition version, last date), and the span of the facts."""

    done: dict[str, tuple[str, date | None]]
    span: Span | None


def drain(asked: frozenset[str], services: Services) -> frozenset[str]:
    """Refresh what is pending and what was asked for; return the asked loads the ledger does not know."""
    definitions = load_definitions(services.settings.definitions_uri, services)
    version = stage_version(code_version(_HERE), *(d.version for d in definitions.values()))
    started = services.clock()
    latest = services.ledger.latest(asked | set(services.ledger.pending("kpi")))
    transformed = {load: stages["transform"] for load, stages in latest.items() if "transform" in stages}
    window = services.settings.replay_window_seconds
    repeated: list[StageRecord] = []
    work: list[StageRecord] = []
    for load, record in transformed.items():
        done = latest[load].get("kpi")
        is_repeat = is_duplicate(done, version, record.record_id, started, window)
        (repeated if is_repeat else work).append(done if is_repeat and done else record)
    if work:
        runs = _compute(definitions, work, services)
        repeated += _record(work, runs, version, started, services)
    _publish(repeated, services)
    return asked - transformed.keys()


# -- what to compute


def _compute(definitions: dict[str, Definition], work: list[StageRecord], services: Services) -> list[Run]:
    state = _state(services)
    if state.span is None:
        return []
    read = reads(definitions, _views())
    changed = _changed(work, state.span)
    bad: set[str] = set()
    runs: list[Run] = []
    for definition in in_order(definitions, read):
        run = _one(definition, read[definition.name], changed, bad, state, services)
        if run is not None:
            runs.append(run)
            if run.state != "computed":
                bad.add(definition.table)
    _record_failures([r for r in runs if r.state != "computed"], definitions, services)
    return runs


def _one(
    definition: Definition, inputs: set[str], changed: dict[str, set[date]], bad: set[str], state: State,
    services: Services,
) -> Run | None:  # fmt: skip
    assert state.span is not None
    if failed := sorted(inputs & bad):
        return Run(definition.name, "skipped", message=f"reads {', '.join(failed)}, which failed")
    version, last = state.done.get(definition.name, ("", None))
    if version != definition.version:
        dates = state.span.days()
        run = rebuild(definition, sorted(dates), services)
    else:
        touched = set().union(set(), *(changed.get(t, set()) for t in inputs))
        dates = affected(touched, definition.lookback_days, state.span) | beyond(last, state.span)
        if not dates:
            return None
        run = compute(definition, sorted(dates), _dated(inputs, services), services)
    changed[definition.table] = dates
    log("INFO", f"kpi {definition.name} {run.state}", fields={"dates": len(dates)}, stage="kpi", kpi=definition.name)
    return run


def _dated(inputs: Iterable[str], services: Services) -> set[str]:
    facts = {f"inventory_curated.{f}" for f, c in services.contracts.items() if c.business_date}
    return {t for t in inputs if t in facts or t.startswith("inventory_kpi.")}


def _changed(work: list[StageRecord], span: Span) -> dict[str, set[date]]:
    """Return table -> the business dates that these loads touched; a dimension touches all."""
    changed: dict[str, set[date]] = {}
    for record in work:
        days = {date.fromisoformat(d) for d in record.detail.get("dates") or []}
        if record.detail.get("all_dates"):
            days = span.days()
        for table in record.detail.get("tables") or []:
            changed.setdefault(table, set()).update(days)
    return changed


def _views() -> dict[str, str]:
    folder = bundle_root() / "warehouse" / "views"
    return {f"{p.parent.name}.{p.stem}": p.read_text(encoding="utf-8") for p in folder.glob("inventory_curated/*.sql")}


_DONE = """
SELECT kpi, definition_version, MAX(to_date) OVER (PARTITION BY kpi, definition_version) AS to_date
FROM inventory_ops.kpi_runs WHERE state = 'computed'
QUALIFY ROW_NUMBER() OVER (PARTITION BY kpi ORDER BY finished_at DESC) = 1
"""
_DATED = ("stock_snapshots", "sales", "stock_movements", "stock_counts")


def _state(services: Services) -> State:
    done = {r["kpi"]: (r["definition_version"], r["to_date"]) for r in services.warehouse.query(_DONE)}
    spans = " UNION ALL ".join(
        f"SELECT MIN(business_date) AS a, MAX(business_date) AS b FROM inventory_curated.{t}" for t in _DATED
    )
    row = services.warehouse.query(f"SELECT MIN(a) AS a, MAX(b) AS b FROM ({spans})")[0]
    return State(done, Span(row["a"], row["b"]) if row["a"] else None)


# -- what was done


def _record_failures(runs: list[Run], definitions: dict[str, Definition], services: Services) -> None:
    now = services.clock()
    rows = [
        {"run_id": uuid4().hex, "kpi": r.kpi, "definition_version": definitions[r.kpi].version, "state": r.state,
         "from_date": r.from_date, "to_date": r.to_date, "message": r.message, "started_at": now, "finished_at": now}
        for r in runs
    ]  # fmt: skip
    for run in runs:
        log("ERROR", f"kpi {run.kpi} {run.state}: {run.message}", stage="kpi", kpi=run.kpi)
    if rows:
        ids = [str(r["run_id"]) for r in rows]
        services.warehouse.insert(services.settings.table("ops", "kpi_runs"), rows, ids)


def _record(
    work: list[StageRecord], runs: list[Run], version: str, started: datetime, services: Services
) -> list[StageRecord]:
    detail: dict[str, Any] = {
        "computed": [r.kpi for r in runs if r.state == "computed"],
        "failed": {r.kpi: r.message for r in runs if r.state == "failed"},
        "skipped": [r.kpi for r in runs if r.state == "skipped"],
    }
    finished = services.clock()
    records = [
        next_record(
            record, "kpi", state="refreshed", stage_version=version, run_id=run_id(record.load_id, "kpi", version),
            started_at=started, finished_at=finished, rows=record.rows, detail=detail,
        )
        for record in work
    ]  # fmt: skip
    services.ledger.record(*records)
    return records


def _publish(records: list[StageRecord], services: Services) -> None:
    events = [encode(StageEvent("kpi.refreshed", str(r.feed), r.load_id, r.detail)) for r in records]
    services.bus.publish_all(services.settings.events_topic, events)
