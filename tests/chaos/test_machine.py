"""A state machine against the model: whatever people and machines do, in any order, the last statement wins."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from random import Random
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from functions.transform import merge
from stockflow.events import announcement
from stockflow.points import POINTS, Point, watched
from stockflow.services import Services
from tests.chaos.inprocess import Run, in_process
from tests.chaos.model import File
from tests.chaos.workshop import KilledError

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(1_200)]
FUNCTIONS = ("ingest", "validate", "transform", "kpi")


class Shop(RuleBasedStateMachine):
    """One environment for all examples; an example ends at rest, and is compared with the model then."""

    run: ClassVar[Run]
    model: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self._doomed: Point | None = None
        self._open = ExitStack()
        self._open.enter_context(watched(self._at))

    def _at(self, point: Point) -> None:
        if point == self._doomed:
            self._doomed = None
            raise KilledError(point)

    def _land(self, file: File) -> None:
        landed = self.run.traffic.drop(file)
        self.run.post.accept(*announcement(landed.ref))

    @property
    def _sales(self) -> list[Any]:
        return [one for one in self.run.traffic.landed if one.file.kind == "sales" and not one.gone]

    @initialize(rows=st.integers(1, 4))
    def begin(self, rows: int) -> None:
        self.drop(rows, "good")

    @rule(rows=st.integers(1, 4), last=st.sampled_from(["good", "refused", "unreadable"]))
    def drop(self, rows: int, last: str) -> None:
        traffic = self.run.traffic
        lines = [replace(traffic.line(), kind="good") for _ in range(rows)]
        self._land(File(traffic.name(), (*lines, replace(traffic.line(), kind=last))))

    @precondition(lambda self: self._sales)
    @rule(which=st.integers(0, 50), quantity=st.integers(1, 99), same_name=st.booleans())
    def state_again(self, which: int, quantity: int, same_name: bool) -> None:
        """Overwrite a file, or correct it by another one."""
        file = self._sales[which % len(self._sales)].file
        lines = tuple(replace(line, quantity=quantity) for line in file.lines)
        self._land(File(file.name if same_name else self.run.traffic.name(), lines))

    @precondition(lambda self: self._sales)
    @rule()
    def send_again(self) -> None:
        self._land(replace(self._sales[-1].file, name=self.run.traffic.name()))

    @precondition(lambda self: self._sales)
    @rule(which=st.integers(0, 50))
    def delete(self, which: int) -> None:
        self.run.traffic.delete(self._sales[which % len(self._sales)])

    @rule(function=st.sampled_from(FUNCTIONS), most=st.integers(1, 4))
    def replay(self, function: str, most: int) -> None:
        self.run.post.replay(function, most)

    @rule()
    def change_a_model(self) -> None:
        """Another text of the model is another version: what is delivered again is computed again."""
        type(self).model += 1
        self.run.post.replay("transform", 3)

    @rule()
    def revert_the_model(self) -> None:
        type(self).model = 0
        self.run.post.replay("transform", 3)

    @rule(letters=st.integers(1, 5))
    def work(self, letters: int) -> None:
        for _ in range(letters):
            self._deliver()

    @rule(point=st.sampled_from(POINTS))
    def kill(self, point: Point) -> None:
        """The next one that comes to this point dies there."""
        self._doomed = point
        self.work(3)

    @rule()
    def restart(self) -> None:
        """Processes know nothing that the services do not know."""
        self.run.shop.instances = [_again(one) for one in self.run.shop.instances]

    def _deliver(self) -> None:
        letter, shop = self.run.post.take(), self.run.shop
        if letter is None:
            return
        services = self.run.traffic.dice.choice(shop.instances)
        acknowledged = shop._handled(letter, services)
        self.run.post.done() if acknowledged else self.run.post.again(letter)

    def teardown(self) -> None:
        self._doomed = None
        self._open.close()
        found = self.run.rest()
        assert found.hold, found


def _again(services: Services) -> Services:
    made = Services(services.settings)
    made.__dict__["bus"] = services.bus
    return made


def _versioned(model: Callable[[str], str]) -> Callable[[str], str]:
    return lambda feed: f"{model(feed)}\n-- {Shop.model}" if Shop.model else model(feed)


def test_whatever_happens_the_last_statement_wins(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merge, "model", _versioned(merge.model))
    bounded = settings(
        max_examples=3, stateful_step_count=10, deadline=None, derandomize=True, database=None,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    with in_process(services, seed=5, rate=0, kill_rate=0) as run:
        run.post.lost = run.post.twice = 0
        run.traffic.dice = Random(5)
        Shop.run = run
        run_state_machine_as_test(Shop, settings=bounded)
