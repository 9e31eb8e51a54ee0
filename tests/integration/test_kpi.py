"""The kpi stage on the real emulator: what is computed, what is not, and what a bad definition does to the others."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from functions.ingest import sweep
from functions.kpi import drain as kpi
from functions.kpi import refresh
from stockflow.errors import TransientError
from stockflow.events import StageEvent
from stockflow.schema import Layout
from tests.integration.kpi_world import World, asked, new_world, sale

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]
FIRST, LAST = date(2026, 5, 1), date(2026, 5, 10)
TODAY = datetime.now(UTC).date()

BASE = """/*
kind: base
title: {name}
description: Units by day.
owner: someone
grain: [sku]
lookback_days: 0
*/
SELECT business_date, sku, SUM(CAST(quantity AS FLOAT64)) AS units
FROM inventory_curated.sales
GROUP BY business_date, sku
"""
KPI = """/*
title: {name}
description: Units sold.
meaning: So many.
formula: sum
source: the shop
unit: units
owner: someone
grain: [sku]
lookback_days: {lookback}
direction: up
rollup: sum
*/
SELECT business_date, sku, units AS numerator, CAST(NULL AS FLOAT64) AS denominator, {value} AS value,
  CAST(NULL AS STRING) AS reason_code, 100.0 AS coverage_pct
