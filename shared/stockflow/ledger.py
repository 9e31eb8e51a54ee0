"""The ledger: one appended record each time a stage finished for a load, and what follows from them."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from stockflow.identity import digest
from stockflow.log import log
from stockflow.settings import Settings

if TYPE_CHECKING:
    from stockflow.gcp import Warehouse

STAGES = ("ingest", "validate", "transform", "kpi")
PASSED = {"ingest": "loaded", "validate": "validated", "transform": "transformed", "kpi": "refreshed"}


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
    def passed(self) -> bool:
        """Whether the next stage has work to do."""
        return PASSED[self.stage] == self.state

    def row(self) -> dict[str, Any]:
        """Return the record as a row of ``load_stages``."""
        return {
            "record_id": self.record_id,
            **asdict(self),
            "detail": json.dumps(self.detail, sort_keys=True),
        }


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


_LATEST = """
SELECT * FROM inventory_ops.load_stages
WHERE load_id IN UNNEST(@load_ids)
QUALIFY ROW_NUMBER() OVER (PARTITION BY load_id, stage ORDER BY finished_at DESC, record_id DESC) = 1
"""

_PENDING = """
SELECT before.load_id
FROM inventory_ops.load_stages_latest AS before
LEFT JOIN inventory_ops.load_stages_latest AS done
  ON done.load_id = before.load_id AND done.stage = @stage
WHERE before.stage = @before AND before.state = @passed AND (@feed = '' OR before.feed = @feed)
  AND (done.load_id IS NULL OR done.input_record IS DISTINCT FROM before.record_id)
ORDER BY before.finished_at
"""


class Ledger:
    """Reads and appends stage records."""

    def __init__(self, warehouse: "Warehouse", settings: Settings) -> None:
        self._warehouse = warehouse
        self._table = settings.table("ops", "load_stages")

    def record(self, *records: StageRecord) -> None:
        """Append records by streaming insert (no DML quota), with derived row ids."""
        self._warehouse.insert(self._table, [r.row() for r in records], [r.record_id for r in records])
        announce(*records)

    def latest(self, load_ids: Iterable[str]) -> dict[str, dict[str, StageRecord]]:
        """Return, in one query, load_id -> stage -> its latest record."""
        found: dict[str, dict[str, StageRecord]] = {}
        for row in self._warehouse.query(_LATEST, {"load_ids": list(load_ids)}):
            found.setdefault(row["load_id"], {})[row["stage"]] = record_of(row)
        return found

    def stages(self, load_id: str) -> dict[str, StageRecord]:
        """Return stage -> latest record of one load."""
        return self.latest([load_id]).get(load_id, {})

    def pending(self, stage: str, feed: str = "") -> list[str]:
        """Return the loads that passed the stage before but whose result is not in ``stage`` yet."""
        before = STAGES[STAGES.index(stage) - 1]
        params = {"stage": stage, "before": before, "passed": PASSED[before], "feed": feed}
        return [row["load_id"] for row in self._warehouse.query(_PENDING, params)]


def next_record(before: StageRecord, stage: str, **changes: Any) -> StageRecord:
    """Return a record of ``stage`` for the same load, with the facts of the object carried over."""
    blank = dict.fromkeys(("lines", "rows", "rejects", "quarantined", "superseded", "reason_code", "message", "run_id"))
    return replace(before, **{**blank, "detail": {}, "stage": stage, "input_record": before.record_id, **changes})
