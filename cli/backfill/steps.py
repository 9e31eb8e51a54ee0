"""One step of a backfill: see which batches ended, send what may be sent. Who waits between steps is the caller."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Protocol

from cli.backfill.order import Flight, Order, Position
from cli.replay.choice import Chosen
from cli.replay.follow import Stages, is_settled
from stockflow.stages import PASSED, STAGES

Key = tuple[str, int, str]
FAILED = "failed"


class World(Protocol):
    """What a step needs of an environment: ``cli.backfill.world.Environment`` in earnest."""

    def now(self) -> datetime:
        """Return the time, in UTC."""

    def loads(self, order: Order, day: date, began: datetime) -> Sequence[Chosen]:
        """Return the loads of a landing day that the stage has not worked on since ``began``, in order of landing."""

    def send(self, order: Order, chosen: Sequence[Chosen]) -> None:
        """Publish the events that wake the stage for these loads."""

    def records(self, flight: Flight) -> Mapping[str, Stages]:
        """Return load_id -> stage -> the latest record."""


def step(order: Order, position: Position, world: World) -> Position:
    """Return the position after looking at the ledger once, and sending as many batches as may be on their way."""
    position = _landed(order, position, world)
    while not position.stopped and len(position.flights) < order.in_flight and position.day < len(position.days):
        position = _next(order, position, world)
    return position


def is_due(order: Order, position: Position, world: World) -> bool:
    """Whether a step would do something: a batch on its way has ended, or its time is over."""
    return any(
        world.now() - flight.sent_at >= timedelta(seconds=order.timeout)
        or len(settled_loads(order.stage, flight, world.records(flight))) == len(flight.marks)
        for flight in position.flights
    )


def _landed(order: Order, position: Position, world: World) -> Position:
    flying: list[Flight] = []
    for flight in position.flights:
        records = world.records(flight)
        settled = settled_loads(order.stage, flight, records)
        if len(settled) == len(flight.marks):
            position = position.with_ended(flight.day, Counter(end_state(order.stage, records[i]) for i in settled))
        elif world.now() - flight.sent_at < timedelta(seconds=order.timeout):
            flying.append(flight)
        else:
            position = _given_up(order, position, flight, records)
    return replace(position, flights=tuple(flying))


def _given_up(order: Order, position: Position, flight: Flight, records: Mapping[str, Stages]) -> Position:
    """A batch that does not end in time ends the backfill: to send more would only add to what waits."""
    settled = settled_loads(order.stage, flight, records)
    states = Counter(end_state(order.stage, records[i]) for i in settled)
    states["not ended"] = len(flight.marks) - len(settled)
    words = f"{states['not ended']} loads of {flight.day} did not end within {order.timeout} s"
    return replace(position.with_ended(flight.day, states), stopped=position.stopped or words)


def _next(order: Order, position: Position, world: World) -> Position:
    """Send the next batch of the present day, or go on to the next day. A batch never spans two days."""
    day = position.days[position.day]
    flying = {load for flight in position.flights for load in flight.marks}
    left = [
        c for c in world.loads(order, day, position.began)
        if c.load_id not in flying and (position.cursor is None or key(c) > position.cursor)
    ]  # fmt: skip
    if not left:
        return replace(position, day=position.day + 1, cursor=None)
    batch = left[: order.batch]
    marks = {c.load_id: None if c.done is None else str(c.done["record_id"]) for c in batch}
    flight = Flight(day, world.now(), marks)
    world.send(order, batch)
    return replace(position, cursor=key(batch[-1]), flights=(*position.flights, flight))


def key(chosen: Chosen) -> Key:
    """Return the place of a load in the order of landing; it stays the same when the load is replayed."""
    landed, generation = chosen.before["landed_at"], chosen.before["generation"]
    return (landed.isoformat() if landed else "", generation or 0, chosen.load_id)


def settled_loads(stage: str, flight: Flight, records: Mapping[str, Stages]) -> list[str]:
    """Return the loads of a batch that have a new record of the stage, and of each later one."""
    return [load for load, mark in flight.marks.items() if is_settled(stage, mark, records.get(load, {}))]


def end_state(stage: str, stages: Stages) -> str:
    """Return where a settled load stopped: the last stage's state, or that of the first stage that let it not pass."""
    for name in STAGES[STAGES.index(stage) :]:
        record = stages[name]
        if record.state != PASSED[name]:
            return record.state
    return "failed kpi" if stages["kpi"].detail.get("failed") else stages["kpi"].state


def failed_days(position: Position) -> list[date]:
    """Return the days on which a load failed or did not end: each can be run again alone."""
    bad = {FAILED, "failed kpi", "not ended"}
    return sorted(day for day, states in position.ended.items() if bad & states.keys())
