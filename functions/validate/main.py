"""validate: each load is judged by its contract; a row that breaks a critical rule is quarantined."""

import threading

import functions_framework
from cloudevents.http import CloudEvent

from functions.validate.run import validate
from functions.validate.warm import import_great_expectations
from stockflow.boundary import settle
from stockflow.events import parse_stage
from stockflow.services import services

# By far the slowest import of the project: begun while the instance starts, not by its first event.
threading.Thread(target=import_great_expectations, daemon=True).start()


@functions_framework.cloud_event  # type: ignore[untyped-decorator]
def handle(event: CloudEvent) -> None:
    """Judge the load that a ``load.ingested`` event names."""
    settle("validate", lambda: validate(parse_stage(event), services()))
