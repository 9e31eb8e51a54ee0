"""What a backfill is asked to do, and how far it is: plain values that a program can store and take up again."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from cli.output import CommandError
from cli.replay.choice import EARLIEST, LATEST, Choice, Clock, moment
from stockflow.stages import STAGES

BATCH, IN_FLIGHT, TIMEOUT = 200, 1, 3_600
_CLOCKS: tuple[Clock, ...] = ("landing", "business")


@dataclass(frozen=True)
class Order:
    """What a person asked for. ``batch`` is in loads, ``in_flight`` in batches, ``timeout`` in seconds a batch."""

    stage: str
    feeds: tuple[str, ...] = ()
    first: datetime = EARLIEST
    last: datetime = LATEST
    by: Clock = "landing"
    batch: int = BATCH
    in_flight: int = IN_FLIGHT
    timeout: int = TIMEOUT

    @property
    def choice(self) -> Choice:
        """The loads that are meant, as a replay says it."""
        return Choice(self.stage, self.feeds, (), self.first, self.last, self.by)

    def of_day(self, day: date) -> Choice:
        """Return the loads of one landing day that are meant."""
        start = datetime.combine(day, time(), UTC)
        end = start + timedelta(days=1, microseconds=-1)
        if self.by == "business":
            return replace(self.choice, landed=(start, end))
        return replace(self.choice, first=max(self.first, start), last=min(self.last, end))

    def command(self, first: date, last: date | None = None) -> str:
        """Return the command that runs these landing days of the order alone."""
        feeds = "".join(f" --feed {feed}" for feed in self.feeds)
        return f"stockflow backfill --stage {self.stage} --from {first} --to {last or first}{feeds}"


def order_of(asked: Mapping[str, Any]) -> Order:
    """Return the order that names and values (``from``, ``to``, the others as in ``Order``) say.

    Raises:
        CommandError: naming the value that is not valid, and what was expected.
    """
    stage, by = asked.get("stage") or "transform", asked.get("by") or "landing"
    if stage not in STAGES:
        raise CommandError(f"stage is {stage!r}: expected one of {', '.join(STAGES)}")
    if by not in _CLOCKS:
        raise CommandError(f"by is {by!r}: expected landing or business")
    counts = {name: _count(name, asked.get(name), value) for name, value in
              (("batch", BATCH), ("in_flight", IN_FLIGHT), ("timeout", TIMEOUT))}  # fmt: skip
    first, last = asked.get("from") or "", asked.get("to") or ""
    order = Order(
        stage, tuple(asked.get("feeds") or ()), moment(first) if first else EARLIEST,
        moment(last, end=True) if last else LATEST, by, **counts,
    )  # fmt: skip
    if order.first > order.last:
        raise CommandError(f"the period ends before it begins: {first} to {last}")
    return order


def _count(name: str, value: Any, default: int) -> int:
    found = default if value is None else value
    if not isinstance(found, int) or isinstance(found, bool) or found < 1:
        raise CommandError(f"{name} is {found!r}: expected a whole number from 1 on")
    return found


@dataclass(frozen=True)
class Flight:
    """A batch on its way. ``marks`` is load_id -> record of the stage before it was sent (see ``is_settled``)."""

    day: date
    sent_at: datetime
    marks: Mapping[str, str | None]


@dataclass(frozen=True)
class Position:
    """How far a backfill is. ``cursor`` is the last load of the day ``days[day]`` that was sent."""

    began: datetime
    days: tuple[date, ...]
    day: int = 0
    cursor: tuple[str, int, str] | None = None
    flights: tuple[Flight, ...] = ()
    ended: Mapping[date, Mapping[str, int]] = field(default_factory=dict)
    stopped: str = ""

    @property
    def finished(self) -> bool:
        """Whether nothing is on its way and nothing more will be sent."""
        return not self.flights and (bool(self.stopped) or self.day >= len(self.days))

    @property
    def loads(self) -> int:
        """How many loads ended."""
        return sum(sum(states.values()) for states in self.ended.values())

    def with_ended(self, day: date, states: Mapping[str, int]) -> "Position":
        """Return it with more loads of a day that ended."""
        total = dict(Counter(self.ended.get(day, {})) + Counter(states))
        return replace(self, ended={**self.ended, day: total})

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {
            "began": self.began.isoformat(), "days": [d.isoformat() for d in self.days], "day": self.day,
            "cursor": list(self.cursor) if self.cursor else None, "stopped": self.stopped,
            "flights": [{"day": f.day.isoformat(), "sent_at": f.sent_at.isoformat(), "marks": dict(f.marks)}
                        for f in self.flights],
            "ended": {d.isoformat(): dict(states) for d, states in self.ended.items()},
        }  # fmt: skip

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> "Position":
        """Return the position that ``to_json`` told."""
        flights = tuple(
            Flight(date.fromisoformat(f["day"]), datetime.fromisoformat(f["sent_at"]), f["marks"])
            for f in told["flights"]
        )
        cursor = (told["cursor"][0], told["cursor"][1], told["cursor"][2]) if told["cursor"] else None
        return cls(
            datetime.fromisoformat(told["began"]), tuple(map(date.fromisoformat, told["days"])), told["day"], cursor,
            flights, {date.fromisoformat(d): states for d, states in told["ended"].items()}, told["stopped"],
        )  # fmt: skip
