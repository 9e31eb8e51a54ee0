"""The audit finds each violation that is planted, names the load, and holds again when it is undone."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest

from cli import provision
from cli.audit.command import check
from cli.audit.counts import Break
from functions.kpi.drain import refresh
from functions.transform.drain import transform
from functions.validate.run import validate
from local.state import FUNCTIONS
from stockflow.events import ObjectRef, StageEvent
from stockflow.ledger import StageRecord
from stockflow.services import Services
from tests.integration.ingest_world import World, new_world, sales

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]
DEFINITIONS = Path(__file__).parents[1] / "chaos" / "definitions"
NOWHERE = {name: f"http://127.0.0.1:1/{name}" for name in FUNCTIONS}
# Three good rows, one that validation refuses, one line that cannot be read.
ROWS = (
    "R1,1,2026-09-01,A,LYO,1,10", "R2,1,2026-09-01,B,LYO,2,20", "R3,1,2026-09-02,A,LYO,3,30",
    "R4,1,2026-09-02,B,LYO,999999999999,40", "R5,1,2026-09-02",
)  # fmt: skip


@pytest.fixture(scope="module")
def world(services: Services, tmp_path_factory: pytest.TempPathFactory) -> World:
    """An environment with one feed and one KPI: the others would only cost time."""
    provision.subscriptions(services.settings, NOWHERE)
    contracts = tmp_path_factory.mktemp("contracts")
    copyfile(services.settings.contracts_dir / "sales.yaml", contracts / "sales.yaml")
    few = replace(services.settings, definitions_uri=str(DEFINITIONS), contracts_dir=contracts)
    return new_world(Services(few))


@pytest.fixture(scope="module")
def ref(world: World) -> ObjectRef:
    """A file that went all the way to the KPI."""
    ref, services = world.drop("sales/audited.csv", sales(*ROWS)), world.services
    world.ingest(ref)
    validate(StageEvent("load.ingested", "sales", ref.load_id, landed_on=ref.landed_on), services)
    transform(StageEvent("load.validated", "sales", ref.load_id, landed_on=ref.landed_on), services)
    refresh(StageEvent("load.transformed", "sales", ref.load_id, landed_on=ref.landed_on), services)
    assert check(services, deep=True) == []
    return ref


@contextmanager
def planted(world: World, *tables: str, sql: str) -> Iterator[None]:
    """Change these tables by hand, and put back what they held."""
    for number, table in enumerate(tables):
        world.query(f"CREATE OR REPLACE TABLE inventory_ops.kept_{number} AS SELECT * FROM {table}; SELECT 1")
    world.query(f"{sql}; SELECT 1")
    try:
        yield
    finally:
        for number, table in enumerate(tables):
            again = f"INSERT INTO {table} SELECT * FROM inventory_ops.kept_{number}"
            world.query(f"DELETE FROM {table} WHERE TRUE; {again}; DROP TABLE inventory_ops.kept_{number}; SELECT 1")


def found(world: World, load: str, deep: bool = False) -> list[Break]:
    """Return what is broken, which must be about this load."""
    breaks = check(world.services, deep)
    assert {b.load_id for b in breaks} <= {load}
    return breaks


def said(breaks: list[Break]) -> list[tuple[str, str]]:
    return [(b.expected, b.found) for b in breaks]


RAW, HISTORY, CURATED = "inventory_raw.sales", "inventory_curated.sales_history", "inventory_curated.sales"


def test_a_row_that_is_missing_in_raw(world: World, ref: ObjectRef) -> None:
    with planted(world, RAW, sql=f"DELETE FROM {RAW} WHERE _row = 2"):
        ((expected, rows),) = said(found(world, ref.load_id))
    assert expected.startswith("4 rows in raw of run ")
    assert rows == "3"


def test_a_row_that_is_twice_in_raw(world: World, ref: ObjectRef) -> None:
    with planted(world, RAW, sql=f"INSERT INTO {RAW} SELECT * FROM {RAW} WHERE _row = 2"):
        ((expected, rows),) = said(found(world, ref.load_id))
    assert expected.startswith("4 rows in raw of run ")
    assert rows == "5"


def test_one_raw_row_in_the_place_of_another(world: World, ref: ObjectRef) -> None:
    """The count is right; the numbers are not."""
    swap = f"INSERT INTO {RAW} SELECT * FROM {RAW} WHERE _row = 2; DELETE FROM {RAW} WHERE _row = 3"
    with planted(world, RAW, sql=swap):
        assert said(found(world, ref.load_id)) == [("rows 1 to 4 once each", "3, up to 4")]


def test_a_cell_that_changed_in_raw(world: World, ref: ObjectRef) -> None:
    with planted(world, RAW, sql=f"UPDATE {RAW} SET net_amount = '11' WHERE _row = 1"):
        (only,) = said(found(world, ref.load_id, deep=True))
    assert only == ("raw as it was staged", "rows 1 to 4: column net_amount differs")


QUARANTINE = "inventory_ops.quarantine_rows"
_REFUSE = f"UPDATE {QUARANTINE} SET `row` = 3 WHERE `row` = 4"


def test_a_row_in_curated_and_quarantine_at_once(world: World, ref: ObjectRef) -> None:
    """The sum is right: the fourth row is nowhere, the third is at two places."""
    with planted(world, QUARANTINE, sql=_REFUSE):
        assert said(found(world, ref.load_id)) == [
            ("each row in curated or in quarantine, once", "1 more than once, such as row 3")
        ]


def test_a_row_that_is_neither_in_curated_nor_in_quarantine(world: World, ref: ObjectRef) -> None:
    with planted(world, HISTORY, sql=f"DELETE FROM {HISTORY} WHERE _row = 3"):
        (first, *_) = said(found(world, ref.load_id))
    assert first == ("4 rows of raw accounted for", "3 current + -1 superseded + 1 quarantined")


NEWEST = ("the newest statement of each key as the current row of sales", "1 differs, such as row 1")


@pytest.mark.parametrize(
    "change",
    [
        f"UPDATE {CURATED} SET net_amount = 11 WHERE _row = 1",  # no KPI of this environment reads it
        f"DELETE FROM {CURATED} WHERE _row = 1",
    ],
    ids=["a cell that changed in curated", "a current row that is gone"],
)
def test_what_is_current_is_the_newest_statement(world: World, ref: ObjectRef, change: str) -> None:
    with planted(world, CURATED, sql=change):
        assert NEWEST in said([b for b in check(world.services, deep=True) if b.load_id == ref.load_id])


def test_a_kpi_value_that_changed(world: World, ref: ObjectRef) -> None:
    change = "UPDATE inventory_kpi.units_by_day SET value = 7 WHERE business_date = DATE '2026-09-01'"
    with planted(world, "inventory_kpi.units_by_day", sql=change):
        ((expected, difference),) = said(check(world.services, deep=True))
    assert expected == "kpi units_by_day on 2026-09-01, 2026-09-02 as computed again"
    assert difference == "value of 2026-09-01 LYO is 7, computed again 3"


def test_a_rejected_line_that_was_not_kept(world: World, ref: ObjectRef) -> None:
    with planted(world, "inventory_ops.reject_rows", sql="DELETE FROM inventory_ops.reject_rows WHERE TRUE"):
        assert said(found(world, ref.load_id)) == [("1 rejected lines kept", "0")]


def test_a_generation_that_landed_and_has_no_end(world: World, ref: ObjectRef) -> None:
    silent = world.drop("sales/silent.csv", sales(*ROWS))
    try:
        assert said(found(world, silent.load_id)) == [("an end state", "sales/silent.csv landed and has no load")]
    finally:
        world.services.object_store.delete(silent.bucket, silent.name)


_later = count(1)


def _say(world: World, ref: ObjectRef, **detail: Any) -> StageRecord:
    """Record the ingest again with other figures."""
    done = world.services.ledger.stages(ref.load_id, ref.landed_on)["ingest"]
    later = done.finished_at + timedelta(milliseconds=next(_later))
    other = replace(done, finished_at=later, detail={**done.detail, **detail})
    world.services.ledger.record(other)
    return other


def _forget(world: World, record: StageRecord) -> None:
    sql = "DELETE FROM inventory_ops.load_stages WHERE record_id = @record; SELECT 1"
    world.services.warehouse.query(sql, {"record": record.record_id})


def test_lines_that_do_not_add_up(world: World, ref: ObjectRef) -> None:
    """6 lines: a header, 4 rows, 1 reject."""
    wrong = _say(world, ref, physical_lines=7)
    try:
        assert said(found(world, ref.load_id)) == [("7 lines accounted for", "4 rows + 1 rejects + 1 header_lines")]
    finally:
        _forget(world, wrong)


def test_lines_that_add_up_but_are_not_in_the_file(world: World, ref: ObjectRef) -> None:
    wrong = _say(world, ref, physical_lines=8, blank_lines=2)
    try:
        assert found(world, ref.load_id) == []
        assert said(found(world, ref.load_id, deep=True)) == [("8 lines in sales/audited.csv, as ingest counted", "6")]
    finally:
        _forget(world, wrong)


def test_a_dead_letter_without_a_reason(world: World, ref: ObjectRef) -> None:
    """One of a load that nobody knows; one of a load that ended is explained by its record."""
    topic, publisher = "validate-dead", world.services.publisher
    for load in (ref.load_id, "0" * 20):
        publisher.publish_all(topic, [(b"{}", {"event_type": "load.ingested", "load_id": load})])
    breaks = found(world, "0" * 20)
    assert said(breaks) == [("a reason for a dead letter of validate", f"load.ingested {'0' * 20}")]
