"""One drain of a feed: all pending loads in one script, then their events."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from functions.transform.dimensions import looks_behind_commit
from functions.transform.ended import ENDED
from functions.transform.failures import Parked, failed, park
from functions.transform.files import UnknownModelError, template
from functions.transform.merge import version
from functions.transform.plan import Load, Now, Plan, plan
from functions.transform.rows import Difference, differences, not_visible, refused
from functions.transform.script import Batch, publish, raw_days, run
from stockflow.conflicts import is_conflict
from stockflow.errors import PermanentError, TransientError
from stockflow.events import StageEvent
from stockflow.ledger import EPOCH_DAY, RECENT, VISIBLE_SECONDS, Asked, asked_by, landing_day
from stockflow.retention import first_day
from stockflow.services import Services
from stockflow.singleflight import SingleFlight
from stockflow.waiting import wait_until

MAX_LOADS = 500
# Loads that fail by themselves cost a script each: what does not fit into one call waits for the next delivery.
PATIENCE = timedelta(seconds=240)
# What BigQuery says of a script that fails on what it reads: one load's rows, perhaps, and not its neighbours'.
_DATA_FAULTS = {"invalidQuery", "invalid", "badRequest", "BadRequest", "resourcesExceeded", "responseTooLarge"}
Errors = dict[str, TransientError]


@dataclass(frozen=True)
class Outcome:
    """What a drain could not do, by load: each of these loads is delivered again."""

    failed: Mapping[str, TransientError] = field(default_factory=dict)


_flight: SingleFlight[Asked, Outcome] = SingleFlight()


def transform(event: StageEvent, services: Services) -> None:
    """Return when the load that the event names is in curated and everyone was told.

    Raises:
        PermanentError: ``unknown_feed``.
        TransientError: ``not_validated_yet``, ``not_visible_yet``, or what the warehouse or the publisher could not do.
    """
    if event.feed not in services.contracts:
        raise PermanentError("unknown_feed", f"no contract for feed {event.feed!r}", load_id=event.load_id)
    pause = services.settings.drain_pause_seconds
    outcome = _flight.join(event.feed, asked_by(event), lambda asked: drain(event.feed, asked, services), pause)
    if error := outcome.failed.get(event.load_id):
        raise error


def drain(feed: str, asked: frozenset[Asked], services: Services) -> Outcome:
    """Transform what is pending and what was asked for; say what could not be done.

    Loads whose validation is not all visible yet are waited for when the others are done, for some seconds.
    """
    at, window = services.clock(), services.settings.replay_window_seconds
    raw_since = first_day(raw_days(services).get(feed, 0), landing_day(at))
    now = Now(_version(feed, services), at, window, raw_since, ENDED if looks_behind_commit(feed) else None)
    call = _Call(feed, services, now, time.monotonic() + PATIENCE.total_seconds())
    todo = call.plan(asked)
    errors = call.work(todo) | {load: _not_validated(load) for load in todo.unknown}
    if todo.awaited:
        errors |= call.await_(frozenset(a for a in asked if a.load_id in todo.awaited))
    return Outcome(errors)


def _version(feed: str, services: Services) -> str:
    try:
        return version(services.contracts[feed])
    except UnknownModelError as error:
        raise PermanentError("unknown_model", str(error), feed=feed) from error


def _not_validated(load: str) -> TransientError:
    return TransientError("not_validated_yet", f"the ledger has no validation of load {load}")


@dataclass(frozen=True)
class _Call:
    """One drain: its feed, and the time (monotonic) at which it takes no more loads one by one."""

    feed: str
    services: Services
    now: Now
    end: float

    def plan(self, asked: frozenset[Asked]) -> Plan:
        """Ask the ledger what there is to do: in what landed in the last week, and on the days of what is asked for."""
        since = landing_day(self.now.at - RECENT)
        days = {a.landed_on for a in asked}
        params = {
            "feed": self.feed,
            "asked": sorted({a.load_id for a in asked}),
            "since": EPOCH_DAY if None in days else since,
            "days": sorted({day for day in days if day} | {since}),
        }
        return plan(self.services.warehouse.query(template("pending.sql"), params), asked, self.now)

    def work(self, todo: Plan) -> Errors:
        """Transform: those that never failed together, the others by themselves, while there is time."""
        publish(self.feed, [load.done(self.feed) for load in todo.repeated], self.services)
        errors: Errors = {}
        for start in range(0, len(todo.ready), MAX_LOADS):
            errors |= self._together(list(todo.ready[start : start + MAX_LOADS]))
        for load in todo.suspects:
            errors |= self._together([load])
        return errors

    def await_(self, asked: frozenset[Asked]) -> Errors:
        """Wait until the validation of these loads is all visible, and transform those; the others are errors."""
        todo = Plan()

        def shown() -> bool:
            nonlocal todo
            todo = self.plan(asked)
            return not todo.awaited

        wait_until(shown, VISIBLE_SECONDS, 0.5)
        mine = frozenset(a.load_id for a in asked)
        todo = todo.only(mine)
        hidden = todo.awaited - {load.load_id for load in todo.incomplete}
        late = self._late([refused(load) for load in todo.incomplete])
        return self.work(todo) | late | {load: not_visible(load) for load in hidden}

    def _late(self, differ: list[Difference]) -> Errors:
        """Park the loads whose rows can never become, or did not become, those that were counted; await the others."""
        for one in differ:
            if one.is_final(self.now.at):
                park(one.load, Parked(self.feed, self.now.version, one.code, one.words, one.facts), self.services)
        return {one.load.load_id: one.error() for one in differ if not one.is_final(self.now.at)}

    def _together(self, loads: list[Load], counted: bool = False) -> Errors:
        """Transform loads in one script; when it fails on what it reads, part them until only the bad ones fail.

        ``counted``: whether raw is known to hold their rows.
        """
        if time.monotonic() > self.end:
            return {load.load_id: _put_off(load.load_id) for load in loads}
        try:
            run(Batch(self.feed, tuple(loads), self.now.version), self.services)
        except TransientError as error:
            if error.facts.get("reason") not in _DATA_FAULTS or is_conflict(error):
                raise
            return self._apart(loads, error, counted)
        return {}

    def _apart(self, loads: list[Load], error: TransientError, counted: bool) -> Errors:
        """Do without the loads of which raw holds other rows than were counted; where there are none, halve them."""
        differ = [] if counted else differences(self.feed, loads, self.services)
        if differ:
            apart = {one.load.load_id for one in differ}
            rest = [load for load in loads if load.load_id not in apart]
            return self._late(differ) | (self._together(rest, counted=True) if rest else {})
        if len(loads) == 1:
            return failed(loads[0], self.feed, self.now.version, error, self.services)
        half = len(loads) // 2
        return self._together(loads[:half], counted=True) | self._together(loads[half:], counted=True)


def _put_off(load: str) -> TransientError:
    return TransientError(
        "put_off", f"other loads fail and took the time of this call: load {load} is for the next one"
    )
