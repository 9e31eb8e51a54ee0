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
