"""Each week: rows, staged files and datasets that attempts left behind and that no record names are removed."""

from datetime import timedelta
from typing import Any

from stockflow_composer import tasks
from stockflow_composer.airflow import DAG, Param, task
from stockflow_composer.dags import START, TAGS


@task(task_id="cleanup", retries=2, retry_delay=timedelta(minutes=10))
def cleanup(params: Any = None) -> dict[str, Any]:
    """Look further back than the daily sweep does."""
    return tasks.cleanup(params["look_back_days"])


with DAG(
    dag_id="stockflow_cleanup",
    description="Remove what killed attempts left behind.",
    schedule="0 3 * * 0",
    start_date=START,
    catchup=False,
    max_active_runs=1,
    params={"look_back_days": Param(30, type="integer", minimum=1, description="Days in which files were tried.")},
    tags=TAGS,
    doc_md=__doc__,
) as dag:
    cleanup()