FROM inventory_kpi.{reads}
"""
TRAILING = (
    "SUM(units) OVER (PARTITION BY sku ORDER BY UNIX_DATE(business_date) RANGE BETWEEN 2 PRECEDING AND CURRENT ROW)"
)


def write(folder: Path, name: str, value: str = "units", reads: str = "daily", lookback: int = 0) -> None:
    (folder / f"{name}.sql").write_text(KPI.format(name=name, value=value, reads=reads, lookback=lookback))


@pytest.fixture(scope="module")
def provisioned(bigquery_emulator: str) -> World:
    return new_world(bigquery_emulator)


@pytest.fixture
def world(provisioned: World, tmp_path: Path) -> Iterator[World]:
    """Ten days of sales of one SKU and, computed, a base model, a daily KPI and a trailing one."""
    provisioned.forget()
    provisioned.publisher.sent.clear()
    days = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
    provisioned.put("sales", [sale(day, "A", "P1", 1, str(day)) for day in days])
    (tmp_path / "daily.sql").write_text(BASE.format(name="daily"))
    write(tmp_path, "each_day")
    write(tmp_path, "three_days", TRAILING, lookback=2)
    provisioned.define(tmp_path)
    provisioned.drain(provisioned.transformed("sales", *days))
    yield provisioned


def folder(world: World) -> Path:
    return Path(world.services.settings.definitions_uri)


def values(world: World, name: str) -> dict[date, float]:
    return {
        r["business_date"]: r["value"] for r in world.rows(f"SELECT business_date, value FROM inventory_kpi.{name}")
    }


def messages(world: World, state: str) -> dict[str, str]:
    rows = world.rows(f"SELECT kpi, message FROM inventory_ops.kpi_runs WHERE state = '{state}'")
    return {r["kpi"]: r["message"] for r in rows}


def test_everything_is_computed_and_told(world: World) -> None:
    assert values(world, "three_days") == {
        FIRST: 1, FIRST + timedelta(days=1): 2, **{FIRST + timedelta(days=n): 3 for n in range(2, 10)}
    }  # fmt: skip
    assert [m["event_type"] for m in world.publisher.sent] == ["kpi.refreshed"]
    state = world.rows("SELECT state FROM inventory_ops.load_stages WHERE stage = 'kpi'")
    assert state == [{"state": "refreshed"}]


def test_a_late_row_changes_exactly_the_dates_that_it_can_reach(world: World) -> None:
    late = date(2026, 5, 4)
    before = values(world, "three_days")
    world.rows(f"UPDATE inventory_curated.sales SET quantity = 11 WHERE business_date = '{late}'; SELECT 1")
    world.drain(world.transformed("sales", late))
    assert world.runs()["each_day"] == (late, late)
    assert world.runs()["three_days"] == (late, late + timedelta(days=2))
    after = values(world, "three_days")
    assert {day for day in after if after[day] != before[day]} == {late + timedelta(days=n) for n in range(3)}


def test_an_input_that_a_row_looks_at_for_its_own_day_only_reaches_no_other_day(world: World) -> None:
    write(folder(world), "beside", lookback=2)
    text = (folder(world) / "beside.sql").read_text()
    own = text.replace("lookback_days: 2", "lookback_days: 2\ninput_lookback_days: {inventory_kpi.daily: 0}")
    own = own.replace("FROM inventory_kpi.daily", "FROM inventory_kpi.daily\nLEFT JOIN moved USING (business_date)")
    moved = "WITH moved AS (SELECT business_date FROM inventory_curated.stock_movements GROUP BY business_date)\n"
    (folder(world) / "beside.sql").write_text(
        own.replace("SELECT business_date, sku, units", f"{moved}SELECT business_date, sku, units")
    )
    world.drain(world.transformed("sales", LAST))
    late = date(2026, 5, 4)
    world.drain(world.transformed("sales", late))
    assert world.runs()["beside"] == (late, late)
    world.drain(world.transformed("stock_movements", late))
    assert world.runs()["beside"] == (late, late + timedelta(days=2))


def test_a_redelivery_computes_nothing_and_tells_again(world: World) -> None:
    load = world.transformed("sales", LAST)
    world.drain(load)
    runs, sent = world.rows("SELECT COUNT(*) AS n FROM inventory_ops.kpi_runs"), len(world.publisher.sent)
    world.drain(load)
    assert world.rows("SELECT COUNT(*) AS n FROM inventory_ops.kpi_runs") == runs
    assert len(world.publisher.sent) == sent + 1


def test_after_the_window_the_same_event_is_a_replay(world: World) -> None:
    load = world.transformed("sales", LAST)
    world.drain(load)
    runs = len(world.rows("SELECT run_id FROM inventory_ops.kpi_runs"))
    world.services.settings = replace(world.services.settings, replay_window_seconds=0)
    try:
        world.drain(load)
    finally:
        world.services.settings = replace(world.services.settings, replay_window_seconds=900)
    assert len(world.rows("SELECT run_id FROM inventory_ops.kpi_runs")) == runs + 3


def test_a_poisoned_definition_stops_no_other_and_those_on_it_are_skipped(world: World) -> None:
    write(folder(world), "poison", "CAST(ERROR('poison') AS FLOAT64)")
    write(folder(world), "on_poison", "value", reads="poison")
    (folder(world) / "no_header.sql").write_text("SELECT 1")
    world.rows(f"UPDATE inventory_curated.sales SET quantity = 5 WHERE business_date = '{LAST}'; SELECT 1")
    world.drain(world.transformed("sales", LAST))
    assert values(world, "each_day")[LAST] == 5
    failed, skipped = messages(world, "failed"), messages(world, "skipped")
    assert "poison" in failed["poison"] and "no_header.sql:1: expected" in failed["no_header"]
    assert skipped == {"on_poison": "reads inventory_kpi.poison, which failed"}


def test_a_dimension_concerns_those_that_read_what_changed(world: World) -> None:
    """A product is renamed: what reads names is computed for all days, and what reads that; nothing else is."""
    named = BASE.format(name="named").replace(
        "FROM inventory_curated.sales\n",
        "FROM inventory_curated.sales AS s\nLEFT JOIN inventory_curated.products AS p USING (sku)\n",
    )
    (folder(world) / "named.sql").write_text(named.replace(" AS units\n", " AS units, ANY_VALUE(p.name) AS product\n"))
    write(folder(world), "of_named", reads="named")
    world.drain(world.transformed("sales", LAST))
    before = counted(world)
    world.drain(world.transformed("products", all_dates=True, columns=["category"]))
    assert counted(world) == before
    world.drain(world.transformed("products", all_dates=True, columns=["category", "name"]))
    assert counted(world) == {kpi: runs + (kpi in ("named", "of_named")) for kpi, runs in before.items()}
    assert world.runs()["of_named"] == (FIRST, LAST)
    world.drain(world.transformed("products", all_dates=True))
    assert counted(world)["named"] == before["named"] + 2


def test_a_cost_that_changes_concerns_the_days_from_which_it_holds(world: World) -> None:
    """What reads it by day is computed from that day on, with what reads that; what reads it of today for all days."""
    join = "FROM inventory_curated.sales AS s\nLEFT JOIN inventory_curated.{} AS p ON {}\n"
    by_day = "p.sku = s.sku AND s.business_date BETWEEN p.valid_from AND p.valid_to"
    for name, table, on in (
        ("valued", "products_by_day", by_day),
        ("valued_today", "products", "p.sku = s.sku"),
        ("valued_at_any_time", "products_by_day", f"{by_day} OR p.valid_to > s.business_date"),
    ):
        text = BASE.format(name=name).replace("FROM inventory_curated.sales\n", join.format(table, on))
        text = text.replace("business_date, sku", "s.business_date, s.sku").replace("quantity", "quantity * unit_cost")
        (folder(world) / f"{name}.sql").write_text(text)
    write(folder(world), "of_valued", reads="valued")
    write(folder(world), "of_three_days", TRAILING, reads="valued", lookback=2)
    world.drain(world.transformed("sales", LAST))
    before = counted(world)
    since = LAST - timedelta(days=3)
    world.drain(world.transformed("products", all_dates=True, columns=["unit_cost"], by_day=[f"unit_cost {since}"]))
    assert {kpi for kpi, runs in counted(world).items() if runs > before[kpi]} == {
        "valued", "valued_today", "valued_at_any_time", "of_valued", "of_three_days"
    }  # fmt: skip
    found = {kpi: days for kpi, days in world.runs().items() if "valued" in kpi or kpi == "of_three_days"}
    narrow, wide = (since, LAST), (FIRST, LAST)
    assert found == {
        "valued": narrow, "of_valued": narrow, "of_three_days": narrow,
        "valued_today": wide, "valued_at_any_time": wide,
    }  # fmt: skip


def test_a_new_sku_concerns_the_days_from_its_first_fact(world: World) -> None:
    """What takes of products only rows of its own SKUs is computed from there on; a list of products for all days."""
    from_sales = "FROM inventory_curated.sales AS s\nLEFT JOIN inventory_curated.{} AS p ON {}\n"
    by_day = "p.sku = s.sku AND s.business_date BETWEEN p.valid_from AND p.valid_to"
    listed = "FROM inventory_curated.products AS p\nJOIN inventory_curated.sales AS s ON p.sku = s.sku\n"
    for name, joined in (
        ("named", from_sales.format("products", "p.sku = s.sku")),
        ("valued", from_sales.format("products_by_day", by_day)),
        ("listed", listed),
    ):
        text = BASE.format(name=name).replace("FROM inventory_curated.sales\n", joined)
        (folder(world) / f"{name}.sql").write_text(text.replace("business_date, sku", "s.business_date, s.sku"))
    write(folder(world), "of_named", reads="named")
    third = FIRST + timedelta(days=2)
    sold = [(FIRST, "OLD"), (third, "NEW"), (LAST, "NEW"), (LAST, "OLD")]
    world.put("sales", [sale(day, sku, "P1", 1, f"{sku} {day}") for day, sku in sold])
    world.drain(world.transformed("sales", FIRST, LAST))
    before = counted(world)
    world.drain(world.transformed("products", all_dates=True, keys=["NEW", "NEVER SOLD"]))
    again = {kpi for kpi, runs in counted(world).items() if runs > before[kpi]}
    assert again == {"named", "valued", "listed", "of_named"}
    days = world.runs()
    assert days["named"] == days["valued"] == days["of_named"] == (third, LAST)
    assert days["listed"] == (FIRST, LAST)
    before = counted(world)
    world.drain(world.transformed("products", all_dates=True, keys=["NEVER SOLD"]))
    assert {kpi for kpi, runs in counted(world).items() if runs > before[kpi]} == {"listed"}


def test_a_dimension_computes_no_day_whose_facts_are_over(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left of such a day is not all of it: its rows stay as they were when all facts were there."""
    join = "FROM inventory_curated.sales AS s\nLEFT JOIN inventory_curated.products AS p USING (sku)\n"
    text = BASE.format(name="named").replace("FROM inventory_curated.sales\n", join)
    (folder(world) / "named.sql").write_text(text.replace(" AS units\n", " AS units, ANY_VALUE(p.name) AS product\n"))
    world.drain(world.transformed("sales", LAST))
    before = counted(world)
    contracts = world.services.contracts
    kept = (TODAY - LAST).days - 31  # facts are kept from the next month on
    orders = contracts["purchase_orders"]
    orders = replace(orders, properties={**orders.properties, "keepCuratedDays": kept})
    monkeypatch.setitem(world.services.__dict__, "contracts", contracts | {"purchase_orders": orders})
    world.drain(world.transformed("products", all_dates=True, columns=["name"]))
    world.drain(world.transformed("products", all_dates=True, keys=["A"]))
    assert counted(world) == before


