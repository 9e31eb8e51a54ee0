"""validate on real emulators: each load is judged once, whatever happens, and one bad line keeps the others."""

import base64
import json
import os
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from datetime import timedelta
from itertools import count
from threading import Event
from typing import Any

import pytest

from functions.validate import run as runs
from functions.validate.run import validate
from local import parts
from stockflow.errors import TransientError
from stockflow.events import ObjectRef, StageEvent, encode
from stockflow.ledger import StageRecord
from stockflow.services import Services
from tests.integration.ingest_world import World, new_world, sales
from tests.support.stack import Emulators, started

pytestmark = pytest.mark.integration
GOOD, BAD = "R1,1,2026-09-01,A,LYO,1,10", "R1,2,2026-09-01,B,LYO,two,20"
_numbers = count()


@pytest.fixture(scope="module")
def world(services: Services) -> World:
    return new_world(services)


def judge(ref: ObjectRef, services: Services) -> None:
    """Deliver the event that says that a load is in raw."""
    feed = ref.name.partition("/")[0]
    validate(StageEvent("load.ingested", feed, ref.load_id, landed_on=ref.landed_on), services)


def landed(world: World, *rows: str, name: str = "", header: str = "") -> ObjectRef:
    """Bring a file of sales as far as raw; no two have the same bytes."""
    number = next(_numbers)
    unlike_others = f"X{number},1,2026-09-01,A,LYO,1,10"
    text = (header + "\n".join(rows) + "\n") if header else sales(*rows, unlike_others)
    ref = world.drop(name or f"sales/judged_{number}.csv", text)
    assert world.ingest(ref).state == "loaded"
    return ref


def judged(world: World, *rows: str, **where: str) -> ObjectRef:
    """Bring a file through validation."""
    ref = landed(world, *rows, **where)
    judge(ref, world.services)
    return ref


def record(world: World, ref: ObjectRef) -> StageRecord:
    return world.services.ledger.stages(ref.load_id)["validate"]


def quarantine(world: World, ref: ObjectRef, columns: str = "line, rule", table: str = "quarantine") -> list[Any]:
    sql = f"SELECT {columns} FROM inventory_ops.{table} WHERE load_id = @load ORDER BY line, rule"
    return [tuple(r.values()) for r in world.query(sql, load=ref.load_id)]


def results(world: World, ref: ObjectRef) -> dict[str, tuple[str, bool, int]]:
    sql = "SELECT rule, severity, success, failed FROM inventory_ops.expectations WHERE load_id = @load"
    return {r["rule"]: (r["severity"], r["success"], r["failed"]) for r in world.query(sql, load=ref.load_id)}


def told(world: World, ref: ObjectRef, times: int = 1) -> Counter[str]:
    """Return what validation published about a load (ingest said its own word before)."""
    events = world.published(ref, times + 1)
    return Counter({kind: n for kind, n in events.items() if kind != "load.ingested"})


def check_books(world: World, ref: ObjectRef, rows: int, *refused: tuple[int, str]) -> None:
    """See that ledger, quarantine and results agree, and nothing is there twice."""
    done = record(world, ref)
    assert (done.state, done.rows, done.quarantined) == ("validated", rows, len({line for line, _ in refused}))
    assert quarantine(world, ref) == list(refused)
    failing = {rule for rule, (_, success, _) in results(world, ref).items() if not success}
    assert failing == {rule for _, rule in refused}


@contextmanager
def jobs(world: World) -> Iterator[list[str]]:
    """Yield the BigQuery jobs that are started meanwhile, as BigQuery lists them."""
    client, found = world.services.warehouse.client, list[str]()
    before = {job.job_id for job in client.list_jobs(all_users=True)}
    yield found
    found += [job.job_id for job in client.list_jobs(all_users=True) if job.job_id not in before]


