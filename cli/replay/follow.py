"""Watching a replay: from the stage that was asked for down to the KPIs."""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from cli.output import progress
from cli.replay.choice import Choice, Chosen
from cli.stale import Versions
from stockflow.ledger import HANDED_OVER, Asked, StageRecord, is_duplicate
from stockflow.services import Services
from stockflow.stages import PASSED, STAGES
from stockflow.waiting import polite_pause

Stages = Mapping[str, StageRecord]


def repeats(choice: Choice, chosen: Iterable[Chosen], versions: Versions, services: Services) -> frozenset[str]:
    """Return the loads whose stage ended so recently that the functions take the replay for a redelivery."""
    now, window = services.clock(), services.settings.replay_window_seconds
    found = set()
    for c in chosen:
        if c.done is None or c.done["state"] == "duplicate_content":
            continue
        input_record = None if choice.stage == "ingest" else c.before["record_id"]
        done = StageRecord(
            load_id=c.load_id, feed=c.feed, stage=choice.stage, state=c.done["state"],
            stage_version=c.done["stage_version"], started_at=c.done["started_at"],
            finished_at=c.done["finished_at"], input_record=c.done["input_record"],
        )  # fmt: skip
        if is_duplicate(done, versions.of(choice.stage, c.feed, c.before["object"]) or "", input_record, now, window):
            found.add(c.load_id)
    return frozenset(found)


def is_settled(stage: str, before: str | None, stages: Stages) -> bool:
    """Whether a load has a new record of the replayed stage, and every later stage has worked on that.

    ``before`` is the ``record_id`` that stood there when the replay began; None when a redelivery changes nothing.
    """
    done = stages.get(stage)
    if done is None or (before is not None and done.record_id == before) or done.state == HANDED_OVER:
        return False
    for following in STAGES[STAGES.index(stage) + 1 :]:
        if done.state != PASSED[done.stage]:
            break
        later = stages.get(following)
        if later is None or later.input_record != done.record_id:
            return False
        done = later
    return done.state != "pending"


def follow(
    stage: str, marks: Mapping[str, str | None], services: Services, timeout: float
) -> tuple[frozenset[str], dict[str, dict[str, StageRecord]]]:
    """Show progress until every load is settled or the time is over.

    ``marks`` is load_id -> what ``is_settled`` calls ``before``. Returns the settled loads and everybody's records.
    """
    deadline = time.monotonic() + timeout
    with progress() as bar:
        task = bar.add_task("loads replayed", total=len(marks))
        while True:
            began = time.monotonic()
            found = services.ledger.latest(Asked(load) for load in marks)
            settled = frozenset(i for i, b in marks.items() if is_settled(stage, b, found.get(i, {})))
            bar.update(task, completed=len(settled))
            if len(settled) == len(marks) or time.monotonic() > deadline:
                return settled, found
            time.sleep(polite_pause(time.monotonic() - began))


def row_counts(records: Iterable[Mapping[str, Any] | StageRecord | None]) -> dict[str, int]:
    """Return the sums of what some records of one stage say."""
    total = {"loads": 0, "rows": 0, "refused": 0}
    for r in records:
        row = r.row() if isinstance(r, StageRecord) else r
        if row is not None:
            total["loads"] += 1
            total["rows"] += row["rows"] or 0
            total["refused"] += (row["rejects"] or 0) + (row["quarantined"] or 0)
    return total
