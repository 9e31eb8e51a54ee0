"""The one place that reads the time, so that a test can set it."""

import time
from collections.abc import Callable

Clock = Callable[[], float]


def wall() -> float:
    """Return the seconds since 1970."""
    return time.time()


class ManualClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def move(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
