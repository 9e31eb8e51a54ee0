"""One load: read its rows, judge them, write the verdicts, record, then tell the others."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pandas as pd

from functions.validate.frame import LINE, conventions
from functions.validate.judge import judge
from functions.validate.model import CRITICAL, Judgement, Verdict
from functions.validate.report import report
from functions.validate.version import version
from functions.validate.wholes import Previous, pattern, whole_results
from stockflow.contracts import Contract
from stockflow.errors import PermanentError, TransientError
from stockflow.events import StageEvent, encode
from stockflow.identity import digest, run_id
from stockflow.ledger import StageRecord, is_duplicate, next_record
from stockflow.log import log
from stockflow.services import Services
from stockflow.values import Formats


def validate(event: StageEvent, services: Services) -> None:
    """Judge the load that a ``load.ingested`` event names.

    Raises:
        PermanentError: ``unknown_feed``.
        TransientError: ``not_ingested_yet``, or what a service could not do now.
    """
    contract = services.contracts.get(event.feed)
    if contract is None:
        raise PermanentError("unknown_feed", f"no contract for feed {event.feed!r}", load_id=event.load_id)
    stages = services.ledger.stages(event.load_id)
    ingested = stages.get("ingest")
    if ingested is None:
        raise TransientError("not_ingested_yet", f"the ledger has no ingest of load {event.load_id}")
    done = _judged(contract, ingested, stages.get("validate"), services)
    if done is None:
        log("INFO", "nothing to validate", load_id=event.load_id, state=ingested.state)
        return
    _publish(done, services, was_let_through="transform" in stages)


def _judged(
    contract: Contract, ingested: StageRecord, done: StageRecord | None, services: Services
) -> StageRecord | None:
    """Return the verdict on the load as ingest left it: the one on record, or a new one; None when there is none."""
    now, window = services.clock(), services.settings.replay_window_seconds
    if not ingested.passed:
        fresh = done is None or done.input_record == ingested.record_id
        return done if fresh else _withdrawn(contract, ingested, services, now)
    if done is not None and is_duplicate(done, version(contract), ingested.record_id, now, window):
        return done
    return _validate(contract, ingested, services, now)


def _withdrawn(contract: Contract, ingested: StageRecord, services: Services, started: datetime) -> StageRecord:
    """Record that a load which was judged before cannot be read any more, by the present contract and code."""
    record = next_record(
        ingested, "validate", state="rejected", stage_version=version(contract), started_at=started,
        run_id=digest(run_id(ingested.load_id, "validate", version(contract)), ingested.record_id),
        finished_at=services.clock(), rows=0, quarantined=0, reason_code=ingested.reason_code, message=ingested.message,
    )  # fmt: skip
    services.ledger.record(record)
    return record


def _validate(contract: Contract, ingested: StageRecord, services: Services, started: datetime) -> StageRecord:
    raw = _rows(contract, ingested.load_id, services)
    if len(raw) != (ingested.rows or 0):
        text = f"raw has {len(raw)} rows of load {ingested.load_id}, ingest wrote {ingested.rows}"
        raise TransientError("raw_incomplete", text)
    formats = conventions(contract, {c.name: raw[c.name].dropna().unique() for c in contract.stated})
    judgement = judge(contract, raw, formats, ingested.landed_at or started)
    judgement.results += whole_results(contract, raw, _previous(contract, ingested, services))
    record = _record(contract, ingested, judgement, formats, started, services)
    _write(record, judgement, raw, services)
    services.ledger.record(record)
    return record


def _rows(contract: Contract, load_id: str, services: Services) -> pd.DataFrame:
    columns = ", ".join(f"`{c}`" for c in (LINE, *(c.name for c in contract.stated), "_extra"))
    sql = f"SELECT {columns} FROM inventory_raw.{contract.feed} WHERE _load_id = @load ORDER BY {LINE}"
    frame: pd.DataFrame = services.warehouse.arrow(sql, {"load": load_id}).to_pandas()
    return frame


_PREVIOUS = """
SELECT load_id, `rows`, object FROM inventory_ops.load_stages_latest
WHERE stage = 'validate' AND state = 'validated' AND feed = @feed AND load_id != @load
  AND (landed_at < @landed OR (landed_at = @landed AND generation < @generation))
