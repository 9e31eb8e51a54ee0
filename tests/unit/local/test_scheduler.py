"""The ticks that ask for a sweep and for receipts."""

import pytest

from local.scheduler import Tick, ticks
from stockflow.errors import TransientError
from stockflow.schema import pipeline


def test_it_ticks_when_it_is_time_and_pubsub_is_there() -> None:
    now, ticks = [0.0], []
    tick = Tick(10, lambda: ticks.append(now[0]), lambda: now[0])
    for at, bus_is_up in ((5, True), (11, False), (12, True), (13, True), (22, True)):
        now[0] = at
        tick.maybe(bus_is_up)
    assert ticks == [12, 22]


def test_a_tick_that_is_lost_is_said_and_not_repeated_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    now, tries = [0.0], []

    def fail() -> None:
        tries.append(now[0])
        raise TransientError("publish_failed", "nobody answers")

    tick = Tick(10, fail, lambda: now[0])
    for at in (10, 11, 20):
        now[0] = at
        tick.maybe(True)
    assert tries == [10, 20]
    assert "nobody answers" in capsys.readouterr().err


def test_a_stack_has_as_many_ticks_as_pipeline_yaml_has_schedules() -> None:
    """A sweep each tenth minute and receipts each minute, as Cloud Scheduler has it."""
    minutes = {"*/10 * * * *": 600, "* * * * *": 60}
    assert [t._every for t in ticks()] == [minutes[pipeline()[name]["schedule"]] for name in ("sweep", "receipts")]
