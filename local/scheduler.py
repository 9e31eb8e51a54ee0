"""What Cloud Scheduler does in the cloud: the tick that asks for a sweep."""

import os
import sys
import time
from collections.abc import Callable

from stockflow.errors import StockflowError

EVERY_SECONDS = 600.0


def sweep_seconds() -> float:
    """Return how many seconds lie between two ticks: ``STOCKFLOW_SWEEP_SECONDS``, ten minutes by default."""
    return float(os.environ.get("STOCKFLOW_SWEEP_SECONDS", EVERY_SECONDS))


def publish_tick() -> None:
    """Publish the tick, as the Scheduler job of ``terraform/scheduler.tf`` does."""
    from stockflow.events import TICK, encode
    from stockflow.services import services

    services().publisher.publish(services().settings.events_topic, *encode(TICK))


class Tick:
    """Publishes a tick every so many seconds; one that cannot be published is said and tried at the next."""

    def __init__(
        self, every: float, publish: Callable[[], None] = publish_tick, clock: Callable[[], float] = time.monotonic
    ) -> None:
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
            print(f"the sweep's tick was not published: {error}", file=sys.stderr, flush=True)
