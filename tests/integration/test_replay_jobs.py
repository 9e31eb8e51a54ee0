"""What redeliveries and replays cost: BigQuery jobs, counted by BigQuery. The figures of docs/runbook.md."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cli.replay.command import JOBS_A_DRAIN, JOBS_A_LOAD
from functions.ingest.pipeline import ingest
from functions.kpi.catalog import read_catalog
from functions.kpi.drain import drain as refresh
from functions.transform.drain import drain as transform
from functions.validate.run import validate
from stockflow.events import ObjectRef, StageEvent
from stockflow.ledger import Asked
from stockflow.services import Services

pytestmark = pytest.mark.integration
ROWS = """receipt_number,line_number,business_date,sku,location_code,quantity,net_amount
R1,1,2026-10-01,A1,PAR1,2,10
R2,1,2026-10-02,A1,PAR1,1,5
"""
STAGES = ("ingest", "validate", "transform", "kpi")


def jobs(services: Services, work: Callable[[], object]) -> int:
    """Return how many jobs BigQuery has on record after the work that it had not before."""
    before = {job.job_id for job in services.warehouse.client.list_jobs()}
    work()
    return len({job.job_id for job in services.warehouse.client.list_jobs()} - before)


@pytest.fixture(scope="module")
def landed(services: Services) -> ObjectRef:
    bucket = services.settings.landing_bucket
    services.object_store.write(bucket, "sales/a.csv", ROWS.encode(), "text/csv")
    ref = services.object_store.stat(bucket, "sales/a.csv")
    assert ref is not None
    return ref


def stages(ref: ObjectRef, services: Services) -> dict[str, Callable[[], object]]:
    load = ref.load_id
    return {
        "ingest": lambda: ingest(ref, services),
        "validate": lambda: validate(StageEvent("load.ingested", "sales", load), services),
        "transform": lambda: transform("sales", frozenset({Asked(load)}), services),
        "kpi": lambda: refresh(frozenset({Asked(load)}), services),
    }


def test_a_redelivery_costs_a_query_and_a_replay_no_more_than_is_said(services: Services, landed: ObjectRef) -> None:
    for work in stages(landed, services).values():
        work()
    redelivered = {name: jobs(services, work) for name, work in stages(landed, services).items()}
    later = Services(replace(services.settings, replay_window_seconds=0))
    replayed = {name: jobs(later, work) for name, work in stages(landed, later).items()}
    assert redelivered == {"ingest": 1, "validate": 1, "transform": 1, "kpi": 2}
    kpis = len(read_catalog(services.settings.definitions_uri, services).definitions)
    assert replayed["ingest"] <= JOBS_A_LOAD["ingest"] and replayed["validate"] <= JOBS_A_LOAD["validate"]
    assert replayed["transform"] <= JOBS_A_DRAIN["transform"] and replayed["kpi"] <= JOBS_A_DRAIN["kpi"] + kpis
    page = (Path(__file__).parents[2] / "docs" / "runbook.md").read_text()
    said = {name: re.search(rf"^\| replay of `{name}`[^|]*\| (\d+)", page, re.MULTILINE) for name in STAGES}
    assert {name: int(found[1]) for name, found in said.items() if found} == replayed
