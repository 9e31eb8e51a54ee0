"""A sender's calendar changes: what is missing changes from its day on, and nothing before."""

import shutil
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli import provision
from functions.kpi.drain import drain
from stockflow.ledger import Asked
from stockflow.services import Services
from stockflow.settings import bundle_root
from tests.support.whole_path import WholePath

pytestmark = pytest.mark.integration
ROOT = bundle_root()
FIRST, START, LAST = date(2026, 8, 31), date(2026, 9, 21), date(2026, 9, 27)  # Monday, Monday, Sunday
KPIS = ("calendar", "missing_sales", "balance_daily", "stock_daily", "window_28d", "days_of_supply")
STOCK = "date,sku,location_code,on_hand\n"
SALES = "Ticket,Ligne,Date,Article,Magasin,Qté,montant net,devise\n"


def days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def environment(services: Services, folder: Path, expected: str) -> Services:
    """Return the services as a process has them that starts with this profile."""
    profile = folder / "contracts" / "senders" / "acme.yaml"
    profile.parent.mkdir(exist_ok=True)
    profile.write_text(f"locations: [LYO]\nfeeds: {{sales: {{expected: {expected}}}}}\n", encoding="utf-8")
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


def test_a_changed_calendar_changes_what_is_missing_from_its_day_on(services: Services, folder: Path) -> None:
    """Sales of Mondays to Fridays; then the sender says that from the 21st on it sends at weekends, too."""
    before = environment(services, folder, "{days: [mon, tue, wed, thu, fri]}")
    provision.warehouse(before)
    path = WholePath(before)
    worked = [day for day in days(FIRST, LAST) if day.weekday() < 5]
    stock = "".join(f"{day},A,LYO,20\n" for day in days(FIRST, LAST))
    path.drop("stock_snapshots/stock_2026-W39.csv", STOCK + stock)
    sold = "".join(f"R{day:%m%d},1,{day},A,LYO,2,20,EUR\n" for day in worked)
    ref = path.drop("sales/acme/sales_2026-W39.csv", SALES + sold)
    assert missing(before) == set()
    told = supply(before)
    assert {coverage for _, coverage in told.values()} == {100}

    days_off = "[{days: [mon, tue, wed, thu, fri]}, {days: daily, from: 2026-09-21}]"
    after = environment(services, folder, days_off)
    drain(frozenset({Asked(ref.load_id, ref.landed_on)}), after)
    weekend = {day for day in days(START, LAST) if day.weekday() > 4}
    assert missing(after) == weekend
    now = supply(after)
    assert {day: now[day] for day in now if day < min(weekend)} == {
        day: told[day] for day in told if day < min(weekend)
    }
    # Of the days known by then, those that are missing are unknown: the others' share is what is covered.
    covered = {date(2026, 9, 26): 100 * 26 / 27, date(2026, 9, 27): 100 * 26 / 28}
    assert {day: now[day][1] for day in weekend} == pytest.approx(covered)
