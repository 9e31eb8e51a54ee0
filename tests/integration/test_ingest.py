"""ingest on real emulators: what lands, ends in raw exactly once, whatever happens on the way."""

import gzip
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from functions.ingest.freshness import ages, tell_freshness
from functions.ingest.sweep import orphaned_copies, sweep
from stockflow.errors import TransientError
from stockflow.services import Services
from tests.integration.ingest_world import ROWS, World, new_world, sales
from tests.support.logs import logged

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def world(services: Services) -> World:
    return new_world(services)


def test_a_file_becomes_rows_rejects_a_record_and_an_event(world: World) -> None:
    ref = world.drop("sales/happy.csv", sales(*ROWS))
    record = world.ingest(ref)
    world.check_books(ref, rows=2, rejects=1)
    assert [(r["_line"], r["sku"], r["quantity"], r["currency"]) for r in world.raw(ref)] == [
        (2, "A", "1", None),
        (3, "B", "2", None),
    ]
    assert world.rejects(ref) == [(4, "wrong_width")]
    assert world.published(ref) == Counter({"load.ingested": 1})
    assert (record.detail["load_method"], record.detail["encoding"], record.content_md5) == (
        "load_job",
        "ascii",
        ref.md5,
    )


def test_values_reach_raw_as_they_were_written_and_unknown_columns_are_kept(world: World) -> None:
    header = "receipt number;Line;Date;SKU;Magasin;Qty;shift\n"
    text = header + 'R9;1; 01/09/2026;="0503E000";NA;1 234,50;"a ""b"""\n'
    ref = world.drop("sales/written.csv", text.encode("cp1252"))
    world.ingest(ref)
    row = world.raw(ref)[0]
    assert row["business_date"] == " 01/09/2026"
    assert (row["sku"], row["location_code"], row["quantity"]) == ('="0503E000"', "NA", "1 234,50")
    assert row["_extra"] == '{"shift": "a \\"b\\""}'


def test_a_redelivery_does_nothing_but_say_it_again(world: World) -> None:
    ref = world.drop("sales/twice.csv", sales("R20,1,2026-09-01,A,LYO,1,10"))
    first, second = world.ingest(ref), world.ingest(ref)
    assert second.record_id == first.record_id
    world.check_books(ref, rows=1)
    assert world.published(ref, 2) == Counter({"load.ingested": 2})


def test_a_replay_later_computes_again_with_the_same_result(world: World) -> None:
    ref = world.drop("sales/replayed.csv", sales("R21,1,2026-09-01,A,LYO,1,10", "short"))
    first = world.ingest(ref)
    later = Services(world.services.settings, lambda: world.services.clock() + timedelta(hours=1))
    second = replace(world, services=later).ingest(ref)
    assert second.record_id != first.record_id
    assert second.raw_run_id != first.raw_run_id
    world.check_books(ref, rows=1, rejects=1)


KILLS = [
    ("object_store", "create", "before"),
    ("object_store", "create", "after"),
    ("warehouse", "load_parquet", "before"),
    ("warehouse", "load_parquet", "after"),
    ("warehouse", "insert", "before"),
    ("warehouse", "insert", "after"),
    ("ledger", "record", "before"),
    ("ledger", "record", "after"),
    ("publisher", "publish", "before"),
    ("publisher", "publish", "after"),
]


@pytest.mark.parametrize(("client", "method", "when"), KILLS, ids=["-".join(k) for k in KILLS])
def test_killed_at_any_step_the_next_delivery_completes_it_once(
    world: World, client: str, method: str, when: str
) -> None:
    ref = world.drop(f"sales/killed_{client}_{method}_{when}.csv", sales(*ROWS, f"K,{client}{method}{when}"))
    world.killed(ref, client, method, when)
    world.ingest(ref)
    world.check_books(ref, rows=2, rejects=2)
    assert world.published(ref)["load.ingested"] >= 1


