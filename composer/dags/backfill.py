"""A stage again for a long period, started by hand: the same as `stockflow backfill`."""

from stockflow_composer.airflow import DAG, Param
from stockflow_composer.dags import STAGES, START, TAGS, add_backfill, period

with DAG(
    dag_id="stockflow_backfill",
    description="Run a stage again for a period, day by day, in batches that wait for each other.",
    schedule=None,
    start_date=START,
    catchup=False,
    max_active_runs=1,
    params=period(
        stage=Param(
            "transform", type="string", enum=STAGES, description="The stage to start with; later stages follow."
        ),
        by=Param("landing", type="string", enum=["landing", "business"], description="What the days mean."),
    ),
    tags=TAGS,
    doc_md=__doc__,
) as dag:
    add_backfill()
