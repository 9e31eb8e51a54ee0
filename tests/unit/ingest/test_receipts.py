"""Each minute, what ended since the last tick has a receipt: once, whole, and from the ledger alone."""

import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, BinaryIO

import pytest

from functions.ingest.receipts import story
from functions.ingest.receipts.story import ended, stories
from functions.ingest.receipts.tell import MARK, tell_receipts, write
from functions.ingest.ticks import at_tick
from stockflow.errors import TransientError
from stockflow.events import RECEIPTS_TICK, TICK, ObjectRef
from stockflow.ledger import StageRecord
from stockflow.schema import pipeline
from tests.support.local_warehouse import LocalServices, LocalWarehouse

NOW = datetime(2026, 9, 30, 12, tzinfo=UTC)
COMPUTED = {"computed": ["gmroi"]}
FILE = (
    "ticket;ligne;date;article;magasin;qté;montant net\r\n"
    "R1;1;02/09/2026;A1;LYO;2;17,80\r\nR2;1;02/09/2026;A2;LYO;trois;17,80\r\nR3;1;02/09/2026\r\n"
)


class Objects:
    """Objects in memory; ``calls`` are the operations so far."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], bytes] = {}
        self.calls: list[tuple[str, str]] = []
        self.generations: dict[str, int] = {}

    def write(self, bucket: str, name: str, data: bytes, _kind: str) -> None:
        self.calls.append(("write", name))
        self.kept[bucket, name] = data

    def replace(self, bucket: str, name: str, data: bytes, kind: str, generation: int) -> int | None:
        if self.generations.get(name, 0) != generation:
            return None
        self.write(bucket, name, data, kind)
        self.generations[name] = generation + 1
        return generation + 1

    def read(self, bucket: str, name: str) -> bytes:
        self.calls.append(("read", name))
        if (bucket, name) not in self.kept:
            raise FileNotFoundError(name)
        return self.kept[bucket, name]

    def stat(self, bucket: str, name: str, generation: int | None = None) -> ObjectRef | None:
        self.calls.append(("stat", name))
        data = self.kept.get((bucket, name))
        return (
            None
            if data is None
            else ObjectRef(bucket, name, generation or self.generations.get(name, 1), len(data), "", NOW)
        )

    def open(self, ref: ObjectRef) -> BinaryIO:
        return io.BytesIO(self.read(ref.bucket, ref.name))

    def delete(self, bucket: str, name: str) -> None:
        self.calls.append(("delete", name))
        self.kept.pop((bucket, name), None)


class World(LocalServices):
    """A ledger in this process, and objects in memory."""

    def __init__(self) -> None:
        super().__init__(LocalWarehouse(ledger=True), NOW)
        self.objects = Objects()
        self.clock = lambda: self.now
        self.now = NOW
        self.asked = 0

    @cached_property
    def object_store(self) -> Any:
        return self.objects

    def record(self, name: str, *steps: tuple[str, str], at: datetime = NOW, **facts: Any) -> str:
        """Record the stages (stage, state) of a file, a second after each other; ``judged``: what validate notes."""
        details = {"ingest": facts.get("detail", {}), "validate": facts.pop("judged", {}), "kpi": COMPUTED}
        load = f"load of {name}"
        base = StageRecord(
            load, "sales", "ingest", "", "v", at, at, "landing", name, 1, run_id=f"run {name}",
            **{"landed_at": NOW, **facts},
        )  # fmt: skip
        records = [
            replace(base, stage=stage, state=state, finished_at=at + timedelta(seconds=i),
                    detail=details.get(stage, {}))
            for i, (stage, state) in enumerate(steps)
        ]  # fmt: skip
        self.warehouse.record("load_stages", [r.row() for r in records])
        return load

    def said(self, name: str) -> dict[str, Any]:
        """Return the receipt of a file."""
        found: dict[str, Any] = json.loads(self.objects.kept["local-staging", f"receipts/{name}.json"])
        return found


PASSED = (("ingest", "loaded"), ("validate", "validated"), ("transform", "transformed"), ("kpi", "refreshed"))
DETAIL = {"format": "csv", "encoding": "utf-8", "delimiter": ";", "header_line": 1, "header": ["ticket", "article"]}


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    made.settings = replace(made.settings, staging_bucket="local-staging")
    yield made


def refuse(world: World, load: str, name: str) -> None:
    """A line that could not be read, and a row that breaks a rule."""
    common = {"load_id": load, "run_id": f"run {name}", "landed_on": NOW.date(), "recorded_at": NOW}
    reject = {"number": 1, "line": 4, "code": "too_few_cells", "message": "3 cells, expected 7", "expected": "7 cells"}
    world.warehouse.record("reject_rows", [common | reject])
    row = {"row": 2, "line": 3, "stage": "validate", "rule": "quantity_readable", "column_name": "quantity",
           "message": "'trois' is no number", "expected": "a number", "original_row": "{}"}  # fmt: skip
    world.warehouse.record("quarantine_rows", [common | row])


def test_each_end_state_has_a_receipt_and_what_is_on_its_way_has_none(world: World) -> None:
    world.record("sales/good.csv", *PASSED, lines=3, rows=3, rejects=0, superseded=1, detail=DETAIL)
    world.record("sales/bad.csv", ("ingest", "rejected"), reason_code="no_header", message="no header")
    world.record("sales/held.csv", ("ingest", "loaded"), ("validate", "held"), lines=3, rows=3)
    world.record("sales/again.csv", ("ingest", "duplicate_content"))
    world.record("sales/waits.csv", *PASSED[:3])
    world.record("sales/half.csv", *PASSED[:3], ("kpi", "computing"))
    world.record("sales/", ("ingest", "ignored"))

    assert tell_receipts(world) == 5  # the folder's marker is looked at, and has none

    written = {name for _, name in world.objects.kept}
    names = ("good", "bad", "held", "again")
    kinds = ("html", "json")
    assert written == {MARK, *(f"receipts/sales/{name}.csv.{kind}" for name in names for kind in kinds)}
    good = world.said("sales/good.csv")
    assert good["state"] == "refreshed" and good["counts"]["loaded"] == 2 and good["counts"]["superseded"] == 1
    assert good["kpis"] == [{"kpi": "gmroi", "from_date": None, "to_date": None}]
    assert [c["column"] for c in good["columns"]] == ["receipt_number", "sku"]
    assert world.said("sales/bad.csv")["message"] == "no header" and good["refused_rows"] is None
    assert world.said("sales/held.csv")["counts"]["loaded"] == 0
    changing = [kind for kind, name in world.objects.calls if "good" in name and kind != "stat"]
    assert changing == ["write", "delete", "write"]  # the JSON, no refused rows, the page


def test_refused_rows_come_back_as_they_were_sent_without_the_ledgers_copy_of_them(world: World) -> None:
    world.objects.kept["landing", "sales/x.csv"] = FILE.encode()
    load = world.record(
        "sales/x.csv", *PASSED, lines=3, rows=2, rejects=1, quarantined=1, size_bytes=len(FILE), detail=DETAIL
    )
    refuse(world, load, "sales/x.csv")

    assert tell_receipts(world) == 1

    said = world.said("sales/x.csv")
    assert [(r["reason"], r["rows"], r["first_line"]) for r in said["refused_by_reason"]] == [
        ("too_few_cells", 1, 4), ("quantity_readable", 1, 3)
    ]  # fmt: skip
    assert {r["line"] for r in said["first_refused"]} == {3, 4}
    lines = world.objects.kept["local-staging", "receipts/sales/x.csv.refused.csv"].decode().splitlines()
    assert lines[0].replace('"', "").startswith("_error;_column;_suggestion;refused_row;ticket;")
    assert lines[1].endswith(f'{load}/2";R2;1;02/09/2026;A2;LYO;trois;17,80') and "'trois' is no number" in lines[1]
    assert lines[2].endswith(";R3;1;02/09/2026")
    assert said["refused_rows"] == "gs://local-staging/receipts/sales/x.csv.refused.csv"


def test_what_a_file_was_warned_of_is_in_its_receipt(world: World) -> None:
    load = world.record("sales/x.csv", *PASSED, lines=3, rows=3, detail=DETAIL)
    world.warehouse.record("expectation_results", [
        {"load_id": load, "run_id": "run sales/x.csv", "landed_on": NOW.date(), "recorded_at": NOW, "rule": "net_low",
         "column_name": "net_amount", "severity": "warning", "success": False, "checked": 3, "failed": 2},
    ])  # fmt: skip
    assert tell_receipts(world) == 1
    assert world.said("sales/x.csv")["warnings"] == [{"rule": "net_low", "column": "net_amount", "rows": 2}]


def test_a_later_file_of_that_name_takes_the_refused_rows_away(world: World) -> None:
    world.objects.kept["local-staging", "receipts/sales/x.csv.refused.csv"] = b"old"
    world.record("sales/x.csv", *PASSED, detail=DETAIL)
    tell_receipts(world)
    assert ("local-staging", "receipts/sales/x.csv.refused.csv") not in world.objects.kept


def test_a_second_tick_writes_nothing_and_a_late_record_or_a_new_end_is_told(world: World) -> None:
    world.record("sales/a.csv", *PASSED)
    assert (tell_receipts(world), tell_receipts(world)) == (1, 0)
    world.now = NOW + timedelta(minutes=10)
    world.record("sales/late.csv", ("ingest", "rejected"), at=NOW - timedelta(minutes=3))  # seen only now
    world.record("sales/a.csv", ("validate", "rejected"), at=NOW + timedelta(minutes=9))
    assert (tell_receipts(world), tell_receipts(world)) == (2, 0)
    assert world.said("sales/a.csv")["state"] == "rejected"


def test_a_tick_that_stops_is_made_up_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functions.ingest.receipts.tell.TOGETHER", 2)
    for number in range(5):
        world.record(f"sales/{number}.csv", ("ingest", "rejected"))  # all at the same moment
    write = world.objects.write

    def killed(bucket: str, name: str, data: bytes, kind: str) -> None:
        if name.endswith("3.csv.json"):
            raise TransientError("storage_unavailable", "gone")
        write(bucket, name, data, kind)

    monkeypatch.setattr(world.objects, "write", killed)
    with pytest.raises(TransientError):
        tell_receipts(world)
    monkeypatch.undo()
    world.objects.calls.clear()
    assert tell_receipts(world) == 3
    assert [n for c, n in world.objects.calls if c == "write" and n.endswith(".json")] == [
        f"receipts/sales/{n}.csv.json" for n in (2, 3, 4)
    ]
    assert tell_receipts(world, seconds=0) == 0


def test_between_looks_at_all_files_a_tick_looks_at_those_that_landed_lately(world: World) -> None:
    """So that a tick without news costs the least that BigQuery charges; old files wait for ten minutes at most."""
    asked: list[tuple[str, Any]] = []
    pages = world.warehouse.pages
    world.warehouse.pages = lambda sql, params: asked.append((sql, params)) or pages(sql, params)  # type: ignore[method-assign]
    assert tell_receipts(world) == 0
    released = NOW + timedelta(minutes=1)
    world.record("sales/old.csv", *PASSED, at=released, landed_at=NOW - timedelta(days=9))
    world.record("sales/new.csv", *PASSED, at=released)
    told = []
    for minute in range(2, 12):
        world.now = NOW + timedelta(minutes=minute)
        told.append(tell_receipts(world))
    assert told == [1, 0, 0, 0, 0, 0, 0, 0, 1, 0]
    assert world.said("sales/old.csv")["state"] == "refreshed"
    since = [(world.now.date() - params["since"]).days for _, params in asked]
    assert since == [31, *[2] * 8, 31, 2]


def test_an_old_file_is_told_of_when_ticks_were_missing_for_hours(world: World) -> None:
    tell_receipts(world)
    world.record("sales/old.csv", *PASSED, at=NOW + timedelta(minutes=2), landed_at=NOW - timedelta(days=9))
    world.record("sales/new.csv", *PASSED, at=NOW + timedelta(minutes=2))
    world.now = NOW + timedelta(hours=5)
    assert (tell_receipts(world), tell_receipts(world)) == (2, 0)


def test_a_wide_look_that_is_not_done_is_gone_on_with(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functions.ingest.receipts.tell.TOGETHER", 1)
    monkeypatch.setattr("functions.ingest.receipts.tell.MOST", 1)
    for number in range(3):
        old, at = NOW - timedelta(days=9), NOW - timedelta(minutes=30 - number)
        world.record(f"sales/{number}.csv", ("ingest", "rejected"), at=at, landed_at=old)
    assert [tell_receipts(world) for _ in range(4)] == [1, 1, 1, 0]


def test_a_tick_for_receipts_writes_them_and_sweeps_nothing(world: World) -> None:
    world.record("sales/a.csv", *PASSED)
    at_tick(RECEIPTS_TICK, world)
    assert {name for kind, name in world.objects.calls if kind == "write"} == {
        MARK, "receipts/sales/a.csv.html", "receipts/sales/a.csv.json"
    }  # fmt: skip


def test_a_sweep_writes_no_receipts(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.record("sales/a.csv", *PASSED)
    for name in ("sweep", "tell_freshness", "tell_expected", "remove_orphans_daily"):
        monkeypatch.setattr(f"functions.ingest.ticks.{name}", lambda *_, **__: None)
    at_tick(TICK, world)
    assert not world.objects.kept


def test_receipts_that_cannot_be_written_now_wait_for_the_next_tick(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Not for a redelivery: while a service is away, ticks would pile up, one a minute."""

    def away(*_: Any) -> None:
        raise TransientError("storage_unavailable", "gone")

    world.record("sales/a.csv", *PASSED)
    with monkeypatch.context() as patch:
        patch.setattr(world.objects, "write", away)
        at_tick(RECEIPTS_TICK, world)
    assert "wait for the next tick" in caplog.text
    at_tick(RECEIPTS_TICK, world)
    assert world.said("sales/a.csv")["state"] == "refreshed"


