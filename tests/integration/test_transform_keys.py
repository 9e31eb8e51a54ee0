"""Keys: two senders with the same numbers lose nothing, and a corrected file leaves no ghost."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from cli.reconciliation import curated_rows
from functions.transform.drain import drain
from stockflow.ledger import Asked
from tests.integration import transform_world
from tests.integration.transform_world import World

pytestmark = pytest.mark.integration
DATED = "sales_2026-09-01.csv"


@pytest.fixture(scope="module")
def shared_world(bigquery_emulator: str) -> World:
    return transform_world.new_world(bigquery_emulator)


@pytest.fixture
def world(shared_world: World) -> World:
    transform_world.empty(shared_world)
    return shared_world


def sale(receipt: str = "1001", **changes: str) -> dict[str, str]:
    return {"receipt_number": receipt, "line_number": "1", "business_date": "2026-09-01", "sku": "A1",
            "location_code": "PAR1", "quantity": "2", "net_amount": "10", **changes}  # fmt: skip


def movement(**changes: str) -> dict[str, str]:
    return {"document": "4900000001", "line_number": "1", "business_date": "2026-01-12", "movement_type": "101",
            "sku": "A1", "location_code": "PAR1", "quantity": "10", **changes}  # fmt: skip


def order(**changes: str) -> dict[str, str]:
    return {"order_number": "77", "line_number": "1", "business_date": "2026-09-01", "supplier_code": "S1",
            "sku": "A1", "location_code": "PAR1", "ordered_quantity": "10", **changes}  # fmt: skip


def asked(**changes: str) -> dict[str, str]:
    return {"order_number": "1001", "line_number": "1", "business_date": "2026-09-01", "sku": "A1",
            "location_code": "PAR1", "ordered_quantity": "3", **changes}  # fmt: skip


def run(world: World, feed: str, *asked: str) -> None:
    assert drain(feed, frozenset(Asked(load) for load in asked), world.services).failed == {}


def other_content(world: World, load: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = world.services.ledger.stages(load)["transform"].detail.get(
        "restated_with_other_content"
    )
    return found


def judged(world: World, load: str, state: str) -> None:
    """validate comes to another end."""
    verdict = world.services.ledger.stages(load)["validate"]
    world.services.ledger.record(replace(verdict, state=state, finished_at=world.services.clock()))


def test_every_till_of_every_store_starts_anew_each_day(world: World) -> None:
    """Receipt 1001 of another store, another day, another till is another sale; without a till it still has one key."""
    same = sale()
    run(world, "sales", world.land("sales", same, sale(location_code="LYO1"), sale(business_date="2026-09-02")))
    run(world, "sales", world.land("sales", sale(till_number="2"), sale(till_number="3")))
    assert len(world.curated("sales", "receipt_number")) == 5
    again = world.land("sales", {**same, "quantity": "3"})
    run(world, "sales", again)
    assert world.curated("sales", "quantity, till_number", f"_load_id = '{again}'") == [(Decimal(3), "")]
    assert len(world.curated("sales", "receipt_number")) == 5
    assert all(world.books().values())


def test_documents_that_start_again_each_year_are_others(world: World) -> None:
    """By the file's own year, else by that of the posting date; and so are those of another place."""
    first = world.land("stock_movements", movement(business_date="2025-11-05", document_year="2025"))
    second = world.land("stock_movements", movement(business_date="2026-01-12"))
    third = world.land("stock_movements", movement(location_code="LYO1"))
    run(world, "stock_movements", first, second, third)
    assert world.curated("stock_movements", "document_year, location_code") == [
        ("2025", "PAR1"),
        ("2026", "LYO1"),
        ("2026", "PAR1"),
    ]
    stated = world.land("stock_movements", movement(document_year="2026", quantity="11"))
    run(world, "stock_movements", stated)
    assert world.curated("stock_movements", "quantity", f"_load_id = '{stated}'") == [(Decimal(11),)]
    assert len(world.curated("stock_movements", "document")) == 3


