"""transform on the real emulator: what wins, what is refused, what is released, what repeats."""

import json
import random
import re
import threading
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from functions.transform import files, merge, script
from functions.transform.drain import Outcome, drain, transform
from stockflow import points
from stockflow.errors import TransientError
from stockflow.events import StageEvent
from stockflow.ledger import Asked
from tests.integration import transform_world
from tests.integration.transform_world import CountingWarehouse, World

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def shared_world(bigquery_emulator: str) -> World:
    return transform_world.new_world(bigquery_emulator)


@pytest.fixture
def world(shared_world: World) -> World:
    transform_world.empty(shared_world)
    shared_world.publisher.sent.clear()
    shared_world.count = 0
    return shared_world


def sale(receipt: str = "R1", **changes: str) -> dict[str, str]:
    return {"receipt_number": receipt, "line_number": "1", "business_date": "2026-09-01", "sku": "A1",
            "location_code": "PAR1", "quantity": "2", "net_amount": "10", **changes}  # fmt: skip


def run(world: World, feed: str, *asked: str) -> Outcome:
    return drain(feed, frozenset(Asked(load) for load in asked), world.services)


def script_jobs(world: World, *args: str) -> int:
    before = CountingWarehouse.jobs
    run(world, *args)
    return CountingWarehouse.jobs - before


def detail(world: World, load: str) -> dict[str, Any]:
    found = world.services.ledger.stages(load)["transform"].detail
    return dict(found)


def test_rows_are_typed_as_their_load_writes_them(world: World) -> None:
    """A French file: decimal comma, day first, blanks between thousands, codes in any case."""
    french = {"decimal_mark": ",", "date_order": "dmy"}
    row = sale(sku=" a1 ", business_date="01/09/2026", quantity="1 200,5", net_amount="10,25-", unit="pièce")
    load = world.land("sales", row, detail=french)
    run(world, "sales", load)
    assert world.curated("sales", "sku, business_date, quantity, net_amount, unit, currency") == [
        ("A1", date(2026, 9, 1), Decimal("1200.5"), Decimal("-10.25"), "EA", "EUR")
    ]


def test_a_row_that_cannot_be_typed_is_kept_apart_with_the_reason(world: World) -> None:
    """Nothing is dropped: one row passes, three are refused, and the books balance."""
    load = world.land(
        "sales",
        sale("R1"),
        sale("R2", quantity="two"),
        sale("R3", business_date="30/02/2026"),
        sale("R4", sku=" "),
    )
    run(world, "sales", load)
    assert world.curated("sales", "receipt_number") == [("R1",)]
    assert world.quarantine("sales") == [
        (load, 3, "unreadable", "quantity"),
        (load, 4, "unreadable", "business_date"),
        (load, 5, "missing", "sku"),
    ]
    assert world.books() == {load: True}
    (refused,) = world.rows("SELECT value, expected, original_row FROM inventory_ops.quarantine WHERE line = 3")
    assert (refused["value"], refused["expected"]) == ("two", "a number")
    assert json.loads(refused["original_row"])["receipt_number"] == "R2"


def test_lines_that_validation_refused_stay_out(world: World) -> None:
    """raw = current + superseded + refused by validate + refused by transform."""
    load = world.land("sales", sale("R1"), sale("R2"), quarantined=(3,))
    run(world, "sales", load)
    assert world.curated("sales", "receipt_number") == [("R1",)]
    assert world.books() == {load: True}


def test_the_newer_statement_wins_whatever_arrives_first(world: World) -> None:
    """The older file is transformed after the newer one and changes nothing."""
    newer = world.land("sales", sale(quantity="5"), at=20)
    run(world, "sales", newer)
    older = world.land("sales", sale(quantity="1"), at=10)
    run(world, "sales", older)
    assert world.curated("sales", "quantity, _load_id") == [(Decimal(5), newer)]
    assert detail(world, older)["dates"] == []
    assert world.services.ledger.stages(older)["transform"].superseded == 1
    assert world.books() == {older: True, newer: True}


def test_the_business_time_decides_before_the_landing(world: World) -> None:
    """A purchase order that says when it was changed wins by that."""
    order = {"order_number": "P1", "line_number": "1", "business_date": "2026-09-01", "supplier_code": "S",
             "sku": "A1", "location_code": "PAR1", "ordered_quantity": "10"}  # fmt: skip
    first = world.land("purchase_orders", {**order, "received_quantity": "10", "updated_at": "2026-09-09 10:00"}, at=1)
    second = world.land("purchase_orders", {**order, "received_quantity": "4", "updated_at": "2026-09-05 10:00"}, at=2)
    run(world, "purchase_orders", first, second)
    assert world.curated("purchase_orders", "received_quantity, status") == [(Decimal(10), "received")]


