"""A file that is too large for one call is handed over to a job of Dataflow (``dataflow/``).

The job's name and its run follow from the load and from what the ledger said last of it. So a notification that comes
again asks for the same job; one that comes when the hand-over is old (the sweep sends it) asks for another.
"""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

from functions.ingest.arrival import Arrival, end
from stockflow.errors import PermanentError
from stockflow.events import announcement
from stockflow.identity import digest
from stockflow.ledger import HANDED_OVER, StageRecord
from stockflow.log import log
from stockflow.services import Services
from stockflow.settings import Settings

CODE = "too_large_for_function"
MOST = 3  # jobs for one load, one after another, until a person has to look
WORKER_MEMORY = 4 << 30  # of a worker of e2-standard-2 (8 GB) what one reader of a format that is not cut may count on


def is_handed_over(error: PermanentError, services: Services) -> bool:
    """Whether a file that one call refuses goes to Dataflow instead."""
    return error.code == CODE and bool(services.settings.dataflow_template)


def waits(arrival: Arrival) -> bool:
    """Whether a job was launched for the load that may still end it."""
    before = arrival.before
    if before is None or before.state != HANDED_OVER:
        return False
    patience = timedelta(seconds=arrival.services.settings.handover_seconds)
    return arrival.services.clock() - before.finished_at < patience


def hand_over(arrival: Arrival, error: PermanentError) -> StageRecord:
    """Launch a job, and record that; or give up when the jobs before it ended nothing.

    The record of a load whose rows count goes on naming their run: they count until the job commits others.

    Raises:
        TransientError: Dataflow could not take it now, or refused.
    """
    jobs = _jobs(arrival.before)
    if jobs >= MOST:
        return end(_given_up(arrival, jobs), arrival.services)
    body = request(arrival)
    name = body["launchParameter"]["jobName"]
    new = arrival.services.dataflow.launch(body)
    log("INFO", f"job {name} {'launched' if new else 'is running'}", load_id=arrival.ref.load_id, stage="ingest")
    counts = arrival.before.raw_run_id if arrival.before and arrival.loaded else None
    record = replace(
        arrival.record(HANDED_OVER),
        raw_run_id=counts,
        reason_code=CODE,
        message=f"{error.message.partition('. Split')[0]}; the Dataflow job {name} reads it",
        detail={**arrival.facts.values, "job": name, "jobs": jobs + 1},
    )
    return end(record, arrival.services)


def request(arrival: Arrival) -> dict[str, Any]:
    """Return the launch request of the load's next job."""
    settings, ref = arrival.services.settings, arrival.ref
    run_id = digest("hand over", ref.load_id, arrival.before.record_id if arrival.before else "")
    return {
        "launchParameter": {
            "jobName": f"stockflow-{ref.load_id}-{run_id[:8]}",
            "containerSpecGcsPath": settings.dataflow_template,
            "parameters": {
                "object": announcement(ref)[0].decode(),
                "run_id": run_id,
                "settings": json.dumps(_for_workers(settings), sort_keys=True),
            },
            "environment": json.loads(settings.dataflow_environment),
        }
    }


def _for_workers(settings: Settings) -> dict[str, str]:
    """Return the variables by which a worker finds this environment."""
    return {**settings.variables(), "STOCKFLOW_MEMORY_BYTES": str(WORKER_MEMORY)}


def _jobs(before: StageRecord | None) -> int:
    return int(before.detail.get("jobs", 0)) if before and before.state == HANDED_OVER else 0


def _given_up(arrival: Arrival, jobs: int) -> StageRecord:
    hours = arrival.services.settings.handover_seconds / 3600
    before = arrival.before
    assert before is not None
    return arrival.record(
        "failed",
        reason_code="handed_over_without_end",
        message=f"{jobs} Dataflow jobs, each given {hours:g} hours, did not end the load; the last one is "
        f"{before.detail.get('job')}: look at its log. `stockflow loads retry {arrival.ref.load_id}` launches another",
    )
