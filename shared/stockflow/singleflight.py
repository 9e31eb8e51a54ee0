"""Many calls, one drain: a call joins the drain that is about to start and waits for it. Or each in its turn."""

import threading
import time
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Generic, TypeVar

# Type variables and no type parameters: Airflow 2 in Cloud Composer runs Python 3.11.
Item = TypeVar("Item", bound=Hashable)
T = TypeVar("T")


# A drain of a burst starts when nothing asked for so long: this share of the pause for each call that waits.
QUIET_SHARE = 0.01
# ... and at the latest a pause after the first of them asked, 2.5 pauses when so many wait that it is a burst.
LONGEST_PAUSES = 2.5
BURST_CALLS = 300
# ... and at once when so many of the calls that the process can take wait: hardly any other could join.
FULL_SHARE = 0.9


class _Waiting(Generic[Item, T]):  # noqa: UP046
    """The calls that the next drain will take."""

    def __init__(self) -> None:
        self.items: set[Item] = set()
        self.result: Future[T] = Future()
        self.first = self.last = time.monotonic()
        self.full = threading.Event()  # no other call can come: the process has no thread left for one

    def add(self, item: Item) -> None:
        self.items.add(item)
        self.last = time.monotonic()

    def due(self, pause: float) -> float:
        """Return when (monotonic) the burst is over, if no other call joins."""
        return burst_end(self.first, self.last, len(self.items), pause)


def burst_end(first: float, last: float, waiting: int, pause: float) -> float:
    """Return when a burst is over: nothing asked for a while, or its first call waited long enough. All in seconds.

    ``first``, ``last``: when the first and the last of the ``waiting`` calls asked.
    """
    quiet = pause * min(1.0, QUIET_SHARE * waiting)
    longest = pause * (1 + (LONGEST_PAUSES - 1) * min(1.0, waiting / BURST_CALLS))
    return min(last + quiet, first + longest)


class SingleFlight(Generic[Item, T]):  # noqa: UP046
    """Runs at most one drain per key at a time; each drain takes all that asked before it started.

    A call never joins a drain that has already started: that one may have read the ledger before
    this call's load was there. So with N calls at once there are at most two drains.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[Hashable, threading.Lock] = {}
        self._started: dict[Hashable, float] = {}
        self._waiting: dict[Hashable, _Waiting[Item, T]] = {}

    def join(
        self, key: Hashable, item: Item, drain: Callable[[frozenset[Item]], T], pause: float = 0, calls: int = 0
    ) -> T:
        """Return the result of a drain of ``key`` that started after this call and was given ``item``.

        It starts at least ``pause`` seconds after the one before started, and when the burst is over: once nothing
        asked for a hundredth of ``pause`` per waiting call (at most ``pause``), and at the latest one to 2.5 pauses
        (by how many wait) after the first of them asked. So a burst costs few drains, and a lone call hardly waits.

        ``calls``: how many calls this process can take at once, where that is known. When nine tenths of them wait,
        for drains of any key that have not started, these start at once: hardly any other call could join.

        Raises:
            Exception: whatever that drain raised, in every call that joined it.
        """
        with self._lock:
            running = self._running.setdefault(key, threading.Lock())
            leader = key not in self._waiting
            waiting = self._waiting.setdefault(key, _Waiting())
            waiting.add(item)
            if calls and self._waiting_calls() >= calls * FULL_SHARE:
                self._start_all()
        if leader:
            self._lead(key, running, waiting, drain, pause)
        return waiting.result.result()

    def waiting(self, key: Hashable) -> int:
        """Return how many calls the next drain of ``key`` would take now."""
        with self._lock:
            return len(self._waiting[key].items) if key in self._waiting else 0

    def _waiting_calls(self) -> int:
        return sum(len(waiting.items) for waiting in self._waiting.values())

    def _start_all(self) -> None:
        for waiting in self._waiting.values():
            waiting.full.set()

    def _lead(
        self,
        key: Hashable,
        running: threading.Lock,
        waiting: _Waiting[Item, T],
        drain: Callable[[frozenset[Item]], T],
        pause: float,
    ) -> None:
        with running:
            self._await_quiet(key, waiting, pause)
            self._started[key] = time.monotonic()
            with self._lock:
                del self._waiting[key]
            try:
                waiting.result.set_result(drain(frozenset(waiting.items)))
            except BaseException as error:
                waiting.result.set_exception(error)

    def _await_quiet(self, key: Hashable, waiting: _Waiting[Item, T], pause: float) -> None:
        soonest = self._started.get(key, -pause) + pause
        while (left := max(soonest, waiting.due(pause)) - time.monotonic()) > 0:
            if waiting.full.wait(left):
                return


class Turns:
    """Lets the calls of one key work one after the other; those of different keys work side by side."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: dict[Hashable, tuple[threading.Lock, int]] = {}  # with how many calls work or wait

    @contextmanager
    def of(self, key: Hashable) -> Iterator[None]:
        """Wait until no other call of this key works."""
        with self._lock:
            turn, calls = self._keys.get(key, (threading.Lock(), 0))
            self._keys[key] = turn, calls + 1
        try:
            with turn:
                yield
        finally:
            with self._lock:
                turn, calls = self._keys.pop(key)
                if calls > 1:
                    self._keys[key] = turn, calls - 1
