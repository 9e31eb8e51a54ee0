"""One drain: all pending loads, the KPIs that they touch, then their events."""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from functions.kpi.catalog import Catalog, read_catalog
from functions.kpi.moved import moves, together
from functions.kpi.refresh import Refreshed, Work, refresh_all
from functions.kpi.runner import RETIRED, Run
from stockflow.errors import PermanentError, TransientError
from stockflow.events import StageEvent, encode
from stockflow.identity import code_version, new_run_id, stage_version
from stockflow.known_calendars import read_profiles
from stockflow.ledger import Asked, StageRecord, asked_by, is_duplicate, next_record
from stockflow.log import log
from stockflow.points import reached
from stockflow.services import Services
from stockflow.singleflight import SingleFlight

_HERE = Path(__file__).resolve().parent
_flight: SingleFlight[Asked, frozenset[Asked]] = SingleFlight()
CHECKPOINT = "computing"  # the state of a load that some KPIs hold, and others not yet
# A call may wait for the drain that runs and is then part of the next one: both must fit into its 540 seconds.
BUDGET_SECONDS = 200.0
Stages = Mapping[str, StageRecord]
ALL = "all"  # one key: KPIs read tables of every feed


def refresh(event: StageEvent, services: Services) -> None:
    """Return when the KPIs hold the load that the event names and everyone was told.

    Raises:
        TransientError: ``not_transformed_yet``, or what the warehouse or the publisher could not do now.
    """
    asked = asked_by(event)
    if asked in _flight.join(ALL, asked, lambda loads: drain(loads, services), services.settings.drain_pause_seconds):
        raise TransientError("not_transformed_yet", f"the ledger has no transform of load {event.load_id}")


def drain(asked: frozenset[Asked], services: Services) -> frozenset[Asked]:
    """Refresh what is pending and what was asked for; return the asked loads the ledger does not know.

    Raises:
        TransientError: ``out_of_time``, or what the warehouse or the publisher could not do now.
    """
    catalog = read_catalog(services.settings.definitions_uri, services)
    _tell_profiles(services)
    version, started = catalog_version(catalog), services.clock()
    latest = _latest(asked, started, services)
    work, done = _to_do(latest, version, started, services)
    found = Refreshed([])
    if work:
        found = refresh_all(catalog, work, services, time.monotonic() + BUDGET_SECONDS)
        _record_others([r for r in found.runs if r.state != "computed"], catalog, services)
        if found.left or found.resting:
            _checkpoint(work, found, started, services)
        else:
            done += _record(work, found.runs, version, started, services)
    _publish(done, services)
    if found.left:
        what = f"there was no time left for {', '.join(found.left)}"
        raise TransientError("out_of_time", f"{what}: the next delivery goes on with them")
    return frozenset(load for load in asked if "transform" not in latest.get(load.load_id, {}))


def _tell_profiles(services: Services) -> None:
    """Warn of profiles whose calendar counts although something else in them is wrong; a KPI that waits says so."""
    try:
        _ = services.senders
    except PermanentError:
        for fault in read_profiles(services.settings.contracts_dir).read_in_part:
            log("WARNING", f"{fault.message}; KPIs go on with its calendar", stage="kpi", reason=fault.code)


def _to_do(
    latest: Mapping[str, Stages], version: str, started: datetime, services: Services
) -> tuple[list[Work], list[StageRecord]]:
    """Return the loads to compute, and the records of those whose result is there: they are told again."""
    work, repeated = list[Work](), list[StageRecord]()
    for record, done in ((s["transform"], s.get("kpi")) for s in latest.values() if "transform" in s):
        window = services.settings.replay_window_seconds
        if is_duplicate(done, version, record.record_id, started, window) and done:
            repeated.append(done)
        else:
            work.append(Work(record, _held_by(done, record)))
    return _with_days(work, latest, services), repeated


def _latest(asked: frozenset[Asked], now: datetime, services: Services) -> dict[str, dict[str, StageRecord]]:
    """Return the latest records of what was asked for and of what is pending: most often the same, so asked at once.

    Of transform the latest run: its rows are in curated, also when the load is to be transformed again or was parked.
    """
    days = {load.landed_on for load in asked if load.landed_on}
    with ThreadPoolExecutor(1) as beside:
        pending = beside.submit(services.ledger.uncomputed, days, now)
        found = services.ledger.latest(asked, "transform") if asked else {}
    others = [load for load in pending.result() if load.load_id not in found]
    return found | services.ledger.latest(others, "transform") if others else found