def test_the_last_line_of_a_file_wins(world: World) -> None:
    """Two lines with one key: the later line is current, the other superseded."""
    load = world.land("sales", sale(quantity="1"), sale(quantity="3"))
    run(world, "sales", load)
    assert world.curated("sales", "quantity, _line") == [(Decimal(3), 3)]
    assert world.services.ledger.stages(load)["transform"].superseded == 1


def test_a_corrected_file_touches_only_what_it_changes(world: World) -> None:
    """One of two rows differs; a row that moves to another day touches both days."""
    name = "sales_2026-09-05.csv"
    first = world.land("sales", sale("R1"), sale("R2", business_date="2026-09-02"), sale("R3"), name=name)
    run(world, "sales", first)
    assert detail(world, first)["dates"] == ["2026-09-01", "2026-09-02"]
    world.services.ledger.record(kpi_done(world, first))
    second = world.land("sales", sale("R1"), sale("R2", business_date="2026-09-03"), sale("R3"), name=name)
    run(world, "sales", second)
    assert sorted(detail(world, second)["dates"]) == ["2026-09-02", "2026-09-03"]
    assert world.curated("sales", "receipt_number, _load_id") == [(r, second) for r in ("R1", "R2", "R3")]


def kpi_done(world: World, load: str) -> Any:
    done = world.services.ledger.stages(load)["transform"]
    return replace(done, stage="kpi", state="refreshed", input_record=done.record_id, detail={})


def test_a_redelivery_only_sends_the_event_again(world: World) -> None:
    """The same load within the window: one query, no script, the same rows, the same event."""
    load = world.land("sales", sale())
    run(world, "sales", load)
    before = world.curated("sales", "*")
    assert script_jobs(world, "sales", load) == 1
    assert world.curated("sales", "*") == before
    assert world.publisher.of("load.transformed") == [load, load]


def test_the_record_is_the_one_that_the_ledger_knows(world: World) -> None:
    """The id that SQL gives a record is the one that ``StageRecord`` derives: KPIs name it as their input."""
    load = world.land("sales", sale())
    run(world, "sales", load)
    (row,) = world.rows("SELECT record_id FROM inventory_ops.load_stages WHERE stage = 'transform'")
    assert world.services.ledger.stages(load)["transform"].record_id == row["record_id"]


