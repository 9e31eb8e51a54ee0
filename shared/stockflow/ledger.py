"""The ledger: one appended record each time a stage finished for a load, and what follows from them."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from stockflow.attempts import Tries
from stockflow.errors import TransientError
from stockflow.events import StageEvent
from stockflow.identity import digest
from stockflow.log import log
from stockflow.settings import Settings
from stockflow.singleflight import SingleFlight
from stockflow.stages import PASSED, stage_before
from stockflow.waiting import wait_until

if TYPE_CHECKING:
    from stockflow.gcp import Warehouse

HANDED_OVER = "handed_over"  # ingest's state of a file that a job of Dataflow reads: that job's record ends it


@dataclass(frozen=True)
class StageRecord:
    """How one stage ended for one load. Counts are rows; times are UTC; ``detail`` is stored as JSON."""

    load_id: str
    feed: str | None
    stage: str
    state: str
    stage_version: str
    started_at: datetime
    finished_at: datetime
    bucket: str | None = None
    object: str | None = None
    generation: int | None = None
    run_id: str | None = None
    raw_run_id: str | None = None
    input_record: str | None = None
    lines: int | None = None
    rows: int | None = None
    rejects: int | None = None
    quarantined: int | None = None
    superseded: int | None = None
    reason_code: str | None = None
    message: str | None = None
    content_md5: str | None = None
    size_bytes: int | None = None
    landed_at: datetime | None = None
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def record_id(self) -> str:
        """The record's own identity: a retried insert of it is the same record."""
        return digest(self.load_id, self.stage, self.stage_version, self.state, self.finished_at.isoformat())

    @property
    def landed_on(self) -> date:
        """The day (UTC) on which the object landed: the ledger's partition."""
        return landing_day(self.landed_at or self.started_at)

    @property
    def passed(self) -> bool:
        """Whether the next stage has work to do."""
        return PASSED[self.stage] == self.state

    def row(self) -> dict[str, Any]:
        """Return the record as a row of ``load_stages``."""
        return {
            "record_id": self.record_id,
            **asdict(self),
            "landed_on": self.landed_on,
            "detail": json.dumps(self.detail, sort_keys=True),
        }


def landing_day(at: datetime) -> date:
    """Return the day of a time in UTC."""
    return at.astimezone(UTC).date()


_NAMES = {f.name for f in fields(StageRecord)}


def record_of(row: dict[str, Any]) -> StageRecord:
    """Return the record that a row of ``load_stages`` holds."""
    known = {k: v for k, v in row.items() if k in _NAMES}
    return StageRecord(**{**known, "detail": json.loads(row.get("detail") or "{}")})


def is_duplicate(
    done: StageRecord | None, version: str, input_record: str | None, now: datetime, window_seconds: int
) -> bool:
    """Whether a delivery asks for what was just done: same version, same input, within the window.

    Later, or at another version or input, it is a replay, and the stage is computed again.
    """
    return (
        done is not None
        and done.stage_version == version
        and done.input_record == input_record
        and now - done.finished_at < timedelta(seconds=window_seconds)
    )


def announce(*records: StageRecord) -> None:
    """Log one line per finished stage: what the log-based metrics count, and how a file is traced."""
    for r in records:
        age = (r.finished_at - r.landed_at).total_seconds() if r.landed_at else None
        numbers = {"rows": r.rows, "rejects": r.rejects, "quarantined": r.quarantined, "age_seconds": age}
        numbers["refused_share"] = _refused_share(r)
        fields: dict[str, Any] = {k: v for k, v in numbers.items() if v is not None}
        fields |= {"event": "stage_finished", "seconds": (r.finished_at - r.started_at).total_seconds()}
        labels = {"load_id": r.load_id, "feed": r.feed, "stage": r.stage, "state": r.state}
        log("INFO", f"{r.stage} {r.state}: {r.object}", fields=fields, **labels)


def _refused_share(r: StageRecord) -> float | None:
    judged = (r.rows or 0) + (r.quarantined or 0)
    return (r.quarantined or 0) / judged if r.stage == "validate" and judged else None


EPOCH_DAY = date(2000, 1, 1)  # before any file landed: every partition
VISIBLE_SECONDS = 10.0  # rows of a streaming insert show "within seconds"
RECENT = timedelta(days=7)  # how far back a drain looks for what nobody asked for; the sweep looks further

_COLUMNS = ", ".join(f"`{name}`" for name in ("record_id", *(f.name for f in fields(StageRecord))))
# Every query names its partitions: the days on which the loads landed.
_LATEST = f"""
SELECT {_COLUMNS} FROM inventory_ops.load_stages
WHERE {{days}} AND load_id IN UNNEST(@load_ids) AND (stage != @passed_stage OR state = @passed_state)
QUALIFY ROW_NUMBER() OVER (PARTITION BY load_id, stage ORDER BY finished_at DESC, record_id DESC) = 1
"""