def test_a_replay_computes_the_days_of_a_load_also_after_a_transform_that_changed_nothing(world: World) -> None:
    """Its own days: the newest transform of it found all as it was."""
    load = world.transformed("sales", FIRST)
    world.drain(load)
    world.drain(world.transformed("sales", load=load))
    before = counted(world)
    world.services.settings = replace(world.services.settings, replay_window_seconds=0)
    world.drain(load)
    assert counted(world) == {kpi: runs + 1 for kpi, runs in before.items()}
    assert world.runs()["each_day"] == (FIRST, FIRST)


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("state", ["pending", "failed"])
def test_what_transform_put_into_curated_is_computed_also_when_a_later_record_hides_it(
    world: World, state: str, told: bool
) -> None:
    """A load that is to be transformed again, or was parked, keeps its rows in curated until another run ends.

    Whether its event came or was lost.
    """
    load = world.transformed("sales", FIRST)
    world.drain(load)
    world.transformed("sales", LAST, load=load)
    ledger = world.services.ledger
    hidden = ledger.stages(load)["transform"]
    later = hidden.finished_at + timedelta(microseconds=1)
    ledger.record(replace(hidden, state=state, input_record=None, detail={}, finished_at=later))
    woken = [r["load_id"] for r in sweep.waiting(world.services, datetime.now(UTC)) if r["stage"] == "kpi"]
    assert woken == [load]
    world.drain(load if told else world.transformed("purchase_orders", FIRST))
    assert world.runs()["each_day"] == (LAST, LAST)
    assert ledger.stages(load)["kpi"].input_record == hidden.record_id


