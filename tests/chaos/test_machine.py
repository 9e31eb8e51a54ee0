"""A state machine against the model: whatever people and machines do, in any order, the last statement wins."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from random import Random
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from cli import hold, target
from functions.transform import files, merge
from stockflow.contracts import Contract
from stockflow.events import announcement
from stockflow.ledger import Asked
from stockflow.points import POINTS, Point, watched
from stockflow.services import Services
from tests.chaos.check import end_of
from tests.chaos.inprocess import Run, in_process
from tests.chaos.model import File, Landed
from tests.chaos.traffic import FEED
from tests.chaos.workshop import KilledError

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(1_200)]
FUNCTIONS = ("ingest", "validate", "transform", "kpi")
# One is what `make test` has time for, beside the scenario before it; more in a long run.
EXAMPLES = int(os.environ.get("CHAOS_EXAMPLES", "1"))
OTHER_FIGURES = -1  # the version of the model that counts everything twice


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

    @rule()
    def drop_a_doubtful_file(self) -> None:
        """So many of its lines are refused that it is held."""
        self._land(self.run.traffic.doubtful())

    @rule(which=st.integers(0, 50))
    def release(self, which: int) -> None:
        """A person lets a held load through, if one is held by now."""
        if held := self._held():
            one = held[which % len(held)]
            hold.release(one.ref.load_id, as_json=True)
            one.is_released = True

    def _held(self) -> list[Landed]:
        doubtful = [one for one in self.run.traffic.landed if not one.counts]
        ledger = self.run.calm.ledger.latest([Asked(one.ref.load_id, one.ref.landed_on) for one in doubtful])
        return [one for one in doubtful if end_of(ledger.get(one.ref.load_id, {})) == "held"]

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

    @precondition(lambda self: self._sales)
    @rule(which=st.integers(0, 50), what=st.sampled_from(["contract", "model"]))
    def replay_at_another_version_and_back(self, which: int, what: str) -> None:
        """A contract that refuses the file, or a model with other figures, replayed to the end; then as before."""
        self._work_off()
        one = self._sales[which % len(self._sales)]
        with self._other_contract() if what == "contract" else self._other_model():
            self.run.post.accept(*announcement(one.ref))
            self._work_off()
        self.run.post.accept(*announcement(one.ref))
        self._work_off()  # before anybody removes the object: what is gone cannot be read again, and stays refused

    @contextmanager
    def _other_contract(self) -> Iterator[None]:
        instances = self.run.shop.instances
        for services in instances:
            services.__dict__["contracts"] = {**self.run.calm.contracts, FEED: _refusing(self.run.calm.contracts[FEED])}
        yield
        for services in instances:
            services.__dict__["contracts"] = self.run.calm.contracts

    @contextmanager
    def _other_model(self) -> Iterator[None]:
        before, type(self).model = self.model, OTHER_FIGURES
        yield
        type(self).model = before

    def _work_off(self) -> None:
        while self.run.post.backlog:
            self._deliver()

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
    made.__dict__["publisher"] = services.publisher
    return made


def _versioned(model: Callable[[str], str]) -> Callable[[str], str]:
    def text(feed: str) -> str:
        if Shop.model == OTHER_FIGURES and feed == FEED:
            return f"SELECT * REPLACE (2 * quantity AS quantity) FROM (\n{model(feed)}\n)"
        return f"{model(feed)}\n-- {Shop.model}" if Shop.model else model(feed)

    return text


def _refusing(contract: Contract) -> Contract:
    """Ask for a column that no file of the model has."""
    rules = [
        replace(rule, kwargs={"columns": [*rule.kwargs["columns"], "till_number"]})
        if rule.expectation == "stockflow_columns_present" else rule
        for rule in contract.rules
    ]  # fmt: skip
    return replace(contract, rules=tuple(rules), fingerprint="refusing")


@pytest.fixture
def shop(services: Services, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Shop]]:
    """The machine's class with an environment, and with the commands of a person at work in it."""
    monkeypatch.setattr(merge, "model", _versioned(files.model))
    with in_process(services, seed=5, rate=0, kill_rate=0) as run:
        run.post.lost = run.post.twice = 0
        run.traffic.dice = Random(5)
        told = replace(run.calm)
        told.__dict__["publisher"] = run.post
        monkeypatch.setattr(target, "services", lambda: told)
        Shop.run, Shop.model = run, 0
        yield Shop


def _release_and_replay(one: Shop) -> None:
    """What must not be left to chance: a release stands, and another version leaves nothing behind."""
    one.drop_a_doubtful_file()
    one._work_off()
    one.release(0)
    assert [landed.is_released for landed in one.run.traffic.landed] == [True]
    one.replay_at_another_version_and_back(0, "model")
    one.teardown()


def test_whatever_happens_the_last_statement_wins(shop: type[Shop]) -> None:
    _release_and_replay(shop())
    bounded = settings(
        max_examples=EXAMPLES, stateful_step_count=10, deadline=None, derandomize=True, database=None,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    run_state_machine_as_test(shop, settings=bounded)
