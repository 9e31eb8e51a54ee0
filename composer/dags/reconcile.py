"""Each morning: sweep, then the landing bucket beside the ledger and the tables. The run fails when they disagree."""

from datetime import timedelta
from typing import Any

from stockflow_composer import tasks
from stockflow_composer.airflow import DAG, AirflowFailException, task
from stockflow_composer.dags import START, TAGS


@task(task_id="reconcile", retries=2, retry_delay=timedelta(minutes=10))
def reconcile() -> dict[str, Any]:
    """Announce again what was lost; each finding is an ERROR in the log."""
    told = tasks.reconcile()
    if told["findings"]:
        raise AirflowFailException("; ".join(f"{f['expected']}: {f['found']}" for f in told["findings"][:20]))
    return told


with DAG(
    dag_id="stockflow_reconcile",
    description="Compare the landing bucket with the ledger and the tables.",
    schedule="0 4 * * *",
    start_date=START,
    catchup=False,
    max_active_runs=1,
    tags=TAGS,
    doc_md=__doc__,
) as dag:
    reconcile()
