"""Events: what Pub/Sub pushes becomes a value, or a clear refusal."""

import base64
import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from stockflow.errors import PermanentError
from stockflow.events import StageEvent, encode, parse_object, parse_stage


def push(data: bytes, attributes: dict[str, str] | None = None) -> Any:
    """Return a CloudEvent as functions-framework makes it from a push body."""
    message = {"data": base64.b64encode(data).decode(), "attributes": attributes or {}, "messageId": "1"}
    return SimpleNamespace(data={"message": message, "subscription": "s"})


def test_a_notification_names_the_generation_that_landed() -> None:
    """The attributes of a storage notification decide, its resource adds size and MD5."""
    resource = {
        "bucket": "b", "name": "sales/x.csv", "generation": "1760000000000000",
        "size": "12", "md5Hash": "abc==", "timeCreated": "2026-10-09T08:53:20.000Z",
    }  # fmt: skip
    attributes = {"bucketId": "b", "objectId": "sales/x.csv", "objectGeneration": "1760000000000000"}
    ref = parse_object(push(json.dumps(resource).encode(), attributes))
    assert (ref.bucket, ref.name, ref.generation, ref.size, ref.md5) == (
        "b", "sales/x.csv", 1760000000000000, 12, "abc==",
    )  # fmt: skip
    assert ref.created == datetime(2026, 10, 9, 8, 53, 20, tzinfo=UTC)


def test_a_notification_without_creation_time_takes_it_from_the_generation() -> None:
    """A generation is a time in microseconds."""
    resource = {"bucket": "b", "name": "n", "generation": "1760000000000000"}
    assert parse_object(push(json.dumps(resource).encode())).created == datetime(2025, 10, 9, 8, 53, 20, tzinfo=UTC)


@pytest.mark.parametrize("data", [b"not json", b'{"name": "x"}', b'{"bucket":"b","name":"n","generation":"?"}'])
def test_what_is_no_notification_is_refused_for_good(data: bytes) -> None:
    """A message that can never be read is permanent, not retried for a week."""
    with pytest.raises(PermanentError, match="bad_event"):
        parse_object(push(data))


def test_a_stage_event_survives_the_wire() -> None:
    """What is published is what the next function reads; the attributes carry the filter's fields."""
    event = StageEvent("load.ingested", "sales", "abc", {"rows": 3})
    data, attributes = encode(event)
    assert parse_stage(push(data, attributes)) == event
    assert attributes == {"event_type": "load.ingested", "feed": "sales", "load_id": "abc"}


def test_a_stage_event_without_a_load_is_refused() -> None:
    """The message says which field is missing."""
    with pytest.raises(PermanentError, match="load_id"):
        parse_stage(push(b'{"event_type": "load.ingested", "feed": "sales"}'))
