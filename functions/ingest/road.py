"""The road of one landed object. Side effects in a fixed order, the acknowledgement last:

staged file, load job, rejects, ledger, event.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from functions.ingest.duplicates import Known, find_restated, look_up, one_at_a_time
from functions.ingest.landing import Content, GoneError, check_there, content_md5
from functions.ingest.load import Staged, bring, withdraw
from functions.ingest.readers.decode import decode
from functions.ingest.readers.model import Facts, Target
from functions.ingest.rejects import Rejects
from functions.ingest.route import route
from functions.ingest.staging import Staging, arrow_schema, stage
from functions.ingest.version import version
from stockflow.contracts import Contract
from stockflow.errors import PermanentError
from stockflow.events import ObjectRef, StageEvent, announcement, encode
from stockflow.identity import run_id, stage_version
from stockflow.ledger import StageRecord, is_duplicate
from stockflow.services import Services

SHOWN_MESSAGE = 4_000


@dataclass(frozen=True)
class Arrival:
    """One delivery of one landed object."""

    ref: ObjectRef
    contract: Contract
    services: Services
    started: datetime
    before: StageRecord | None = None
    facts: Facts = field(default_factory=Facts)

    @property
    def version(self) -> str:
        """What decides the result: the contract and this code."""
        return version(self.contract)

    def record(self, state: str, **facts: Any) -> StageRecord:
        """Return a record of how this ended."""
        base = _record(self.ref, self.contract.feed, state, self.version, self.started, self.services)
        return replace(base, run_id=run_id(self.ref.load_id, "ingest", self.version), **facts)


def ingest(ref: ObjectRef, services: Services) -> StageRecord:
    """Take one landed object to its end state and return the record of it.

    Raises:
        TransientError: whatever could not be done now; nothing is lost, the next delivery goes on from there.
    """
    started = services.clock()
    where = route(ref.name, services.contracts)
    if where.feed is None:
        record = _record(ref, None, "ignored", stage_version("route"), started, services)
        services.ledger.record(record := replace(record, reason_code=where.reason, message=where.message))
        return record
    before = services.ledger.stages(ref.load_id).get("ingest")
    arrival = Arrival(ref, services.contracts[where.feed], services, started, before)
    if _just_done(arrival):
        assert before is not None
        return _publish(before, services)
    try:
        return _take(arrival)
    except GoneError as gone:
        return _end(arrival.record("ignored", reason_code=gone.code, message=str(gone)), services)
    except PermanentError as error:
        return _refuse(arrival, error)


def _just_done(arrival: Arrival) -> bool:
    """Whether this is a redelivery. What was a duplicate is looked at again: other content may have come."""
    before = arrival.before
    if before is not None and before.state == "duplicate_content":
        return False
    window = arrival.services.settings.replay_window_seconds
    return is_duplicate(before, arrival.version, None, arrival.services.clock(), window)


def _take(arrival: Arrival) -> StageRecord:
    """Read the object, unless its content is there already."""
    ref, services, feed = arrival.ref, arrival.services, arrival.contract.feed
    check_there(ref, services)
    content = content_md5(ref, services)
    with one_at_a_time(feed, content):
        known = Known() if _loaded(arrival) else look_up(ref, feed, content, services)
        if known.twin:
            return _end(_duplicate(arrival, content, known), services)
        record = _end(_read(arrival, content), services)
    for restated in find_restated(ref, feed, content, services) if known.has_others else ():
        services.bus.publish(services.settings.landing_topic, *announcement(restated))
    return record


def _duplicate(arrival: Arrival, content: str, known: Known) -> StageRecord:
    return arrival.record(
        "duplicate_content",
        reason_code="duplicate_content",
        message=f"the same bytes as {known.twin_object} (load {known.twin}), which is loaded",
        content_md5=content,
        detail={"duplicate_of": known.twin},
    )


def _loaded(arrival: Arrival) -> bool:
    """Whether this very load is in raw already: a replay of it is computed again, never called a duplicate."""
    return arrival.before is not None and arrival.before.state == "loaded"


def _read(arrival: Arrival, content: str) -> StageRecord:
    """Decode, stage, load, stream the rejects; return the record to be written."""
    services = arrival.services
    with Rejects() as rejects:
        staged = _staged(arrival, content, rejects)
        method = bring(staged, arrival.before, services)
        record = arrival.record(
            "loaded",
            lines=staged.rows + rejects.count,
            rows=staged.rows,
            rejects=rejects.count,
            content_md5=content,
            detail={**arrival.facts.values, "road": method, "staged": staged.uri},
        )
        rejects.stream(record, services)
    return replace(record, finished_at=services.clock())


def _staged(arrival: Arrival, content: str, rejects: Rejects) -> Staged:
    """Write the rows to the staging bucket, under a name derived from the load and the version."""
    services, ref, contract = arrival.services, arrival.ref, arrival.contract
    bucket = services.settings.staging_bucket
    name = f"ingest/{contract.feed}/{ref.load_id}/{arrival.version}.parquet"
    source = Content(ref, content, services)
    staging = Staging(arrow_schema(contract), ref.load_id, arrival.started)
    target = Target(contract, ref.name)
    with services.store.create(bucket, name, "application/vnd.apache.parquet") as sink:
        limit = services.settings.max_file_bytes
        for reject in stage(decode(source.stream, target, arrival.facts, limit), staging, sink):
            rejects.add(reject)
        source.verify()
    return Staged(ref.load_id, contract, arrival.version, f"gs://{bucket}/{name}", staging.rows, ref.created)


def _refuse(arrival: Arrival, error: PermanentError) -> StageRecord:
    """Reject the file; what an earlier contract or code let into raw leaves it, and validate hears of that."""
    record = _rejected(arrival, error)
    if not _loaded(arrival):
        return _end(record, arrival.services)
    withdraw(arrival.ref.load_id, arrival.contract, arrival.services)
    _end(record, arrival.services)
    event = StageEvent("load.ingested", arrival.contract.feed, record.load_id, {"rows": 0})
    arrival.services.bus.publish(arrival.services.settings.events_topic, *encode(event))
    return record


def _rejected(arrival: Arrival, error: PermanentError) -> StageRecord:
    facts: dict[str, Any] = {k: v for k, v in error.facts.items() if isinstance(v, (str, int, list))}
    return arrival.record(
        "rejected",
        reason_code=error.code,
        message=error.message[:SHOWN_MESSAGE],
        content_md5=arrival.ref.md5 or None,
        detail={**arrival.facts.values, **facts},
    )


def _record(
    ref: ObjectRef, feed: str | None, state: str, at_version: str, started: datetime, services: Services
) -> StageRecord:
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


_EVENTS = {"loaded": "load.ingested", "rejected": "load.rejected"}


def _end(record: StageRecord, services: Services) -> StageRecord:
    """Record, then publish: a kill in between is made up by the redelivery, which publishes again."""
    services.ledger.record(record)
    return _publish(record, services)


def _publish(record: StageRecord, services: Services) -> StageRecord:
    if kind := _EVENTS.get(record.state):
        detail = {"rows": record.rows, "rejects": record.rejects, "reason_code": record.reason_code}
        event = StageEvent(kind, record.feed or "", record.load_id, {k: v for k, v in detail.items() if v is not None})
        services.bus.publish(services.settings.events_topic, *encode(event))
    return record