# The records of some loads, beside the attempts of one stage at each since its last one. At least one row a load. An
# attempt that began and neither failed nor was put off was killed.
_STORIES = f"""
WITH records AS (
  SELECT {_COLUMNS} FROM inventory_ops.load_stages
  WHERE {{days}} AND load_id IN UNNEST(@load_ids)
  QUALIFY ROW_NUMBER() OVER (PARTITION BY load_id, stage ORDER BY finished_at DESC, record_id DESC) = 1
),
attempts AS (
  SELECT
    load_id,
    LOGICAL_OR(event = 'deferred') AS deferred,
    MAX(reason_code) AS reason_code,
    MAX(message) AS message,
    MIN(recorded_at) AS began_at
  FROM inventory_ops.stage_attempts
  WHERE {{days}} AND load_id IN UNNEST(@load_ids) AND stage = @stage
  GROUP BY load_id, attempt_id
),
ended AS (
  SELECT load_id, MAX(finished_at) AS finished_at FROM records WHERE stage = @stage GROUP BY load_id
),
tries AS (
  SELECT
    attempts.load_id,
    COUNTIF(NOT attempts.deferred) AS failed,
    COUNTIF(attempts.deferred) AS deferred,
    ARRAY_AGG(COALESCE(attempts.reason_code, '') ORDER BY began_at DESC LIMIT 1)[SAFE_OFFSET(0)] AS last_reason,
    ARRAY_AGG(COALESCE(attempts.message, '') ORDER BY began_at DESC LIMIT 1)[SAFE_OFFSET(0)] AS last_message
  FROM attempts
  LEFT JOIN ended ON ended.load_id = attempts.load_id
  WHERE attempts.began_at > COALESCE(ended.finished_at, TIMESTAMP '2000-01-01')
  GROUP BY attempts.load_id
)
SELECT
  asked AS asked_load_id,
  COALESCE(tries.failed, 0) AS failed,
  COALESCE(tries.deferred, 0) AS deferred,
  tries.last_reason,
  tries.last_message,
  records.*
FROM UNNEST(@load_ids) AS asked
LEFT JOIN tries ON tries.load_id = asked
LEFT JOIN records ON records.load_id = asked
"""

_DETAILS = """
SELECT load_id, detail FROM inventory_ops.load_stages
WHERE {days} AND load_id IN UNNEST(@load_ids) AND stage = @stage AND detail IS NOT NULL
"""

_LAST = """
SELECT * FROM inventory_ops.load_stages
WHERE {days} AND load_id = @load AND stage = @stage AND state = @state AND stage_version = @version
ORDER BY finished_at DESC, record_id DESC
LIMIT 1
"""

# Of transform the latest run, as its rows are in curated: not that a load waits for another one or was parked since.
_UNCOMPUTED = """
WITH latest AS (
  SELECT load_id, stage, record_id, input_record, landed_on, finished_at
  FROM inventory_ops.load_stages
  WHERE (landed_on >= @since OR landed_on IN UNNEST(@days))
    AND (stage = 'kpi' OR (stage = 'transform' AND state = 'transformed'))
  QUALIFY ROW_NUMBER() OVER (PARTITION BY load_id, stage ORDER BY finished_at DESC, record_id DESC) = 1
)
SELECT ran.load_id, ran.landed_on
FROM latest AS ran
LEFT JOIN latest AS kpi ON kpi.load_id = ran.load_id AND kpi.stage = 'kpi'
WHERE ran.stage = 'transform'
  AND (kpi.load_id IS NULL OR kpi.input_record IS DISTINCT FROM ran.record_id)
ORDER BY ran.finished_at
"""


@dataclass(frozen=True)
class Asked:
    """A load that an event asks for: its partition, and the time of the record that the event speaks of."""

    load_id: str
    landed_on: date | None = None
    recorded_at: datetime | None = None

    def shown_by(self, record: StageRecord | None) -> bool:
        """Whether the ledger shows what the event speaks of, or something newer."""
        return record is not None and (self.recorded_at is None or record.finished_at >= self.recorded_at)


@dataclass(frozen=True)
class Story:
    """What the ledger knows of a load: the latest record of each stage, and the attempts of the stage that asks."""

    stages: dict[str, StageRecord]
    tries: Tries


def asked_by(event: StageEvent) -> Asked:
    """Return what an event asks for."""
    return Asked(event.load_id, event.landed_on, event.recorded_at)


