"""The pipeline of one landed object. Side effects in a fixed order, the acknowledgement last:

staged file, rows in raw, rejects, the record that commits them, event.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from functions.ingest.agreement import CODES, Found, is_sure, not_counted
from functions.ingest.arrival import Arrival, duplicate, end, gone, publish, record_of_object, refuse
from functions.ingest.beside import Comparison, agreed, check_stated, note_control
from functions.ingest.duplicates import find_neighbour, one_at_a_time
from functions.ingest.handover import hand_over, is_handed_over, waits
from functions.ingest.landing import Content, GoneError, check_size, check_there, check_time, content_md5
from functions.ingest.raw import Staged, StagedRun, load_to_raw
from functions.ingest.readers.decode import decode
from functions.ingest.readers.model import Chunk, Target
from functions.ingest.rejects import Rejects
from functions.ingest.route import route
from functions.ingest.staging import Staging, arrow_schema, stage
from stockflow.attempts import Subject, Tries, attempt
from stockflow.errors import PermanentError
from stockflow.events import ObjectRef
from stockflow.identity import stage_version
from stockflow.ledger import HANDED_OVER, Asked, StageRecord, is_duplicate
from stockflow.points import reached
from stockflow.services import Services

DECODERS = threading.BoundedSemaphore(4)  # a reader's memory is bounded, but not nothing; the others wait their turn


_LOOKED_AT_AGAIN = ("duplicate_content", "failed", HANDED_OVER)


def ingest(ref: ObjectRef, services: Services) -> StageRecord:
    """Take one landed object to its end state and return the record of it.

    Raises:
        TransientError: whatever could not be done now; nothing is lost, the next delivery goes on from there.
    """
    started = services.clock()
    where = route(ref.name, services.contracts, ref.size)
    if where.feed is None:
        found = _compare_loaded(ref, services, started) if where.reason == "control_file" and ref.size else {}
        record = record_of_object(ref, None, "ignored", stage_version("route"), started, services)
        record = replace(record, detail=found)
        services.ledger.record(record := replace(record, reason_code=where.reason, message=where.message))
        return record
    story = services.ledger.story(Asked(ref.load_id, ref.landed_on), "ingest")
    arrival = Arrival(ref, services.contracts[where.feed], services, started, story.stages.get("ingest"))
    try:
        arrival = replace(arrival, contract=services.contract_for(where.feed, ref.name))
    except PermanentError as error:
        return refuse(arrival, error)
    if sender := arrival.contract.properties.get("sender"):
        arrival.facts.note(sender=sender)
    if waits(arrival):
        assert arrival.before is not None
        return arrival.before
    if _just_done(arrival):
        assert arrival.before is not None
        return publish(arrival.before, services)
    if story.tries.exhausted(services.settings.max_attempts):
        return end(_parked(arrival, story.tries), services)
    return _attempted(arrival, story.tries)


def _compare_loaded(control: ObjectRef, services: Services, started: datetime) -> dict[str, Any]:
    """Reject the loaded files that are not what a control file states, which came after them; return what it counts."""
    facts: dict[str, Any] = {}
    for found in note_control(control, services):
        if found.error is None:
            _agree(found, services)
            facts = found.noted or facts
        elif (feed := found.record.feed or "") in services.contracts:
            contract = services.contract_for(feed, found.ref.name)
            refuse(Arrival(found.ref, contract, services, started, found.record), found.error)
    return facts


def _agree(found: Comparison, services: Services) -> None:
    """Keep that a control file fits; a count that leaves a doubt is said of the load, which is judged again with it."""
    detail = {**found.record.detail, **found.facts}
    if not is_sure(found.facts) and detail != found.record.detail:
        end(replace(found.record, finished_at=services.clock(), detail=detail), services)
    agreed(found, services)


def _just_done(arrival: Arrival) -> bool:
    """Whether this is a redelivery. What was a duplicate, or not as stated, is looked at again: more may have come."""
    before = arrival.before
    if before is not None and (before.state in _LOOKED_AT_AGAIN or before.reason_code in CODES):
        return False
    window = arrival.services.settings.replay_window_seconds
    return is_duplicate(before, arrival.version, None, arrival.services.clock(), window)


def _attempted(arrival: Arrival, tries: Tries) -> StageRecord:
    """Take the object to its end, as one attempt that counts in the ledger even if the process dies."""
    try:
        with attempt(_subject(arrival), arrival.services, tries):
            reached("ingest.began")
            return _take(arrival)
    except GoneError as error:
        return gone(arrival, error)
    except PermanentError as error:
        return refuse(arrival, error)


def _subject(arrival: Arrival) -> Subject:
    ref = arrival.ref
    return Subject(
        ref.load_id, "ingest", arrival.contract.feed, ref.bucket, ref.name, ref.generation, ref.created, ref.landed_on
    )


def _take(arrival: Arrival) -> StageRecord:
    """Read the object, or have it read by Dataflow when it is too large."""
    try:
        return _read_here(arrival)
    except PermanentError as error:
        if not is_handed_over(error, arrival.services):
            raise
        return hand_over(arrival, error)


def _read_here(arrival: Arrival) -> StageRecord:
    """Read the object in this call, unless its content was stated right before."""
    ref, services, feed = arrival.ref, arrival.services, arrival.contract.feed
    check_size(ref, services)
    check_there(ref, services)
    content = content_md5(ref, services)
    with one_at_a_time(feed, content):
        other = None if arrival.loaded else find_neighbour(ref, feed, content, services)
        if other:
            return end(duplicate(arrival, content, other), services)
        return end(_read(arrival, content), services)


def _read(arrival: Arrival, content: str) -> StageRecord:
    """Decode, stage, load, stream the rejects; return the record that commits them."""
    with Rejects() as rejects:
        staged = _staged(arrival, content, rejects)
        return finish(arrival, content, staged, rejects, lambda: load_to_raw(staged, arrival.services))


def finish(
    arrival: Arrival, content: str, staged: Staged | StagedRun, rejects: Rejects, load: Callable[[], str]
) -> StageRecord:
    """Compare what was read with what was stated, ``load`` it, stream the rejects; return the record that commits them.

    Raises:
        PermanentError: one of ``agreement.CODES``.
    """
    services = arrival.services
    reached("ingest.staged")
    arrival.facts.note(not_counted=not_counted(rejects.codes))
    found = Found(arrival.ref.name, arrival.ref.size, content, staged.rows, rejects.count, arrival.facts.values)
    stated = check_stated(arrival.ref, found, services)
    if is_sure(arrival.facts.values):  # else one within the archive leaves a doubt already
        arrival.facts.note(**stated)
    method = load()
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
        chunks = _in_time(decode(source.stream, target, arrival.facts, *limits), arrival)
        for reject in stage(chunks, staging, sink):
            rejects.add(reject)
        source.verify()
    return Staged(contract, arrival.run_id, bucket, name, staging.rows)


def _in_time(chunks: Iterator[Chunk], arrival: Arrival) -> Iterator[Chunk]:
    """Yield the chunks of a file; with the first one its format is known, and whether one call has the time for it."""
    for number, chunk in enumerate(chunks):
        if number == 0:
            check_time(arrival.ref, arrival.facts, arrival.services)
        yield chunk


def _parked(arrival: Arrival, tries: Tries) -> StageRecord:
    count = tries.failed + tries.deferred
    return arrival.record(
        "failed",
        reason_code="too_many_attempts",
        message=f"{count} attempts failed; the last one: {tries.why}. "
        f"`stockflow loads retry {arrival.ref.load_id}` tries again, `stockflow loads give-up` rejects the file",
        detail={"attempts": count, "last_reason": tries.last_reason},
    )
