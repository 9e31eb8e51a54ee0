"""Many calls, one drain: a call joins the drain that is about to start and waits for it."""

import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

# Type variables and no type parameters: Airflow 2 in Cloud Composer runs Python 3.11.
Item = TypeVar("Item", bound=Hashable)
T = TypeVar("T")


class SingleFlight(Generic[Item, T]):  # noqa: UP046
    """Runs at most one drain per key at a time; each drain takes all that asked before it started.

    A call never joins a drain that has already started: that one may have read the ledger before
    this call's load was there. So with N calls at once there are at most two drains.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[Hashable, threading.Lock] = {}
        self._started: dict[Hashable, float] = {}
        self._waiting: dict[Hashable, tuple[set[Item], Future[T]]] = {}

    def join(self, key: Hashable, item: Item, drain: Callable[[frozenset[Item]], T], pause: float = 0) -> T:
        """Return the result of a drain of ``key`` that started after this call and was given ``item``.

        It starts at least ``pause`` seconds after the one before started, and takes what asked until then: a burst
        costs a drain each ``pause``, a call after a quiet time does not wait.

        Raises:
            Exception: whatever that drain raised, in every call that joined it.
        """
        with self._lock:
            running = self._running.setdefault(key, threading.Lock())
            leader = key not in self._waiting
            items, future = self._waiting.setdefault(key, (set(), Future()))
            items.add(item)
        if leader:
            self._lead(key, running, future, drain, pause)
        return future.result()

    def _lead(
        self,
        key: Hashable,
        running: threading.Lock,
        future: Future[T],
        drain: Callable[[frozenset[Item]], T],
        pause: float,
    ) -> None:
        with running:
            time.sleep(max(0.0, self._started.get(key, -pause) + pause - time.monotonic()))
            self._started[key] = time.monotonic()
            with self._lock:
                items, _ = self._waiting.pop(key)
            try:
                future.set_result(drain(frozenset(items)))
            except BaseException as error:
                future.set_exception(error)
