"""ingest: an object landed; read it once, keep every row and every reject, tell validate. A tick: sweep."""

from datetime import timedelta

import functions_framework
from cloudevents.http import CloudEvent

from functions.ingest.expected import tell_expected
from functions.ingest.freshness import tell_freshness
from functions.ingest.orphans import remove_orphans_daily
from functions.ingest.pipeline import ingest
from functions.ingest.receipts.tell import tell_receipts
from functions.ingest.sweep import sweep
from stockflow.boundary import handle_event
from stockflow.events import is_tick, parse_object
from stockflow.services import services

LISTING = timedelta(seconds=20)  # a bucket of millions of objects is gone through over several ticks
LOOK_BACK = timedelta(days=31)  # as long as Pub/Sub keeps events; `stockflow sweep` looks at all objects


@functions_framework.cloud_event  # type: ignore[untyped-decorator]
def handle(event: CloudEvent) -> None:
    """Ingest the object that a Cloud Storage notification announces; at a tick sweep and tell what is late or ended."""
    handle_event("ingest", event, lambda: _work(event))


def _work(event: CloudEvent) -> object:
    if is_tick(event):
        requeued = sweep(services(), look_back=LOOK_BACK, listing=LISTING)
        tell_freshness(services())
        tell_expected(services())
        remove_orphans_daily(services())
        tell_receipts(services())
        return requeued
    return ingest(parse_object(event), services())
