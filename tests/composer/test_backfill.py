"""A month again on real emulators: by `dag.test()` in both versions of Airflow, and by the command line."""

import json
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli import target, upkeep
from cli.backfill import cells
from cli.main import app
from functions.ingest.sweep import waiting
from tests.composer.airflows import AIRFLOWS, Airflow, UnavailableError
from tests.composer.shop import DROPPED, Shop

pytestmark = pytest.mark.timeout(1200)
MONTH = {"from": "2026-09-01", "to": "2026-09-30", "batch": 2}


def run(airflow: Airflow, dag: str, conf: dict[str, Any], place: Path) -> dict[str, Any]:
    """Run a DAG with a database of its own; skip where this Airflow cannot be had."""
    try:
        shutil.copytree(airflow.home(), place / "home")
    except UnavailableError as error:
        pytest.skip(f"no {airflow.name} here: {error}")
    return airflow.run(place / "home", dag, json.dumps(conf))


@pytest.mark.parametrize("airflow", AIRFLOWS, ids=lambda a: a.name)
def test_a_month_is_run_again_to_the_end_and_changes_nothing(airflow: Airflow, shop: Shop, tmp_path: Path) -> None:
    """Given a month that is loaded, when the DAG runs it again, then each load has new records and the same rows."""
    was, before = shop.tables(), shop.records("transform")

    told = run(airflow, "stockflow_backfill", MONTH, tmp_path)

    assert told["state"] == "success" and set(told["tasks"].values()) == {"success"}, told["said"][-4000:]
    assert shop.records("transform") == before + len(DROPPED)
    assert shop.tables() == was
    assert "kpi_cells_changed: 0" in told["said"] and f"loads: {len(DROPPED)}" in told["said"]
    assert waiting(shop.services, shop.services.clock()) == []


@pytest.fixture(autouse=True)
def here(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command speaks to the shop."""
    monkeypatch.setattr(target, "services", lambda: shop.services)


def backfill(*words: str, code: int = 0) -> dict:
    done: Result = CliRunner().invoke(app, ["backfill", *words, "--json"])
    assert done.exit_code == code, done.output
    return json.loads(done.output)


def test_a_plan_touches_nothing(shop: Shop) -> None:
    before = shop.records("transform")
    told = backfill("--from", "2026-09-01", "--to", "2026-09-30", "--batch", "2", "--dry-run")
    assert (told["loads"], told["batches"]) == (len(DROPPED), 2)
    assert shop.records("transform") == before


def test_a_failed_day_is_named_and_run_alone(shop: Shop) -> None:
    shop.functions.broken.add("kpi")
    told = backfill("--from", "2026-09-07", "--to", "2026-09-30", "--timeout", "3", "--no-diff", code=1)
    assert told["failed_days"] == ["2026-09-07"] and told["stopped"].startswith("2 loads of 2026-09-07 did not end")
    assert told["run_again"] == ["stockflow backfill --stage transform --from 2026-09-07 --to 2026-09-07"]
    shop.functions.broken.clear()
    told = backfill("--stage", "kpi", "--from", "2026-09-07", "--to", "2026-09-07", "--by", "business")
    assert told["days"] == [{"day": "2026-09-07", "refreshed": 2}]


def test_cells_that_changed_are_counted(shop: Shop) -> None:
    cells.keep(shop.services, "test")
    shop.services.warehouse.query(
        "UPDATE inventory_kpi.units_by_day SET value = value + 1 WHERE business_date = DATE '2026-09-07'; SELECT 1"
    )
    (change,) = cells.changed(shop.services, "test")
    assert (change.table, change.changed, change.delta, change.dates) == ("kpi.units_by_day", 1, 1, ("2026-09-07",))
    cells.forget(shop.services, "test")
    assert not [d.dataset_id for d in shop.services.warehouse.client.list_datasets() if "backfill" in d.dataset_id]


def test_the_books_of_a_healthy_shop_hold_and_nothing_is_removed(shop: Shop) -> None:
    assert upkeep.reconcile(shop.services) == {"requeued": 0, "findings": []}
    told = upkeep.cleanup(shop.services, timedelta(days=30), timedelta(0))
    assert told == {"raw_days": {"sales": 2}, "staged_files": 0, "datasets": []}


def test_what_is_lost_is_announced_and_what_nobody_names_is_removed(shop: Shop) -> None:
    """Given a staged file of no run and a record that a table contradicts, then one is removed, the other told."""
    services = shop.services
    services.object_store.write(services.settings.staging_bucket, "ingest/sales/x/y.parquet", b"", "text/plain")
    assert upkeep.cleanup(services, timedelta(days=30), timedelta(0))["staged_files"] == 1
    services.warehouse.query("DELETE FROM inventory_curated.sales_history WHERE quantity = 1; SELECT 1")
    (finding,) = upkeep.reconcile(services)["findings"]
    assert finding["expected"] == "1 rows of raw accounted for", finding
