"""What a person decides about a load, and what the quarantine says, on real emulators."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import target
from cli.loads import loads_named
from cli.main import app
from cli.output import CommandError
from cli.quarantine import open_rows
from cli.replay.diff import check_no_attempts
from functions.validate import run
from functions.validate.run import validate
from stockflow.attempts import Subject, attempt
from stockflow.events import ObjectRef, StageEvent
from stockflow.ledger import StageRecord
from stockflow.services import Services
from stockflow.waiting import wait_until
from tests.integration.ingest_world import World, new_world, sales

pytestmark = pytest.mark.integration
_numbers = count()
Stockflow = Callable[..., Any]


@pytest.fixture(scope="module")
def world(services: Services) -> World:
    return new_world(services)


@pytest.fixture
def stockflow(world: World, monkeypatch: pytest.MonkeyPatch) -> Stockflow:
    """Run a command against this environment; return what it printed."""
    monkeypatch.setattr(target, "services", lambda: world.services)

    def run(*args: str, ok: bool = True) -> str:
        done = CliRunner().invoke(app, args)
        assert (done.exit_code == 0) == ok, (done.output, done.exception)
        return done.output if ok else str(done.exception)

    return run


def judged(world: World, *rows: str) -> ObjectRef:
    ref = world.drop(f"sales/person_{next(_numbers)}.csv", sales(*rows))
    assert world.ingest(ref).state == "loaded"
    judge(world, ref)
    return ref


def judge(world: World, ref: ObjectRef, services: Services | None = None) -> None:
    validate(StageEvent("load.ingested", "sales", ref.load_id, landed_on=ref.landed_on), services or world.services)


def record(world: World, ref: ObjectRef, stage: str = "validate") -> StageRecord:
    return world.services.ledger.stages(ref.load_id, ref.landed_on)[stage]


def mostly_bad(receipt: str) -> list[str]:
    return [f"{receipt},{n},2026-09-01,A,LYO,{'two' if n < 15 else n},10" for n in range(20)]


def accepted(world: World, ref: ObjectRef) -> int:
    sql = "SELECT COUNT(*) AS n FROM inventory_raw.sales_accepted WHERE _load_id = @load"
    return int(world.query(sql, load=ref.load_id)[0]["n"])


def test_a_held_load_is_shown_and_none_of_its_rows_count(world: World, stockflow: Stockflow) -> None:
    ref = judged(world, *mostly_bad("H1"))
    (load,) = [r for r in json.loads(stockflow("loads", "--json")) if r["load_id"] == ref.load_id]
    assert (load["state"], load["end_state"], load["reason_code"]) == ("held", "held", "too_many_refused_rows")
    assert load["load_id"] in stockflow("loads", "--state", "held")
    assert accepted(world, ref) == 0


def test_a_released_load_goes_on_with_its_good_rows(world: World, stockflow: Stockflow) -> None:
    ref = judged(world, *mostly_bad("H2"))
    held = record(world, ref)
    stockflow("loads", "release", ref.load_id)
    released = record(world, ref)
    assert (released.state, released.run_id, released.raw_run_id) == ("validated", held.run_id, held.raw_run_id)
    assert released.finished_at > held.finished_at
    assert accepted(world, ref) == 5
    assert world.published(ref, 3)["load.validated"] == 1


def test_what_a_person_decided_stands_when_the_load_is_judged_again(world: World, stockflow: Stockflow) -> None:
    ref = judged(world, *mostly_bad("H3"))
    stockflow("loads", "release", ref.load_id)
    judge(world, ref, Services(world.services.settings, lambda: world.services.clock() + timedelta(hours=1)))
    assert record(world, ref).state == "validated"
    assert accepted(world, ref) == 5


def test_a_replay_that_began_before_the_release_does_not_undo_it(
    world: World, stockflow: Stockflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a replay of validate that read the ledger before a person decided, then the decision stands at the end."""
    ref = judged(world, *mostly_bad("H9"))
    far, go = threading.Event(), threading.Event()

    def pause(point: str) -> None:
        if point == "validate.results_kept":
            far.set()
            assert go.wait(60)

    monkeypatch.setattr(run, "reached", pause)
    later = Services(world.services.settings, lambda: world.services.clock() + timedelta(hours=1))
    with ThreadPoolExecutor(2) as pool:
        replay = pool.submit(judge, world, ref, later)
        assert far.wait(60)
        release = pool.submit(stockflow, "loads", "release", ref.load_id)
        assert wait_until(lambda: record(world, ref).state == "validated", 60)
        go.set()
        replay.result(60)
        release.result(60)
    assert record(world, ref).state == "validated" and accepted(world, ref) == 5