def test_two_copies_of_a_delivery_at_once_load_once(world: World) -> None:
    ref = world.drop("sales/at_once.csv", sales(*(f"R3{i},1,2026-09-01,A,LYO,1,10" for i in range(50))))
    with ThreadPoolExecutor(4) as pool:
        records = list(pool.map(lambda _: world.ingest(ref), range(4)))
    assert {r.state for r in records} == {"loaded"}
    world.check_books(ref, rows=50)


def test_the_same_bytes_under_another_name_are_a_duplicate_that_names_the_first(world: World) -> None:
    first = world.drop("sales/original.csv", sales("R40,1,2026-09-01,A,LYO,1,10"))
    second = world.drop("sales/copy.csv", sales("R40,1,2026-09-01,A,LYO,1,10"))
    world.ingest(first)
    record = world.ingest(second)
    assert (record.state, record.detail["duplicate_of"]) == ("duplicate_content", first.load_id)
    assert world.raw(second) == []
    assert world.state(first) == ("loaded", None)


def test_copies_that_land_together_are_one_load_and_one_duplicate(world: World) -> None:
    refs = [world.drop(f"sales/together{i}.csv", sales("R41,1,2026-09-01,A,LYO,1,10")) for i in (1, 2)]
    with ThreadPoolExecutor(2) as pool:
        states = sorted(r.state for r in pool.map(world.ingest, refs))
    assert states == ["duplicate_content", "loaded"]


def test_the_same_bytes_after_a_correction_are_a_restatement(world: World) -> None:
    name = "sales/restated.csv"
    for quantity, state in (("1", "loaded"), ("1", "duplicate_content"), ("2", "loaded"), ("1", "loaded")):
        ref = world.drop(name, sales(f"R42,1,2026-09-01,A,LYO,{quantity},10"))
        assert world.ingest(ref).state == state


def test_a_load_that_validation_rejected_makes_no_duplicates(world: World) -> None:
    first = world.drop("sales/refused.csv", sales("R43,1,2026-09-01,A,LYO,1,10"))
    record = world.ingest(first)
    now = world.services.clock()
    world.services.ledger.record(replace(record, stage="validate", state="rejected", finished_at=now))
    second = world.drop("sales/refused_again.csv", sales("R43,1,2026-09-01,A,LYO,1,10"))
    assert world.ingest(second).state == "loaded"


def test_a_copy_of_a_load_that_is_refused_later_is_announced_again_and_loaded(world: World) -> None:
    """The sweep finds it, but not while the first one stands, nor when its object is gone."""
    text = sales("R74,1,2026-09-01,A,LYO,1,10")
    first, copy, gone = (world.drop(f"sales/{name}44.csv", text) for name in ("first", "copy", "gone"))
    record = world.ingest(first)
    assert {world.ingest(ref).state for ref in (copy, gone)} == {"duplicate_content"}
    world.services.object_store.delete(gone.bucket, gone.name)
    later = world.services.clock() + timedelta(hours=1)
    assert copy.load_id not in {ref.load_id for ref in orphaned_copies(world.services, later)}
    refused = replace(record, stage="validate", state="rejected", finished_at=world.services.clock())
    world.services.ledger.record(refused)
    found = {ref.load_id: ref for ref in orphaned_copies(world.services, later)}
    assert {first.load_id, copy.load_id, gone.load_id} & found.keys() == {copy.load_id}
    assert world.ingest(found[copy.load_id]).state == "loaded"
    assert copy.load_id not in {ref.load_id for ref in orphaned_copies(world.services, later)}


def test_the_same_bytes_are_loaded_when_another_file_of_the_feed_came_in_between(world: World) -> None:
    """Prices 10, then 12 in another file, then the bytes of the first again: 10 is said anew."""
    states = []
    for name, amount in (("sales/one.csv", "10"), ("sales/two.csv", "12"), ("sales/three.csv", "10")):
        ref = world.drop(name, sales(f"R44,1,2026-09-01,A,LYO,1,{amount}"))
        states.append(world.ingest(ref).state)
    assert states == ["loaded", "loaded", "loaded"]


