"""A load that fails by itself: the failure is recorded, and after so many the load is parked; how one is parked."""

from dataclasses import dataclass
from typing import Any

from functions.transform.plan import Load
from stockflow.attempts import SHOWN, Subject, record_failure
from stockflow.errors import TransientError
from stockflow.events import StageEvent, encode
from stockflow.identity import new_run_id
from stockflow.ledger import StageRecord
from stockflow.log import log
from stockflow.services import Services


def failed(load: Load, feed: str, version: str, error: TransientError, services: Services) -> dict[str, TransientError]:
    """Record that a load failed and return the error for who asks for it; none when it is parked now."""
    words = f"load {load.load_id} cannot be transformed: {error}"
    log("ERROR", words, feed=feed, load_id=load.load_id, stage="transform")
    if load.failures + 1 < services.settings.max_attempts:
        record_failure(_subject(load, feed), str(error.facts.get("reason") or error.code), error.message, services)
        return {load.load_id: error}
    count = load.failures + 1
    message = (
        f"{count} attempts failed; the last one: {error.message[:SHOWN]}. "
        f"`stockflow loads retry {load.load_id}` tries again, `stockflow loads give-up` rejects the file"
    )
    park(load, Parked(feed, version, "too_many_attempts", message, {"attempts": count}), services)
    return {}


@dataclass(frozen=True)
class Parked:
    """Why a load of a feed waits for a person."""

    feed: str
    version: str
    code: str
    message: str
    detail: dict[str, Any]


def park(load: Load, why: Parked, services: Services) -> None:
    """Record that a load has an end until a person has looked at it, and tell."""
    record = _parked(load, why, services)
    services.ledger.record(record)
    event = StageEvent("load.failed", why.feed, load.load_id, {}, record.landed_on, record.finished_at)
    services.publisher.publish_all(services.settings.events_topic, [encode(event)])


def _subject(load: Load, feed: str) -> Subject:
    row = load.row
    return Subject(
        load.load_id, "transform", feed, row["bucket"], row["object"], row["generation"], row["landed_at"],
        load.landed_on,
    )  # fmt: skip


def _parked(load: Load, why: Parked, services: Services) -> StageRecord:
    """The record that parks a load. What an earlier result of it put into curated stays there, and counts."""
    row, now = load.row, services.clock()
    return StageRecord(
        load.load_id, why.feed, "transform", "failed", why.version, now, now,
        bucket=row["bucket"], object=row["object"], generation=row["generation"], run_id=new_run_id(),
        raw_run_id=row["raw_run_id"], input_record=row["record_id"], rows=row["done_rows"],
        reason_code=why.code, message=why.message,
        content_md5=row["content_md5"], size_bytes=row["size_bytes"], landed_at=row["landed_at"],
        detail=why.detail,
    )  # fmt: skip
