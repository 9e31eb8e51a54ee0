"""transform and the ledger: what counts of raw, what is not visible yet, what fails, and what is sent to work again."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from functions.transform import drain as drains
from functions.transform import files, merge, script
from functions.transform.drain import Outcome, drain, transform
from stockflow.errors import TransientError
from stockflow.events import StageEvent
from stockflow.ledger import Asked, StageRecord
from tests.integration import transform_world
from tests.integration.transform_world import World

pytestmark = pytest.mark.integration
LATER = timedelta(seconds=1)


@pytest.fixture(scope="module")
def shared_world(bigquery_emulator: str) -> World:
    return transform_world.new_world(bigquery_emulator)


@pytest.fixture
def world(shared_world: World) -> World:
    transform_world.empty(shared_world)
    shared_world.publisher.sent.clear()
    return shared_world


def sale(receipt: str = "R1", **changes: str) -> dict[str, str]:
    return {"receipt_number": receipt, "line_number": "1", "business_date": "2026-09-01", "sku": "A1",
            "location_code": "PAR1", "quantity": "2", "net_amount": "10", **changes}  # fmt: skip


def run(world: World, *asked: Asked | str, feed: str = "sales") -> Outcome:
    return drain(feed, frozenset(a if isinstance(a, Asked) else Asked(a) for a in asked), world.services)


def transformed(world: World, load: str) -> StageRecord:
    return world.services.ledger.stages(load)["transform"]


@contextmanager
def earlier(world: World, **ago: float) -> Iterator[None]:
    """Transform with a clock that stands so long ago: a drain that began then and was committed now."""
    before = world.services.clock
    world.services.__dict__["clock"] = lambda: before() - timedelta(**ago)
    try:
        yield
    finally:
        world.services.__dict__["clock"] = before


@contextmanager
def setting(world: World, **changes: Any) -> Iterator[None]:
    before = world.services.settings
    world.services.__dict__["settings"] = replace(before, **changes)
    try:
        yield
    finally:
        world.services.__dict__["settings"] = before


def test_only_rows_of_the_committed_run_count(world: World) -> None:
    """A killed attempt left rows of the same load in raw; another run of ingest is named by another validation."""
    load = world.land("sales", sale("OLD"))
    world.land("sales", sale("R1"), sale("R2"), load=load)
    run(world, load)
    assert world.curated("sales", "receipt_number") == [("R1",), ("R2",)]
    record, verdict = transformed(world, load), world.services.ledger.stages(load)["validate"]
    assert (record.raw_run_id, record.landed_at) == (verdict.raw_run_id, verdict.landed_at)
    (row,) = world.rows("SELECT landed_on FROM inventory_ops.load_stages WHERE stage = 'transform'")
    assert row["landed_on"] == verdict.landed_on


def test_refused_rows_are_told_by_row_not_by_line(world: World) -> None:
    """The elements of an array on one line have one line number: one is refused, two count, once each."""
    load = world.land("sales", sale("R1"), sale("R2"), sale("R3", quantity="two"), quarantined=(3,))
    world.rows(f"UPDATE inventory_raw.sales SET _line = 1 WHERE _load_id = '{load}'; SELECT 1")
    run(world, load)
    assert world.curated("sales", "receipt_number, _row") == [("R1", 1)]
    found = world.rows("SELECT `row`, landed_on FROM inventory_ops.quarantine WHERE stage = 'transform'")
    assert [tuple(r.values()) for r in found] == [(3, world.clock_start.date())]
    assert world.books() == {load: True}


def test_a_load_whose_refused_rows_do_not_show_yet_waits(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its neighbour does not; nothing refused comes into curated; when they show, it goes on."""
    monkeypatch.setattr(drains, "VISIBLE_SECONDS", 0.1)
    hidden = world.land("sales", sale("R1"), sale("BAD"), quarantined=(3,), visible=False)
    good = world.land("sales", sale("R9"))
    failed = run(world, hidden, good).failed
    assert {load: error.code for load, error in failed.items()} == {hidden: "not_visible_yet"}
    assert world.curated("sales", "receipt_number") == [("R9",)]
    run(world)
    assert world.curated("sales", "receipt_number") == [("R9",)]
    world.show_refused(hidden)
    assert run(world, hidden).failed == {}
    assert world.curated("sales", "receipt_number") == [("R1",), ("R9",)]