def test_a_tick_that_comes_twice_at_once_does_its_work_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.record("sales/a.csv", *PASSED)
    write, second = world.objects.write, []

    def meanwhile(*args: Any) -> None:
        second.append(tell_receipts(world))
        write(*args)

    monkeypatch.setattr(world.objects, "write", meanwhile)
    assert tell_receipts(world) == 1
    assert second == [0, 0, 0]


def test_no_column_that_may_hold_personal_data_is_read() -> None:
    tagged = {c["name"] for t in pipeline()["ops_tables"].values() for c in t["columns"] if c.get("pii")}
    asked = set(re.findall(r"\w+", f"{story._STAGES} {story._COUNTED} {story._REFUSED}"))
    assert tagged and not tagged & asked


def test_one_files_fault_keeps_no_other_back(world: World) -> None:
    world.record("sales/a.csv", *PASSED)
    world.warehouse.record("load_stages", [
        {"record_id": "r", "load_id": "broken", "stage": "validate", "state": "rejected", "landed_on": NOW.date(),
         "finished_at": NOW},
    ])  # fmt: skip
    assert tell_receipts(world) == 2
    assert world.said("sales/a.csv")["state"] == "refreshed"


def broken(world: World) -> None:
    """A load of which no receipt can be made: it has no record of ingest."""
    world.warehouse.record("load_stages", [
        {"record_id": "r", "load_id": "broken", "stage": "validate", "state": "rejected", "landed_on": NOW.date(),
         "finished_at": NOW},
    ])  # fmt: skip


