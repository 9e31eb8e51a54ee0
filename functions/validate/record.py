"""The records of validate: opened with a run of its own, closed with how it ended. Pure but for the clock."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from functions.validate.earlier import comparable_facts
from functions.validate.load_rules import COMPARING
from functions.validate.model import Judgement
from functions.validate.outcome import Outcome
from functions.validate.version import version
from stockflow.attempts import Subject, Tries
from stockflow.contracts import Contract
from stockflow.identity import new_run_id
from stockflow.ledger import StageRecord, next_record
from stockflow.services import Services

SHOWN_MESSAGE = 4_000


def opened(contract: Contract, ingested: StageRecord, started: datetime) -> StageRecord:
    """Return a record of a new run, without its end."""
    at = version(contract)
    return next_record(ingested, "validate", state="", stage_version=at, run_id=new_run_id(), started_at=started)


def closed(record: StageRecord, end: Outcome, services: Services, **facts: Any) -> StageRecord:
    """Return the record with its end, as of now."""
    message = end.message and end.message[:SHOWN_MESSAGE]
    facts = {"rows": 0, "quarantined": 0, **facts}
    return replace(
        record, state=end.state, reason_code=end.reason_code, message=message, finished_at=services.clock(), **facts
    )


def detail(
    ingested: StageRecord, judgement: Judgement, decided: dict[str, Any] | None, services: Services
) -> dict[str, Any]:
    """Return the facts of a judged load: its conventions, its report, and what later loads are compared with."""
    formats = judgement.formats
    name = report_name(ingested)
    return {
        "decimal_mark": formats.decimal_mark,
        "time_zone": formats.time_zone,
        "decided_by": dict(formats.decided_by),
        "date_order": formats.date_order,
        "ambiguous": formats.unproved,
        "contradictions": list(formats.contradictions)[:20],
        "warnings": judgement.warnings,
        "report": f"gs://{services.settings.staging_bucket}/{name}",
        **comparable_facts(ingested, judgement),
        **({"decided": decided} if decided else {}),
        **({"compared": True} if _only_compared(judgement) else {}),
    }


def _only_compared(judgement: Judgement) -> bool:
    """Whether the load would be let through but for another one: a person may know better."""
    return bool(judgement.broken_load_rules) and all(
        r.check.expectation in COMPARING for r in judgement.broken_load_rules
    )


def report_name(ingested: StageRecord) -> str:
    """Return where the page of a load lies in the staging bucket."""
    return f"reports/{ingested.feed}/{ingested.load_id}.html"


def parked(record: StageRecord, tries: Tries, services: Services) -> StageRecord:
    """Return the record of a load that many attempts could not judge."""
    count = tries.failed + tries.deferred
    message = (
        f"{count} attempts failed; the last one: {tries.why}. `stockflow loads retry {record.load_id}` tries again, "
        f"`stockflow loads give-up {record.load_id}` rejects the file"
    )
    facts = {"attempts": count, "last_reason": tries.last_reason}
    return closed(record, Outcome("failed", "too_many_attempts", message), services, detail=facts)


def subject(r: StageRecord) -> Subject:
    """Return what an attempt at judging the load is about."""
    return Subject(r.load_id, "validate", r.feed, r.bucket, r.object, r.generation, r.landed_at, r.landed_on)
