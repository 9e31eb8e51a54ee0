"""Sending a replay on its way: a seek where that says it all, else the recorded events once more."""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta

from cli.replay.choice import Choice, Chosen
from cli.subscriptions import Subscriptions
from stockflow.events import ObjectRef, StageEvent, announcement, encode
from stockflow.schema import pipeline
from stockflow.services import Services
from stockflow.stages import ANNOUNCED, stage_before

BATCH = 500


def is_seekable(choice: Choice, chosen: Iterable[Chosen], services: Services) -> bool:
    """Whether a seek delivers all that was chosen: nothing was filtered, and Pub/Sub still keeps the events."""
    kept = timedelta(days=pipeline()["subscription_defaults"]["retention_days"])
    oldest = min((c.before["landed_at"] for c in chosen if c.before["landed_at"]), default=services.clock())
    return choice.is_a_seek and services.clock() - max(choice.first, oldest) < kept


def seek(choice: Choice, services: Services) -> None:
    """Seek the stage's subscription back; Pub/Sub delivers what was published since then again."""
    Subscriptions(services.settings).seek(choice.stage, choice.first)


def publish_again(stage: str, chosen: list[Chosen], services: Services) -> None:
    """Publish the event that woke the stage, for each load, from what the ledger says."""
    settings = services.settings
    topic = settings.landing_topic if stage == "ingest" else settings.events_topic
    for start in range(0, len(chosen), BATCH):
        events = [event_of(stage, c) for c in chosen[start : start + BATCH]]
        services.publisher.publish_all(topic, events)


def event_of(stage: str, chosen: Chosen) -> tuple[bytes, dict[str, str]]:
    """Return data and attributes of the event that wakes a stage for a load."""
    if stage == "ingest":
        return announcement(object_of(chosen))
    detail = json.loads(chosen.before["detail"] or "{}") if stage == "kpi" else {}
    return encode(
        StageEvent(ANNOUNCED[stage_before(stage)], chosen.feed, chosen.load_id, detail, chosen.before["landed_on"])
    )


def object_of(chosen: Chosen) -> ObjectRef:
    """Return the object that a load was made of, as its notification described it."""
    row = chosen.before
    created: datetime = row["landed_at"]
    return ObjectRef(
        row["bucket"], row["object"], row["generation"], row["size_bytes"] or 0, row["content_md5"] or "", created
    )
