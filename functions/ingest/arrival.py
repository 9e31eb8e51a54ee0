"""One delivery of one landed object, and how it may end: recorded, then told."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from functions.ingest.duplicates import Neighbour
from functions.ingest.landing import GoneError
from functions.ingest.readers.model import Facts
from functions.ingest.restored import loaded_before
from functions.ingest.version import version
from stockflow.contracts import Contract
from stockflow.errors import PermanentError
from stockflow.events import ObjectRef, StageEvent, encode
from stockflow.identity import new_run_id
from stockflow.ledger import HANDED_OVER, StageRecord
from stockflow.log import log
from stockflow.points import reached
from stockflow.services import Services

SHOWN_MESSAGE = 4_000

_OF_THE_ROWS = ("run_id", "raw_run_id", "lines", "rows", "rejects", "content_md5", "size_bytes", "detail")


@dataclass(frozen=True)
class Arrival:
    """One delivery of one landed object; ``before`` is what the ledger says of an earlier ingest of it, if any."""

    ref: ObjectRef
    contract: Contract
    services: Services
    started: datetime
    before: StageRecord | None = None
    run_id: str = field(default_factory=new_run_id)
    facts: Facts = field(default_factory=Facts)

    @property
    def version(self) -> str:
        """What decides the result: the contract and this code."""
        return version(self.contract)

    @property
    def loaded(self) -> bool:
        """Whether this very load has committed rows already: a replay of it is never called a duplicate."""
        before = self.before
        if before is None:
            return False
        return before.state == "loaded" or (before.state == HANDED_OVER and before.raw_run_id is not None)

    def record(self, state: str, **facts: Any) -> StageRecord:
        """Return a record of how this ended."""
        base = record_of_object(self.ref, self.contract.feed, state, self.version, self.started, self.services)
        return replace(base, run_id=self.run_id, raw_run_id=self.run_id, **facts)


def duplicate(arrival: Arrival, content: str, other: Neighbour) -> StageRecord:
    """Return the record of a file whose content another load of the feed has."""
    return arrival.record(
        "duplicate_content",
        reason_code="duplicate_content",
        message=f"same content as {other.object} (load {other.load_id}), and nothing came in between",
        content_md5=content,
        detail={"duplicate_of": other.load_id},
    )


def gone(arrival: Arrival, error: GoneError) -> StageRecord:
    """Ignore what was never read. What was loaded stays as it is: its rows do not need the object any more.

    What was refused since is loaded again, when this very contract and code loaded it before.
    """
    if (earlier := _loaded_before(arrival)) is not None:
        facts = {name: getattr(earlier, name) for name in _OF_THE_ROWS}
        return end(replace(arrival.record("loaded"), **facts), arrival.services)
    if arrival.before is not None and arrival.before.state in ("loaded", "rejected", "duplicate_content"):
        log("WARNING", f"not read again: {error}", load_id=arrival.ref.load_id, stage="ingest", code=error.code)
        return publish(arrival.before, arrival.services)
    return end(arrival.record("ignored", reason_code=error.code, message=error.message), arrival.services)


def _loaded_before(arrival: Arrival) -> StageRecord | None:
    before, feed = arrival.before, arrival.contract.feed
    if before is None or before.state != "rejected" or before.reason_code == "given_up":
        return None
    return loaded_before(arrival.ref, feed, arrival.version, arrival.services)


def refuse(arrival: Arrival, error: PermanentError) -> StageRecord:
    """Reject the file; of one that an earlier contract or code let through, validate hears, too."""
    facts: dict[str, Any] = {k: v for k, v in error.facts.items() if isinstance(v, (str, int, list))}
    record = arrival.record(
        "rejected",
        reason_code=error.code,
        message=error.message[:SHOWN_MESSAGE],
        content_md5=arrival.ref.md5 or None,
        detail={**arrival.facts.values, **facts},
    )
    end(record, arrival.services)
    if arrival.loaded:
        _tell(record, "load.ingested", arrival.services)
    return record


def record_of_object(
    ref: ObjectRef, feed: str | None, state: str, at_version: str, started: datetime, services: Services
) -> StageRecord:
    """Return a record of ingest with the facts of the object."""
    return StageRecord(
        load_id=ref.load_id,
        feed=feed,
        stage="ingest",
        state=state,
        stage_version=at_version,
        started_at=started,
        finished_at=services.clock(),
        bucket=ref.bucket,
        object=ref.name,
        generation=ref.generation,
        content_md5=ref.md5 or None,
        size_bytes=ref.size,
        landed_at=ref.created,
    )


_EVENTS = {"loaded": "load.ingested", "rejected": "load.rejected", "failed": "load.failed"}


def end(record: StageRecord, services: Services) -> StageRecord:
    """Record, then publish: a kill in between is made up by the redelivery, which publishes again."""
    services.ledger.record(record)
    reached("ingest.recorded")
    return publish(record, services)


def publish(record: StageRecord, services: Services) -> StageRecord:
    """Tell the next stage, as far as a record concerns it."""
    if kind := _EVENTS.get(record.state):
        _tell(record, kind, services)
    return record


def _tell(record: StageRecord, kind: str, services: Services) -> None:
    counts = {"rows": record.rows, "rejects": record.rejects, "reason_code": record.reason_code}
    detail = {k: v for k, v in counts.items() if v is not None}
    event = StageEvent(kind, record.feed or "", record.load_id, detail, record.landed_on, record.finished_at)
    services.publisher.publish(services.settings.events_topic, *encode(event))
    reached("ingest.published")
