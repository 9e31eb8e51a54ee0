"""What the DAG files share: the parameters of a backfill, and its three tasks."""

from datetime import UTC, datetime
from typing import Any

from stockflow_composer import tasks
from stockflow_composer.airflow import AirflowFailException, Param, task
from stockflow_composer.replay import Backfill

START = datetime(2026, 1, 1, tzinfo=UTC)
TAGS = ["stockflow"]
STAGES = ["ingest", "validate", "transform", "kpi"]


def period(**more: Any) -> dict[str, Any]:
    """Return the parameters of a DAG that works on a period, as Airflow's form shows them."""
    day = {"type": ["string", "null"], "format": "date"}
    return {
        "from": Param(None, title="From", description="First day; empty: from the beginning.", **day),
        "to": Param(None, title="To", description="Last day; empty: to the end.", **day),
        "feeds": Param([], type="array", items={"type": "string"}, description="Only these feeds; none: all."),
        "batch": Param(200, type="integer", minimum=1, description="Loads that are sent at once, of one landing day."),
        "in_flight": Param(1, type="integer", minimum=1, description="Batches that may be on their way at once."),
        "timeout": Param(3600, type="integer", minimum=1, description="Seconds in which a batch has to end."),
        "dry_run": Param(False, type="boolean", description="Only plan: the log lists the days."),
        "diff": Param(True, type="boolean", description="Report the KPI cells that changed."),
        **more,
    }  # fmt: skip


@task(task_id="plan")
def plan(fixed: dict[str, Any], params: Any = None, run_id: Any = None, dag: Any = None) -> dict[str, Any]:
    """Read the ledger's days. ``params`` is what the run was started with, ``fixed`` what the DAG decides."""
    asked = {name: params[name] for name in params}
    return tasks.plan({**asked, **fixed}, f"{dag.dag_id} {run_id}")


@task(task_id="report", trigger_rule="all_done")
def report(planned: dict[str, Any], ti: Any = None) -> dict[str, Any]:
    """Say how it ended; the run fails when a day failed."""
    told = tasks.report(planned, ti.xcom_pull(task_ids="replay", key="position"))
    if told["stopped"] or told["run_again"]:
        raise AirflowFailException(f"{told['stopped']} run again: {'; '.join(told['run_again'])}")
    return told


def add_backfill(**fixed: Any) -> Any:
    """Add the tasks plan, replay and report to the present DAG; return the last."""
    planned = plan(fixed)
    replayed = Backfill(task_id="replay", plan=planned)
    told = report(planned)
    replayed >> told
    return told
