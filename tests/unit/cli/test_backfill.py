"""A backfill sends a batch when the one before it has ended, and never the same load twice; the ledger is in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from typing import Any

import pytest

from cli.backfill import command
from cli.backfill.command import run
from cli.backfill.order import Flight, Order, Position, order_of
from cli.backfill.report import report
from cli.backfill.steps import step
from cli.output import CommandError
from cli.replay.changes import Change
from cli.replay.choice import Chosen
from cli.replay.follow import Stages
from stockflow.ledger import StageRecord

NOON = datetime(2026, 10, 5, 12, tzinfo=UTC)
DAYS = (date(2026, 10, 1), date(2026, 10, 2))


@dataclass
class Ledger:
    """Loads by landing day. What is sent ends ``slow`` looks later; those in ``broken`` fail, in ``stuck`` stay."""

    loads_of: dict[date, list[str]]
    slow: int = 0
    broken: frozenset[str] = frozenset()
    stuck: frozenset[str] = frozenset()
    clock: datetime = NOON
    sent: list[list[str]] = field(default_factory=list)
    done: dict[str, dict[str, StageRecord]] = field(default_factory=dict)
    looks: int = 0
    most: int = 0
    _flying: dict[str, int] = field(default_factory=dict)

    def now(self) -> datetime:
        """The time, a minute later each time it is asked for."""
        self.clock += timedelta(minutes=1)
        return self.clock

    def loads(self, order: Order, day: date, began: datetime) -> list[Chosen]:
        """What the stage did not do since."""
        found = []
        for number, load in enumerate(self.loads_of[day]):
            done = self.done.get(load, {}).get("transform")
            if done is None or done.started_at < began:
                landed = datetime(day.year, day.month, day.day, 8, number, tzinfo=UTC)
                before = {"landed_at": landed, "generation": number, "landed_on": day, "rows": 1}
                found.append(Chosen(load, "sales", before, done.row() if done else None))
        return found

    def send(self, order: Order, chosen: Sequence[Chosen]) -> None:
        """Remember them; they end later."""
        self.sent.append([c.load_id for c in chosen])
        self._flying |= {c.load_id: self.slow for c in chosen}
        self.most = max(self.most, len(self._flying))

    def records(self, flight: Flight) -> Mapping[str, Stages]:
        """Let time pass for what is on its way."""
        self.looks += 1
        for load in [i for i in flight.marks if i in self._flying and i not in self.stuck]:
            self._flying[load] -= 1
            if self._flying[load] < 0:
                del self._flying[load]
                self._end(load, flight.day)
        return {load: self.done.get(load, {}) for load in flight.marks}

    def _end(self, load: str, day: date) -> None:
        now = self.now()
        state = "failed" if load in self.broken else "transformed"
        made = StageRecord(load, "sales", "transform", state, "1", now, now)
        self.done[load] = {"transform": made}
        if state == "transformed":
            self.done[load]["kpi"] = StageRecord(
                load, "sales", "kpi", "refreshed", "1", now, now, input_record=made.record_id
            )


def two_days(**how: Any) -> Ledger:
    return Ledger({DAYS[0]: [f"a{n}" for n in range(5)], DAYS[1]: ["b0", "b1"]}, **how)


def taken(order: Order, ledger: Ledger, days: tuple[date, ...] = DAYS) -> Position:
    return run(order, days, ledger, lambda _: None, lambda _: None)


def test_each_batch_waits_for_the_one_before_and_holds_one_day() -> None:
    ledger = two_days(slow=2)
    ended = taken(Order("transform", batch=2), ledger)
    assert ledger.sent == [["a0", "a1"], ["a2", "a3"], ["a4"], ["b0", "b1"]]
    assert ledger.most == 2
    assert ended.ended == {DAYS[0]: {"refreshed": 5}, DAYS[1]: {"refreshed": 2}} and not ended.stopped


def test_as_many_batches_are_on_their_way_as_was_said() -> None:
    ledger = two_days(slow=3)
    taken(Order("transform", batch=2, in_flight=3), ledger)
    assert ledger.most == 5, "three batches of the first day"
    assert sorted(chain.from_iterable(ledger.sent)) == ["a0", "a1", "a2", "a3", "a4", "b0", "b1"]


def test_a_position_is_taken_up_again_in_another_process() -> None:
    order, ledger = Order("transform", batch=2, in_flight=2), two_days(slow=1)
    position = Position(NOON, DAYS)
    while not position.finished:
        position = step(order, Position.from_json(position.to_json()), ledger)
    assert sorted(chain.from_iterable(ledger.sent)) == ["a0", "a1", "a2", "a3", "a4", "b0", "b1"]


def test_one_that_begins_anew_leaves_what_ended_since() -> None:
    order, ledger = Order("transform", batch=2), two_days()
    position = Position(NOON, DAYS)
    for _ in range(2):
        position = step(order, position, ledger)
    ledger.sent.clear()
    again = run(order, DAYS, ledger, lambda _: None, lambda _: None)  # began later: everything once more
    assert sum(len(s) for s in ledger.sent) == 7 and again.loads == 7
    ledger.sent.clear()
    position = Position(NOON, DAYS)  # the same backfill, tried again
    while not position.finished:
        position = step(order, position, ledger)
    assert ledger.sent == []


def test_a_load_that_fails_stops_nothing_and_its_day_can_be_run_alone() -> None:
    order, ledger = Order("transform", ("sales",), batch=10), two_days(broken=frozenset({"a3"}))
    ended = taken(order, ledger)
    told = report(order, ended, [Change("kpi.gmroi", ("sku",), changed=3, dates=("2026-10-01",))])
    assert ended.ended == {DAYS[0]: {"refreshed": 4, "failed": 1}, DAYS[1]: {"refreshed": 2}}
    assert told["failed_days"] == ["2026-10-01"] and told["kpi_cells_changed"] == 3
    assert told["run_again"] == ["stockflow backfill --stage transform --from 2026-10-01 --to 2026-10-01 --feed sales"]
    ledger = replace(ledger, broken=frozenset())
    assert taken(order, ledger, DAYS[:1]).ended == {DAYS[0]: {"refreshed": 5}}


def test_a_batch_that_does_not_end_in_time_stops_it() -> None:
    order = Order("transform", batch=3, timeout=600)
    ledger = two_days(stuck=frozenset({"a1"}))
    ended = taken(order, ledger)
    told = report(order, ended, None)
    assert ledger.sent == [["a0", "a1", "a2"]], "nothing more is sent"
    assert told["stopped"] == "1 loads of 2026-10-01 did not end within 600 s"
    assert told["days"] == [{"day": "2026-10-01", "refreshed": 2, "not ended": 1}]
    assert told["run_again"] == ["stockflow backfill --stage transform --from 2026-10-01 --to 2026-10-02"]


def test_that_loads_which_ended_lately_are_left_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """Without it, a day replayed a minute after it landed says "0 loads ended" and no more."""
    told = report(Order("transform"), Position(NOON, DAYS), []) | {"left_as_they_are": 7}
    command._tell(told, window_seconds=900)
    said = capsys.readouterr().out
    assert "0 loads ended; 0 KPI cells changed\n7 loads were left as they are" in said
    assert "they ended less than 15 minutes ago" in said


def test_an_order_says_what_is_wrong_with_it() -> None:
    assert order_of({"from": "2026-10-01", "to": "2026-10-02"}).stage == "transform"
    for asked, words in (
        ({"stage": "load"}, "stage is 'load': expected one of ingest"),
        ({"by": "arrival"}, "by is 'arrival': expected landing or business"),
        ({"batch": 0}, "batch is 0: expected a whole number from 1 on"),
        ({"in_flight": "two"}, "in_flight is 'two': expected"),
        ({"from": "2026-10-02", "to": "2026-10-01"}, "the period ends before it begins"),
        ({"from": "soon"}, "'soon' is not a valid time"),
    ):
        with pytest.raises(CommandError, match=words):
            order_of(asked)


def test_a_day_of_an_order_reads_one_partition() -> None:
    order = order_of({"from": "2026-10-01T06:00:00", "to": "2026-10-02"})
    first, second = order.of_day(DAYS[0]), order.of_day(DAYS[1])
    assert first.landing == (datetime(2026, 10, 1, 6, tzinfo=UTC), datetime(2026, 10, 1, 23, 59, 59, 999_999, UTC))
    assert second.landing[0].date() == second.landing[1].date() == DAYS[1]
    business = order_of({"from": "2026-09-01", "to": "2026-09-30", "by": "business"}).of_day(DAYS[0])
    assert business.landing[0].date() == business.landing[1].date() == DAYS[0]
    assert business.first.date() == date(2026, 9, 1), "the rows' dates stay"
