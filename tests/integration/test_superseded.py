"""What a later file supersedes of an earlier load shows in `stockflow loads`, and the audit counts the same."""

import pytest

from cli.loads import find_loads
from cli.reconciliation import curated_rows, with_superseded
from functions.transform.drain import transform
from stockflow.events import StageEvent
from tests.integration.transform_world import World, empty, new_world

pytestmark = pytest.mark.integration
SALE = {"receipt_number": "R1", "line_number": "1", "business_date": "2026-09-01", "sku": "A", "location_code": "P",
        "quantity": "1", "net_amount": "2"}  # fmt: skip


@pytest.fixture(scope="module")
def world(bigquery_emulator: str) -> World:
    return new_world(bigquery_emulator)


@pytest.fixture(autouse=True)
def _clean(world: World) -> None:
    empty(world)


def brought(world: World, *receipts: str, quantity: str = "1") -> str:
    load = world.land("sales", *({**SALE, "receipt_number": r, "quantity": quantity} for r in receipts))
    transform(StageEvent("load.validated", "sales", load), world.services)
    return load


def shown(world: World) -> dict[str, int | None]:
    return {r["load_id"]: r["superseded"] for r in with_superseded(world.services, find_loads(world.services))}


def test_a_load_shows_what_a_later_file_supersedes(world: World) -> None:
    first = brought(world, "R1", "R2", "R3")
    assert shown(world) == {first: 0}
    second = brought(world, "R2", "R3", "R4", quantity="5")
    assert shown(world) == {first: 2, second: 0}
    third = brought(world, "R3", quantity="6")
    assert shown(world) == {first: 2, second: 1, third: 0}


def test_a_load_that_was_not_transformed_shows_nothing(world: World) -> None:
    load = world.land("sales", SALE)
    assert shown(world) == {load: None}


def test_the_audit_counts_the_same(world: World) -> None:
    first = brought(world, "R1", "R2")
    brought(world, "R2", quantity="5")
    books = curated_rows(world.services, ["sales"])[first]
    assert (books["typed_rows"], books["current_rows"], books["superseded"]) == (2, 1, 1)