def test_orders_of_two_buyers_to_two_suppliers_are_others(world: World) -> None:
    """One order line keeps its key when its place or its day is corrected."""
    run(world, "purchase_orders", world.land("purchase_orders", order(), order(supplier_code="S2")))
    run(world, "purchase_orders", world.land("purchase_orders", order(location_code="LYO1")))
    assert world.curated("purchase_orders", "supplier_code, location_code") == [("S1", "LYO1"), ("S2", "PAR1")]


def test_customers_orders_of_two_shops_days_and_channels_are_others(world: World) -> None:
    """Each counts from 1001; what is known of a line later takes the place of what was known before."""
    first = world.land("customer_orders", asked(), asked(location_code="LYO1"), asked(channel="marketplace"))
    run(world, "customer_orders", first, world.land("customer_orders", asked(business_date="2026-09-02")))
    assert len(world.curated("customer_orders", "sku")) == 4
    known = world.land("customer_orders", asked(shipped_quantity="2", shipped_date="2026-09-02"))
    run(world, "customer_orders", known)
    assert world.curated("customer_orders", "shipped_quantity, channel", f"_load_id = '{known}'") == [(Decimal(2), "")]
    assert len(world.curated("customer_orders", "sku")) == 4
    assert all(world.books().values())


def test_an_older_statement_of_a_customers_order_does_not_come_back(world: World) -> None:
    """By the source's own time, whatever the order of the files."""
    newer = world.land("customer_orders", asked(shipped_quantity="3", updated_at="2026-09-03 10:00"))
    older = world.land("customer_orders", asked(shipped_quantity="0", updated_at="2026-09-02 10:00"))
    run(world, "customer_orders", newer)
    run(world, "customer_orders", older)
    assert world.curated("customer_orders", "shipped_quantity, status") == [(Decimal(3), "shipped")]


@pytest.mark.parametrize("feed", ["stock_counts", "stock_snapshots"])
def test_stock_of_two_places_or_days_is_other_stock(world: World, feed: str) -> None:
    """Their key says product, place and day: nothing can collide but a restatement."""
    row = {"business_date": "2026-09-01", "sku": "A1", "location_code": "PAR1", "on_hand": "3", "counted_quantity": "3"}
    columns = {c.name for c in world.services.contracts[feed].stated}
    row = {k: v for k, v in row.items() if k in columns}
    run(world, feed, world.land(feed, row), world.land(feed, {**row, "location_code": "LYO1"}))
    run(world, feed, world.land(feed, {**row, "business_date": "2026-09-02"}))
    assert len(world.curated(feed, "sku")) == 3


def test_a_load_says_which_keys_it_states_with_other_content(world: World) -> None:
    """One product in place of another under one key: shown with an example, in the later load's record."""
    first = world.land("sales", sale("1"), sale("2"), sale("3"))
    run(world, "sales", first)
    second = world.land("sales", sale("1", sku="B2"), sale("2", quantity="9"), sale("3", sku="B3"))
    run(world, "sales", second)
    assert other_content(world, first) is None
    said = other_content(world, second)
    assert said is not None and said["rows"] == 2
    assert said["example"].items() >= {"receipt_number": "1", "sku": "B2", "before_sku": "A1"}.items()
    assert said["example"]["before_load_id"] == first


def test_the_older_file_says_it_when_it_comes_later_or_at_once(world: World) -> None:
    """In one drain, and when the older statement is superseded on arrival."""
    newer, older = world.land("sales", sale("1", sku="B2"), at=20), world.land("sales", sale("1"), at=10)
    run(world, "sales", newer, older)
    assert (other_content(world, newer) or {})["rows"] == 1
    oldest = world.land("sales", sale("1", sku="C3"), at=5)
    run(world, "sales", oldest)
    assert (other_content(world, oldest) or {})["rows"] == 1