def catalog_version(catalog: Catalog) -> str:
    """Return what decides the result of this stage; a file that became unreadable is another version, too."""
    faults = sorted(f"{name}: {error}" for name, error in catalog.faults.items())
    return stage_version(code_version(_HERE), *(d.version for d in catalog.definitions.values()), *faults)


def _with_days(work: list[Work], latest: Mapping[str, Stages], services: Services) -> list[Work]:
    """Give a load that is replayed the days of its earlier transforms, when the last one changed nothing any more."""
    again = [
        Asked(w.record.load_id, w.record.landed_on)
        for w in work
        if (done := latest[w.record.load_id].get("kpi")) and _needs_all_days(done, w.record)
    ]
    said = services.ledger.details(again, "transform") if again else {}
    return [
        replace(w, record=replace(w.record, detail=together(said[w.record.load_id])), all_days=True)
        if w.record.load_id in said
        else w
        for w in work
    ]


def _needs_all_days(done: StageRecord, record: StageRecord) -> bool:
    """Whether a load is replayed whose last transform changed nothing, or a replay of it was put off.

    What transform did since that replay was put off is added to its days.
    """
    put_off = done.state == CHECKPOINT and bool(done.detail.get("all_days"))
    return put_off or (done.input_record == record.record_id and not moves(record.detail))


def _record_others(runs: list[Run], catalog: Catalog, services: Services) -> None:
    """Record the ends that no script recorded: failed, skipped, retired."""
    now = services.clock()
    rows = [
        {"run_id": uuid4().hex, "kpi": r.kpi, "definition_version": _definition_version(r.kpi, catalog),
         "state": r.state, "from_date": r.from_date, "to_date": r.to_date, "message": r.message,
         "started_at": now, "finished_at": now}
        for r in runs
    ]  # fmt: skip
    for run in runs:
        severity = "INFO" if run.state == RETIRED else "ERROR"
        log(severity, f"kpi {run.kpi} {run.state}: {run.message}", stage="kpi", kpi=run.kpi)
    if rows:
        ids = [str(r["run_id"]) for r in rows]
        services.warehouse.insert(services.settings.table("ops", "kpi_runs"), rows, ids)


def _definition_version(name: str, catalog: Catalog) -> str | None:
    return catalog.definitions[name].version if name in catalog.definitions else None


def _held_by(done: StageRecord | None, record: StageRecord) -> frozenset[str] | None:
    """Return the KPIs that hold this very result of transform already, by the last drain that put others off."""
    if done is None or done.state != CHECKPOINT or done.detail.get("of") != record.record_id:
        return None
    return frozenset(done.detail["computed"])


def _checkpoint(work: list[Work], found: Refreshed, started: datetime, services: Services) -> None:
    """Record which KPIs hold these loads; a later drain computes the others, at the latest the one a sweep wakes."""
    finished, run = services.clock(), new_run_id()
    due = {"due": max(found.resting.values()).isoformat()} if found.resting else {}
    waits_for = ", ".join([*found.left, *found.resting])
    records = [
        next_record(
            w.record, "kpi", state=CHECKPOINT, stage_version=w.record.stage_version, run_id=run, started_at=started,
            finished_at=finished, input_record=None, message=f"waits for {waits_for}",
            detail={"of": w.record.record_id, "computed": sorted(found.keys), "all_days": w.all_days, **due},
        )
        for w in work
        if w.held_by != found.keys
    ]  # fmt: skip
    services.ledger.record(*records)
    reached("kpi.put_off")


def _record(
    work: list[Work], runs: list[Run], version: str, started: datetime, services: Services
) -> list[StageRecord]:
    detail: dict[str, Any] = {
        "computed": [r.kpi for r in runs if r.state == "computed"],
        "failed": {r.kpi: r.message for r in runs if r.state == "failed"},
        "skipped": [r.kpi for r in runs if r.state == "skipped"],
    }
    finished, run = services.clock(), new_run_id()
    records = [
        next_record(
            w.record, "kpi", state="refreshed", stage_version=version, run_id=run,
            started_at=started, finished_at=finished, rows=w.record.rows, detail=detail,
        )
        for w in work
    ]  # fmt: skip
    services.ledger.record(*records)
    reached("kpi.recorded")
    return records


def _publish(records: list[StageRecord], services: Services) -> None:
    events = [
        encode(StageEvent("kpi.refreshed", str(r.feed), r.load_id, r.detail, r.landed_on, r.finished_at))
        for r in records
    ]
    services.publisher.publish_all(services.settings.events_topic, events)
    reached("kpi.published")
