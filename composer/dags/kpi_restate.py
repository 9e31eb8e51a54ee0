"""KPIs of a period again, started by hand after a definition or a dimension changed; then a check of each KPI."""

from typing import Any

from stockflow_composer import tasks
from stockflow_composer.airflow import DAG, AirflowFailException, task
from stockflow_composer.dags import START, TAGS, add_backfill, period


@task(task_id="check")
def check() -> list[dict[str, Any]]:
    """Compute three days of each KPI from all facts; the run fails when its table says something else."""
    if found := tasks.check_kpis():
        raise AirflowFailException("; ".join(f"{f['expected']}: {f['found']}" for f in found))
    return found


with DAG(
    dag_id="stockflow_kpi_restate",
    description="Compute the KPIs again for the files whose rows are about a period, and check them.",
    schedule=None,
    start_date=START,
    catchup=False,
    max_active_runs=1,
    params=period(),
    tags=TAGS,
    doc_md=__doc__,
) as dag:
    add_backfill(stage="kpi", by="business") >> check()
