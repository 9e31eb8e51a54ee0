"""What the tasks do, without Airflow: each takes and returns what JSON can hold."""

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

log = logging.getLogger(__name__)


def plan(asked: Mapping[str, Any], run: str) -> dict[str, Any]:
    """Return the days of a backfill, the time it begins and, with ``diff``, the name of the copies of the KPI tables.

    ``run`` names the run: planned again, it finds its copies. A dry run has no days.
    """
    from cli.backfill import cells
    from cli.backfill.order import order_of
    from cli.backfill.world import Environment, days_of
    from cli.output import plain
    from stockflow.identity import digest
    from stockflow.services import services

    order, ready = order_of(asked), services()
    found = Environment(ready).days(order)
    for row in found:
        log.info("%(landed_on)s %(feed)s: %(loads)s loads, %(rows)s rows", row)
    kept = digest(run, length=8) if asked.get("diff", True) and found and not asked.get("dry_run") else None
    began = ready.clock()
    if kept:
        cells.keep(ready, kept)
    days = [] if asked.get("dry_run") else [day.isoformat() for day in days_of(found)]
    table = [{name: plain(value) for name, value in row.items()} for row in found]
    return {"order": dict(asked), "days": days, "began": began.isoformat(), "kept": kept, "table": table}


def report(planned: Mapping[str, Any], position: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return and log how a backfill ended. The copies of KPI tables stay while something is to be run again."""
    from cli.backfill import cells, report
    from cli.backfill.order import Position, order_of
    from stockflow.services import services

    if position is None:
        return {
            "loads": 0,
            "days": planned["table"],
            "run_again": [],
            "stopped": "replay did not finish: its log says why",
        }
    ready, kept = services(), planned["kept"]
    changes = cells.changed(ready, kept) if kept else None
    told = report.report(order_of(planned["order"]), Position.from_json(position), changes)
    for name, value in told.items():
        log.info("%s: %s", name, value)
    if kept and not told["run_again"]:
        cells.forget(ready, kept)
    return told


def check_kpis() -> list[dict[str, Any]]:
    """Return the KPIs whose tables do not hold what their definitions give over all facts, on three of their days."""
    from dataclasses import asdict

    from cli.audit import again
    from stockflow.services import services

    return [asdict(found) for found in again.kpis(services())]


def reconcile() -> dict[str, Any]:
    """Sweep, then compare the landing bucket, the ledger and the tables."""
    from cli.upkeep import reconcile
    from stockflow.services import services

    return reconcile(services())


def cleanup(look_back_days: int) -> dict[str, Any]:
    """Remove what attempts of the last days left behind and no record names."""
    from cli.upkeep import cleanup
    from stockflow.services import services

    return cleanup(services(), timedelta(days=look_back_days))