ORDER BY landed_at DESC, generation DESC LIMIT 200
"""


def _previous(contract: Contract, ingested: StageRecord, services: Services) -> Previous | None:
    """Return the load before this one of the same pattern, if a rule of the contract asks for it."""
    if not any(r.severity == "load" and r.expectation != "stockflow_columns_present" for r in contract.rules):
        return None
    params = {
        "feed": contract.feed, "load": ingested.load_id, "landed": ingested.landed_at,
        "generation": ingested.generation or 0,
    }  # fmt: skip
    mine = pattern(ingested.object or "")
    same = [r for r in services.warehouse.query(_PREVIOUS, params) if pattern(r["object"] or "") == mine]
    if not same:
        return None
    before = same[0]
    return Previous(before["load_id"], before["rows"] or 0, _locations(contract, before["load_id"], services))


def _locations(contract: Contract, load_id: str, services: Services) -> frozenset[str]:
    """Return the locations that a load names, if a rule of the contract compares them."""
    rule = next((r for r in contract.rules if r.expectation == "stockflow_locations_not_absent"), None)
    if rule is None:
        return frozenset()
    column = rule.column or "location_code"
    sql = f"SELECT DISTINCT UPPER(TRIM(`{column}`)) AS code FROM inventory_raw.{contract.feed} WHERE _load_id = @load"
    return frozenset(r["code"] for r in services.warehouse.query(sql, {"load": load_id}) if r["code"])


def _record(
    contract: Contract, ingested: StageRecord, judgement: Judgement, formats: Formats, started: datetime,
    services: Services,
) -> StageRecord:  # fmt: skip
    refused = judgement.broken_load_rules
    at = version(contract)
    warnings = sum(r.failed for r in judgement.results if r.check.severity == "warning")
    return next_record(
        ingested,
        "validate",
        state="rejected" if refused else "validated",
        stage_version=at,
        run_id=digest(run_id(ingested.load_id, "validate", at), ingested.record_id),
        started_at=started,
        finished_at=services.clock(),
        rows=judgement.rows - len(judgement.quarantined),
        quarantined=len(judgement.quarantined),
        reason_code=refused[0].check.rule if refused else None,
        message=_why(refused) if refused else None,
        detail={
            "decimal_mark": formats.decimal_mark,
            "date_order": formats.date_order,
            "time_zone": formats.time_zone,
            "decided_by": dict(formats.decided_by),
            "ambiguous": list(formats.ambiguous),
            "contradictions": list(formats.contradictions)[:20],
            "warnings": warnings,
            "report": f"gs://{services.settings.staging_bucket}/reports/{contract.feed}/{ingested.load_id}.html",
        },
    )


def _why(refused: list[Any]) -> str:
    return "; ".join(f"{r.observed} (expected {r.check.expected}). {r.check.message}" for r in refused)


def _write(record: StageRecord, judgement: Judgement, raw: pd.DataFrame, services: Services) -> None:
    """Append verdicts and results; they show once the record names their run."""
    now = services.clock()
    common = {"run_id": record.run_id, "load_id": record.load_id, "feed": record.feed, "recorded_at": now}
    critical = [v for v in judgement.verdicts if v.severity == CRITICAL]
    originals = _originals(raw, {v.line for v in critical})
    rows = [{**common, **_verdict_row(v), "original_row": originals[v.line]} for v in critical]
    ids = [digest(record.run_id, v.line, v.rule) for v in critical]
    table = services.settings.table
    services.warehouse.insert(table("ops", "quarantine_rows"), rows, ids)
    results = [{**common, **_result_row(r)} for r in judgement.results]
    services.warehouse.insert(
        table("ops", "expectation_results"), results, [digest(record.run_id, r["rule"]) for r in results]
    )
    page = report(record, services.contracts[str(record.feed)], judgement)
    name = f"reports/{record.feed}/{record.load_id}.html"
    services.store.write(services.settings.staging_bucket, name, page.encode(), "text/html; charset=utf-8")


def _originals(raw: pd.DataFrame, lines: set[int]) -> dict[int, str]:
    kept = raw[raw[LINE].isin(lines)]
    return {
        int(row[LINE]): json.dumps({k: v for k, v in row.items() if k != LINE and v is not None}, ensure_ascii=False)
        for row in kept.astype(object).where(kept.notna(), None).to_dict("records")
    }


def _verdict_row(v: Verdict) -> Mapping[str, Any]:
    return {
        "line": v.line, "stage": "validate", "rule": v.rule, "column_name": v.column, "value": v.value,
        "expected": v.expected, "message": v.message, "severity": v.severity,
    }  # fmt: skip


def _result_row(r: Any) -> dict[str, Any]:
    check = r.check
    return {
        "rule": check.rule, "expectation": check.expectation, "column_name": check.column,
        "severity": check.severity, "success": r.success, "checked": r.checked, "failed": r.failed,
        "observed": r.observed,
    }  # fmt: skip


def _publish(record: StageRecord, services: Services, was_let_through: bool) -> None:
    """Tell the others; of a load that was let through before and is refused now, transform must hear, too."""
    kinds = ["load.validated"] if record.passed else ["load.rejected", *(["load.withdrawn"] if was_let_through else [])]
    detail = {"rows": record.rows, "quarantined": record.quarantined}
    events = [encode(StageEvent(kind, str(record.feed), record.load_id, detail)) for kind in kinds]
    services.bus.publish_all(services.settings.events_topic, events)
