"""The operator that runs a backfill: a step, then it waits on the ledger, deferred, for the next."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from stockflow_composer.airflow import AirflowException, BaseOperator
from stockflow_composer.trigger import POLL_SECONDS, LedgerTrigger


class Backfill(BaseOperator):
    """Sends a plan's loads day by day, in batches; between two batches no worker is held.

    ``plan`` is what ``tasks.plan`` returns. Tried again, it leaves what the ledger shows was done since the plan was
    made. Its XCom ``position`` says how each day ended.

    Raises:
        AirflowException: a load failed, or a batch did not end in time.
    """

    template_fields: Sequence[str] = ("plan",)

    def __init__(self, *, plan: Any, poll: float = POLL_SECONDS, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.plan, self.poll = plan, poll

    def execute(self, context: Any) -> None:
        """Begin with the first day."""
        from cli.backfill.order import Position

        days = tuple(map(date.fromisoformat, self.plan["days"]))
        self._go_on(Position(datetime.fromisoformat(self.plan["began"]), days), context)

    def resume(self, context: Any, event: dict[str, Any]) -> None:
        """Go on where it was, after a batch has ended."""
        from cli.backfill.order import Position

        self._go_on(Position.from_json(event["position"]), context)

    def _go_on(self, position: Any, context: Any) -> None:
        from cli.backfill.order import order_of
        from cli.backfill.steps import failed_days, step
        from cli.backfill.world import Environment
        from stockflow.services import services

        order = order_of(self.plan["order"])
        position = step(order, position, Environment(services()))
        self.log.info("day %s of %s, %s loads ended", position.day, len(position.days), position.loads)
        if not position.finished:
            trigger = LedgerTrigger(self.plan["order"], position.to_json(), self.poll)
            self.defer(trigger=trigger, method_name="resume")
        context["ti"].xcom_push(key="position", value=position.to_json())
        if failed := failed_days(position):
            days = ", ".join(map(str, failed))
            raise AirflowException(f"{position.stopped or 'loads failed'}; days to look at: {days}")
