"""validate: each load is judged by its contract; a row that breaks a critical rule is quarantined."""

import os

import functions_framework
from cloudevents.http import CloudEvent

from functions.validate.preload import preload
from functions.validate.run import validate
from stockflow.boundary import handle_event
from stockflow.events import parse_stage
from stockflow.services import services

# By far the slowest import of the project: begun while the instance starts, not by its first event. Only in
# the server's worker: gunicorn forks it after this line, and a fork amid an import leaves its locks locked.
os.register_at_fork(after_in_child=preload)


@functions_framework.cloud_event  # type: ignore[untyped-decorator]
def handle(event: CloudEvent) -> None:
    """Judge the load that a ``load.ingested`` event names."""
    handle_event("validate", event, lambda: validate(parse_stage(event), services()))
