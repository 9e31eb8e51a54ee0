"""ingest: an object landed; read it once, keep every row and every reject, tell validate. Ticks: sweep, receipts."""

import functions_framework
from cloudevents.http import CloudEvent

from functions.ingest.pipeline import ingest
from functions.ingest.ticks import at_tick
from stockflow.boundary import handle_event
from stockflow.events import parse_object, tick_of
from stockflow.services import services


@functions_framework.cloud_event  # type: ignore[untyped-decorator]
def handle(event: CloudEvent) -> None:
    """Ingest the object that a Cloud Storage notification announces, or do what a tick asks for."""
    handle_event("ingest", event, lambda: _work(event))


def _work(event: CloudEvent) -> None:
    tick = tick_of(event)
    if tick:
        at_tick(tick, services())
    else:
        ingest(parse_object(event), services())
