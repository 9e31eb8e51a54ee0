"""What a run says of a load, appended as it is found: it shows when a record in the ledger names the run."""

from typing import Any

import pyarrow as pa

from functions.validate.model import Result
from stockflow.identity import digest
from stockflow.ledger import StageRecord
from stockflow.points import reached
from stockflow.services import Services

MANY = 2_000  # verdicts of one piece that go by a stream of their own, rather than by inserts of 500
_TIME = pa.timestamp("us", "UTC")


def add_refused(refused: pa.Table, record: StageRecord, services: Services) -> None:
    """Append verdicts that refuse rows (see ``refused.SCHEMA``) under the record's run.

    Raises:
        TransientError: when BigQuery could not do it now.
    """
    table = services.settings.table("ops", "quarantine_rows")
    rows = _with_facts(refused, record, services)
    if len(rows) > MANY:
        from stockflow.gcp import write_stream

        write_stream.append(services.settings, table, _written(rows).combine_chunks().to_batches())
    elif len(rows):
        found = rows.to_pylist()
        services.warehouse.insert(table, found, [digest(record.run_id, r["row"], r["rule"]) for r in found])
    reached("validate.refused_kept")


def _with_facts(refused: pa.Table, record: StageRecord, services: Services) -> pa.Table:
    facts: dict[str, tuple[Any, Any]] = {
        "run_id": (record.run_id, pa.string()), "load_id": (record.load_id, pa.string()),
        "feed": (record.feed, pa.string()), "stage": (record.stage, pa.string()),
        "recorded_at": (services.clock(), _TIME), "landed_on": (record.landed_on, pa.date32()),
    }  # fmt: skip
    for name, (value, kind) in facts.items():
        refused = refused.append_column(name, pa.repeat(pa.scalar(value, kind), len(refused)))
    return refused


def _written(rows: pa.Table) -> pa.Table:
    """Return the table with the words of dictionaries written out."""
    fields = [f.with_type(f.type.value_type) if pa.types.is_dictionary(f.type) else f for f in rows.schema]
    return rows.cast(pa.schema(fields))


def add_results(results: list[Result], record: StageRecord, services: Services) -> None:
    """Append what each expectation found under the record's run."""
    facts = {
        "run_id": record.run_id, "load_id": record.load_id, "feed": record.feed, "landed_on": record.landed_on,
        "recorded_at": services.clock(),
    }  # fmt: skip
    rows = [{**facts, **_row(r)} for r in results]
    ids = [digest(record.run_id, r["rule"]) for r in rows]
    services.warehouse.insert(services.settings.table("ops", "expectation_results"), rows, ids)


def _row(r: Result) -> dict[str, Any]:
    check = r.check
    return {
        "rule": check.rule, "expectation": check.expectation, "column_name": check.column,
        "severity": check.severity, "success": r.success, "checked": r.checked, "failed": r.failed,
        "observed": r.observed,
    }  # fmt: skip