def test_a_rejected_load_says_why(world: World, stockflow: Stockflow) -> None:
    ref = judged(world, *mostly_bad("H4"))
    stockflow("loads", "reject", ref.load_id, "--reason", "sent by mistake")
    done = record(world, ref)
    assert (done.state, done.reason_code, done.message) == ("rejected", "rejected_by_a_person", "sent by mistake")
    assert world.published(ref, 3)["load.rejected"] == 1


def test_only_a_held_load_can_be_released(world: World, stockflow: Stockflow) -> None:
    ref = judged(world, "H5,1,2026-09-01,A,LYO,1,10")
    assert "only a held load can be released" in stockflow("loads", "release", ref.load_id, ok=False)


def test_a_parked_load_is_announced_again(world: World, stockflow: Stockflow) -> None:
    ref = judged(world, "H6,1,2026-09-01,A,LYO,1,10")
    stockflow("loads", "retry", ref.load_id)
    (message, *_) = world.announcements.find(1, "objectGeneration", str(ref.generation))
    assert message["objectId"] == ref.name


def test_a_load_that_fails_again_and_again_can_be_given_up(world: World, stockflow: Stockflow) -> None:
    ref = world.drop("sales/given_up.csv", sales("H7,1,2026-09-01,A,LYO,1,10"))
    world.ingest(ref)
    for _ in range(world.services.settings.max_attempts):
        world.killed(ref, "object_store", "write", "before", lambda r, s: judge(world, r, s))
    judge(world, ref)
    assert record(world, ref).state == "failed"
    stockflow("loads", "give-up", ref.load_id)
    assert (record(world, ref, "ingest").state, record(world, ref, "ingest").reason_code) == ("rejected", "given_up")
    judge(world, ref)
    assert (record(world, ref).state, record(world, ref).reason_code) == ("rejected", "given_up")


def curate(world: World, receipt: str, line: int, generation: int) -> None:
    """State a key in curated, as transform does."""
    columns = "receipt_number, line_number, business_date, location_code, sku, _load_id, _line, _generation"
    sql = f"INSERT INTO inventory_curated.sales ({columns}) VALUES " \
          "(@receipt, @line, DATE '2026-09-01', 'LYO', 'B', 'newer', 2, @generation)"  # fmt: skip
    world.query(sql, receipt=receipt, line=line, generation=generation)


def test_a_refused_row_is_corrected_when_its_key_is_stated_again(world: World, stockflow: Stockflow) -> None:
    ref = judged(world, "q8,1,2026-09-01,A,LYO,1,10", "q8,2,2026-09-01,B,LYO,two,20", "q8,3,2026-09-01,B,LYO,two,20")
    lines = [r["line"] for r in open_rows(world.services, "sales", ref.load_id)]
    curate(world, "Q8", 2, ref.generation - 1)
    assert [r["line"] for r in open_rows(world.services, "sales", ref.load_id)] == lines == [3, 4]
    curate(world, "Q8", 2, ref.generation + 1)
    assert [r["line"] for r in open_rows(world.services, "sales", ref.load_id)] == [4]
    curate(world, "Q8", 3, ref.generation + 1)
    assert ref.load_id not in stockflow("quarantine", "list")


def test_explain_counts_by_rule_and_shows_the_first(world: World, stockflow: Stockflow) -> None:
    ref = judged(world, *(f"E1,{n},2026-09-01,A,LYO,two,10" for n in range(60)))
    short, whole = stockflow("explain", ref.load_id), stockflow("explain", ref.load_id, "--all")
    assert "quantity_type" in short and "60" in short and "--all" in short
    assert short.count("quantity cannot be read") <= 21 + 1
    assert whole.count("quantity cannot be read") == 60