def test_one_bad_line_keeps_all_others_and_is_named_with_its_reason(world: World) -> None:
    ref = judged(world, GOOD, BAD)
    check_books(world, ref, 2, (3, "quantity_type"))
    columns = "line, stage, rule, column_name, value, expected, message, severity, original_row"
    ((*verdict, original),) = quarantine(world, ref, columns)
    message = "quantity cannot be read as a number"
    assert verdict == [3, "validate", "quantity_type", "quantity", "two", "a number", message, "critical"]
    assert json.loads(original) == {
        "receipt_number": "R1", "line_number": "2", "business_date": "2026-09-01", "sku": "B", "location_code": "LYO",
        "quantity": "two", "net_amount": "20",
    }  # fmt: skip
    assert results(world, ref)["quantity_type"] == ("critical", False, 1)
    assert told(world, ref) == Counter({"load.validated": 1})


def test_each_rule_that_a_row_breaks_has_a_verdict_and_the_row_counts_once(world: World) -> None:
    ref = judged(world, GOOD, "R1,2,2026-13-40,,LYO,two,20")
    check_books(world, ref, 2, (3, "business_date_type"), (3, "quantity_type"), (3, "sku_required"))


def test_a_rule_of_the_whole_load_rejects_it(world: World) -> None:
    header = "receipt_number,line_number,business_date,sku,location_code,quantity\n"
    ref = judged(world, "R1,1,2026-09-01,A,LYO,", "R1,2,2026-09-01,B,LYO,", header=header)
    done = record(world, ref)
    assert (done.state, done.reason_code) == ("rejected", "key_columns_present")
    assert "no value at all in quantity" in (done.message or "")
    assert results(world, ref)["key_columns_present"] == ("load", False, 1)
    assert told(world, ref) == Counter({"load.rejected": 1})


def test_a_file_that_lost_most_rows_since_the_one_before_is_rejected(world: World) -> None:
    header = "sku,name\n"
    first = judged(world, *(f"P{n},Thing" for n in range(20)), name="products/full_20260901.csv", header=header)
    second = judged(world, "P1,Thing", name="products/full_20260902.csv", header=header)
    assert record(world, first).state == "validated"
    assert (record(world, second).state, record(world, second).reason_code) == ("rejected", "row_count_not_collapsed")
    assert first.load_id in (record(world, second).message or "")


def test_a_warning_is_counted_and_lets_the_row_through(world: World) -> None:
    ref = judged(world, GOOD, "R2,1,2026-09-01,A,LYO,-1,10")
    done = record(world, ref)
    assert (done.state, done.rows, done.quarantined, done.detail["warnings"]) == ("validated", 3, 0, 1)
    assert quarantine(world, ref) == []
    assert results(world, ref)["amount_has_sign_of_quantity"] == ("warning", False, 1)


def test_a_redelivery_only_says_it_again_for_one_query(world: World) -> None:
    ref = judged(world, GOOD, BAD)
    before = record(world, ref)
    with jobs(world) as started:
        judge(ref, world.services)
    assert len(started) == 1
    assert record(world, ref) == before
    check_books(world, ref, 2, (3, "quantity_type"))
    assert told(world, ref, 2) == Counter({"load.validated": 2})


def test_a_load_of_sales_is_judged_with_one_query(world: World) -> None:
    """Of the ledger: the rows are read from the staged file."""
    ref = landed(world, GOOD, BAD)
    with jobs(world) as started:
        judge(ref, world.services)
    assert len(started) == 1


def test_a_load_whose_staged_file_expired_is_read_from_raw(world: World) -> None:
    ref = landed(world, GOOD, BAD)
    ingested = world.services.ledger.stages(ref.load_id)["ingest"]
    bucket, _, name = str(ingested.detail["staged"]).removeprefix("gs://").partition("/")
    world.services.object_store.delete(bucket, name)
    judge(ref, world.services)
    check_books(world, ref, 2, (3, "quantity_type"))


