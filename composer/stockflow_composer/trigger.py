"""Waiting on the ledger without a worker: the trigger asks until a batch has ended, or the time is over."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from stockflow_composer.airflow import BaseTrigger, TriggerEvent

POLL_SECONDS = 15.0


class LedgerTrigger(BaseTrigger):
    """Fires when one of the batches that a backfill's position says are on their way has ended.

    Its event carries the position back: `dag.test()` of Airflow 2 hands nothing else on. ``order`` and ``position`` are
    JSON, as ``cli.backfill.order`` reads them; ``poll`` is in seconds.
    """

    def __init__(self, order: dict[str, Any], position: dict[str, Any], poll: float = POLL_SECONDS) -> None:
        super().__init__()
        self.order, self.position, self.poll = order, position, poll

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return what Airflow stores of it."""
        arguments = {"order": self.order, "position": self.position, "poll": self.poll}
        return f"{type(self).__module__}.{type(self).__name__}", arguments

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Ask the ledger in a thread: BigQuery's client blocks, and other triggers share this loop."""
        while not await asyncio.to_thread(self._is_due):
            await asyncio.sleep(self.poll)
        yield TriggerEvent({"position": self.position})

    def _is_due(self) -> bool:
        from cli.backfill.order import Position, order_of
        from cli.backfill.steps import is_due
        from cli.backfill.world import Environment
        from stockflow.services import services

        return is_due(order_of(self.order), Position.from_json(self.position), Environment(services()))
