"""Waiting for a condition instead of for a time."""

import time
from typing import Any


def wait_until(condition: Any, seconds: float, step: float = 0.1) -> bool:
    """Poll ``condition`` until it is true or the time is over; return whether it became true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(step)
    return bool(condition())


def polite_pause(asked: float, at_least: float = 0.5, at_most: float = 5) -> float:
    """Return the seconds to wait before asking again, when the answer took ``asked`` seconds: three times as long.

    Who asks while others work takes a quarter of a busy warehouse at most.
    """
    return min(max(3 * asked, at_least), at_most)