def test_elements_of_a_json_array_on_one_line_are_told_apart(world: World) -> None:
    """Line 1 is all of them: the refused one is named by its row."""
    names = ("receipt_number", "line_number", "business_date", "sku", "location_code", "quantity")
    rows = [dict(zip(names, ("J1", str(n), "2026-09-01", "A", "LYO", q), strict=True)) for n, q in
            enumerate(("1", "two", "3", "4"), 1)]  # fmt: skip
    ref = world.drop("sales/one_line.json", json.dumps(rows))
    assert world.ingest(ref).rows == 4
    judge(ref, world.services)
    assert (record(world, ref).rows, record(world, ref).quarantined) == (3, 1)
    assert quarantine(world, ref, "`row`, line, rule") == [(2, 1, "quantity_type")]
    assert quarantine(world, ref, "`row`, 0 AS line, '' AS rule", "quarantined_rows") == [(2, 0, "")]


def test_a_load_with_many_refused_rows_is_held_and_says_how_to_release_it(world: World) -> None:
    rows = [f"R1,{n},2026-09-01,A,LYO,{'two' if n <= 12 else n},10" for n in range(40)]
    ref = judged(world, *rows)
    done = record(world, ref)
    assert (done.state, done.reason_code, done.rows, done.quarantined) == ("held", "too_many_refused_rows", 28, 13)
    assert f"stockflow loads release {ref.load_id}" in (done.message or "")
    assert "13 of 41 rows are refused, more than 20%: quantity_type 13" in (done.message or "")
    assert told(world, ref) == Counter({"load.held": 1})


@pytest.mark.parametrize(("bad", "good", "state"), [(10, 5, "validated"), (11, 43, "held"), (11, 44, "validated")])
def test_a_few_refused_rows_or_a_small_share_hold_nothing(world: World, bad: int, good: int, state: str) -> None:
    """More than ten rows and more than a fifth; one more good row comes with each test file."""
    lines = [f"R1,{n},2026-09-01,A,LYO,{'two' if n < bad else n},10" for n in range(bad + good - 1)]
    assert record(world, judged(world, *lines)).state == state


def test_a_file_with_all_rows_refused_is_never_loaded_in_silence(world: World) -> None:
    header = "receipt_number,line_number,business_date,sku,location_code,quantity\n"
    ref = judged(world, f"R1,{next(_numbers)},2026-09-01,A,LYO,two", name="sales/all_refused.csv", header=header)
    assert (record(world, ref).state, record(world, ref).quarantined) == ("held", 1)


def test_very_many_refused_rows_are_all_kept_in_the_quarantine(world: World) -> None:
    """They go by a stream of their own."""
    rows = [f"R1,{n},2026-09-01,A,LYO,two,10" for n in range(3_000)]
    ref = judged(world, *rows)
    assert record(world, ref).quarantined == 3_000
    assert len(quarantine(world, ref)) == 3_000
    assert len(quarantine(world, ref, "`row` AS line, '' AS rule", "quarantined_rows")) == 3_000


def test_rows_of_thirty_kilobytes_fit_into_the_requests(world: World) -> None:
    """A request takes 10 MB: 500 rows of that size are more."""
    header = "receipt_number,line_number,business_date,sku,location_code,quantity,note\n"
    rows = [f"R1,{n},2026-09-01,A,LYO,two,{'x' * 30_000}" for n in range(600)]
    ref = judged(world, *rows, name="sales/wide.csv", header=header)
    assert record(world, ref).quarantined == 600
    assert len(quarantine(world, ref)) == 600


def test_after_ten_failed_attempts_a_load_is_parked(world: World) -> None:
    ref = landed(world, GOOD)
    for _ in range(world.services.settings.max_attempts):
        world.killed(ref, "object_store", "write", "before", judge)
    judge(ref, world.services)
    done = record(world, ref)
    assert (done.state, done.reason_code) == ("failed", "too_many_attempts")
    assert f"stockflow loads retry {ref.load_id}" in (done.message or "")
    assert told(world, ref)["load.failed"] == 1
    judge(ref, world.services)
    assert record(world, ref).state == "validated"


def test_what_ingest_only_ignores_does_not_withdraw_a_load(world: World) -> None:
    ref = judged(world, GOOD)
    ledger, now = world.services.ledger, world.services.clock()
    ledger.record(replace(ledger.stages(ref.load_id)["ingest"], state="ignored", finished_at=now))
    judge(ref, world.services)
    assert record(world, ref).state == "validated"


