"""ingest: an object landed; read it once, keep every row and every reject, tell validate."""

import functions_framework
from cloudevents.http import CloudEvent

from functions.ingest.road import ingest
from stockflow.boundary import settle
from stockflow.events import parse_object
from stockflow.services import services


@functions_framework.cloud_event  # type: ignore[untyped-decorator]
def handle(event: CloudEvent) -> None:
    """Ingest the object that a Cloud Storage notification announces."""
    settle("ingest", lambda: ingest(parse_object(event), services()))