def test_a_replay_gives_the_same_rows(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the window everything is computed again, in random order, with an identical result."""
    loads = [world.land("sales", sale("R1", quantity=str(n)), sale(f"S{n}"), sale("T", quantity="x")) for n in range(4)]
    run(world, "sales", *loads)
    columns = "receipt_number, quantity, net_amount, _load_id, _line, _business_time, _generation"
    before = (
        world.curated("sales", columns),
        world.curated("sales_history", columns),
        world.quarantine("sales"),
    )
    monkeypatch.setitem(world.services.__dict__, "settings", replace(world.services.settings, replay_window_seconds=0))
    for load in random.sample(loads, 4):
        run(world, "sales", load)
    after = (
        world.curated("sales", columns),
        world.curated("sales_history", columns),
        world.quarantine("sales"),
    )
    assert after == before
    assert all(world.books().values())


def test_killed_before_publish_the_redelivery_publishes(world: World) -> None:
    """The rows are there, the event was not sent: the second delivery sends it with the same days."""
    load = world.land("sales", sale())
    world.publisher.fail_next = True
    with pytest.raises(RuntimeError):
        run(world, "sales", load)
    assert world.publisher.sent == []
    run(world, "sales", load)
    assert world.publisher.of("load.transformed") == [load]
    assert detail(world, load)["dates"] == ["2026-09-01"]


def test_days_that_the_kpis_have_not_seen_are_not_forgotten(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A recompute that changes nothing still names the days, until the KPIs were computed from it."""
    monkeypatch.setitem(world.services.__dict__, "settings", replace(world.services.settings, replay_window_seconds=0))
    load = world.land("sales", sale())
    run(world, "sales", load)
    run(world, "sales", load)
    assert detail(world, load)["dates"] == ["2026-09-01"]
    world.services.ledger.record(kpi_done(world, load))
    run(world, "sales", load)
    assert detail(world, load)["dates"] == []


def test_a_load_that_is_refused_later_is_taken_back(world: World) -> None:
    """validate changed its mind: the older statement is current again."""
    first = world.land("sales", sale(quantity="1"), at=1)
    second = world.land("sales", sale(quantity="2"), at=2)
    run(world, "sales", first, second)
    verdict = world.services.ledger.stages(second)["validate"]
    world.services.ledger.record(replace(verdict, state="rejected", finished_at=world.services.clock()))
    run(world, "sales")
    assert world.curated("sales", "quantity, _load_id") == [(Decimal(1), first)]
    assert world.curated("sales_history", "_load_id") == [(first,)]


def test_an_unknown_unit_is_refused_then_released_by_the_product(world: World) -> None:
    """Cases of an unknown product wait; the product file wakes them and they count 6 each."""
    load = world.land("sales", sale("R1", unit="carton", quantity="2"), sale("R2"))
    run(world, "sales", load)
    assert world.quarantine("sales") == [(load, 2, "unknown_unit_factor", "unit")]
    product = world.land("products", {"sku": "A1", "base_unit": "EA", "pack_unit": "CS", "units_per_pack": "6"})
    run(world, "products", product)
    assert world.publisher.of("load.validated") == [load]
    transform(StageEvent("load.validated", "sales", load), world.services)
    assert world.curated("sales", "receipt_number, quantity, unit, stated_unit") == [
        ("R1", Decimal(12), "EA", "CS"),
        ("R2", Decimal(2), "EA", None),
    ]
    assert world.quarantine("sales") == []
    assert world.books() == {load: True, product: True}


def test_the_release_does_not_depend_on_its_event(world: World) -> None:
    """The event that wakes sales is lost; the next sales drain takes the waiting load anyway."""
    load = world.land("sales", sale("R1", unit="CS"))
    run(world, "sales", load)
    run(world, "products", world.land("products", {"sku": "A1", "pack_unit": "CS", "units_per_pack": "6"}))
    run(world, "sales", world.land("sales", sale("R9")))
    assert world.curated("sales", "receipt_number, quantity", "receipt_number = 'R1'") == [("R1", Decimal(12))]


def stated_on(day: str, units: str, **facts: str) -> dict[str, str]:
    """A statement of product A1 as of a day, with so many pieces in a case."""
    return {"sku": "A1", "base_unit": "EA", "pack_unit": "CS", "units_per_pack": units, "updated_at": day, **facts}


def test_a_case_holds_what_it_held_on_its_day(world: World) -> None:
    """A pack size that changes counts from its own date on; a master that comes late counts for its days."""
    run(world, "products", world.land("products", stated_on("2026-09-01", "12")))
    old = world.land("sales", sale("R1", unit="CS", quantity="10", business_date="2026-09-10"))
    run(world, "sales", old)
    run(world, "products", world.land("products", stated_on("2026-09-20", "10")))
    run(world, "sales", world.land("sales", sale("R2", unit="CS", quantity="10", business_date="2026-09-25")))
    quantities = "receipt_number, quantity"
    assert world.curated("sales", quantities) == [("R1", Decimal(120)), ("R2", Decimal(100))]
    # a statement of the days between, which lands last: only the days that it covers are computed again
    run(world, "products", world.land("products", stated_on("2026-09-05", "6")))
    run(world, "sales")
    assert world.curated("sales", quantities) == [("R1", Decimal(60)), ("R2", Decimal(100))]
    # a statement that says what holds already on its day changes nothing, and wakes nobody
    run(world, "products", world.land("products", stated_on("2026-09-22", "10")))
    waiting = "SELECT load_id FROM inventory_ops.load_stages_latest WHERE landed_on IS NOT NULL AND state = 'pending'"
    assert world.rows(waiting) == []
    assert world.books()[old]


def test_money_waits_for_its_rate_and_follows_its_correction(world: World) -> None:
    """Dollars wait; a rate six days old serves; a later, nearer rate changes the amount."""
    load = world.land("sales", sale("R1", currency="USD"), sale("R2", currency="EUR"))
    run(world, "sales", load)
    assert world.quarantine("sales") == [(load, 2, "unknown_exchange_rate", "currency")]
    rate = {"currency": "USD", "business_date": "2026-08-26", "rate_to_base": "0.9"}
    run(world, "exchange_rates", world.land("exchange_rates", rate))
    run(world, "sales")
    assert world.curated("sales", "receipt_number, net_amount, stated_net_amount, stated_currency") == [
        ("R1", Decimal(9), Decimal(10), "USD"),
        ("R2", Decimal(10), Decimal(10), "EUR"),
    ]
    nearer = {**rate, "business_date": "2026-08-31", "rate_to_base": "0.8"}
    run(world, "exchange_rates", world.land("exchange_rates", nearer))
    run(world, "sales")
    assert world.curated("sales", "net_amount", "receipt_number = 'R1'") == [(Decimal(8),)]


def test_killed_after_it_was_overtaken_the_load_is_transformed_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rates come in while a drain runs: it has not seen them. Who dies between that and the next run loses nothing."""
    rate = {"currency": "USD", "business_date": "2026-08-31", "rate_to_base": "0.9"}
    run(world, "exchange_rates", world.land("exchange_rates", rate))
    load = world.land("sales", sale(currency="USD"))
    monkeypatch.setattr(script, "drain_script", lambda *of: _before_the_rates(merge.drain_script(*of)))
    with points.watched(_die_when_merged), pytest.raises(points.PointError):
        run(world, "sales", load)
    assert world.quarantine("sales") == [(load, 2, "unknown_exchange_rate", "currency")]
    assert world.services.ledger.stages(load)["transform"].reason_code == "overtaken"
    monkeypatch.undo()
    run(world, "sales", load)
    assert world.curated("sales", "net_amount") == [(Decimal(9),)]
    assert world.services.ledger.stages(load)["transform"].state == "transformed"


def _before_the_rates(text: str) -> str:
    """The script of a drain whose transaction began before any rate was there."""
    text, seen = re.subn(r"\(SELECT CONCAT\(.*\)\) AS dimensions_seen", "'nothing' AS dimensions_seen", text)
    text, joined = re.subn(
        r"inventory_curated\.daily_rates", "(SELECT * FROM inventory_curated.daily_rates LIMIT 0)", text
    )
    assert (seen, joined) == (1, 1)
    return text


def _die_when_merged(point: points.Point) -> None:
    if point == "transform.merged":
        raise points.PointError(point)


def test_a_rate_older_than_seven_days_does_not_serve(world: World) -> None:
    """Then the amount is unknown, not wrong."""
    rate = {"currency": "USD", "business_date": "2026-08-24", "rate_to_base": "0.9"}
    run(world, "exchange_rates", world.land("exchange_rates", rate))
    load = world.land("sales", sale(currency="USD"))
    run(world, "sales", load)
    assert world.quarantine("sales") == [(load, 2, "unknown_exchange_rate", "currency")]


def test_a_rate_quoted_for_one_euro_is_inverted(world: World) -> None:
    """Central banks quote the other way: 163.42 yen for one euro. What is quoted for a third currency is refused."""
    day = {"business_date": "2026-11-18", "per_currency": "EUR"}
    rates = (
        {**day, "currency": "JPY", "rate_to_base": "163.42"},
        {**day, "currency": "USD", "rate_to_base": "0.9", "per_currency": "usd"},
        {**day, "currency": "SEK", "rate_to_base": "9.8", "per_currency": "USD"},
        {**day, "currency": "EUR", "rate_to_base": "1.08"},
        {**day, "currency": "KRW", "rate_to_base": "1512.3", "per_currency": None},
    )
    load = world.land("exchange_rates", *rates)
    run(world, "exchange_rates", load)
    assert world.curated("exchange_rates", "currency, rate_to_base") == [
        ("JPY", Decimal("0.006119202")), ("USD", Decimal("0.9")),
    ]  # fmt: skip
    assert world.quarantine("exchange_rates") == [
        (load, 4, "unknown_quotation", "per_currency"), (load, 5, "base_currency_rate", "rate_to_base"),
        (load, 6, "rate_out_of_range", "rate_to_base"),
    ]  # fmt: skip


def test_a_late_dimension_enriches_facts_that_are_there(world: World) -> None:
    """The enriched view knows the product and the store as soon as they land; the fact is not touched."""
    run(world, "sales", world.land("sales", sale()))
    product = world.land("products", {"sku": "a1", "name": "Lamp", "category": "Light"})
    run(world, "products", product)
    run(
        world,
        "locations",
        world.land("locations", {"location_code": "par1", "name": "Paris", "type": "magasin"}),
    )
    assert world.curated("sales_enriched", "product_name, category, location_name, location_type") == [
        ("Lamp", "Light", "Paris", "store")
    ]
    assert world.publisher.of("load.validated") == []
    assert detail(world, product)["all_dates"] is True


def test_an_unchanged_dimension_changes_no_day(world: World) -> None:
    """The weekly product file that says the same again costs the KPIs nothing."""
    row = {"sku": "A1", "name": "Lamp", "updated_at": "2026-09-01"}
    run(world, "products", world.land("products", row))
    again = world.land("products", {**row, "updated_at": "2026-09-08"})
    run(world, "products", again)
    assert detail(world, again) == {"tables": ["inventory_curated.products"], "dates": [], "all_dates": False}


def test_a_dimension_says_which_columns_changed(world: World) -> None:
    """A renamed product concerns only the KPIs that read names; a new product, or one that is gone, its own days."""
    row = {"sku": "A1", "name": "Lamp", "unit_cost": "2", "updated_at": "2026-09-01"}
    first = world.land("products", row)
    run(world, "products", first)
    assert detail(world, first)["all_dates"] is True and "columns" not in detail(world, first)
    assert (detail(world, first)["keys"], detail(world, first)["besides"]) == (["A1"], [])
    renamed = world.land("products", {**row, "name": "Light", "category": "Home", "updated_at": "2026-09-08"})
    run(world, "products", renamed)
    assert sorted(detail(world, renamed)["columns"]) == ["category", "name"]
    assert detail(world, renamed)["by_day"] == ["category 2026-09-08"]  # names are those of today on all days


def test_a_dimension_says_which_keys_came_or_went_and_what_changed_besides(world: World) -> None:
    """One product comes, one goes and one is renamed by the same file; its keys are said as they are stored."""
    shared = {"updated_at": "2026-09-01"}
    file = world.land("products", {"sku": 'a"1', "name": "Lamp", **shared}, {"sku": "B1", "name": "Desk", **shared})
    run(world, "products", file)
    assert sorted(detail(world, file)["keys"]) == ['A"1', "B1"]
    world.services.ledger.record(kpi_done(world, file))
    world.land(
        "products", {"sku": "B1", "name": "Table", **shared}, {"sku": "C1", "name": "Chair", **shared}, load=file
    )
    run(world, "products", file)
    said = detail(world, file)
    assert (sorted(said["keys"]), said["besides"], "columns" in said) == (['A"1', "C1"], ["name"], False)


def test_many_new_keys_are_not_named(world: World) -> None:
    """The first file of all products concerns all days; its record stays small."""
    file = world.land("products", *({"sku": f"S{n}", "updated_at": "2026-09-01"} for n in range(201)))
    run(world, "products", file)
    said = detail(world, file)
    assert said["all_dates"] is True and not said.keys() & {"keys", "besides", "columns"}


def test_an_older_statement_that_comes_late_changes_what_held_then(world: World) -> None:
    """The current product stays as it is; its cost of the days before is another one now."""
    row = {"sku": "A1", "name": "Lamp", "unit_cost": "2", "updated_at": "2026-09-08"}
    run(world, "products", world.land("products", row))
    late = world.land("products", {**row, "name": "Lamp of old", "unit_cost": "1", "updated_at": "2026-09-01"})
    run(world, "products", late)
    said = detail(world, late)
    assert (said["all_dates"], said["columns"]) == (True, ["unit_cost"])
    assert said["by_day"] == ["unit_cost 0001-01-01"]
    dearer = world.land("products", {**row, "unit_cost": "3", "updated_at": "2026-09-15"})
    run(world, "products", dearer)
    assert detail(world, dearer)["by_day"] == ["unit_cost 2026-09-15"]


def test_movements_carry_their_sign(world: World) -> None:
    """What leaves is negative however it is written; SAP's reversals turn it round."""
    types = {"receipt": "5", "issue": "5", "sortie": "-5", "transfer_out": "5", "102": "5", "202": "5",
             "casse": "1", "retour client": "2", "adjustment": "-3"}  # fmt: skip
    base = {"document": "D", "business_date": "2026-09-01", "sku": "A1", "location_code": "PAR1"}
    rows = [
        {**base, "line_number": str(i), "movement_type": t, "quantity": q} for i, (t, q) in enumerate(types.items())
    ]
    run(world, "stock_movements", world.land("stock_movements", *rows))
    found = world.curated("stock_movements", "line_number, movement_type, quantity")
    assert [(kind, int(quantity)) for _, kind, quantity in found] == [
        ("receipt", 5), ("issue", -5), ("issue", -5), ("transfer_out", -5), ("receipt", -5), ("issue", 5),
        ("adjustment", -1), ("return", 2), ("adjustment", -3),
    ]  # fmt: skip


def test_every_feed_has_a_model_that_runs(world: World) -> None:
    """All ten, with the shortest row their contract accepts."""
    day = {"business_date": "2026-09-01", "sku": "A1", "location_code": "PAR1"}
    line = {**day, "line_number": "1"}
    shortest = {
        "products": {"sku": "A1", "gtin": "4006381333931"},
        "locations": {"location_code": "PAR1", "gln": "4006381333931"},
        "suppliers": {"supplier_code": "S1"},
        "exchange_rates": {"business_date": "2026-09-01", "currency": "usd", "rate_to_base": "0.9"},
        "stock_snapshots": {**day, "on_hand": "3", "unit_cost": "2"},
        "stock_movements": {**line, "document": "D", "movement_type": "101", "quantity": "1"},
        "sales": sale(),
        "purchase_orders": {**line, "order_number": "P", "supplier_code": "S1", "ordered_quantity": "1"},
        "stock_counts": {**day, "counted_quantity": "3", "counted_at": "2026-09-01 18:00"},
        "customer_orders": {**line, "order_number": "C", "ordered_quantity": "1"},
    }  # fmt: skip
    assert shortest.keys() == world.services.contracts.keys()
    for feed, row in shortest.items():
        run(world, feed, world.land(feed, row))
        assert len(world.curated(feed, "_load_id")) == 1, (feed, world.quarantine(feed))


def test_a_load_that_nobody_validated_is_tried_again(world: World) -> None:
    """The event came before the ledger shows its load: Pub/Sub brings it back."""
    with pytest.raises(TransientError, match="not_validated_yet"):
        transform(StageEvent("load.validated", "sales", "nowhere"), world.services)


def test_a_hundred_loads_take_a_handful_of_scripts(world: World) -> None:
    """A hundred calls at once: at most two drains, each one query and one script."""
    loads = [world.land("sales", sale(f"R{n}"), sale("SAME", quantity=str(n))) for n in range(100)]
    before = CountingWarehouse.jobs
    threads = [
        threading.Thread(target=transform, args=(StageEvent("load.validated", "sales", load), world.services))
        for load in loads
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert CountingWarehouse.jobs - before <= 4
    assert len(world.curated("sales", "receipt_number")) == 101
    assert world.curated("sales", "quantity", "receipt_number = 'SAME'") == [(Decimal(99),)]
    assert all(world.books().values()) and len(world.books()) == 100


def test_a_load_that_breaks_the_script_does_not_stop_its_neighbours(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row on which the script fails: that load alone is retried."""
    text, said = files.model("sales"), "inventory_curated.to_code(receipt_number) AS receipt_number"
    fails = "IF(receipt_number = 'BAD', ERROR(CONCAT('overflow of ', receipt_number)), receipt_number)"
    broken = text.replace(said, f"inventory_curated.to_code({fails}) AS receipt_number")
    monkeypatch.setattr(merge, "model", lambda _feed: broken)
    good = [world.land("sales", sale(f"R{n}")) for n in range(4)]
    bad = world.land("sales", sale("BAD"))
    assert set(run(world, "sales", *good, bad).failed) == {bad}
    assert len(world.curated("sales", "receipt_number")) == 4
    assert sorted(world.publisher.of("load.transformed")) == sorted(good)
    with pytest.raises(TransientError):
        transform(StageEvent("load.validated", "sales", bad), world.services)
    late = world.land("sales", sale("R9"))
    transform(StageEvent("load.validated", "sales", late), world.services)
    assert len(world.curated("sales", "receipt_number")) == 5


def test_two_instances_at_once_do_no_harm(world: World) -> None:
    """Two drains that know nothing of each other: the transaction conflict makes the later retry."""
    loads = [world.land("sales", sale(f"R{n}"), sale("SAME", quantity=str(n))) for n in range(6)]
    errors: list[BaseException] = []

    def other(asked: tuple[str, ...]) -> None:
        try:
            run(world, "sales", *asked)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=other, args=(tuple(loads[i::3]),)) for i in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(world.curated("sales", "receipt_number")) == 7
    assert len(world.curated("sales_history", "_load_id, _line")) == 12
    assert all(world.books().values())
