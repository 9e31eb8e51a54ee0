"""What the functions are told: an object landed, or a load finished a stage."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Protocol

from stockflow.errors import PermanentError
from stockflow.identity import load_id


class CloudEventLike(Protocol):
    """The part of a CloudEvent that is read here."""

    @property
    def data(self) -> Any: ...


@dataclass(frozen=True)
class ObjectRef:
    """One generation of one object in a bucket. ``md5`` is base64, ``size`` in bytes."""

    bucket: str
    name: str
    generation: int
    size: int
    md5: str
    created: datetime

    @property
    def load_id(self) -> str:
        """The identity of the load that this generation makes."""
        return load_id(self.bucket, self.name, self.generation)

    @property
    def landed_on(self) -> date:
        """The day (UTC) on which the object landed."""
        return self.created.astimezone(UTC).date()


@dataclass(frozen=True)
class StageEvent:
    """A load finished a stage: ``load.ingested``, ``load.validated``, ``load.transformed``, ...

    ``landed_on`` is the ledger's partition of the load; ``recorded_at`` the time of the record that the event speaks
    of: a reader that does not see that record yet waits for it. Both are None in events of earlier releases.
    """

    event_type: str
    feed: str
    load_id: str
    detail: dict[str, Any] = field(default_factory=dict)
    landed_on: date | None = None
    recorded_at: datetime | None = None


def _message(event: CloudEventLike) -> dict[str, Any]:
    try:
        message = event.data["message"]
        body = json.loads(base64.b64decode(message.get("data") or "") or b"{}")
        if not isinstance(body, dict):
            raise TypeError(f"JSON {type(body).__name__} where an object is expected")
        return {"attributes": dict(message.get("attributes") or {}), "json": body}
    except (AttributeError, KeyError, TypeError, ValueError, binascii.Error) as error:
        raise PermanentError("bad_event", f"the event is not a Pub/Sub push body with JSON data: {error}") from error


def subject(event: CloudEventLike) -> str | None:
    """Return the load that an event is about, as far as its attributes say; None when they do not."""
    return load_of(attributes_of(event))


def attributes_of(event: CloudEventLike) -> dict[str, str]:
    """Return the attributes of the message in a push body; none when it is no such body."""
    try:
        return dict(event.data["message"].get("attributes") or {})
    except (KeyError, TypeError, ValueError, AttributeError):
        return {}


def load_of(attributes: Mapping[str, str]) -> str | None:
    """Return the load that a message's attributes name: its object's generation, or the load itself."""
    try:
        return load_id(attributes["bucketId"], attributes["objectId"], int(attributes["objectGeneration"]))
    except (KeyError, ValueError):
        return attributes.get("load_id") or None


def parse_object(event: CloudEventLike) -> ObjectRef:
    """Return the object that a Cloud Storage notification announces.

    Raises:
        PermanentError: ``bad_event`` when the message is no such notification.
    """
    message = _message(event)
    resource, attributes = message["json"], message["attributes"]
    try:
        return object_from_resource(
            {
                **resource,
                "bucket": attributes.get("bucketId") or resource["bucket"],
                "name": attributes.get("objectId") or resource["name"],
                "generation": attributes.get("objectGeneration") or resource["generation"],
            }
        )
    except (KeyError, ValueError) as error:
        raise PermanentError("bad_event", f"the notification lacks or garbles {error}") from error


def object_from_resource(resource: dict[str, Any]) -> ObjectRef:
    """Return the object that a storage ``object`` resource (JSON API v1) describes."""
    generation = int(resource["generation"])
    created = resource.get("timeCreated")
    return ObjectRef(
        bucket=resource["bucket"],
        name=resource["name"],
        generation=generation,
        size=int(resource.get("size") or 0),
        md5=resource.get("md5Hash") or "",
        created=datetime.fromisoformat(created) if created else _from_generation(generation),
    )


TICK = StageEvent("sweep.tick", "", "")  # asks for a sweep
RECEIPTS_TICK = StageEvent("receipts.tick", "", "")  # asks for the receipts of what ended


def tick_of(event: CloudEventLike) -> StageEvent | None:
    """Return the scheduled tick that this event is, None when it is none.

    Raises:
        PermanentError: ``bad_event`` when the event is no Pub/Sub push body.
    """
    kind = _message(event)["attributes"].get("event_type")
    return next((tick for tick in (TICK, RECEIPTS_TICK) if tick.event_type == kind), None)


def announcement(ref: ObjectRef) -> tuple[bytes, dict[str, str]]:
    """Return the data and attributes of the notification that announces ``ref`` (to announce it again)."""
    resource = {
        "bucket": ref.bucket,
        "name": ref.name,
        "generation": str(ref.generation),
        "size": str(ref.size),
        "md5Hash": ref.md5,
        "timeCreated": ref.created.isoformat(),
    }
    attributes = {
        "eventType": "OBJECT_FINALIZE",
        "payloadFormat": "JSON_API_V1",
        "bucketId": ref.bucket,
        "objectId": ref.name,
        "objectGeneration": str(ref.generation),
    }
    return json.dumps(resource).encode(), attributes


def _from_generation(generation: int) -> datetime:
    """A generation is the object's creation time in microseconds since 1970."""
    return datetime.fromtimestamp(generation / 1_000_000, UTC)


def parse_stage(event: CloudEventLike) -> StageEvent:
    """Return the stage event in a Pub/Sub push body.

    Raises:
        PermanentError: ``bad_event`` when a field is missing.
    """
    message = _message(event)
    data, attributes = message["json"], message["attributes"]
    try:
        detail = json.loads(data.get("detail") or "{}")
        day, at = attributes.get("landed_on"), attributes.get("recorded_at")
        return StageEvent(
            data["event_type"], data["feed"], data["load_id"], detail,
            date.fromisoformat(day) if day else None, datetime.fromisoformat(at) if at else None,
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise PermanentError("bad_event", f"the event lacks or garbles {error}") from error


def encode(event: StageEvent) -> tuple[bytes, dict[str, str]]:
    """Return the message data and attributes that carry ``event``."""
    attributes = {"event_type": event.event_type, "feed": event.feed, "load_id": event.load_id}
    # Text within the JSON: the topic's schema is Avro, which has no type for "any object".
    detail = json.dumps(event.detail, sort_keys=True)
    data = json.dumps({**attributes, "detail": detail}).encode()
    if event.landed_on:
        attributes["landed_on"] = event.landed_on.isoformat()
    if event.recorded_at:
        attributes["recorded_at"] = event.recorded_at.isoformat()
    return data, attributes