def test_what_ingest_refuses_now_is_withdrawn(world: World) -> None:
    ref = judged(world, GOOD)
    ledger, now = world.services.ledger, world.services.clock()
    refused = replace(ledger.stages(ref.load_id)["ingest"], state="rejected", reason_code="no_header", finished_at=now)
    ledger.record(refused)
    judge(ref, world.services)
    assert (record(world, ref).state, record(world, ref).reason_code) == ("rejected", "no_header")


STOCK = "business_date,sku,location_code,on_hand\n"


def stock(world: World, name: str, *rows: str) -> StageRecord:
    """Bring a file of stock through validation; return its record."""
    return record(world, judged(world, *rows, name=f"stock_snapshots/{name}", header=STOCK))


def test_one_file_per_numbered_store_each_is_a_series_of_its_own(world: World) -> None:
    big = stock(world, "store_012_20261001.csv", *(f"2026-10-01,S{n},012,5" for n in range(30)))
    small = stock(world, "store_013_20261001.csv", *(f"2026-10-01,S{n},013,5" for n in range(8)))
    assert (big.state, small.state) == ("validated", "validated")
    truncated = stock(world, "store_012_20261002.csv", "2026-10-02,S1,012,5")
    assert (truncated.state, truncated.reason_code) == ("rejected", "row_count_not_collapsed")


def test_codes_are_compared_as_they_are_cleaned(world: World) -> None:
    """Shielded for a spreadsheet one day, plain the next."""
    shielded = [f'2026-10-0{{day}},S{n},"=""{code}""",5' for n in range(3) for code in ("0161", "0162")]
    plain = [f"2026-10-03,S{n},{code},5" for n in range(3) for code in ("0161", "0162")]
    days = [stock(world, f"shielded_2026100{d}.csv", *(r.format(day=d) for r in shielded)) for d in (1, 2)]
    assert [d.state for d in [*days, stock(world, "shielded_20261003.csv", *plain)]] == ["validated"] * 3


def test_a_small_correction_after_a_large_file_is_let_through(world: World) -> None:
    stock(world, "all_20261005.csv", *(f"2026-10-05,S{n},L{n % 4},5" for n in range(40)))
    correction = stock(world, "all_20261005_2.csv", "2026-10-05,S1,L1,7")
    assert correction.state == "validated"


def test_an_earlier_load_is_found_without_reading_its_rows(world: World) -> None:
    with jobs(world) as started:
        stock(world, "queries_20261005.csv", "2026-10-05,S1,L1,5")
    jobs_of_ingest = 2  # its story, its load job
    look_ups = 1  # this test's own
    assert len(started) - jobs_of_ingest - look_ups <= 3


def test_a_replay_later_judges_again_with_the_same_result(world: World) -> None:
    ref = judged(world, GOOD, BAD)
    before = record(world, ref)
    judge(ref, Services(world.services.settings, lambda: world.services.clock() + timedelta(hours=1)))
    assert record(world, ref).record_id != before.record_id
    check_books(world, ref, 2, (3, "quantity_type"))


KILLS = [
    ("warehouse", "insert", "before"),
    ("warehouse", "insert", "after"),
    ("object_store", "write", "before"),
    ("object_store", "write", "after"),
    ("ledger", "record", "before"),
    ("ledger", "record", "after"),
    ("publisher", "publish_all", "before"),
    ("publisher", "publish_all", "after"),
]


@pytest.mark.parametrize(("client", "method", "when"), KILLS, ids=["-".join(k) for k in KILLS])
def test_killed_at_any_step_the_next_delivery_completes_it_once(
    world: World, client: str, method: str, when: str
) -> None:
    ref = landed(world, GOOD, BAD)
    world.killed(ref, client, method, when, judge)
    judge(ref, world.services)
    check_books(world, ref, 2, (3, "quantity_type"))
    assert told(world, ref)["load.validated"] >= 1


def test_two_copies_of_a_delivery_at_once_judge_once_for_every_reader(world: World) -> None:
    ref = landed(world, GOOD, BAD)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: judge(ref, world.services), range(4)))
    check_books(world, ref, 2, (3, "quantity_type"))
    assert told(world, ref, 4) == Counter({"load.validated": 4})