def test_a_replay_is_not_put_in_place_beside_an_open_attempt_of_its_stage(world: World) -> None:
    ref = judged(world, "H8,1,2026-09-01,A,LYO,1,10")
    check_no_attempts("kpi", world.services)
    subject = Subject(ref.load_id, "kpi", "sales", ref.bucket, ref.name, ref.generation, ref.created, ref.landed_on)
    with attempt(subject, world.services):
        check_no_attempts("transform", world.services)
        with pytest.raises(CommandError, match=f"1 attempts of kpi are open .{ref.name}.*nothing was changed"):
            check_no_attempts("kpi", world.services)


def test_dates_that_nothing_orders_are_held_until_a_person_or_an_earlier_file_says(
    world: World, stockflow: Stockflow
) -> None:
    """The first file of a series waits; once it is released, the next one is read the same way."""
    ends = []
    for number in (1, 2):
        ref = world.drop(f"sales/till_2026100{number}_2026110{number}.csv", sales(f"D{number},1,06/05/2026,A,LYO,1,10"))
        world.ingest(ref)
        judge(world, ref)
        ends.append((record(world, ref).state, record(world, ref).reason_code))
        if number == 1:
            stockflow("loads", "release", ref.load_id)
            assert record(world, ref).detail["date_order"] == "dmy"
    assert ends == [("held", "ambiguous_date_order"), ("validated", None)]


def refuse_many(world: World, ref: ObjectRef, count: int) -> None:
    """Refuse so many more rows of a load, and lines of its file, under the runs that its records name."""
    columns = "run_id, load_id, feed, landed_on, line, message"
    numbers = f"UNNEST(GENERATE_ARRAY(101, {100 + count})) AS n"
    facts = "@run, @load, 'sales', @day, n"
    runs = {stage: record(world, ref, stage).run_id for stage in ("ingest", "validate")}
    world.query(
        f"INSERT INTO inventory_ops.quarantine_rows ({columns}, `row`, stage, rule, column_name) "
        f"SELECT {facts}, 'too low', n, 'validate', 'quantity_type', 'quantity' FROM {numbers}",
        run=runs["validate"], load=ref.load_id, day=ref.landed_on,
    )  # fmt: skip
    world.query(
        f"INSERT INTO inventory_ops.reject_rows ({columns}, number, code) "
        f"SELECT {facts}, 'too short', n, 'wrong_width' FROM {numbers}",
        run=runs["ingest"], load=ref.load_id, day=ref.landed_on,
    )  # fmt: skip


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_explain_reads_a_few_of_a_hundred_thousand_refused_rows(
    world: World, stockflow: Stockflow, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    """Counted where the rows are: what comes back is bounded, whatever the load."""
    ref = judged(world, f"E2{len(options)},1,2026-09-01,A,LYO,two,10")
    refuse_many(world, ref, 100_000)
    query, sizes = world.services.warehouse.query, []

    def counted(*args: Any, **kwargs: Any) -> list[dict[str, Any]]:
        sizes.append(len(found := query(*args, **kwargs)))
        return found

    monkeypatch.setattr(world.services.warehouse, "query", counted)
    said = stockflow("explain", ref.name, *options)
    assert "100001" in said.replace(",", "") and "100000" in said.replace(",", "")
    assert sizes and max(sizes) <= 20


def test_explain_looks_only_for_the_load_that_is_asked_for(world: World) -> None:
    refs = [judged(world, f"E3,{n},2026-09-01,A,LYO,1,10") for n in range(2)]
    ref = refs[0]
    file = ref.name.rpartition("/")[2]
    for what in (ref.load_id, ref.load_id[:8], ref.name, f"gs://{ref.bucket}/{ref.name}", file, f"/home/me/{file}"):
        assert [r["load_id"] for r in loads_named(world.services, what)] == [ref.load_id], what
    assert loads_named(world.services, "nothing.csv") == []
