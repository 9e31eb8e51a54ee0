"""Pub/Sub for the in-process proofs: at least once, in any order, some of it twice, some of it never."""

import base64
import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from random import Random

from stockflow.errors import TransientError
from stockflow.schema import pipeline
from stockflow.settings import Settings
from tests.chaos.faults import PUBLISHING, Faults

MAX_DELIVERIES = 10  # then it is a dead letter: the sweep finds its load


@dataclass
class Letter:
    """One message for one function, and what a function sees of it (``data``)."""

    function: str
    data: dict[str, object]
    deliveries: int = 0


def _routes() -> dict[str, str]:
    """Return event type -> function, as the subscriptions' filters say."""
    found = {}
    for name, sub in pipeline()["subscriptions"].items():
        for event_type in re.findall(r'event_?[tT]ype = "([^"]+)"', sub["filter"]):
            found[event_type] = name
    return found


@dataclass
class Post:
    """Takes the place of ``Publisher``; ``take`` hands out letters by chance."""

    settings: Settings
    faults: Faults
    dice: Random
    lost: float = 0.0
    twice: float = 0.0
    history: list[Letter] = field(default_factory=list)
    unheard: set[tuple[str, str]] = field(default_factory=set)  # object and generation of announcements that were lost
    _waiting: list[Letter] = field(default_factory=list)
    _out: int = 0

    def __post_init__(self) -> None:
        self._lock, self._routes = threading.Lock(), _routes()

    def publish(self, topic: str, data: bytes, attributes: Mapping[str, str]) -> str:
        """Accept a message, or not."""
        return self.publish_all(topic, [(data, attributes)])[0]

    def publish_all(self, topic: str, messages: Iterable[tuple[bytes, Mapping[str, str]]]) -> list[str]:
        """Accept messages; with a fault none of them, or all of them and say that it failed."""
        batch = list(messages)
        fault = self.faults.choose(PUBLISHING) if batch else None
        if fault in (None, "accepted_then_unavailable"):
            for data, attributes in batch:
                self.accept(data, attributes)
        if fault:
            raise TransientError("publish_failed", f"{topic}: a fault on purpose: {fault}")
        return ["1"] * len(batch)

    def accept(self, data: bytes, attributes: Mapping[str, str]) -> None:
        """Keep a message for the functions that want it; now and then for none, or twice."""
        function = self._routes.get(attributes.get("event_type") or attributes.get("eventType") or "")
        if function is None:
            return
        message = {"data": base64.b64encode(data).decode(), "attributes": dict(attributes)}
        copies = 1
        if self.faults.choose(("event_lost",), self.lost):
            copies = 0
            self.unheard.add((attributes.get("objectId", ""), attributes.get("objectGeneration", "")))
        elif self.faults.choose(("event_twice",), self.twice):
            copies = 2
        with self._lock:
            self.history.append(Letter(function, {"message": message}))
            self._waiting += [Letter(function, {"message": message}) for _ in range(copies)]

    def replay(self, function: str, most: int) -> int:
        """Deliver again what a function was ever sent (a sample of it)."""
        with self._lock:
            every = [letter for letter in self.history if letter.function == function]
            chosen = self.dice.sample(every, min(most, len(every)))
            self._waiting += [Letter(function, letter.data) for letter in chosen]
        self.faults.count("replayed_event", len(chosen))
        return len(chosen)

    def take(self) -> Letter | None:
        """Return any letter that waits; every letter taken is given back by ``done`` or ``again``."""
        with self._lock:
            if not self._waiting:
                return None
            self._out += 1
            return self._waiting.pop(self.dice.randrange(len(self._waiting)))

    def done(self) -> None:
        """A letter that was taken is acknowledged."""
        with self._lock:
            self._out -= 1

    def again(self, letter: Letter) -> None:
        """A letter that was taken is not acknowledged: it comes again, or is a dead letter."""
        letter.deliveries += 1
        with self._lock:
            self._out -= 1
            if letter.deliveries < MAX_DELIVERIES:
                self._waiting.append(letter)
                return
        self.faults.count("dead_letter")

    @property
    def backlog(self) -> int:
        """How many letters wait."""
        return len(self._waiting)

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits and nobody is at work."""
        with self._lock:
            return not self._waiting and not self._out
