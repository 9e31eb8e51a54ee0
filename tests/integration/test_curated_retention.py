"""What a contract no longer keeps goes from curated and the KPIs; KPIs of the days that are kept stay as they were.

On a stack of its own, by what a person does: files are dropped, the contract is changed, the stack is started again.
"""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.audit.command import check
from stockflow.retention import first_month
from stockflow.services import Services
from stockflow.settings import bundle_root
from stockflow.waiting import wait_until
from tests.support.stack import FullStack, environment, speaking, whole

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]
KEPT_DAYS = 500
TODAY = datetime.now(UTC).date()
FIRST = first_month(KEPT_DAYS, TODAY) or TODAY
OLD = [FIRST - timedelta(days=n) for n in range(30, 0, -1)]
KEPT = [FIRST + timedelta(days=n) for n in range(40)]
RECENT = [TODAY - timedelta(days=n) for n in range(10, 0, -1)]
DAYS = [*OLD, *KEPT, *RECENT]
PATIENCE = 150
KPIS = ("units_sold", "net_sales", "stock_on_hand", "days_of_supply", "stock_to_sales")
READ = ("calendar", "missing_sales", "balance_daily", "stock_daily", "window_28d")
Rows = dict[tuple[date, str, str], Any]


def sales(receipts: Mapping[str, tuple[date, int]]) -> bytes:
    """Receipt -> day and units of SKU A in LYO."""
    lines = [f"{name},1,{day},A,LYO,{units},{units * 10}" for name, (day, units) in receipts.items()]
    return "\n".join(
        ["receipt_number,line_number,business_date,sku,location_code,quantity,net_amount", *lines]
    ).encode()


def stock() -> bytes:
    lines = [f"{day},A,LYO,{20 + n}" for n, day in enumerate(DAYS)]
    return "\n".join(["business_date,sku,location_code,on_hand", *lines]).encode()


def contracts(folder: Path, **kept: int) -> Path:
    """Return a folder with the project's contracts; facts of these feeds are kept for so many days."""
    shutil.copytree(bundle_root() / "contracts", folder)
    for feed, days in kept.items():
        path = folder / f"{feed}.yaml"
        mine = f"customProperties:\n  - {{property: keepCuratedDays, value: {days}}}\n"
        path.write_text(path.read_text().replace("customProperties:\n", mine, 1))
    return folder


def definitions(folder: Path) -> Path:
    """Return a folder with the definitions of a few KPIs and of what they read: all would take minutes."""
    folder.mkdir(exist_ok=True)
    for name in (*KPIS, *READ):
        shutil.copy(bundle_root() / f"functions/kpi/definitions/{name}.sql", folder)
    return folder


@contextmanager
def started(state: Path, contracts_dir: Path) -> Iterator[FullStack]:
    """Start the stack in ``state`` with these contracts, as `stockflow up` does; stop it at the end."""
    of_it = {
        "STOCKFLOW_CONTRACTS_DIR": str(contracts_dir),
        "STOCKFLOW_DEFINITIONS_URI": str(definitions(contracts_dir.with_name("definitions"))),
        "STOCKFLOW_DRAIN_PAUSE_SECONDS": "2",
    }
    with environment(of_it), whole(state) as stack, speaking(stack) as running:
        yield running


def drop(services: Services, name: str, body: bytes) -> None:
    """Drop a file and wait until the KPIs hold it."""
    services.object_store.write(services.settings.landing_bucket, name, body, "text/csv")
    done = "SELECT state FROM inventory_ops.loads WHERE object = @name"
    assert wait_until(
        lambda: [r["state"] for r in services.warehouse.query(done, {"name": name})] == ["refreshed"], PATIENCE
    )


def values(services: Services, kpi: str) -> Rows:
    found = services.warehouse.query(f"SELECT business_date, sku, location_code, value FROM inventory_kpi.{kpi}")
    return {(r["business_date"], r["sku"], r["location_code"]): r["value"] for r in found}


def test_what_is_over_goes_and_kpis_of_the_kept_days_stay(tmp_path: Path) -> None:
    """Given 500 kept days, and KPIs whose 28 days begin before them, then older facts go and no kept day moves.

    The newest day moves alone: a late file changes it.
    """
    with started(tmp_path / "state", contracts(tmp_path / "all")) as stack:
        drop(stack.services, "sales/all.csv", sales({f"R{n}": (day, n + 1) for n, day in enumerate(DAYS)}))
        drop(stack.services, "stock_snapshots/all.csv", stock())
        before = {kpi: values(stack.services, kpi) for kpi in KPIS}
    assert {day for day, *_ in before["days_of_supply"]} >= set(DAYS)

    kept = contracts(tmp_path / "kept", sales=KEPT_DAYS, stock_snapshots=KEPT_DAYS)
    with started(tmp_path / "state", kept) as stack:
        for feed in ("sales", "sales_history", "stock_snapshots", "stock_snapshots_history"):
            oldest = stack.services.warehouse.query(f"SELECT MIN(business_date) AS day FROM inventory_curated.{feed}")
            assert oldest == [{"day": FIRST}]
        drop(stack.services, "sales/late.csv", sales({"LATE": (RECENT[-1], 5)}))
        after = {kpi: values(stack.services, kpi) for kpi in KPIS}
        assert check(stack.services, deep=True) == []

    late = (RECENT[-1], "A", "LYO")
    assert after["units_sold"][late] == before["units_sold"][late] + 5
    for kpi in KPIS:
        stayed = {cell: value for cell, value in before[kpi].items() if FIRST <= cell[0] < RECENT[-1]}
        assert {cell: value for cell, value in after[kpi].items() if cell[0] < RECENT[-1]} == stayed, kpi
