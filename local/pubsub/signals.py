"""Who waits for what: a change of a subscription rings its bell, and nobody else's."""

import threading
from collections import defaultdict
from collections.abc import Callable

CATALOG = 0
"""The bell of the catalogue itself (subscriptions are numbered from 1)."""


class Signals:
    """Callbacks by subscription number; they must be quick and must not raise."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: defaultdict[int, list[Callable[[], object]]] = defaultdict(list)

    def listen(self, number: int, callback: Callable[[], object]) -> Callable[[], None]:
        """Call back on each ring; return how to stop that."""
        with self._lock:
            self._listeners[number].append(callback)

        def stop() -> None:
            with self._lock:
                self._listeners[number].remove(callback)

        return stop

    def ring(self, number: int) -> None:
        """Wake who listens."""
        with self._lock:
            callbacks = list(self._listeners.get(number, ()))
        for callback in callbacks:
            callback()
