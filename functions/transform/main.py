"""transform: what passed validation becomes curated rows; each drain takes all that is pending of a feed."""

import functions_framework
from cloudevents.http import CloudEvent

from functions.transform.drain import transform
from stockflow.boundary import handle_event
from stockflow.events import parse_stage
from stockflow.services import services


@functions_framework.cloud_event  # type: ignore[untyped-decorator]
def handle(event: CloudEvent) -> None:
    """Transform the load that a ``load.validated`` event names."""
    handle_event("transform", event, lambda: transform(parse_stage(event), services()))