def test_a_load_that_ingest_refused_is_not_judged(world: World) -> None:
    ref = world.drop("sales/nothing.csv", "")
    world.ingest(ref)
    judge(ref, world.services)
    assert "validate" not in world.services.ledger.stages(ref.load_id)


def test_the_report_is_a_page_that_names_the_bad_line(world: World) -> None:
    ref = judged(world, GOOD, BAD)
    settings = world.services.settings
    name = f"reports/sales/{ref.load_id}.html"
    assert record(world, ref).detail["report"] == f"gs://{settings.staging_bucket}/{name}"
    page = world.services.object_store.read(settings.staging_bucket, name).decode()
    assert ref.name in page
    assert "quantity_type" in page
    assert "<code>two</code>" in page
    assert "<script" not in page
    assert "http" not in page


def test_the_worker_that_is_forked_amid_the_preload_serves(world: World, emulators: Emulators) -> None:
    """gunicorn forks right after this function is imported: an import begun there would lock the worker for ever."""
    ref = landed(world, GOOD, BAD)
    with _running(emulators) as url:
        status = _post(url, StageEvent("load.ingested", "sales", ref.load_id))
    assert status < 300
    check_books(world, ref, 2, (3, "quantity_type"))


@contextmanager
def _running(emulators: Emulators) -> Iterator[str]:
    """Run validate as the stack does, in this module's environment, as soon as it listens."""
    part = parts.function(emulators.stack, "validate")
    names = ("STOCKFLOW_", "BIGQUERY_", "STORAGE_", "PUBSUB_", "GOOGLE_")
    part = replace(part, env=part.env | {k: v for k, v in os.environ.items() if k.startswith(names)})
    with started(part, emulators.stack, 120):
        yield emulators.stack.url("validate")


def _post(url: str, event: StageEvent) -> int:
    """Push an event as Pub/Sub does; a worker that hangs answers nothing within the time."""
    data, attributes = encode(event)
    message = {"data": base64.b64encode(data).decode(), "attributes": attributes, "messageId": "1"}
    body = json.dumps({"message": message, "subscription": "projects/p/subscriptions/validate"}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=180) as answer:
        return int(answer.status)


class NoTurns:
    """Calls in instances that know nothing of each other."""

    def of(self, _: str) -> AbstractContextManager[None]:
        return nullcontext()


@pytest.mark.parametrize("instances", [1, 2])
def test_of_two_calls_for_one_load_the_one_on_the_newest_record_ends_last(
    world: World, monkeypatch: pytest.MonkeyPatch, instances: int
) -> None:
    """Given a call that is slow to read, when the load is ingested again and judged meanwhile, then nothing waits.

    In another instance the slow call notices at its end, and its redelivery judges the newest record.
    """
    monkeypatch.setattr(runs, "SLOW", timedelta(0))
    if instances == 2:
        monkeypatch.setattr(runs, "_turns", NoTurns())
    ref, store = landed(world, GOOD), world.services.object_store
    first = world.services.ledger.stages(ref.load_id)["ingest"]
    reading, go_on, open_random = Event(), Event(), type(store).open_random

    def held_up(self: Any, *place: str) -> Any:
        if not reading.is_set():
            reading.set()
            go_on.wait(60)
        return open_random(self, *place)

    monkeypatch.setattr(type(store), "open_random", held_up)
    with ThreadPoolExecutor(2) as pool:
        early = pool.submit(judge, ref, world.services)
        assert reading.wait(60)
        newest = replace(first, finished_at=first.finished_at + timedelta(seconds=1))
        world.services.ledger.record(newest)
        late = pool.submit(judge, ref, world.services)
        wait([late], timeout=3 if instances == 1 else 60)  # it is done by now, or waits for the other one
        go_on.set()
        late.result()
        if instances == 2:
            with pytest.raises(TransientError, match="ingested again"):
                early.result()
            judge(ref, world.services)
        early.exception()
    assert record(world, ref).input_record == newest.record_id
