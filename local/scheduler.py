"""What Cloud Scheduler does in the cloud: the ticks that ask for a sweep and for receipts."""

import os
import sys
import time
from collections.abc import Callable
from functools import partial

from stockflow.errors import StockflowError
from stockflow.events import RECEIPTS_TICK, TICK, StageEvent, encode


def ticks() -> list["Tick"]:
    """Return the ticks of a stack: a sweep every ten minutes and receipts every minute, or as the environment says."""
    sweep = float(os.environ.get("STOCKFLOW_SWEEP_SECONDS", "600"))
    receipts = float(os.environ.get("STOCKFLOW_RECEIPTS_SECONDS", "60"))
    return [Tick(sweep, partial(publish, TICK)), Tick(receipts, partial(publish, RECEIPTS_TICK))]


def publish(tick: StageEvent) -> None:
    """Publish a tick, as the Scheduler jobs of ``terraform/scheduler.tf`` do."""
    from stockflow.services import services

    services().publisher.publish(services().settings.events_topic, *encode(tick))


class Tick:
    """Publishes a tick every so many seconds; one that cannot be published is said and tried at the next."""

    def __init__(self, every: float, publish: Callable[[], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._every, self._publish, self._clock = every, publish, clock
        self._next = clock() + every

    def maybe(self, bus_is_up: bool) -> None:
        """Publish when it is time and Pub/Sub is there."""
        if not bus_is_up or self._clock() < self._next:
            return
        self._next = self._clock() + self._every
        try:
            self._publish()
        except StockflowError as error:
            print(f"a tick was not published: {error}", file=sys.stderr, flush=True)
