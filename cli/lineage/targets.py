"""Where events go: a file, an endpoint that speaks OpenLineage (such as Marquez), or Google's Data Lineage API."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol
from uuid import NAMESPACE_URL, uuid5

from functions.ingest.lineage.events import Event, fitted
from stockflow.errors import TransientError

TIMEOUT_SECONDS = 10.0
TRIES = 3


class Target(Protocol):
    """Takes events. ``sent`` counts those that are new to it."""

    name: str
    sent: int

    def send(self, events: Iterable[Event]) -> None:
        """Take events.

        Raises:
            TransientError: ``lineage_unavailable``; what was sent before stays sent.
        """


class File:
    """Lines of JSON; an event that stands there already is not written again."""

    def __init__(self, path: Path) -> None:
        self.name, self._path, self.sent = str(path), path, 0

    def send(self, events: Iterable[Event]) -> None:
        """Append what is new."""
        known = {_key(event) for event in self._there()}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as lines:
            for event in events:
                if _key(event) not in known:
                    lines.write(json.dumps(event, ensure_ascii=False) + "\n")
                    self.sent += 1

    def _there(self) -> list[Event]:
        if not self._path.exists():
            return []
        return [json.loads(line) for line in self._path.read_text(encoding="utf-8").splitlines() if line]


class Http:
    """POST ``URL/api/v1/lineage``, one event a request, as the clients of OpenLineage do. ``key``: a bearer token."""

    def __init__(self, url: str, key: str = "") -> None:
        self.name, self.sent = f"{url.rstrip('/')}/api/v1/lineage", 0
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}

    def send(self, events: Iterable[Event]) -> None:
        """Send each event."""
        import requests

        with requests.Session() as session:
            session.headers.update(self._headers)
            for event in events:
                self._post(session, event)
                self.sent += 1

    def _post(self, session: Any, event: Event) -> None:
        import requests

        words = ""
        for _ in range(TRIES):
            try:
                answer = session.post(self.name, json=event, timeout=TIMEOUT_SECONDS)
            except requests.RequestException as error:
                words = type(error).__name__
                continue
            if answer.ok:
                return
            words = f"{answer.status_code} {answer.text[:200]}"
            if answer.status_code < 500:
                break
        raise TransientError("lineage_unavailable", f"{self.name}: {words}; {self.sent} events were sent before it")


class DataLineage:
    """The Data Lineage API of a project and a location, through its client."""

    def __init__(self, project: str, location: str, client: Any = None) -> None:
        from google.cloud import datacatalog_lineage_v1 as api

        self._client = client or api.LineageClient()
        self._parent, self.sent = f"projects/{project}/locations/{location}", 0
        self.name = f"datalineage.googleapis.com {self._parent}"

    def send(self, events: Iterable[Event]) -> None:
        """Send each event, in several requests where it has too many links for one."""
        from google.api_core import exceptions as api

        for event in events:
            for request in requests_of(event, self._parent):
                try:
                    self._client.process_open_lineage_run_event(request=request, timeout=TIMEOUT_SECONDS)
                except api.GoogleAPICallError as error:
                    words = f"{self.name}: {error.message}; {self.sent} events were sent before it"
                    raise TransientError("lineage_unavailable", words) from error
            self.sent += 1


def requests_of(event: Event, parent: str) -> list[Any]:
    """Return an event as requests; the same event has the same request ids, so that it counts once."""
    from google.cloud import datacatalog_lineage_v1 as api
    from google.protobuf.struct_pb2 import Struct

    found = []
    for number, part in enumerate(fitted(event)):
        body = Struct()
        body.update(part)
        request_id = str(uuid5(NAMESPACE_URL, f"{_key(event)} {number}"))
        found.append(api.ProcessOpenLineageRunEventRequest(parent=parent, open_lineage=body, request_id=request_id))
    return found


def _key(event: Event) -> str:
    return f"{event['run']['runId']} {event['eventType']} {event['eventTime']}"
