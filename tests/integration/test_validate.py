"""validate on real emulators: each load is judged once, whatever happens, and one bad line keeps the others."""

import base64
import json
import os
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from functions.validate.run import validate
from local import parts
from local.process import Process
from stockflow.events import ObjectRef, StageEvent, encode
from stockflow.ledger import StageRecord
from stockflow.services import Services
from tests.integration.ingest_world import World, new_world, sales
from tests.support.stack import Emulators

pytestmark = pytest.mark.integration
GOOD, BAD = "R1,1,2026-09-01,A,LYO,1,10", "R1,2,2026-09-01,B,LYO,two,20"
_numbers = count()


@pytest.fixture(scope="module")
def world(services: Services) -> World:
    return new_world(services)


def judge(ref: ObjectRef, services: Services) -> None:
    """Deliver the event that says that a load is in raw."""
    validate(StageEvent("load.ingested", ref.name.partition("/")[0], ref.load_id), services)


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
    first = judged(world, *(f"P{n},Thing" for n in range(20)), name="products/full_1.csv", header=header)
    second = judged(world, "P1,Thing", name="products/full_2.csv", header=header)
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


def test_a_load_of_sales_is_judged_with_two_queries(world: World) -> None:
    ref = landed(world, GOOD, BAD)
    with jobs(world) as started:
        judge(ref, world.services)
    assert len(started) == 2


def test_a_replay_later_judges_again_with_the_same_result(world: World) -> None:
    ref = judged(world, GOOD, BAD)
    before = record(world, ref)
    judge(ref, Services(world.services.settings, lambda: world.services.clock() + timedelta(hours=1)))
    assert record(world, ref).record_id != before.record_id
    check_books(world, ref, 2, (3, "quantity_type"))


KILLS = [
    ("warehouse", "insert", "before"),
    ("warehouse", "insert", "after"),
    ("store", "write", "before"),
    ("store", "write", "after"),
    ("ledger", "record", "before"),
    ("ledger", "record", "after"),
    ("bus", "publish_all", "before"),
    ("bus", "publish_all", "after"),
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
    page = world.services.store.read(settings.staging_bucket, name).decode()
    assert ref.name in page
    assert "quantity_type" in page
    assert "<code>two</code>" in page
    assert "<script" not in page
    assert "http" not in page


def test_the_worker_that_is_forked_amid_the_warm_up_serves(world: World, emulators: Emulators) -> None:
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
    process = Process(part, emulators.stack)
    process.start()
    try:
        deadline = time.monotonic() + 120
        while not part.healthy():
            assert process.exit_code() is None and time.monotonic() < deadline, process.last_lines()
            time.sleep(0.05)
        yield emulators.stack.url("validate")
    finally:
        process.stop()
        process.finish(time.monotonic() + 5)


def _post(url: str, event: StageEvent) -> int:
    """Push an event as Pub/Sub does; a worker that hangs answers nothing within the time."""
    data, attributes = encode(event)
    message = {"data": base64.b64encode(data).decode(), "attributes": attributes, "messageId": "1"}
    body = json.dumps({"message": message, "subscription": "projects/p/subscriptions/validate"}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=180) as answer:
        return int(answer.status)