def counted(world: World) -> dict[str, int]:
    """KPI -> how often it was computed."""
    rows = world.rows("SELECT kpi, COUNT(*) AS n FROM inventory_ops.kpi_runs WHERE state = 'computed' GROUP BY kpi")
    return {r["kpi"]: r["n"] for r in rows}


def test_a_circle_stops_nobody_outside_it(world: World) -> None:
    write(folder(world), "chicken", "value", reads="egg")
    write(folder(world), "egg", "value", reads="chicken")
    world.drain(world.transformed("sales", LAST))
    assert set(messages(world, "failed")) == {"chicken", "egg"}
    assert world.runs()["each_day"] == (LAST, LAST)


def test_a_failure_keeps_the_rows_and_is_made_good_for_all_dates(world: World) -> None:
    """What failed missed dates: the next run must not compute the newest ones only."""
    before = values(world, "each_day")
    fine = (folder(world) / "each_day.sql").read_text()
    middle = date(2026, 5, 5)
    world.rows(f"UPDATE inventory_curated.sales SET quantity = 666 WHERE business_date = '{middle}'; SELECT 1")
    write(folder(world), "each_day", "IF(units = 666, CAST(ERROR('no') AS FLOAT64), units)")
    world.drain(world.transformed("sales", middle))
    assert values(world, "each_day") == before
    (folder(world) / "each_day.sql").write_text(fine)
    world.drain(world.transformed("sales", LAST))
    assert values(world, "each_day")[middle] == 666


def test_a_changed_definition_is_rebuilt_and_an_added_one_is_there(world: World) -> None:
    write(folder(world), "each_day", "units * 10")
    write(folder(world), "added", "units + 1")
    world.drain(world.transformed("sales", LAST))
    assert set(values(world, "each_day").values()) == {10} and len(values(world, "each_day")) == 10
    assert set(values(world, "added").values()) == {2} and len(values(world, "added")) == 10


def test_a_table_that_was_dropped_comes_back(world: World) -> None:
    world.rows("DROP TABLE inventory_kpi.each_day; SELECT 1")
    world.drain(world.transformed("sales", LAST))
    assert len(values(world, "each_day")) == 10