def test_a_receipt_that_failed_is_tried_again_some_times(world: World, caplog: pytest.LogCaptureFixture) -> None:
    broken(world)
    world.record("sales/a.csv", *PASSED)
    told = []
    for minute in range(8):
        world.now = NOW + timedelta(minutes=minute)
        told.append(tell_receipts(world))
    assert told == [2, 1, 1, 1, 1, 0, 0, 0]
    assert caplog.text.count("no receipt") == 5


def test_a_receipt_that_failed_once_is_there_after_the_next_tick(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.record("sales/a.csv", *PASSED)
    with monkeypatch.context() as patch:
        patch.setattr("functions.ingest.receipts.tell.receipt", lambda *_: 1 / 0)
        assert tell_receipts(world) == 1
    world.now = NOW + timedelta(minutes=1)
    assert (tell_receipts(world), tell_receipts(world)) == (1, 0)
    assert world.said("sales/a.csv")["state"] == "refreshed"


def test_of_two_ticks_at_once_the_later_end_stays(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a tick that read the ledger before a new end, and writes after the one that told of it."""
    world.record("sales/a.csv", *PASSED)
    older = stories(world, ended(world, NOW - timedelta(hours=1), NOW.date()))["load of sales/a.csv"]
    world.record("sales/a.csv", ("validate", "rejected"), at=NOW + timedelta(minutes=1))
    tell_receipts(world)
    page = world.objects.kept["local-staging", "receipts/sales/a.csv.html"]

    assert (write(world, older) or {})["state"] == "rejected"

    assert world.said("sales/a.csv")["state"] == "rejected"
    assert world.objects.kept["local-staging", "receipts/sales/a.csv.html"] == page


def test_whoever_was_overtaken_while_it_wrote_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its page may be in front of the later one's: the next tick writes all of it again."""
    world.record("sales/a.csv", *PASSED)
    written = world.objects.write

    def overtaken(bucket: str, name: str, data: bytes, kind: str) -> None:
        written(bucket, name, data, kind)
        if name.endswith(".html"):
            world.objects.generations["receipts/sales/a.csv.json"] += 1

    with monkeypatch.context() as patch:
        patch.setattr(world.objects, "write", overtaken)
        assert tell_receipts(world) == 1
    world.now = NOW + timedelta(minutes=1)
    assert (tell_receipts(world), tell_receipts(world)) == (1, 0)


def test_the_page_leads_to_the_refused_rows_beside_it(world: World) -> None:
    world.objects.kept["landing", "sales/a b#1.csv"] = FILE.encode()
    load = world.record(
        "sales/a b#1.csv", *PASSED, lines=3, rows=2, rejects=1, quarantined=1, size_bytes=len(FILE), detail=DETAIL
    )
    refuse(world, load, "sales/a b#1.csv")
    tell_receipts(world)
    page = world.objects.kept["local-staging", "receipts/sales/a b#1.csv.html"].decode()
    assert 'href="a%20b%231.csv.refused.csv"' in page
