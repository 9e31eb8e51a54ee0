"""One load: read its rows, judge them, write the verdicts, record, then tell the others."""

import threading
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from typing import Any

import pyarrow as pa

from functions.validate.counted import counted_before, stated_before
from functions.validate.earlier import clues_of, earlier_loads, known_rates
from functions.validate.judge import judge
from functions.validate.load_rules import load_results
from functions.validate.members import in_messages, in_results
from functions.validate.outcome import Outcome, outcome
from functions.validate.publish import publish
from functions.validate.quarantine import add_refused, add_results
from functions.validate.record import closed, detail, opened, parked, report_name, subject
from functions.validate.report import report
from functions.validate.rows import rows_of
from functions.validate.version import version
from stockflow.attempts import attempt
from stockflow.contracts import Contract
from stockflow.errors import PermanentError, TransientError
from stockflow.events import StageEvent
from stockflow.ledger import StageRecord, Story, asked_by, is_duplicate
from stockflow.log import log
from stockflow.members import Members
from stockflow.points import reached
from stockflow.services import Services
from stockflow.singleflight import Turns

# What the memory of an instance holds at once of loads that are not small; many small ones are judged beside them.
LARGE = threading.BoundedSemaphore(2)
SMALL_ROWS, SMALL_BYTES = 10_000, 4_000_000
SLOW = timedelta(seconds=5)  # in less, nobody ingests and judges a load a second time
_turns = Turns()
_REFUSED_NOW = ("rejected", "failed")  # how ingest ends for a load that it does not let through any more


def validate(event: StageEvent, services: Services) -> None:
    """Judge the load that a ``load.ingested`` event names.

    Raises:
        PermanentError: ``unknown_feed``.
        TransientError: ``not_visible_yet``, ``overtaken``, or what a service could not do now.
    """
    if event.feed not in services.contracts:
        raise PermanentError("unknown_feed", f"no contract for feed {event.feed!r}", load_id=event.load_id)
    with _turns.of(event.load_id):  # so that the call that knows the newest record of ingest ends last
        _in_turn(event, services)


def _in_turn(event: StageEvent, services: Services) -> None:
    began = services.clock()
    story = services.ledger.awaited(asked_by(event), "validate")
    contract = services.contract_for(event.feed, story.stages["ingest"].object or "")
    done = _judged(contract, story, services)
    if done is None:
        state = story.stages["ingest"].state
        log("INFO", "nothing to validate", load_id=event.load_id, stage="validate", state=state)
        return
    if services.clock() - began > SLOW:
        _check_newest(event, story, services)
    publish(done, services, was_let_through="transform" in story.stages)


def _check_newest(event: StageEvent, story: Story, services: Services) -> None:
    """See that the load was not ingested again meanwhile: another instance may have judged that, and ended first.

    Raises:
        TransientError: ``overtaken``; the next delivery judges the newest record, and ends last.
    """
    newest = services.ledger.story(asked_by(event), "validate").stages["ingest"]
    if newest.record_id != story.stages["ingest"].record_id:
        raise TransientError("overtaken", f"load {event.load_id} was ingested again while it was judged")


def _judged(contract: Contract, story: Story, services: Services) -> StageRecord | None:
    """Return the verdict on the load as ingest left it: the one on record, or a new one; None when there is none."""
    ingested, done = story.stages["ingest"], story.stages.get("validate")
    if not ingested.passed:
        return _not_let_through(contract, ingested, done, services)
    if done is not None and _just_done(contract, ingested, done, services):
        return done
    record = opened(contract, ingested, services.clock())
    if story.tries.exhausted(services.settings.max_attempts):
        return _ended(parked(record, story.tries, services), services)
    with _place(ingested), attempt(subject(ingested), services, story.tries):
        return _validate(contract, ingested, record, done.detail.get("decided") if done else None, services)


def _place(ingested: StageRecord) -> AbstractContextManager[object]:
    """Return where a load is judged: few that are large at a time."""
    is_small = (ingested.rows or 0) <= SMALL_ROWS and (ingested.size_bytes or 0) <= SMALL_BYTES
    return nullcontext() if is_small else LARGE


def _not_let_through(
    contract: Contract, ingested: StageRecord, done: StageRecord | None, services: Services
) -> StageRecord | None:
    """Withdraw a load that ingest let through before and refuses now; what it only ignores stays as it is."""
    if done is None or ingested.state not in _REFUSED_NOW or done.input_record == ingested.record_id:
        return done if ingested.state in _REFUSED_NOW else None
    record = opened(contract, ingested, services.clock())
    return _ended(closed(record, Outcome("rejected", ingested.reason_code, ingested.message), services), services)


def _just_done(contract: Contract, ingested: StageRecord, done: StageRecord, services: Services) -> bool:
    """Whether this is a redelivery. A load that was parked after many attempts is tried again."""
    now, window = services.clock(), services.settings.replay_window_seconds
    return done.state != "failed" and is_duplicate(done, version(contract), ingested.record_id, now, window)


def _validate(
    contract: Contract, ingested: StageRecord, record: StageRecord, decided: dict[str, Any] | None, services: Services
) -> StageRecord:
    """Judge the rows, write what was found under the record's run, and record it."""
    reached("validate.began")
    landed_at, rows = ingested.landed_at or record.started_at, rows_of(contract, ingested, services)
    clues, members = clues_of(contract, ingested, services), Members.of(ingested.detail)

    def refuse(found: pa.Table) -> None:
        add_refused(in_messages(members, found), record, services)

    judgement, survey = judge(contract, rows, landed_at, refuse, clues)
    in_results(members, judgement)
    judgement.results += load_results(contract, judgement, survey.filled, earlier_loads(contract, ingested, services))
    judgement.known_rates = known_rates(contract, ingested, services)
    judgement.counted_before = counted_before(contract, ingested, services)
    judgement.stated_before = stated_before(contract, ingested, services)
    good, facts = judgement.rows - judgement.refused, detail(ingested, judgement, decided, services)
    end = outcome(contract, ingested, judgement, decided)
    record = closed(record, end, services, rows=good, quarantined=judgement.refused, detail=facts)
    add_results(judgement.results, record, services)
    reached("validate.results_kept")
    page = report(record, contract, judgement).encode()
    bucket = services.settings.staging_bucket
    services.object_store.write(bucket, report_name(ingested), page, "text/html; charset=utf-8")
    reached("validate.reported")
    return _ended(closed(record, end, services, rows=good, quarantined=judgement.refused), services)


def _ended(record: StageRecord, services: Services) -> StageRecord:
    services.ledger.record(record)
    reached("validate.recorded")
    return record