def test_the_same_bytes_are_loaded_while_a_file_in_between_is_not_read_yet(world: World) -> None:
    first = world.drop("sales/pending_1.csv", sales("R45,1,2026-09-01,A,LYO,1,10"))
    world.ingest(first)
    between = world.drop("sales/pending_2.csv", sales("R45,1,2026-09-01,A,LYO,1,12"))
    again = world.drop("sales/pending_3.csv", sales("R45,1,2026-09-01,A,LYO,1,10"))
    assert world.ingest(again).state == "loaded"
    assert world.ingest(between).state == "loaded"


def test_the_same_bytes_under_a_name_of_another_day_are_a_statement_of_that_day(world: World) -> None:
    for day in ("2026-09-01", "2026-09-02"):
        ref = world.drop(f"sales/stock_{day}.csv", sales("R46,1,2026-09-01,A,LYO,1,10"))
        assert world.ingest(ref).state == "loaded"


def test_a_file_that_kills_the_process_ends_failed_and_is_tried_again_on_request(world: World) -> None:
    ref = world.drop("sales/deadly.csv", sales("R47,1,2026-09-01,A,LYO,1,10"))
    few = replace(world, services=Services(replace(world.services.settings, max_attempts=2)))
    for _ in range(2):
        few.killed(ref, "object_store", "create", "before")
    record = few.ingest(ref)
    assert (record.state, record.reason_code) == ("failed", "too_many_attempts")
    assert "stockflow loads retry" in (record.message or "")
    assert world.published(ref) == Counter({"load.failed": 1})
    assert few.ingest(ref).state == "loaded"
    world.check_books(ref, rows=1)


def test_a_file_in_trouble_shows_from_its_first_failed_attempt(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ref = world.drop("sales/trouble.csv", sales("R48,1,2026-09-01,A,LYO,1,10"))
    with monkeypatch.context() as broken:
        broken.setattr("functions.ingest.pipeline.decode", _raises)
        with pytest.raises(ZeroDivisionError):
            world.ingest(ref)
    (row,) = world.query("SELECT * FROM inventory_ops.loads WHERE load_id = @load", load=ref.load_id)
    assert (row["object"], row["state"], row["end_state"]) == (ref.name, "retrying", None)
    assert row["message"] == "attempt 1: division by zero"
    world.ingest(ref)
    (row,) = world.query("SELECT * FROM inventory_ops.loads WHERE load_id = @load", load=ref.load_id)
    assert (row["state"], row["end_state"]) == ("loaded", "loaded")


def _raises(*_: object) -> object:
    return 1 / 0


def test_a_service_that_is_away_parks_nothing_before_five_times_as_many_attempts(world: World) -> None:
    ref = world.drop("sales/away.csv", sales("R49,1,2026-09-01,A,LYO,1,10"))
    few = replace(world, services=Services(replace(world.services.settings, max_attempts=1)))
    for _ in range(4):
        with pytest.raises(TransientError):
            replace(few).ingest(replace(ref, md5="AAAAAAAAAAAAAAAAAAAAAA=="))
    assert few.ingest(ref).state == "loaded"


def test_a_generation_that_was_replaced_before_it_was_read_is_ignored(world: World) -> None:
    old = world.drop("sales/replaced.csv", sales("R50,1,2026-09-01,A,LYO,1,10"))
    new = world.drop("sales/replaced.csv", sales("R50,1,2026-09-01,A,LYO,2,10"))
    world.ingest(old)
    world.ingest(new)
    assert world.state(old) == ("ignored", "superseded_generation")
    world.check_books(new, rows=1)


def test_an_object_that_was_deleted_before_it_was_read_is_ignored(world: World) -> None:
    ref = world.drop("sales/deleted.csv", sales("R51,1,2026-09-01,A,LYO,1,10"))
    world.services.object_store.delete(ref.bucket, ref.name)
    world.ingest(ref)
    assert world.state(ref) == ("ignored", "object_gone")


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("sales/empty.csv", b"", "empty_file"),
        ("sales/cut.csv.gz", gzip.compress(sales(*ROWS).encode() * 500)[:-200], "truncated_gzip"),
        ("sales/no_sku.csv", b"receipt_number,line_number\nR,1\n", "key_columns_present"),
        ("sales/picture.csv", b"\x89PNG....", "unsupported_format"),
        ("sales/locked.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "corrupt_workbook"),
    ],
)
def test_a_file_that_cannot_be_read_is_rejected_whole_with_a_reason(
    world: World, name: str, data: bytes, reason: str
) -> None:
    ref = world.drop(name, data)
    record = world.ingest(ref)
    assert (record.state, record.reason_code) == ("rejected", reason)
    assert record.message
    assert world.raw(ref) == []
    assert world.published(ref) == Counter({"load.rejected": 1})