def test_a_corrected_product_of_one_document_on_one_day_is_a_correction(world: World) -> None:
    """Where the key holds not the day, another product alone says nothing: the day must differ, too."""
    run(world, "stock_movements", world.land("stock_movements", movement()))
    corrected = world.land("stock_movements", movement(sku="B2"))
    run(world, "stock_movements", corrected)
    assert other_content(world, corrected) is None
    other = world.land("stock_movements", movement(sku="C3", business_date="2026-03-01"))
    run(world, "stock_movements", other)
    assert (other_content(world, other) or {})["rows"] == 1


def test_a_corrected_key_leaves_no_ghost(world: World) -> None:
    """The file of a day is sent again with another receipt number: what the first one stated is gone."""
    first = world.land("sales", sale("1001"), sale("1002"), name=DATED)
    run(world, "sales", first)
    second = world.land("sales", sale("1001"), sale("1003"), name=DATED)
    run(world, "sales", second)
    assert world.curated("sales", "receipt_number, _load_id") == [("1001", second), ("1003", second)]
    assert world.books() == {first: True, second: True}
    books = curated_rows(world.services, ["sales"])[first]
    assert (books["typed_rows"], books["superseded"]) == (2, 2)
    assert world.curated("sales_history", "_load_id, _replaced_by") == [(first, second)] * 2 + [(second, None)] * 2


@pytest.mark.parametrize("together", [True, False], ids=["in one drain", "newer first"])
def test_the_newer_generation_replaces_whatever_the_order(world: World, together: bool) -> None:
    """The older one arrives with it, or after it."""
    newer = world.land("sales", sale("1003"), at=20, name=DATED)
    if not together:
        run(world, "sales", newer)
    older = world.land("sales", sale("1001"), at=10, name=DATED)
    run(world, "sales", older)
    assert world.curated("sales", "receipt_number") == [("1003",)]
    assert world.services.ledger.stages(older)["transform"].superseded == 1
    assert world.services.ledger.stages(older)["transform"].detail["replaced_by"] == newer


def test_what_a_replaced_generation_states_does_not_come_back_with_its_replay(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor when another file states the same key."""
    monkeypatch.setitem(world.services.__dict__, "settings", replace(world.services.settings, replay_window_seconds=0))
    older, newer = (world.land("sales", sale(r), name=DATED) for r in ("1001", "1003"))
    run(world, "sales", older, newer)
    run(world, "sales", older)
    run(world, "sales", world.land("sales", sale("1001", quantity="7"), at=1))
    assert world.curated("sales", "receipt_number, quantity") == [("1001", Decimal(7)), ("1003", Decimal(2))]


def test_a_generation_that_is_withdrawn_gives_the_older_one_back(world: World) -> None:
    """validate changed its mind of the newer one; and then again."""
    older, newer = (world.land("sales", sale(r), name=DATED) for r in ("1001", "1003"))
    run(world, "sales", older, newer)
    judged(world, newer, "rejected")
    run(world, "sales", newer)
    assert world.curated("sales", "receipt_number, _load_id") == [("1001", older)]
    judged(world, newer, "validated")
    run(world, "sales", newer)
    assert world.curated("sales", "receipt_number, _load_id") == [("1003", newer)]
    assert all(world.books().values())


def test_a_generation_that_states_nothing_replaces_nothing(world: World) -> None:
    """All its rows are refused: what was right stays."""
    older = world.land("sales", sale("1001"), name=DATED)
    run(world, "sales", older, world.land("sales", sale("1003", quantity="two"), name=DATED))
    assert world.curated("sales", "receipt_number") == [("1001",)]


def test_files_without_a_date_in_their_name_are_merged(world: World) -> None:
    """A sender that writes each delivery under one name states what is new, not the whole."""
    loads = [world.land("sales", sale(r), name="export.csv") for r in ("1001", "1003")]
    run(world, "sales", *loads)
    assert world.curated("sales", "receipt_number") == [("1001",), ("1003",)]
