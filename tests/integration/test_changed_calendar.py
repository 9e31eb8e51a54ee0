"""A sender's calendar changes, or breaks: what is missing changes from its day on, or not at all."""

import shutil
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli import provision
from functions.kpi.drain import drain
from stockflow.events import ObjectRef
from stockflow.ledger import Asked
from stockflow.services import Services
from stockflow.settings import bundle_root
from tests.support.whole_path import WholePath

pytestmark = pytest.mark.integration
ROOT = bundle_root()
FIRST, LAST = date(2026, 8, 31), date(2026, 9, 27)  # a Monday, a Sunday
WEEKDAYS = "{days: [mon, tue, wed, thu, fri]}"
THEN_DAILY = f"[{WEEKDAYS}, {{days: daily, from: 2026-09-21}}]"
KPIS = ("calendar", "missing_sales", "balance_daily", "stock_daily", "window_28d", "days_of_supply")
STOCK = "date,sku,location_code,on_hand\n"
LAST_RUN = "SELECT state FROM inventory_ops.kpi_runs WHERE kpi = 'days_of_supply' ORDER BY finished_at DESC LIMIT 1"
SALES = "Ticket,Ligne,Date,Article,Magasin,Qté,montant net,devise\n"


def days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def environment(services: Services, folder: Path, expected: str, more: str = "") -> Services:
    """Return the services as a process has them that starts with this profile."""
    profile = folder / "contracts" / "senders" / "acme.yaml"
    profile.parent.mkdir(exist_ok=True)
    profile.write_text(f"locations: [LYO]\nfeeds: {{sales: {{expected: {expected}}}}}\n{more}", encoding="utf-8")
    settings = replace(
        services.settings, contracts_dir=folder / "contracts", definitions_uri=str(folder / "definitions")
    )
    return Services(settings)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Contracts and definitions of its own."""
    made = tmp_path_factory.mktemp("changed")
    shutil.copytree(ROOT / "contracts", made / "contracts")
    (made / "definitions").mkdir()
    for name in KPIS:
        shutil.copy(ROOT / "functions" / "kpi" / "definitions" / f"{name}.sql", made / "definitions")
    return made


def found(services: Services, sql: str) -> Any:
    return services.warehouse.query(sql)


def missing(services: Services) -> set[date]:
    rows = found(services, "SELECT business_date FROM inventory_kpi.missing_sales WHERE location_code = 'LYO'")
    return {row["business_date"] for row in rows}


def supply(services: Services) -> dict[date, tuple[float, float]]:
    rows = found(services, "SELECT business_date, value, coverage_pct FROM inventory_kpi.days_of_supply")
    return {row["business_date"]: (row["value"], row["coverage_pct"]) for row in rows}


@pytest.fixture(scope="module")
def ref(services: Services, folder: Path) -> ObjectRef:
    """Stock of each day, and a file of sales of Mondays to Fridays, which is when its sender sends."""
    path = WholePath(environment(services, folder, WEEKDAYS))
    provision.warehouse(path.services)
    stock = "".join(f"{day},A,LYO,20\n" for day in days(FIRST, LAST))
    path.drop("stock_snapshots/stock_2026-W39.csv", STOCK + stock)
    worked = [day for day in days(FIRST, LAST) if day.weekday() < 5]
    sold = "".join(f"R{day:%m%d},1,{day},A,LYO,2,20,EUR\n" for day in worked)
    return path.drop("sales/acme/sales_2026-W39.csv", SALES + sold)


def compute(services: Services, ref: ObjectRef) -> tuple[dict[date, tuple[float, float]], set[date]]:
    """Compute with a profile; return the days of supply with their coverage, and the days without sales."""
    drain(frozenset({Asked(ref.load_id, ref.landed_on)}), services)
    return supply(services), missing(services)


def test_a_changed_calendar_changes_what_is_missing_from_its_day_on(
    services: Services, folder: Path, ref: ObjectRef
) -> None:
    """From the 21st on the sender sends at weekends, too."""
    told, none = compute(environment(services, folder, WEEKDAYS), ref)
    assert none == set() and {coverage for _, coverage in told.values()} == {100}
    now, lost = compute(environment(services, folder, THEN_DAILY), ref)
    assert lost == {date(2026, 9, 26), LAST}
    assert [now[day] for day in days(FIRST, date(2026, 9, 25))] == [told[day] for day in days(FIRST, date(2026, 9, 25))]
    # Of the days known by then, those that are missing are unknown: the others' share is what is covered.
    covered = {date(2026, 9, 26): 100 * 26 / 27, LAST: 100 * 26 / 28}
    assert {day: now[day][1] for day in lost} == pytest.approx(covered)


def test_a_broken_profile_changes_no_number_and_stops_what_needs_its_calendar_only(
    services: Services, folder: Path, ref: ObjectRef, caplog: pytest.LogCaptureFixture
) -> None:
    """First something else is wrong in it, then the calendar itself; then it is corrected."""
    told = compute(environment(services, folder, THEN_DAILY), ref)
    assert told[1]
    assert compute(environment(services, folder, THEN_DAILY, "timeZone: Paris\n"), ref) == told
    assert "KPIs go on with its calendar" in caplog.text

    assert compute(environment(services, folder, "{days: [monday]}"), ref) == told
    runs = found(services, "SELECT kpi, message FROM inventory_ops.kpi_runs WHERE state IN ('failed', 'skipped')")
    waiting = {row["kpi"]: row["message"] for row in runs}
    assert "it waits: the days on which sales are expected are not known" in waiting["missing_sales"]
    assert "days_of_supply" in waiting and "balance_daily" not in waiting

    assert compute(environment(services, folder, THEN_DAILY), ref) == told
    (last,) = found(services, LAST_RUN)
    assert last["state"] == "computed"
