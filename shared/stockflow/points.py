"""Named points: after each of them something is on disk or in a service that was not there before.

A process that dies right there, or right before the next one, leaves exactly that behind. The proofs kill at each
(``tests/chaos``). In production a point costs one look at the environment. ``STOCKFLOW_POINT=<point>:<action>:<n>``
does the action at the n-th time: ``*`` is any point; the action is SIGKILL, SIGTERM (both to this process) or raise.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Literal, get_args

Point = Literal[
    "ingest.began", "ingest.staged", "ingest.loaded", "ingest.rejects_kept", "ingest.recorded", "ingest.published",
    "validate.began", "validate.refused_kept", "validate.results_kept", "validate.reported", "validate.recorded",
    "validate.published",
    "transform.merged", "transform.requeued", "transform.published",
    "kpi.computed", "kpi.put_off", "kpi.recorded", "kpi.published",
    "sweep.objects_published", "sweep.loads_published", "sweep.orphans_removed",
]  # fmt: skip
POINTS: tuple[Point, ...] = get_args(Point)
VARIABLE = "STOCKFLOW_POINT"
ANY = "*"
_watchers: list[Callable[[Point], None]] = []


class PointError(Exception):
    """What ``raise`` raises: nothing that the code expects."""


def reached(point: Point) -> None:
    """Say that this point is reached; nothing happens unless a test or the environment asks for it."""
    for watcher in _watchers:
        watcher(point)
    if order := os.environ.get(VARIABLE):
        _armed(order).count(point)


@contextmanager
def watched(by: Callable[[Point], None]) -> Iterator[None]:
    """Call ``by`` at each point that this process reaches; what it raises goes through the code."""
    _watchers.append(by)
    try:
        yield
    finally:
        _watchers.remove(by)


class _Armed:
    """One order of the environment, and how often it may still be passed."""

    def __init__(self, order: str) -> None:
        self._point, self._action, times = [*order.split(":"), "", ""][:3]
        if self._point not in (*POINTS, ANY) or self._action not in ("SIGKILL", "SIGTERM", "raise"):
            raise ValueError(f"{VARIABLE}={order!r} is not a valid <point>:<SIGKILL|SIGTERM|raise>:<n>")
        self._left, self._lock = int(times or 1), threading.Lock()

    def count(self, point: Point) -> None:
        if self._point not in (point, ANY):
            return
        with self._lock:
            self._left -= 1
            is_time = self._left == 0
        if is_time:
            self._act(point)

    def _act(self, point: Point) -> None:
        if self._action == "raise":
            raise PointError(f"asked to fail at {point}")
        os.kill(os.getpid(), signal.Signals[self._action])


@cache
def _armed(order: str) -> _Armed:
    return _Armed(order)
