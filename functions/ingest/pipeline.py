"""The pipeline of one landed object. Side effects in a fixed order, the acknowledgement last:

staged file, rows in raw, rejects, the record that commits them, event.
"""

import threading
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from functions.ingest.agreement import CODES, Found, not_counted
from functions.ingest.beside import check_stated, note_control
from functions.ingest.duplicates import Neighbour, find_neighbour, one_at_a_time
from functions.ingest.landing import Content, GoneError, check_there, content_md5
from functions.ingest.raw import Staged, load_to_raw
from functions.ingest.readers.decode import decode
from functions.ingest.readers.model import Facts, Target
from functions.ingest.rejects import Rejects
from functions.ingest.route import route
from functions.ingest.staging import Staging, arrow_schema, stage
from functions.ingest.version import version
from stockflow.attempts import Subject, Tries, attempt
from stockflow.contracts import Contract
from stockflow.errors import PermanentError
from stockflow.events import ObjectRef, StageEvent, encode
from stockflow.identity import new_run_id, stage_version
from stockflow.ledger import Asked, StageRecord, is_duplicate
from stockflow.log import log
from stockflow.points import reached
from stockflow.services import Services

SHOWN_MESSAGE = 4_000
DECODERS = threading.BoundedSemaphore(4)  # a reader's memory is bounded, but not nothing; the others wait their turn


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
        return self.before is not None and self.before.state == "loaded"

    def record(self, state: str, **facts: Any) -> StageRecord:
        """Return a record of how this ended."""
        base = _record(self.ref, self.contract.feed, state, self.version, self.started, self.services)
        return replace(base, run_id=self.run_id, raw_run_id=self.run_id, **facts)


def ingest(ref: ObjectRef, services: Services) -> StageRecord:
    """Take one landed object to its end state and return the record of it.

    Raises:
        TransientError: whatever could not be done now; nothing is lost, the next delivery goes on from there.
    """
    started = services.clock()
    where = route(ref.name, services.contracts, ref.size)
    if where.feed is None:
        if where.reason == "control_file" and ref.size:
            _compare_loaded(ref, services, started)
        record = _record(ref, None, "ignored", stage_version("route"), started, services)
        services.ledger.record(record := replace(record, reason_code=where.reason, message=where.message))
        return record
    story = services.ledger.story(Asked(ref.load_id, ref.landed_on), "ingest")
    arrival = Arrival(ref, services.contracts[where.feed], services, started, story.stages.get("ingest"))
    try:
        arrival = replace(arrival, contract=services.contract_for(where.feed, ref.name))
    except PermanentError as error:
        return _refuse(arrival, error)
    if sender := arrival.contract.properties.get("sender"):
        arrival.facts.note(sender=sender)
    if _just_done(arrival):
        assert arrival.before is not None
        return _publish(arrival.before, services)
    if story.tries.exhausted(services.settings.max_attempts):
        return _end(_parked(arrival, story.tries), services)
    return _attempted(arrival)


def _compare_loaded(control: ObjectRef, services: Services, started: datetime) -> None:
    """Reject the loaded files that are not what a control file states, which came after them."""
    for found in note_control(control, services):
        if (feed := found.record.feed or "") in services.contracts:
            contract = services.contract_for(feed, found.ref.name)
            _refuse(Arrival(found.ref, contract, services, started, found.record), found.error)


def _just_done(arrival: Arrival) -> bool:
    """Whether this is a redelivery. What was a duplicate, or not as stated, is looked at again: more may have come."""
    before = arrival.before
    if before is not None and (before.state in ("duplicate_content", "failed") or before.reason_code in CODES):
        return False
    window = arrival.services.settings.replay_window_seconds
    return is_duplicate(before, arrival.version, None, arrival.services.clock(), window)


def _attempted(arrival: Arrival) -> StageRecord:
    """Take the object to its end, as one attempt that counts in the ledger even if the process dies."""
    try:
        with attempt(_subject(arrival), arrival.services):
            reached("ingest.began")
            return _take(arrival)
    except GoneError as gone:
        return _gone(arrival, gone)
    except PermanentError as error:
        return _refuse(arrival, error)


def _subject(arrival: Arrival) -> Subject:
    ref = arrival.ref
    return Subject(
        ref.load_id, "ingest", arrival.contract.feed, ref.bucket, ref.name, ref.generation, ref.created, ref.landed_on
    )


def _take(arrival: Arrival) -> StageRecord:
    """Read the object, unless its content was stated right before."""
    ref, services, feed = arrival.ref, arrival.services, arrival.contract.feed
    check_there(ref, services)
    content = content_md5(ref, services)
    with one_at_a_time(feed, content):
        other = None if arrival.loaded else find_neighbour(ref, feed, content, services)
        if other:
            return _end(_duplicate(arrival, content, other), services)
        return _end(_read(arrival, content), services)


