"""A load whose rows are not those that its records count: it waits while they may still show, then it is parked."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from functions.transform import drain as drains
from functions.transform import rows
from functions.transform.drain import Outcome, drain
from stockflow.ledger import Asked, StageRecord
from tests.integration import transform_world
from tests.integration.transform_world import World

pytestmark = pytest.mark.integration
RAW = "inventory_raw.sales"


@pytest.fixture(scope="module")
def shared_world(bigquery_emulator: str) -> World:
    return transform_world.new_world(bigquery_emulator)


@pytest.fixture
def world(shared_world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(drains, "VISIBLE_SECONDS", 0.1)
    transform_world.empty(shared_world)
    shared_world.publisher.sent.clear()
    return shared_world


def sale(receipt: str) -> dict[str, str]:
    return {"receipt_number": receipt, "line_number": "1", "business_date": "2026-09-01", "sku": "A1",
            "location_code": "PAR1", "quantity": "2", "net_amount": "10"}  # fmt: skip


def run(world: World, *asked: str) -> Outcome:
    return drain("sales", frozenset(map(Asked, asked)), world.services)


def change(world: World, sql: str) -> None:
    world.rows(f"{sql}; SELECT 1")


@contextmanager
def later(world: World, by: timedelta) -> Iterator[None]:
    before = world.services.clock
    world.services.__dict__["clock"] = lambda: before() + by
    try:
        yield
    finally:
        world.services.__dict__["clock"] = before


def receipts(world: World) -> list[str]:
    return [row[0] for row in world.curated("sales", "receipt_number")]


def end(world: World, load: str) -> StageRecord:
    return world.services.ledger.stages(load)["transform"]


def attempts(world: World) -> int:
    return int(world.rows("SELECT COUNT(*) AS n FROM inventory_ops.stage_attempts")[0]["n"])


def test_rows_that_are_twice_in_raw_park_their_load_at_once(world: World) -> None:
    """Waiting cannot put it right. Its neighbours go on; the reason says what is there, what should be, what helps."""
    load, good = world.land("sales", sale("R1"), sale("R2")), world.land("sales", sale("R9"))
    change(world, f"INSERT INTO {RAW} SELECT * FROM {RAW} WHERE _load_id = '{load}'")
    assert run(world, load, good).failed == {}
    record = end(world, load)
    assert (record.state, record.reason_code) == ("failed", "raw_rows_differ")
    assert record.message == (
        f"raw holds 4 rows of run {record.raw_run_id}, 2 of them more than once; ingest recorded 2. "
        f"`stockflow replay --stage ingest --load {load}` reads the file again; where it is gone, drop it again"
    )
    assert record.detail == {"expected": 2, "found": 4, "different": 2}
    assert world.publisher.of("load.failed") == [load]
    assert (receipts(world), attempts(world)) == (["R9"], 0)
    run(world, world.land("sales", sale("R8")))
    assert end(world, load).record_id == record.record_id, "nobody tries it again unasked"
    world.land("sales", sale("R1"), sale("R2"), load=load)  # another run
    run(world, load)
    assert receipts(world) == ["R1", "R2", "R8", "R9"]


def test_one_row_in_the_place_of_another_parks_its_load_at_once(world: World) -> None:
    """Their number is right."""
    load = world.land("sales", sale("R1"), sale("R2"))
    change(world, f"UPDATE {RAW} SET _row = 1 WHERE _load_id = '{load}'")
    assert run(world, load).failed == {}
    assert end(world, load).detail == {"expected": 2, "found": 2, "different": 1}
    assert receipts(world) == []


def test_rows_that_show_later_are_waited_for(world: World) -> None:
    """Given a load of which raw shows one row of two, then nothing of it counts until the other one shows."""
    load, good = world.land("sales", sale("R1"), sale("R2")), world.land("sales", sale("R9"))
    change(world, f"CREATE OR REPLACE TABLE inventory_ops.late AS SELECT * FROM {RAW} WHERE receipt_number = 'R2'")
    change(world, f"DELETE FROM {RAW} WHERE receipt_number = 'R2'")
    failed = run(world, load, good).failed
    assert {i: e.code for i, e in failed.items()} == {load: "not_visible_yet"}
    assert "1 of 2 rows" in failed[load].message
    assert receipts(world) == ["R9"]
    with later(world, rows.LATE - timedelta(minutes=1)):
        assert run(world, load).failed.keys() == {load}
    change(world, f"INSERT INTO {RAW} SELECT * FROM inventory_ops.late")
    assert run(world, load).failed == {}
    assert (receipts(world), attempts(world)) == (["R1", "R2", "R9"], 0)


def test_rows_that_never_show_park_their_load(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is tried again by one command: when they show by then, it goes on."""
    load = world.land("sales", sale("R1"), sale("R2"))
    change(world, f"UPDATE {RAW} SET _run_id = 'elsewhere' WHERE receipt_number = 'R2'")
    monkeypatch.setattr(rows, "LATE", timedelta(0))
    assert run(world, load).failed == {}
    record = end(world, load)
    assert (record.state, record.reason_code) == ("failed", "raw_rows_differ")
    assert (record.message or "").startswith(f"raw holds 1 row of run {record.raw_run_id}; ingest recorded 2. ")
    change(world, f"UPDATE {RAW} SET _run_id = '{record.raw_run_id}' WHERE receipt_number = 'R2'")
    assert run(world, load).failed == {}
    assert (end(world, load).state, receipts(world)) == ("transformed", ["R1", "R2"])


def test_refused_rows_that_never_show_park_their_load(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    load = world.land("sales", sale("R1"), sale("BAD"), quarantined=(3,), visible=False)
    with later(world, rows.LATE - timedelta(minutes=1)):
        assert {i: e.code for i, e in run(world, load).failed.items()} == {load: "not_visible_yet"}
    monkeypatch.setattr(rows, "LATE", timedelta(0))
    assert run(world, load).failed == {}
    record = end(world, load)
    assert (record.state, record.reason_code) == ("failed", "refused_rows_differ")
    assert record.message == (
        f"quarantine holds 0 rows of the validation of load {load}, which refused 1. "
        f"`stockflow replay --stage validate --load {load}` judges it again"
    )
    assert (receipts(world), world.publisher.of("load.failed")) == ([], [load])
    world.show_refused(load)
    run(world, load)
    assert receipts(world) == ["R1"]


def test_more_refused_rows_than_were_recorded_park_their_load_at_once(world: World) -> None:
    load = world.land("sales", sale("R1"), sale("R2"), sale("R3"), quarantined=(3,))
    one = "SELECT * REPLACE (3 AS `row`) FROM inventory_ops.quarantine_rows"
    change(world, f"INSERT INTO inventory_ops.quarantine_rows {one} WHERE load_id = '{load}'")
    assert run(world, load).failed == {}
    assert end(world, load).detail == {"expected": 1, "found": 2, "different": 2}
