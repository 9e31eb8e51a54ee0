"""The tick that asks for a sweep."""

import pytest

from local.scheduler import Tick
from stockflow.errors import TransientError


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