def test_a_typo_in_a_year_leaves_nothing_behind_once_corrected(world: World) -> None:
    typo = date(2062, 5, 4)
    right = date(2026, 5, 4)
    world.rows(f"UPDATE inventory_curated.sales SET business_date = '{typo}' WHERE business_date = '{right}'; SELECT 1")
    world.drain(world.transformed("sales", typo, right))
    assert typo in values(world, "each_day") and right not in values(world, "each_day")
    world.rows(f"UPDATE inventory_curated.sales SET business_date = '{right}' WHERE business_date = '{typo}'; SELECT 1")
    world.drain(world.transformed("sales", typo, right))
    assert max(values(world, "each_day")) == max(values(world, "three_days")) == LAST
    assert values(world, "three_days")[right] == 3


def test_a_kpi_that_reads_nothing_of_a_load_is_left_alone(world: World) -> None:
    before = len(world.rows("SELECT run_id FROM inventory_ops.kpi_runs"))
    world.drain(world.transformed("purchase_orders", LAST))
    assert len(world.rows("SELECT run_id FROM inventory_ops.kpi_runs")) == before


def test_killed_before_publish_the_redelivery_publishes(world: World) -> None:
    load = world.transformed("sales", LAST)
    sent = len(world.publisher.sent)
    world.publisher.fail_next = True
    with pytest.raises(RuntimeError):
        world.drain(load)
    world.drain(load)
    assert world.publisher.sent[sent]["load_id"] == load


def test_a_load_that_nobody_transformed_is_tried_again(world: World) -> None:
    with pytest.raises(TransientError, match="not_transformed_yet"):
        kpi.refresh(StageEvent("load.transformed", "sales", "f" * 20), world.services)