def _duplicate(arrival: Arrival, content: str, other: Neighbour) -> StageRecord:
    return arrival.record(
        "duplicate_content",
        reason_code="duplicate_content",
        message=f"same content as {other.object} (load {other.load_id}), and nothing came in between",
        content_md5=content,
        detail={"duplicate_of": other.load_id},
    )


def _read(arrival: Arrival, content: str) -> StageRecord:
    """Decode, stage, load, stream the rejects; return the record that commits them."""
    services = arrival.services
    with Rejects() as rejects:
        staged = _staged(arrival, content, rejects)
        reached("ingest.staged")
        arrival.facts.note(not_counted=not_counted(rejects.codes))
        found = Found(arrival.ref.name, arrival.ref.size, content, staged.rows, rejects.count, arrival.facts.values)
        check_stated(arrival.ref, found, services)
        method = load_to_raw(staged, services)
        reached("ingest.loaded")
        record = arrival.record(
            "loaded",
            lines=staged.rows + rejects.count,
            rows=staged.rows,
            rejects=rejects.count,
            content_md5=content,
            detail={**arrival.facts.values, "load_method": method, "staged": staged.uri},
        )
        rejects.stream(record, services)
        reached("ingest.rejects_kept")
    return replace(record, finished_at=services.clock())


def _staged(arrival: Arrival, content: str, rejects: Rejects) -> Staged:
    """Write the rows to the staging bucket, under the name of the run."""
    services, ref, contract = arrival.services, arrival.ref, arrival.contract
    bucket = services.settings.staging_bucket
    name = f"ingest/{contract.feed}/{ref.load_id}/{arrival.run_id}.parquet"
    source = Content(ref, content, services)
    staging = Staging(arrow_schema(contract), ref.load_id, arrival.run_id, ref.landed_on, arrival.started)
    target = Target(contract, ref.name)
    with DECODERS, services.object_store.create(bucket, name, "application/vnd.apache.parquet") as sink:
        limits = services.settings.max_file_bytes, services.settings.memory_bytes
        for reject in stage(decode(source.stream, target, arrival.facts, *limits), staging, sink):
            rejects.add(reject)
        source.verify()
    return Staged(contract, arrival.run_id, bucket, name, staging.rows)


def _gone(arrival: Arrival, gone: GoneError) -> StageRecord:
    """Ignore what was never read. What was loaded stays as it is: its rows do not need the object any more."""
    if arrival.before is not None and arrival.before.state in ("loaded", "rejected", "duplicate_content"):
        log("WARNING", f"not read again: {gone}", load_id=arrival.ref.load_id, stage="ingest", code=gone.code)
        return _publish(arrival.before, arrival.services)
    return _end(arrival.record("ignored", reason_code=gone.code, message=gone.message), arrival.services)


def _refuse(arrival: Arrival, error: PermanentError) -> StageRecord:
    """Reject the file; of one that an earlier contract or code let through, validate hears, too."""
    facts: dict[str, Any] = {k: v for k, v in error.facts.items() if isinstance(v, (str, int, list))}
    record = arrival.record(
        "rejected",
        reason_code=error.code,
        message=error.message[:SHOWN_MESSAGE],
        content_md5=arrival.ref.md5 or None,
        detail={**arrival.facts.values, **facts},
    )
    _end(record, arrival.services)
    if arrival.loaded:
        _tell(record, "load.ingested", arrival.services)
    return record


def _parked(arrival: Arrival, tries: Tries) -> StageRecord:
    count = tries.failed + tries.deferred
    return arrival.record(
        "failed",
        reason_code="too_many_attempts",
        message=f"{count} attempts failed; the last one: {tries.why}. "
        f"`stockflow loads retry {arrival.ref.load_id}` tries again, `stockflow loads give-up` rejects the file",
        detail={"attempts": count, "last_reason": tries.last_reason},
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


_EVENTS = {"loaded": "load.ingested", "rejected": "load.rejected", "failed": "load.failed"}


def _end(record: StageRecord, services: Services) -> StageRecord:
    """Record, then publish: a kill in between is made up by the redelivery, which publishes again."""
    services.ledger.record(record)
    reached("ingest.recorded")
    return _publish(record, services)


def _publish(record: StageRecord, services: Services) -> StageRecord:
    if kind := _EVENTS.get(record.state):
        _tell(record, kind, services)
    return record


def _tell(record: StageRecord, kind: str, services: Services) -> None:
    counts = {"rows": record.rows, "rejects": record.rejects, "reason_code": record.reason_code}
    detail = {k: v for k, v in counts.items() if v is not None}
    event = StageEvent(kind, record.feed or "", record.load_id, detail, record.landed_on, record.finished_at)
    services.publisher.publish(services.settings.events_topic, *encode(event))
    reached("ingest.published")
