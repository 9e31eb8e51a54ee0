"""Lineage that nobody asked for: each ten minutes, of what ended since. How far it is is kept in the staging bucket.

A run's id follows from its record and a request's id from its event, so what is sent twice counts once.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

from functions.ingest.lineage.events import Bare, Event, Writer, fitted
from functions.ingest.lineage.ledger import Window, events
from stockflow.errors import TransientError
from stockflow.ledger import landing_day
from stockflow.log import log
from stockflow.services import Services

MARK = "sweep/lineage"  # in the staging bucket
SECONDS = 60.0  # after which a tick sends no more
LATE = timedelta(minutes=15)  # a record may be seen so long after the time that it states
FIRST = timedelta(days=1)  # how far the first tick of an environment looks back
LANDED = timedelta(days=31)  # older files that are replayed: `stockflow lineage emit`


@dataclass
class Progress:
    """Until when all was sent, and what was sent since shortly before then (request id -> when)."""

    until: datetime
    sent: dict[str, str] = field(default_factory=dict)

    def written(self) -> bytes:
        """Return it as JSON, without what no tick will look at again."""
        recent = {key: at for key, at in self.sent.items() if datetime.fromisoformat(at) >= self.until - LATE}
        return json.dumps({"until": self.until.isoformat(), "sent": recent}).encode()


def tell_lineage(services: Services, seconds: float = SECONDS) -> int:
    """Send the events of what ended since the last tick; return how many. It fails nothing: a tick later it goes on."""
    if not services.settings.lineage_url:
        return 0
    began, end = services.clock(), time.monotonic() + seconds
    progress = _progress(services, began)
    count, done = 0, True
    try:
        for event, key in _due(services, progress, began):
            if time.monotonic() > end:
                done = False
                break
            _send(services, event, key)
            progress.sent[key] = began.isoformat()
            count += 1
    except TransientError as error:
        done = False
        log("WARNING", f"lineage waits for the next tick: {error}", stage="sweep", code=error.code)
    if done:
        progress.until = began
    services.object_store.write(services.settings.staging_bucket, MARK, progress.written(), "application/json")
    return count


def _due(services: Services, progress: Progress, now: datetime) -> Iterator[tuple[Event, str]]:
    window = Window(progress.until - LATE, now, landing_day(now - LANDED))
    writer = Writer(services.settings, Bare(services.contracts), services.senders)
    for event in events(services, writer, window):
        for number, part in enumerate(fitted(event)):
            key = request_id(event, number)
            if key not in progress.sent:
                yield part, key


def request_id(event: Event, number: int) -> str:
    """Return the id of a part of an event: the same for the same event."""
    return str(uuid5(NAMESPACE_URL, f"{event['run']['runId']} {event['eventType']} {event['eventTime']} {number}"))


def _send(services: Services, event: Event, key: str) -> None:
    try:
        services.lineage.send(event, key)
    except ValueError as error:  # it will not be taken the next time either
        log("WARNING", f"lineage refused: {error}", stage="sweep", fields={"event": "lineage"})


def _progress(services: Services, now: datetime) -> Progress:
    try:
        kept = json.loads(services.object_store.read(services.settings.staging_bucket, MARK))
    except FileNotFoundError:
        return Progress(now - FIRST)
    return Progress(datetime.fromisoformat(kept["until"]), dict(kept["sent"]))
