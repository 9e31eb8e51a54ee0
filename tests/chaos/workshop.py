"""The four stages in this process: threads take letters, and die at named points by an uncaught exception."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from functions.ingest.pipeline import ingest
from functions.ingest.sweep import sweep
from stockflow.errors import PermanentError, TransientError
from stockflow.events import parse_object, parse_stage
from stockflow.points import Point, watched
from stockflow.services import Services
from tests.chaos.faults import Faults
from tests.chaos.post import Letter, Post


class KilledError(BaseException):
    """Stands for ``kill -9`` of the thread that works: nothing may catch it."""


@dataclass(frozen=True)
class Event:
    """The part of a CloudEvent that is read."""

    data: dict[str, Any]


def _validate(event: Event, services: Services) -> object:
    from functions.validate.run import validate

    return validate(parse_stage(event), services)


def _transform(event: Event, services: Services) -> object:
    from functions.transform.drain import transform

    return transform(parse_stage(event), services)


def _refresh(event: Event, services: Services) -> object:
    from functions.kpi.drain import refresh

    return refresh(parse_stage(event), services)


STAGES: dict[str, Callable[[Event, Services], object]] = {
    "ingest": lambda event, services: ingest(parse_object(event), services),
    "sweep": lambda event, services: sweep(services, stuck_after=timedelta(0)),
    "validate": _validate,
    "transform": _transform,
    "kpi": _refresh,
}


@dataclass
class Workshop:
    """Works letters off in threads. ``ended`` counts how calls ended, ``unexpected`` what no code foresaw."""

    post: Post
    faults: Faults
    instances: list[Services]
    work: dict[str, Callable[[Event, Services], object]] = field(default_factory=lambda: dict(STAGES))
    kill_rate: float = 0.0
    threads: int = 12
    killed: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    unexpected: Counter[str] = field(default_factory=Counter)
    _stop: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def open(self) -> Iterator["Workshop"]:
        """Work until the block ends (and what is taken is worked off)."""
        self._stop.clear()
        with watched(self._at), ThreadPoolExecutor(self.threads) as pool:
            for number in range(self.threads):
                pool.submit(self._loop, self.instances[number % len(self.instances)])
            try:
                yield self
            finally:
                self._stop.set()

    def work_off(self, seconds: float) -> bool:
        """Wait until nothing waits any more; return whether that came to be within the time."""
        end = time.monotonic() + seconds
        while not self.post.is_empty:
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        return True

    def _loop(self, services: Services) -> None:
        while not self._stop.is_set():
            letter = self.post.take()
            if letter is None:
                time.sleep(0.02)
            elif self._handled(letter, services):
                self.post.done()
            else:
                self.post.again(letter)

    def _handled(self, letter: Letter, services: Services) -> bool:
        """Deliver one letter; return whether it is acknowledged."""
        name = letter.function
        if name not in self.work:
            return True
        try:
            self.work[name](Event(letter.data), services)
        except KilledError:
            return False
        except PermanentError as error:
            self._count(f"{name}: permanent {error.code}")
            return True
        except TransientError as error:
            self._count(f"{name}: transient {error.code}")
            return False
        except Exception as error:
            with self._lock:
                self.unexpected[f"{name}: {type(error).__name__}: {str(error)[:300]}"] += 1
            return False
        self._count(f"{name}: acknowledged")
        return True

    def _count(self, how: str) -> None:
        with self._lock:
            self.ended[how] += 1

    def _at(self, point: Point) -> None:
        if self.kill_rate and self.faults.choose(("killed in process",), self.kill_rate):
            with self._lock:
                self.killed[point] += 1
            raise KilledError(point)
