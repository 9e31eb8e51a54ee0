"""What a drain has to do, decided from the ledger's rows. Pure."""

import json
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

from stockflow.contracts import Contract
from stockflow.filename import date_in
from stockflow.ledger import Asked, StageRecord

DONE, PENDING, VALIDATED = "transformed", "pending", "validated"


@dataclass(frozen=True)
class Load:
    """A load with its latest validation and what the later stages say of it: a row of ``pending.sql``."""

    row: Mapping[str, Any]

    @property
    def load_id(self) -> str:
        """Which load."""
        return str(self.row["load_id"])

    @property
    def landed_on(self) -> date:
        """The ledger's partition."""
        day: date = self.row["landed_on"]
        return day

    @property
    def failures(self) -> int:
        """How often it failed by itself since its last result."""
        return int(self.row["failures"])

    @cached_property
    def detail(self) -> dict[str, Any]:
        """What the last transform record says, beside its counts."""
        found: dict[str, Any] = json.loads(self.row["done_detail"] or "{}")
        return found

    def done(self, feed: str) -> StageRecord:
        """Return the record of its last transform, as far as an event tells it."""
        row = self.row
        return StageRecord(
            self.load_id, feed, "transform", DONE, row["done_version"], row["done_at"], row["done_at"],
            landed_at=row["landed_at"], detail=self.detail,
        )  # fmt: skip

    def is_repeat(self, version: str, recent: datetime) -> bool:
        """Whether this was just done: same version, same input."""
        row = self.row
        return bool(
            row["done_state"] == DONE
            and row["done_version"] == version
            and row["done_input"] == row["record_id"]
            and row["done_at"] > recent
        )

    @property
    def has_work(self) -> bool:
        """Whether there is anything to do: a refused load has no work, unless it was let through before."""
        return bool(self.row["validate_state"] == VALIDATED or self.row["done_record"])

    @property
    def is_suspect(self) -> bool:
        """Whether it failed by itself, with this very validation, and has had no other result since."""
        parked = self.row["done_state"] == "failed" and self.row["done_input"] == self.row["record_id"]
        return parked or self.failures > 0

    def is_replaced_as_a_whole(self, contract: Contract) -> bool:
        """Whether a newer generation of its object replaces all that it states, by contract and name."""
        rule = contract.properties.get("generations")
        if rule is None:
            return contract.properties.get("kind") == "fact" and date_in(self.row["object"] or "") is not None
        return bool(rule == "replace")


@dataclass(frozen=True)
class Plan:
    """What a drain does.

    ``ready`` are transformed together; ``suspects`` failed before and are asked for again, each by itself;
    ``repeated`` were just done (their event is sent again, nothing else). ``awaited`` are asked for, and the ledger
    does not show all of their validation yet; ``incomplete`` are those of them of which it shows other refused rows
    than it counts. ``unknown`` are asked for, and no validation speaks of them.
    """

    ready: tuple[Load, ...] = ()
    suspects: tuple[Load, ...] = ()
    repeated: tuple[Load, ...] = ()
    awaited: frozenset[str] = frozenset()
    incomplete: tuple[Load, ...] = ()
    unknown: frozenset[str] = frozenset()

    def only(self, loads: frozenset[str]) -> "Plan":
        """Return what there is to do with these loads."""
        parts = (self.ready, self.suspects, self.repeated, self.incomplete)
        ready, suspects, repeated, incomplete = (tuple(i for i in part if i.load_id in loads) for part in parts)
        return Plan(ready, suspects, repeated, self.awaited & loads, incomplete, self.unknown & loads)


@dataclass(frozen=True)
class Now:
    """What a plan depends on beside the ledger: the stage version, the time, how long a redelivery is one.

    ``raw_since``: the first landing day whose raw rows are still kept; None when all are. ``ended``: the records whose
    scripts are known to have run to their end; None where scripts do nothing behind their COMMIT.
    """

    version: str
    at: datetime
    window_seconds: int
    raw_since: date | None = None
    ended: Container[str] | None = None

    def is_repeat(self, load: "Load") -> bool:
        """Whether a load was just done, all of it: its script may have died between its COMMIT and its end."""
        recent = self.at - timedelta(seconds=self.window_seconds)
        ended = self.ended is None or load.row["done_record"] in self.ended
        return ended and load.is_repeat(self.version, recent)

    def has_raw(self, load: "Load") -> bool:
        """Whether a load's raw rows are still there: without them transform would take its rows out of curated."""
        return self.raw_since is None or load.landed_on > self.raw_since


def plan(rows: Iterable[Mapping[str, Any]], asked: frozenset[Asked], now: Now) -> Plan:
    """Return what to do with the loads that ``pending.sql`` found."""
    known = {row["load_id"]: Load(row) for row in rows}
    wanted = newest(asked)
    hidden = {a.load_id for a in wanted.values() if not _is_shown(a, known.get(a.load_id))}
    loads = [load for load in known.values() if load.row["complete"] and load.load_id not in hidden]
    repeated = tuple(load for load in loads if now.is_repeat(load))
    work = [load for load in loads if load not in repeated and load.has_work and now.has_raw(load)]
    unknown = {i for i in hidden if i not in known and wanted[i].recorded_at is None}
    incomplete = {i: known[i] for i in wanted if i in known and i not in hidden and not known[i].row["complete"]}
    return Plan(
        ready=tuple(load for load in work if not load.is_suspect),
        suspects=tuple(load for load in work if load.is_suspect and load.load_id in wanted),
        repeated=repeated,
        awaited=frozenset((hidden | incomplete.keys()) - unknown),
        incomplete=tuple(incomplete.values()),
        unknown=frozenset(unknown),
    )


def newest(asked: Iterable[Asked]) -> dict[str, Asked]:
    """Return load -> the call that asks for its newest record."""
    found: dict[str, Asked] = {}
    for one in asked:
        other = found.get(one.load_id)
        if other is None or other.recorded_at is None or (one.recorded_at and one.recorded_at > other.recorded_at):
            found[one.load_id] = one
    return found


def _is_shown(asked: Asked, load: Load | None) -> bool:
    return load is not None and (asked.recorded_at is None or load.row["validated_at"] >= asked.recorded_at)
