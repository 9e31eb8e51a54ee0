"""kpi: each KPI that reads what a load touched is computed again, for the dates that it can change."""

import functions_framework
import sqlglot.lineage  # noqa: F401 - the parser, before the first event: each needs it
from cloudevents.http import CloudEvent

from functions.kpi.drain import refresh
from stockflow.boundary import handle_event
from stockflow.events import parse_stage
from stockflow.services import services


@functions_framework.cloud_event  # type: ignore[untyped-decorator]
def handle(event: CloudEvent) -> None:
    """Refresh the KPIs after the load that a ``load.transformed`` event names."""
    handle_event("kpi", event, lambda: refresh(parse_stage(event), services()))