class Ledger:
    """Reads and appends stage records."""

    def __init__(self, warehouse: "Warehouse", settings: Settings) -> None:
        self._warehouse = warehouse
        self._table = settings.table("ops", "load_stages")
        self._asking: SingleFlight[Asked, dict[str, Story]] = SingleFlight()

    def record(self, *records: StageRecord) -> None:
        """Append records by streaming insert (no DML quota), with derived row ids."""
        self._warehouse.insert(self._table, [r.row() for r in records], [r.record_id for r in records])
        announce(*records)

    def latest(self, loads: Iterable[Asked], passed: str = "") -> dict[str, dict[str, StageRecord]]:
        """Return, in one query, load_id -> stage -> its latest record.

        Of the stage ``passed``, the latest by which it took the load on: not one by which it waits or was parked since.
        """
        wanted = list(loads)
        days, params = in_days(a.landed_on for a in wanted)
        params |= {"load_ids": [a.load_id for a in wanted]}
        params |= {"passed_stage": passed, "passed_state": PASSED[passed] if passed else ""}
        found: dict[str, dict[str, StageRecord]] = {}
        for row in self._warehouse.query(_LATEST.format(days=days), params):
            found.setdefault(row["load_id"], {})[row["stage"]] = record_of(row)
        return found

    def stages(self, load_id: str, landed_on: date | None = None) -> dict[str, StageRecord]:
        """Return stage -> latest record of one load."""
        return self.latest([Asked(load_id, landed_on)]).get(load_id, {})

    def last(self, asked: Asked, stage: str, state: str, version: str) -> StageRecord | None:
        """Return the newest record by which a version of a stage took a load to a state, superseded or not."""
        days, params = in_days([asked.landed_on])
        params |= {"load": asked.load_id, "stage": stage, "state": state, "version": version}
        rows = self._warehouse.query(_LAST.format(days=days), params)
        return record_of(rows[0]) if rows else None

    def details(self, loads: Iterable[Asked], stage: str) -> dict[str, list[dict[str, Any]]]:
        """Return load_id -> what each of its records of a stage says, the superseded ones too, in no order."""
        wanted = list(loads)
        days, params = in_days(a.landed_on for a in wanted)
        params |= {"load_ids": [a.load_id for a in wanted], "stage": stage}
        found: dict[str, list[dict[str, Any]]] = {}
        for row in self._warehouse.query(_DETAILS.format(days=days), params):
            found.setdefault(row["load_id"], []).append(json.loads(row["detail"]))
        return found

    def story(self, asked: Asked, stage: str) -> "Story":
        """Return a load's latest records, and the attempts of one stage since its last one.

        Calls that meet in one process share a query: a burst of files does not ask once a file.
        """
        return self._asking.join(stage, asked, lambda loads: self._stories(loads, stage))[asked.load_id]

    def _stories(self, loads: Iterable[Asked], stage: str) -> dict[str, "Story"]:
        wanted = list(loads)
        days, params = in_days(a.landed_on for a in wanted)
        params |= {"load_ids": sorted({a.load_id for a in wanted}), "stage": stage}
        found = {a.load_id: Story({}, Tries()) for a in wanted}
        for row in self._warehouse.query(_STORIES.format(days=days), params):
            tries = Tries(*(row[name] for name in ("failed", "deferred", "last_reason", "last_message")))
            stages = found[row["asked_load_id"]].stages
            if row["load_id"]:
                stages[row["stage"]] = record_of(row)
            found[row["asked_load_id"]] = Story(stages, tries)
        return found

    def awaited(self, asked: Asked, stage: str) -> "Story":
        """Return the story of a load for ``stage``, once the ledger shows what the event speaks of.

        Raises:
            TransientError: ``not_visible_yet`` when it does not within ten seconds, ``not_recorded`` when an event
                that names no record asks for a load without one.
        """
        before = stage_before(stage)
        found = self.story(asked, stage)

        def shown() -> bool:
            nonlocal found
            found = self.story(asked, stage)
            return asked.shown_by(found.stages.get(before))

        if asked.shown_by(found.stages.get(before)) or (asked.recorded_at and wait_until(shown, VISIBLE_SECONDS, 0.25)):
            return found
        code = "not_visible_yet" if asked.recorded_at else "not_recorded"
        raise TransientError(code, f"the ledger does not show the {before} of load {asked.load_id} yet")

    def uncomputed(self, days: Iterable[date], now: datetime) -> list[Asked]:
        """Return the loads whose latest run of transform no KPI run holds yet.

        It looks at what landed in the last week, and on ``days``.
        """
        since = landing_day(now - RECENT)
        params = {"since": since, "days": sorted({since, *days})}  # an empty array would have no type
        return [Asked(row["load_id"], row["landed_on"]) for row in self._warehouse.query(_UNCOMPUTED, params)]


def in_days(days: Iterable[date | None]) -> tuple[str, dict[str, Any]]:
    """Return the condition on ``landed_on`` for these days, and its parameters; an unknown day means all."""
    known = sorted({d for d in days if d is not None}) if None not in (days := list(days)) else []
    if not known:
        return "landed_on >= @first_day", {"first_day": EPOCH_DAY}
    return "landed_on IN UNNEST(@days)", {"days": known}


def next_record(before: StageRecord, stage: str, **changes: Any) -> StageRecord:
    """Return a record of ``stage`` for the same load, with the facts of the object carried over."""
    blank = dict.fromkeys(("lines", "rows", "rejects", "quarantined", "superseded", "reason_code", "message", "run_id"))
    return replace(before, **{**blank, "detail": {}, "stage": stage, "input_record": before.record_id, **changes})