def test_calls_that_arrive_together_share_one_drain(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    loads = [world.transformed("sales", LAST) for _ in range(6)]
    drains: list[object] = []
    one = kpi.drain
    monkeypatch.setattr(kpi, "drain", lambda loads, services: drains.append(loads) or one(loads, services))
    threads = [
        threading.Thread(
            target=kpi.refresh, args=(StageEvent("load.transformed", "sales", load, landed_on=TODAY), world.services)
        )
        for load in loads
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(drains) <= 2
    assert {
        r["n"]
        for r in world.rows("SELECT COUNT(DISTINCT load_id) AS n FROM inventory_ops.load_stages WHERE stage = 'kpi'")
    } == {7}


def test_two_instances_at_once_do_no_harm(world: World) -> None:
    """Each on its own would be right; together the later transaction is tried again."""
    world.rows(f"UPDATE inventory_curated.sales SET quantity = 9 WHERE business_date = '{LAST}'; SELECT 1")
    load = world.transformed("sales", LAST)
    faults: list[BaseException] = []

    def instance() -> None:
        try:
            kpi.drain(asked(load), world.services)
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=instance) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:  # a transient error asks for a redelivery: do it
        assert all(isinstance(error, TransientError) for error in faults)
        kpi.drain(asked(load), world.services)
    rows = world.rows("SELECT business_date, value FROM inventory_kpi.each_day")
    assert len(rows) == 10 and values(world, "each_day")[LAST] == 9
    assert messages(world, "failed") == {}


class Clock:
    """Stands where ``time`` stands for the round: after so many KPIs the time of the drain is over."""

    def __init__(self, begun: int) -> None:
        self.left = begun

    def monotonic(self) -> float:
        self.left -= 1
        return 0.0 if self.left >= 0 else float("inf")


def again(world: World) -> str:
    """Return a load whose last transform changed nothing, and that is replayed."""
    load = world.transformed("sales", FIRST)
    world.services.settings, kept = replace(world.services.settings, kpi_interval_seconds="{}"), world.services.settings
    world.drain(load)
    world.drain(world.transformed("sales", load=load))
    world.services.settings = replace(kept, replay_window_seconds=0)
    return load


@pytest.fixture
def cut(monkeypatch: pytest.MonkeyPatch, world: World) -> Iterator[None]:
    """A drain that had time for one KPI, ``daily``; the one after it has all the time that it wants."""
    with monkeypatch.context() as patched:
        patched.setattr(refresh, "time", Clock(1))
        world.rows(f"UPDATE inventory_curated.sales SET quantity = 5 WHERE business_date = '{LAST}'; SELECT 1")
        load = world.transformed("sales", LAST)
        with pytest.raises(TransientError, match="no time left for each_day, three_days"):
            world.drain(load)
    world.waiting.append(load)
    yield


def computed(world: World) -> list[str]:
    rows = world.rows("SELECT kpi FROM inventory_ops.kpi_runs WHERE state = 'computed' ORDER BY finished_at, kpi")
    return [row["kpi"] for row in rows][3:]  # three by the fixture


def test_a_drain_that_runs_out_of_time_is_gone_on_with_by_the_next_delivery(world: World, cut: None) -> None:
    assert computed(world) == ["daily"] and values(world, "each_day")[LAST] == 1
    assert world.rows("SELECT state FROM inventory_ops.loads WHERE landed_on >= '2000-01-01' AND state = 'computing'")
    world.drain()
    assert sorted(computed(world)) == ["daily", "each_day", "three_days"]
    assert values(world, "each_day")[LAST] == 5 and values(world, "three_days")[LAST] == 7
    assert {m["event_type"] for m in world.publisher.sent} == {"kpi.refreshed"} and len(world.publisher.sent) == 2


@pytest.mark.parametrize("since", [(), (LAST,)])
def test_a_replay_that_is_cut_goes_on_with_the_days_of_the_load(
    world: World, monkeypatch: pytest.MonkeyPatch, since: tuple[date, ...]
) -> None:
    """Also after a transform that changed nothing: the KPIs that there was no time for compute the same days.

    And those of a transform that came in between.
    """
    load = again(world)
    before = len(computed(world))
    with monkeypatch.context() as patched:
        patched.setattr(refresh, "time", Clock(1))
        with pytest.raises(TransientError, match="no time left for each_day, three_days"):
            world.drain(load)
    if since:
        world.transformed("sales", *since, load=load)
    world.drain(load)
    assert {*computed(world)[before:]} == {"daily", "each_day", "three_days"}
    assert world.runs()["each_day"] == (FIRST, max((FIRST, *since)))


def test_what_comes_in_between_is_computed_for_its_days_only(world: World, cut: None) -> None:
    world.rows(f"UPDATE inventory_curated.sales SET quantity = 9 WHERE business_date = '{FIRST}'; SELECT 1")
    world.drain(*world.waiting, world.transformed("sales", FIRST))
    assert world.runs()["daily"] == (FIRST, FIRST)
    assert world.runs()["each_day"] == (FIRST, LAST)
    assert (values(world, "each_day")[FIRST], values(world, "each_day")[LAST]) == (9, 5)
    assert (values(world, "three_days")[FIRST], values(world, "three_days")[LAST]) == (9, 7)


def test_a_base_that_was_made_anew_reaches_those_on_it_after_a_cut(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (folder(world) / "daily.sql").read_text()
    (folder(world) / "daily.sql").write_text(text.replace("SUM(CAST", "10 * SUM(CAST"))
    with monkeypatch.context() as patched:
        patched.setattr(refresh, "time", Clock(1))
        load = world.transformed("sales", LAST)
        with pytest.raises(TransientError, match="no time left"):
            world.drain(load)
    world.drain(load)
    assert set(values(world, "each_day").values()) == {10} and len(values(world, "each_day")) == 10


@pytest.fixture
def rests(world: World) -> Iterator[World]:
    """``three_days`` is computed once an hour at most: it was, just now. All others are not held back."""
    before = world.services.settings, world.services.clock
    world.services.settings = replace(before[0], kpi_interval_seconds='{"three_days": 3600}')
    yield world
    world.services.settings, world.services.clock = before


def sold(world: World, quantity: int) -> str:
    """The last day's sale is another one: return the load that says so."""
    world.rows(f"UPDATE inventory_curated.sales SET quantity = {quantity} WHERE business_date = '{LAST}'; SELECT 1")
    return world.transformed("sales", LAST)


def test_a_kpi_with_an_interval_rests_and_takes_all_that_came_when_it_is_due(rests: World) -> None:
    loads = []
    for quantity in (5, 9):
        loads.append(sold(rests, quantity))
        rests.drain(*loads)
    assert sorted(computed(rests)) == ["daily", "daily", "each_day", "each_day"]
    assert values(rests, "each_day")[LAST] == 9 and values(rests, "three_days")[LAST] == 3
    assert len(rests.publisher.sent) == 1  # those of the fixture's load
    rests.services.clock = lambda: datetime.now(UTC) + timedelta(hours=1)
    rests.drain(loads[0])
    assert computed(rests)[4:] == ["three_days"] and values(rests, "three_days")[LAST] == 11
    assert len(rests.publisher.sent) == 3


@pytest.mark.parametrize("resting", [["three_days"], ["daily", "each_day", "three_days"]])
def test_a_replay_of_kpis_that_rest_computes_the_days_of_the_load_when_they_are_due(
    rests: World, resting: list[str]
) -> None:
    """Also after a transform that changed nothing, and when all of them rest."""
    load = again(rests)
    before = len(computed(rests))
    intervals = json.dumps(dict.fromkeys(resting, 3600))
    rests.services.settings = replace(rests.services.settings, kpi_interval_seconds=intervals)
    rests.drain(load)
    assert sorted([*computed(rests)[before:], *resting]) == ["daily", "each_day", "three_days"]
    rests.drain(load)
    (put_off,) = rests.rows("SELECT COUNT(*) AS n FROM inventory_ops.load_stages WHERE state = 'computing'")
    assert put_off["n"] == 1, "said once, however often it is delivered"
    rests.services.clock = lambda: datetime.now(UTC) + timedelta(hours=1)
    rests.drain(rests.transformed("purchase_orders", FIRST))
    assert sorted(computed(rests)[before:]) == ["daily", "each_day", "three_days"]


def test_the_sweep_wakes_the_loads_of_a_kpi_that_is_due_and_not_before(rests: World) -> None:
    load = sold(rests, 5)
    rests.drain(load)
    long_ago = datetime.now(UTC) - timedelta(days=1)
    assert sweep.waiting(rests.services, long_ago) == []
    rests.services.clock = lambda: datetime.now(UTC) + timedelta(hours=1)
    assert [row["load_id"] for row in sweep.waiting(rests.services, long_ago)] == [load]
    rests.drain(load)
    assert sweep.waiting(rests.services, long_ago) == []


def test_the_sweep_wakes_a_load_that_was_transformed_again_while_a_kpi_rests(rests: World) -> None:
    """Its event was lost: the KPIs that do not rest are not to wait for the one that does."""
    load = sold(rests, 5)
    rests.drain(load)
    rests.transformed("sales", FIRST, load=load)
    assert [row["load_id"] for row in sweep.waiting(rests.services, datetime.now(UTC))] == [load]
    rests.drain(load)
    assert sweep.waiting(rests.services, datetime.now(UTC)) == []


def test_a_kpi_that_reads_one_that_rests_waits_for_it(rests: World) -> None:
    write(folder(rests), "on_three_days", "value", reads="three_days")
    text = (folder(rests) / "on_three_days.sql").read_text().replace("units AS numerator", "value AS numerator")
    (folder(rests) / "on_three_days.sql").write_text(text)
    load = sold(rests, 5)
    rests.drain(load)
    assert sorted(computed(rests)) == ["daily", "each_day"]
    rests.services.clock = lambda: datetime.now(UTC) + timedelta(hours=1)
    rests.drain(load)
    assert values(rests, "on_three_days")[LAST] == values(rests, "three_days")[LAST] == 7


def test_a_kpi_whose_definition_changed_does_not_rest(rests: World) -> None:
    write(folder(rests), "three_days", TRAILING.replace("SUM(units)", "10 * SUM(units)"), lookback=2)
    rests.drain(rests.transformed("sales", LAST))
    assert values(rests, "three_days")[LAST] == 30


def test_kpis_share_a_script_and_one_that_fails_fails_alone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given more KPIs than scripts, when rows break one of them, then its neighbours in the script are computed."""
    monkeypatch.setattr(refresh, "SIDE_BY_SIDE", 3)
    names = [f"k{number}" for number in range(2 * refresh.SIDE_BY_SIDE)]
    for name in names:
        write(folder(world), name, "IF(units = 666, CAST(ERROR('no') AS FLOAT64), units)" if name == "k0" else "units")
    world.drain(world.transformed("sales", LAST))
    world.rows(f"UPDATE inventory_curated.sales SET quantity = 666 WHERE business_date = '{LAST}'; SELECT 1")
    world.drain(world.transformed("sales", LAST))
    assert set(messages(world, "failed")) == {"k0"} and "no" in messages(world, "failed")["k0"]
    assert values(world, "k0")[LAST] == 1
    assert {values(world, name)[LAST] for name in names[1:]} == {666}


def listen(world: World, monkeypatch: pytest.MonkeyPatch, hear: Callable[[str], None]) -> None:
    """Tell of each query before it runs."""
    query = type(world.services.warehouse).query

    def told(self: object, sql: str, *args: object) -> object:
        hear(sql)
        return query(self, sql, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(type(world.services.warehouse), "query", told)


def test_a_drain_asks_few_queries_however_many_kpis_there_are(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given more KPIs than that on one level, then they take as many queries as run side by side."""
    monkeypatch.setattr(refresh, "SIDE_BY_SIDE", 4)
    for number in range(2 * refresh.SIDE_BY_SIDE):
        write(folder(world), f"k{number}")
    world.drain(world.transformed("sales", LAST))
    scripts: list[str] = []
    listen(world, monkeypatch, scripts.append)
    world.drain(world.transformed("sales", FIRST))
    assert len([sql for sql in scripts if "MERGE" in sql]) == 1 + refresh.SIDE_BY_SIDE


def test_a_kpi_is_computed_as_soon_as_those_it_reads_are_there(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a slow KPI beside a quick one, then one that reads the quick one does not wait for the slow one."""
    write(folder(world), "quick")
    write(folder(world), "slow")
    write(folder(world), "after", "numerator", "quick")
    after = folder(world) / "after.sql"
    after.write_text(after.read_text().replace("units AS numerator", "numerator"))
    world.drain(world.transformed("sales", LAST))
    begun = threading.Event()

    def watch(sql: str) -> None:
        if "MERGE inventory_kpi.after" in sql:
            begun.set()
        if "MERGE inventory_kpi.slow" in sql:
            assert begun.wait(60), "the KPI behind the quick one waits for the slow one"

    listen(world, monkeypatch, watch)
    world.drain(world.transformed("sales", FIRST))
    assert {"quick", "slow", "after"} <= set(world.runs())


def test_a_script_that_dies_before_it_is_recorded_is_computed_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given rows that were replaced and no record of it, then the next delivery doubles nothing and records it."""
    load = world.transformed("sales", FIRST)
    query = type(world.services.warehouse).query

    def cut(self: object, sql: str, *args: object) -> object:
        changes, record, _ = sql.partition("INSERT INTO inventory_ops.kpi_runs")
        if not record:
            return query(self, sql, *args)  # type: ignore[arg-type]
        query(self, changes, *args)  # type: ignore[arg-type]
        raise TransientError("query_failed", "the connection was lost")

    world.rows(f"UPDATE inventory_curated.sales SET quantity = 7 WHERE business_date = '{FIRST}'; SELECT 1")
    with monkeypatch.context() as patched, pytest.raises(TransientError, match="lost"):
        patched.setattr(type(world.services.warehouse), "query", cut)
        world.drain(load)
    before = world.rows("SELECT COUNT(*) AS n FROM inventory_ops.kpi_runs")[0]["n"]
    world.drain(load)
    assert values(world, "each_day") == {FIRST + timedelta(days=n): 7 if n == 0 else 1 for n in range(10)}
    assert world.rows("SELECT COUNT(*) AS n FROM inventory_kpi.each_day")[0]["n"] == 10
    assert world.rows("SELECT COUNT(*) AS n FROM inventory_ops.kpi_runs")[0]["n"] == before + 3


def test_a_table_that_is_laid_out_another_way_is_made_anew(world: World) -> None:
    """BigQuery refuses to replace it; one that is laid out as wanted is never dropped."""
    table = f"{world.services.settings.dataset('kpi')}.each_day"
    wanted = Layout(("MONTH", "business_date"), ("sku",))
    assert world.services.warehouse.layout(table) == wanted
    world.rows(
        f"CREATE OR REPLACE TABLE {table} PARTITION BY business_date AS SELECT * FROM inventory_kpi.each_day; SELECT 1"
    )
    assert world.services.warehouse.layout(table) == Layout(("DAY", "business_date"), ())
    write(folder(world), "each_day", "units + 1")
    world.drain(world.transformed("sales", LAST))
    assert world.services.warehouse.layout(table) == wanted
    assert set(values(world, "each_day").values()) == {2}


def test_a_table_that_is_not_there_has_no_layout(world: World) -> None:
    assert world.services.warehouse.layout(f"{world.services.settings.dataset('kpi')}.nothing") is None
