"""`stockflow backfill` on real emulators: a month again, and a day alone."""

import json

import pytest
from typer.testing import CliRunner, Result

from cli import target
from cli.backfill import cells
from cli.main import app
from tests.composer.shop import DROPPED, Shop


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


def test_a_month_again_changes_nothing(shop: Shop) -> None:
    was, before = shop.tables(), shop.records("transform")
    told = backfill("--from", "2026-09-01", "--to", "2026-09-30", "--batch", "2")
    assert told["loads"] == len(DROPPED) and told["kpi_cells_changed"] == 0 and not told["run_again"]
    assert shop.records("transform") == before + len(DROPPED)
    assert shop.tables() == was


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
