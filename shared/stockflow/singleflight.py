"""Many calls, one drain: a call joins the drain that is about to start and waits for it."""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future


class SingleFlight[Item: Hashable, T]:
    """Runs at most one drain per key at a time; each drain takes all that asked before it started.

    A call never joins a drain that has already started: that one may have read the ledger before
    this call's load was there. So with N calls at once there are at most two drains.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[str, threading.Lock] = {}
        self._waiting: dict[str, tuple[set[Item], Future[T]]] = {}

    def join(self, key: str, item: Item, drain: Callable[[frozenset[Item]], T]) -> T:
        """Return the result of a drain of ``key`` that started after this call and was given ``item``.

        Raises:
            Exception: whatever that drain raised, in every call that joined it.
        """
        with self._lock:
            running = self._running.setdefault(key, threading.Lock())
            leader = key not in self._waiting
            items, future = self._waiting.setdefault(key, (set(), Future()))
            items.add(item)
        if leader:
            self._lead(key, running, future, drain)
        return future.result()

    def _lead(
        self, key: str, running: threading.Lock, future: Future[T], drain: Callable[[frozenset[Item]], T]
    ) -> None:
        with running:
            with self._lock:
                items, _ = self._waiting.pop(key)
            try:
                future.set_result(drain(frozenset(items)))
            except BaseException as error:
                future.set_exception(error)