def test_a_validation_that_shows_seconds_later_is_waited_for(world: World) -> None:
    """Within the call: no attempt of Pub/Sub is used up."""
    load = world.land("sales", sale())
    verdict = world.services.ledger.stages(load)["validate"]
    newer = replace(verdict, finished_at=datetime.now(UTC) + LATER)
    asked = Asked(load, verdict.landed_on, newer.finished_at)
    timer = threading.Timer(1.5, world.services.ledger.record, [newer])
    timer.start()
    assert run(world, asked).failed == {}
    timer.join()
    assert transformed(world, load).input_record == newer.record_id


def test_a_validation_that_never_shows_fails_its_load_only(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its older record is not taken in its place."""
    monkeypatch.setattr(drains, "VISIBLE_SECONDS", 0.1)
    good, late = world.land("sales", sale("R1")), world.land("sales", sale("R2"))
    day = world.clock_start.date()
    failed = run(world, good, Asked(late, day, datetime.now(UTC) + LATER), Asked("nowhere", day, datetime.now(UTC)))
    assert failed.failed.keys() == {late, "nowhere"}
    assert world.curated("sales", "receipt_number") == [("R1",)]


def test_what_landed_long_ago_is_found_by_the_day_that_its_event_names(world: World) -> None:
    """Nobody looks further back than a week; an event without a day looks everywhere."""
    old = [world.land("sales", sale(f"R{n}"), at=-60 * 24 * 90 + n) for n in range(3)]
    run(world)
    assert world.curated("sales", "receipt_number") == []
    run(world, Asked(old[0], transform_world.landed_on(world, old[0])))
    assert len(world.curated("sales", "receipt_number")) == 3, "what else waits of that day goes with it"
    older = world.land("sales", sale("R9"), at=-60 * 24 * 200)
    assert run(world, older).failed == {}


def test_events_say_the_day_and_the_record(world: World) -> None:
    """kpi waits for the record that its event speaks of."""
    load = world.land("sales", sale())
    run(world, load)
    run(world, load)
    record = transformed(world, load)
    first, again = (m for m in world.publisher.sent if m["event_type"] == "load.transformed")
    assert first == again
    assert first["landed_on"] == record.landed_on.isoformat()
    assert datetime.fromisoformat(first["recorded_at"]) == record.finished_at


def test_a_changed_dimension_sends_other_feeds_to_work_once_per_day(world: World) -> None:
    """One event per feed and landing day; a drain takes all that waits of that day, however old it is."""
    days = [0, -1, 60 * 24 * 90, 60 * 24 * 90 - 1]
    loads = [world.land("sales", sale(f"R{n}", unit="CS"), at=-minutes) for n, minutes in enumerate(days)]
    for load in loads:
        run(world, load)
    product = world.land("products", {"sku": "A1", "pack_unit": "CS", "units_per_pack": "6"})
    run(world, product, feed="products")
    events = [m for m in world.publisher.sent if m["event_type"] == "load.validated"]
    expected = {transform_world.landed_on(world, load).isoformat() for load in loads}
    assert [(m["feed"], m["landed_on"]) for m in events] == [("sales", day) for day in sorted(expected)]
    for m in events:
        run(world, Asked(m["load_id"], datetime.fromisoformat(m["landed_on"]).date()))
    assert world.curated("sales", "receipt_number, quantity") == [(f"R{n}", Decimal(12)) for n in range(4)]


@pytest.mark.parametrize(("began", "state"), [("after", "pending"), ("before", "pending"), ("after", "failed")])
def test_days_that_a_later_record_hides_reach_the_kpis_with_the_next_run(world: World, began: str, state: str) -> None:
    """Another feed's script began before the last run was committed: what it marks pending is the run before it.
    Or the load was parked after that run.

    That last run may have begun before the one that the KPIs hold: two transforms of one load take their turns.
    """
    load = world.land("sales", sale())
    run(world, load)
    held = transformed(world, load)
    ledger = world.services.ledger
    ledger.record(replace(held, stage="kpi", state="refreshed", input_record=held.record_id, detail={}))
    world.land("sales", sale(quantity="3"), load=load)
    with earlier(world, hours=1 if began == "before" else 0):
        run(world, load)
    hidden = transformed(world, load)
    assert (hidden.started_at < held.started_at) == (began == "before")
    moment = hidden.finished_at + timedelta(microseconds=1)
    ledger.record(replace(held, state=state, input_record=None, detail={}, finished_at=moment))
    run(world, load)
    assert hidden.detail["dates"] == transformed(world, load).detail["dates"] == ["2026-09-01"]
    now = transformed(world, load)
    ledger.record(replace(now, run_id="k", stage="kpi", state="refreshed", input_record=now.record_id, detail={}))
    with setting(world, replay_window_seconds=0):
        run(world, load)
    assert transformed(world, load).record_id != now.record_id
    assert transformed(world, load).detail["dates"] == []


def test_all_days_of_a_dimension_or_of_some_of_its_columns_are_carried(world: World) -> None:
    """Until the KPIs have seen a run, the next one says the same: first of a new key, then of one column."""
    product = {"sku": "A1", "unit_cost": "2", "currency": "EUR", "base_unit": "EA", "updated_at": "2026-09-08"}
    load, columns = world.land("products", product), list[list[str]]()
    for said in (product, {**product, "unit_cost": "3"}):
        world.land("products", said, load=load)
        run(world, load, feed="products")
        first = transformed(world, load)
        with setting(world, replay_window_seconds=0):
            run(world, load, feed="products")
        again = transformed(world, load)
        assert again.record_id != first.record_id and first.detail["all_dates"] and again.detail["all_dates"]
        columns += [sorted(done.detail.get("columns") or done.detail["keys"]) for done in (first, again)]
        assert first.detail.get("by_day") == again.detail.get("by_day")
        seen = replace(again, stage="kpi", state="refreshed", input_record=again.record_id, detail={})
        world.services.ledger.record(seen)
    assert columns == [["A1"], ["A1"], ["stated_unit_cost", "unit_cost"], ["stated_unit_cost", "unit_cost"]]
    assert first.detail["by_day"] == ["unit_cost 0001-01-01"]  # its only statement holds for the days before, too


def fails_behind_its_commit(text: str, words: str = "the server failed", once_in: str = "") -> str:
    """The script of a drain that commits and fails before its looks at other drains; always, or once in a feed."""
    fails = f"RAISE USING MESSAGE = '{words}';"
    if once_in:
        turn, first = f"inventory_curated.turn_{once_in}", "inventory_curated.first_turn"
        fails = f"IF (SELECT MAX(turn) FROM {turn}) = (SELECT MAX(turn) FROM {first}) THEN {fails} END IF;"
        fails = f"CREATE TABLE IF NOT EXISTS {first} AS SELECT turn FROM {turn};\n{fails}"
    text, found = re.subn(r"^COMMIT TRANSACTION;$", lambda commit: f"{commit[0]}\n{fails}", text, flags=re.M)
    assert found == 1
    return text


def marks_nothing(text: str) -> str:
    """The script of a dimension whose transaction began before what it would mark was committed."""
    text, found = re.subn(r"IF EXISTS \(SELECT 1 FROM repacked\) THEN", "IF FALSE THEN", text, count=1)
    assert found == 1
    return text


@pytest.mark.parametrize("fails", ["at once", "and runs again at once"])
def test_a_dimension_that_fails_behind_its_commit_still_sends_others_to_work(
    world: World, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    """Given a load that was committed while the products were, when the look at it fails, a later run marks it."""
    load = world.land("sales", sale(unit="CS"))
    run(world, load)
    assert world.curated("sales", "receipt_number") == []
    product = world.land("products", {"sku": "A1", "pack_unit": "CS", "units_per_pack": "6"})
    how = {"once_in": "products", "words": "could not serialize"} if fails != "at once" else {}
    real = merge.drain_script
    monkeypatch.setattr(script, "drain_script", lambda *of: fails_behind_its_commit(marks_nothing(real(*of)), **how))
    failed = run(world, product, feed="products").failed
    monkeypatch.undo()
    assert transformed(world, product).state == "transformed"
    if fails == "at once":
        assert failed.keys() == {product}
        assert transformed(world, load).state == "transformed"
        run(world, product, feed="products")
    assert transformed(world, load).reason_code == "products_changed"
    assert load in world.publisher.of("load.validated")
    run(world)
    assert world.curated("sales", "quantity") == [(Decimal(12),)]


def test_a_load_that_fails_behind_its_commit_looks_at_its_dimensions_when_it_is_delivered_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a product that came while a load was transformed, when the look at it fails, its redelivery sees it."""
    load = world.land("sales", sale(unit="CS"))
    real = merge.drain_script
    monkeypatch.setattr(script, "drain_script", lambda *of: fails_behind_its_commit(real(*of)))
    assert run(world, load).failed.keys() == {load}
    monkeypatch.setattr(script, "drain_script", lambda *of: marks_nothing(marks_nothing(real(*of))))
    product = world.land("products", {"sku": "A1", "pack_unit": "CS", "units_per_pack": "6"})
    run(world, product, feed="products")
    monkeypatch.undo()
    assert (transformed(world, load).state, world.publisher.of("load.validated")) == ("transformed", [])
    run(world, load)
    assert world.curated("sales", "quantity") == [(Decimal(12),)]


@pytest.fixture
def breakable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model whose script fails on receipt BAD."""
    text, said = files.model("sales"), "inventory_curated.to_code(receipt_number) AS receipt_number"
    fails = "IF(receipt_number = 'BAD', ERROR(CONCAT('overflow of ', receipt_number)), receipt_number)"
    assert said in text
    broken = text.replace(said, f"inventory_curated.to_code({fails}) AS receipt_number")
    real = files.model
    monkeypatch.setattr(merge, "model", lambda feed: broken if feed == "sales" else real(feed))


def breaking(world: World, receipt: str = "BAD") -> str:
    """A load that fails by itself."""
    return world.land("sales", sale(receipt))


def attempts(world: World) -> int:
    return int(world.rows("SELECT COUNT(*) AS n FROM inventory_ops.stage_attempts")[0]["n"])


@pytest.mark.usefixtures("breakable")
def test_a_load_that_fails_is_left_alone_then_parked_then_tried_when_asked(world: World) -> None:
    """Others drain without it; after the last attempt it has an end; an event for it tries again."""
    run(world, world.land("products", {"sku": "A1", "pack_unit": "CS", "units_per_pack": "12"}), feed="products")
    bad, good = breaking(world), world.land("sales", sale("R1"))
    with setting(world, max_attempts=3):
        assert run(world, bad, good).failed.keys() == {bad}
        assert attempts(world) == 1
        run(world, world.land("sales", sale("R2")))
        assert attempts(world) == 1, "who does not ask for it does not try it"
        assert run(world, bad).failed.keys() == {bad}
        assert run(world, bad).failed == {}, "parked: acknowledged"
        record = transformed(world, bad)
        assert (record.state, record.reason_code, record.detail["attempts"]) == ("failed", "too_many_attempts", 3)
        assert "overflow of BAD" in (record.message or "")
        assert world.publisher.of("load.failed") == [bad]
        run(world, world.land("sales", sale("R3")))
        assert attempts(world) == 2
        with pytest.raises(TransientError):
            transform(StageEvent("load.validated", "sales", bad), world.services)
        assert attempts(world) == 3
    assert world.curated("sales", "receipt_number") == [("R1",), ("R2",), ("R3",)]


def test_loads_that_take_the_time_of_a_call_are_put_off(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """No attempt of theirs is counted."""
    monkeypatch.setattr(drains, "PATIENCE", timedelta(0))
    load = world.land("sales", sale())
    assert {i: e.code for i, e in run(world, load).failed.items()} == {load: "put_off"}
    assert attempts(world) == 0


def test_the_ledger_says_how_long_a_drain_took_and_not_when_its_transaction_began(shared_world: World) -> None:
    """Given a transaction, when a statement of it takes its time, then the next one's CURRENT_TIMESTAMP is later."""
    script = """
    DECLARE before, after TIMESTAMP;
    BEGIN TRANSACTION;
    SET before = (SELECT CURRENT_TIMESTAMP());
    CREATE TEMP TABLE work AS SELECT COUNT(DISTINCT MOD(a * b, 10007)) AS n
    FROM UNNEST(GENERATE_ARRAY(1, 3000)) AS a, UNNEST(GENERATE_ARRAY(1, 300)) AS b;
    SET after = (SELECT CURRENT_TIMESTAMP());
    COMMIT TRANSACTION;
    SELECT TIMESTAMP_DIFF(after, before, MICROSECOND) AS microseconds;
    """
    assert shared_world.services.warehouse.query(script)[0]["microseconds"] > 0
