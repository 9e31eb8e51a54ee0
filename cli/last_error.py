"""The last thing that a function said about a load before it gave up: from the stack's logs, or Cloud Logging."""

import os

from cli import target
from cli.logs import parse
from stockflow.services import Services

_BAD = ("WARNING", "ERROR", "CRITICAL")


def last_error(function: str, load: str | None, services: Services) -> str | None:
    """Return the last warning or error of a function about a load, None when there is none."""
    if load is None:
        return None
    if services.settings.bigquery_endpoint is None:
        return _in_the_cloud(function, load, services)
    return _on_the_laptop(function, load)


def _on_the_laptop(function: str, load: str) -> str | None:
    path = target.folder() / "logs" / f"{function}.log"
    if not path.exists():
        return None
    found = None
    for text in path.read_text(errors="replace").splitlines():
        if load in text:
            line = parse(function, text)
            if line.severity in _BAD:
                found = line.message.splitlines()[0]
    return found


def _in_the_cloud(function: str, load: str, services: Services) -> str | None:
    from google.cloud import logging

    client = logging.Client(project=services.settings.project)
    wanted = f'labels.load_id="{load}" AND labels.stage="{function}" AND severity>=WARNING'
    for entry in client.list_entries(filter_=wanted, order_by=logging.DESCENDING, max_results=1):
        payload = entry.payload
        return str(payload.get("message") if isinstance(payload, dict) else payload).partition(os.linesep)[0]
    return None