def test_what_is_no_data_is_ignored_with_a_reason(world: World) -> None:
    for name, reason in (("sales/_SUCCESS", "marker"), ("promotions/a.csv", "unknown_feed"), ("a.csv", "unknown_feed")):
        ref = world.drop(name, "x")
        world.ingest(ref)
        assert world.state(ref) == ("ignored", reason)


def test_a_file_that_is_too_large_names_the_way_for_it(world: World) -> None:
    ref = world.drop("sales/huge.csv", sales("R60,1,2026-09-01,A,LYO,1,10"))
    small = Services(replace(world.services.settings, max_file_bytes=10))
    record = replace(world, services=small).ingest(ref)
    assert record.reason_code == "too_large_for_function"
    assert "Split it" in (record.message or "")


def test_bytes_that_are_not_those_announced_are_not_loaded(world: World) -> None:
    ref = world.drop("sales/changed.csv", sales("R61,1,2026-09-01,A,LYO,1,10"))
    with pytest.raises(TransientError, match="content_changed"):
        world.ingest(replace(ref, md5="AAAAAAAAAAAAAAAAAAAAAA=="))
    assert world.raw(ref) == []


def test_a_bucket_that_takes_too_long_to_list_is_swept_in_turns(world: World) -> None:
    """No time at all: each sweep looks at one more object, and the one after the last begins anew."""
    buckets: dict[str, Any] = {"landing_bucket": "turns-landing", "staging_bucket": "turns-staging"}
    own = replace(world, services=Services(replace(world.services.settings, **buckets)))
    for bucket in buckets.values():
        own.services.object_store.ensure_bucket(bucket, "EU")
    names = [f"sales/turn_{n}.csv" for n in range(3)]
    for name in names:
        own.drop(name, sales("R70,1,2026-09-01,A,LYO,1,10"))
    looks = [sweep(own.services, timedelta(0), listing=timedelta(0)) for _ in range(5)]
    seen = [[ref.name for ref in requeued.objects] for requeued in looks]
    assert seen == [names[:1], names[:2], names[1:], names[2:], names[:1]]
    assert [ref.name for ref in sweep(own.services, timedelta(0)).objects] == names


def test_a_feed_is_late_when_its_newest_file_is_older_than_the_contract_allows(world: World) -> None:
    """A feed that never came says nothing: a new environment is not late."""
    ref = world.drop("sales/fresh.csv", sales("R60,1,2026-09-01,A,LYO,1,10"))
    world.ingest(ref)
    for hours, late in ((26, 0.0), (30, 4.0)):
        moved = Services(world.services.settings, lambda at=ref.created + timedelta(hours=hours): at)  # type: ignore[misc]
        found = {(a.stage, a.feed): a.late for a in ages(moved)}
        assert found[("ingest", "sales")] == pytest.approx(late)
        assert ("ingest", "suppliers") not in found
    with logged() as lines:
        tell_freshness(moved)
    (line,) = [r for r in lines if r.labels["feed"] == "sales"]
    assert (line.levelname, line.labels["state"]) == ("WARNING", "late")
    assert line.json_fields == {"event": "freshness", "hours_late": 4.0}
