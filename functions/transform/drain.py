"""One drain of a feed: all pending loads in one script, then their events."""

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from functions.transform.merge import UnknownModelError, drain_script, has_dependents, template, version
from functions.transform.plan import Plan, days_of, plan
from stockflow.errors import PermanentError, TransientError
from stockflow.events import StageEvent, encode
from stockflow.ledger import announce, record_of
from stockflow.log import log
from stockflow.services import Services
from stockflow.singleflight import SingleFlight

MAX_LOADS = 500
TRIES = 4
_CONFLICT = ("transaction", "concurrent update", "failed to commit", "could not serialize")
Detail = dict[str, Any]
# What BigQuery says of a script that fails on what it reads: one load's rows, perhaps, and not its neighbours'.
_DATA_FAULTS = {"invalidQuery", "invalid", "badRequest", "BadRequest"}


@dataclass(frozen=True)
class Outcome:
    """What a drain could not do: loads that the ledger does not know, and loads that failed by themselves."""

    unknown: frozenset[str] = frozenset()
    failed: Mapping[str, TransientError] = field(default_factory=dict)


_flight: SingleFlight[Outcome] = SingleFlight()


def transform(event: StageEvent, services: Services) -> None:
    """Return when the load that the event names is in curated and everyone was told.

    Raises:
        PermanentError: ``unknown_feed``.
        TransientError: ``not_validated_yet``, or whatever the warehouse or the bus could not do now.
    """
    if event.feed not in services.contracts:
        raise PermanentError("unknown_feed", f"no contract for feed {event.feed!r}", load_id=event.load_id)
    outcome = _flight.join(event.feed, event.load_id, lambda asked: drain(event.feed, asked, services))
    if event.load_id in outcome.failed:
        raise outcome.failed[event.load_id]
    if event.load_id in outcome.unknown:
        raise TransientError("not_validated_yet", f"the ledger has no validation of load {event.load_id}")


def drain(feed: str, asked: frozenset[str], services: Services) -> Outcome:
    """Transform what is pending and what was asked for; say what could not be done."""
    todo = _plan(feed, asked, services)
    _publish(feed, todo.repeated, services)
    failed: dict[str, TransientError] = {}
    for part in _parts(sorted(todo.loads)):
        failed |= _each(feed, part, todo.carried, services)
    if has_dependents(feed):
        _wake(services)
    return Outcome(todo.unknown, failed)


def _each(feed: str, loads: list[str], carried: tuple[str, ...], services: Services) -> dict[str, TransientError]:
    """Transform loads together; when their script fails on what it reads, halve them until only the bad ones fail."""
    try:
        details = _run(feed, loads, carried, services)
    except TransientError as error:
        if error.facts.get("reason") not in _DATA_FAULTS or is_conflict(error):
            raise
        if len(loads) == 1:
            log(
                "ERROR",
                f"load {loads[0]} cannot be transformed: {error}",
                feed=feed,
                load_id=loads[0],
                stage="transform",
            )
            return {loads[0]: error}
        half = len(loads) // 2
        return _each(feed, loads[:half], carried, services) | _each(feed, loads[half:], carried, services)
    _publish(feed, details, services)
    return {}


def _plan(feed: str, asked: frozenset[str], services: Services) -> Plan:
    rows = services.warehouse.query(template("pending.sql"), {"feed": feed, "asked": sorted(asked)})
    window = services.settings.replay_window_seconds
    return plan(rows, asked, _version(feed, services), services.clock(), window)


def _version(feed: str, services: Services) -> str:
    try:
        return version(services.contracts[feed])
    except UnknownModelError as error:
        raise PermanentError("unknown_model", str(error), feed=feed) from error


def _parts(loads: list[str]) -> list[list[str]]:
    return [loads[i : i + MAX_LOADS] for i in range(0, len(loads), MAX_LOADS)]


def _run(feed: str, loads: list[str], carried: tuple[str, ...], services: Services) -> dict[str, Detail]:
    """Run the script, again if a dimension changed under it; return the events' details by load."""
    for _ in range(TRIES):
        rows = _script(feed, loads, carried, services)
        records = [record_of(row) for row in rows]
        announce(*records)
        details = {record.load_id: record.detail for record in records}
        if not any(row["overtaken"] for row in rows):
            return details
        carried = tuple(pair for load, detail in details.items() for pair in days_of(load, detail))
    raise TransientError("overtaken", f"dimensions of {feed} changed during {TRIES} drains in a row")


def _script(feed: str, loads: list[str], carried: tuple[str, ...], services: Services) -> list[Detail]:
    """Run one drain's script; a transaction that another one aborted is tried again."""
    started = services.clock()
    params = {
        "loads": loads,
        "carried": list(carried),
        "version": _version(feed, services),
        "started": started,
    }
    script = drain_script(services.contracts[feed])
    for attempt in range(1, TRIES + 1):
        try:
            rows = services.warehouse.query(script, {**params, "drain": uuid4().hex})
        except TransientError as error:
            if attempt == TRIES or not is_conflict(error):
                raise
            time.sleep(random.uniform(0.1, 0.5) * attempt)
        else:
            log("INFO", f"{len(rows)} loads in one script", feed=feed, stage="transform")
            return rows
    raise AssertionError("unreachable")


def is_conflict(error: TransientError) -> bool:
    """Whether BigQuery aborted the transaction because another one changed the same table."""
    return any(word in str(error).lower() for word in _CONFLICT)


def _publish(feed: str, details: Mapping[str, Detail], services: Services) -> None:
    events = [StageEvent("load.transformed", feed, load, detail) for load, detail in sorted(details.items())]
    services.bus.publish_all(services.settings.events_topic, [encode(e) for e in events])


def _wake(services: Services) -> None:
    """Send the feeds to work whose loads a changed dimension made pending."""
    rows = services.warehouse.query(template("woken.sql"))
    events = [StageEvent("load.validated", row["feed"], row["load_id"]) for row in rows]
    services.bus.publish_all(services.settings.events_topic, [encode(e) for e in events])
