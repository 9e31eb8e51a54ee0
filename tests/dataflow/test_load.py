"""A large file by the steps of the pipeline: what one call gives, and after a kill in any place, just that."""

import gzip
from datetime import timedelta

import pytest

from cli.audit.deep import contents
from cli.upkeep import _remove_staged
from dataflow import load
from functions.ingest.pipeline import ingest
from functions.ingest.readers import encoding
from functions.validate.rows import Staged, rows_of
from stockflow.errors import TransientError
from stockflow.ledger import StageRecord
from stockflow.points import Point, watched
from stockflow.services import Services
from tests.dataflow import shop
from tests.support.stack import Inbox

pytestmark = pytest.mark.integration


class KilledError(BaseException):
    """Stands for ``kill -9``."""


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are read in blocks of this size, and cut where one ends: small ones for small files."""
    monkeypatch.setattr(encoding, "BLOCK", 16_384)


@pytest.fixture(scope="module")
def inbox(services: Services) -> Inbox:
    """What is published from now on."""
    return Inbox(services)


def test_one_call_and_parts_give_the_same_rows_and_rejects(services: Services) -> None:
    """The same generation, first in one call, then as a replay in parts."""
    ref = shop.drop(services, "sales/both.csv", shop.sales(4_000))
    by_call = ingest(ref, services)
    in_parts = shop.carried_out(shop.job(ref, "run-both", services), services)
    assert in_parts is not None and in_parts.detail["parts"] > 2
    for name in ("rows", "rejects", "lines", "content_md5", "state"):
        assert getattr(in_parts, name) == getattr(by_call, name)
    assert {**in_parts.detail, "parts": 0, "staged": ""} == {**by_call.detail, "parts": 0, "staged": ""}
    assert by_call.rows == 4_000 and by_call.rejects == 4
    assert shop.rows(ref, services, "run-both") == shop.rows(ref, services, by_call.raw_run_id)
    assert shop.rejects(ref, services, "run-both") == shop.rejects(ref, services, by_call.raw_run_id)
    _check_readers(in_parts, services)


def _check_readers(record: StageRecord, services: Services) -> None:
    """validate reads the staged files as one, the audit compares each with raw, and cleanup leaves them."""
    found = rows_of(services.contracts["sales"], record, services)
    assert isinstance(found, Staged)
    numbers = [n for piece in found.pieces(["_row"]) for n in piece.column("_row").to_pylist()]
    assert numbers == list(range(1, 4_001))
    assert list(contents({record.load_id: {"ingest": record}}, services)) == []
    assert not [n for n in _remove_staged(services, timedelta(days=1), timedelta(0)) if "run-both/part" in n]


def test_a_format_that_is_not_cut_is_read_as_one_part(services: Services) -> None:
    ref = shop.drop(services, "sales/packed.csv.gz", gzip.compress(shop.sales(300, 20_000)))
    record = shop.carried_out(shop.job(ref, "run-packed", services), services)
    assert record is not None and (record.state, record.rows, record.detail["parts"]) == ("loaded", 300, 1)


@pytest.mark.parametrize("point", ["ingest.staged", "ingest.loaded", "ingest.rejects_kept", "ingest.recorded"])
def test_a_job_that_is_killed_and_launched_again_loads_nothing_twice(
    services: Services, inbox: Inbox, point: Point
) -> None:
    """The second job of the same run finds what the first one did."""
    run = f"run-{point}"
    ref = shop.drop(services, f"sales/{point}.csv", shop.sales(2_000, 30_000 + hash(point) % 10_000))

    def kill(at: Point) -> None:
        if at == point:
            raise KilledError

    with watched(kill), pytest.raises(KilledError):
        shop.carried_out(shop.job(ref, run, services), services)
    shop.carried_out(shop.job(ref, run, services), services)
    assert [r["_row"] for r in shop.rows(ref, services)] == list(range(1, 2_001))
    assert [r["number"] for r in shop.rejects(ref, services)] == [1, 2]
    assert inbox.find(1, "load_id", ref.load_id)[-1]["event_type"] == "load.ingested"


def test_each_step_done_twice_and_two_jobs_at_once_commit_once(services: Services) -> None:
    """Two runs of one load side by side: the one that comes second finds the record of the other."""
    ref = shop.drop(services, "sales/twice.csv", shop.sales(2_000, 50_000))
    plans = [load.plan(shop.job(ref, run, services), services, shop.PART) for run in ("run-a", "run-b")]
    ends = []
    for plan in plans:
        assert plan is not None
        tasks = [load.Task(plan, i) for i in (*range(plan.parts), *range(plan.parts))]
        dones = load.in_order([load.read(task, services) for task in tasks])
        twice = [load.number(d, services) for d in (*dones, *dones)]
        ends += [load.commit(twice, services), load.commit(twice, services)]
    assert {record.raw_run_id for record in ends} == {"run-a"}
    assert len(shop.rows(ref, services)) == 2_000
    assert len(shop.rejects(ref, services)) == 2


def test_what_refuses_the_whole_file_refuses_it_in_parts(services: Services) -> None:
    """Its last line states another number of records than all parts together hold."""
    ref = shop.drop(services, "sales/cut.csv", shop.sales(2_000, 70_000) + b"Total records;5000\n")
    by_call = ingest(ref, services)
    record = shop.carried_out(shop.job(ref, "run-cut", services), services)
    assert record is not None
    assert (record.state, record.reason_code, record.message) == ("rejected", "trailer_count", by_call.message)


def test_a_missing_part_stops_the_commit(services: Services) -> None:
    ref = shop.drop(services, "sales/missing.csv", shop.sales(2_000, 80_000))
    plan = load.plan(shop.job(ref, "run-missing", services), services, shop.PART)
    assert plan is not None
    with pytest.raises(TransientError, match="part_missing"):
        load.commit([load.read(load.Task(plan, 0), services)], services)
