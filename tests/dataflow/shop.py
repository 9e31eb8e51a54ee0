"""Files of sales that are large for a test, and what came of them in the warehouse."""

from hashlib import sha256
from typing import Any

from dataflow import load
from stockflow.events import ObjectRef, announcement
from stockflow.ledger import StageRecord
from stockflow.services import Services

HEADER = "receipt_number,line_number,business_date,sku,location_code,quantity,net_amount,note\n"
PART = 40_000
ROWS = """
SELECT * EXCEPT (_run_id, _ingested_at) FROM inventory_raw.sales
WHERE _landed_on = @day AND _run_id = @run
ORDER BY _row
"""


def sales(rows: int, first: int = 0, broken_notes: int = 1) -> bytes:
    """Return a CSV file with quotes, quoted line breaks, and a line that cannot be read in each thousand.

    One note of ``broken_notes`` has a line break.
    """
    found = bytearray(HEADER.encode())
    for start in range(first, first + rows, 100_000):
        some = range(start, min(start + 100_000, first + rows))
        found += "".join(_lines(i, i % broken_notes == 0) for i in some).encode()
    return bytes(found)


def _lines(i: int, breaks: bool) -> str:
    note = f'"a ""note""{"\n" if breaks else " "}of {i}"'
    line = f"R{i},1,2026-10-01,SKU{i % 500},LYO,{i % 9 + 1},{i % 100}.50,{note}\n"
    return f"{line}R{i},broken\n" if i % 1_000 == 500 else line


def drop(services: Services, name: str, data: bytes) -> ObjectRef:
    """Put a file into the landing bucket; nothing is announced."""
    bucket = services.settings.landing_bucket
    services.object_store.write(bucket, name, data, "text/csv")
    ref = services.object_store.stat(bucket, name)
    assert ref is not None
    return ref


def resource(ref: ObjectRef) -> str:
    """Return the JSON by which a job is told of an object."""
    return announcement(ref)[0].decode()


def job(ref: ObjectRef, run_id: str, services: Services) -> load.Job:
    """Return a job for it."""
    return load.job_of(resource(ref), run_id, services)


def carried_out(asked: load.Job, services: Services, part_bytes: int = PART) -> StageRecord | None:
    """Do the steps of the pipeline one after another, without Beam; None when the plan was the end."""
    plan = load.plan(asked, services, part_bytes)
    if plan is None:
        return None
    dones = [load.read(load.Task(plan, i), services) for i in reversed(range(plan.parts))]
    return load.commit([load.number(d, services) for d in load.in_order(dones)], services)


def committed(ref: ObjectRef, services: Services) -> StageRecord:
    """Return the record of the load."""
    return services.ledger.stages(ref.load_id, ref.landed_on)["ingest"]


def rows(ref: ObjectRef, services: Services, run_id: str | None = None) -> list[dict[str, Any]]:
    """Return the rows of a run (of the committed one) in raw, without what differs from run to run."""
    run = run_id or committed(ref, services).raw_run_id
    return services.warehouse.query(ROWS, {"day": ref.landed_on, "run": run})


def digest(ref: ObjectRef, services: Services, run_id: str | None = None) -> str:
    """Return a hash of the rows of a run (of the committed one), in their order, a page at a time."""
    run = run_id or committed(ref, services).raw_run_id
    hasher = sha256()
    for page in services.warehouse.pages(ROWS, {"day": ref.landed_on, "run": run}):
        hasher.update(repr(page).encode())
    return hasher.hexdigest()


def rejects(ref: ObjectRef, services: Services, run_id: str | None = None) -> list[dict[str, Any]]:
    """Return the rejects of a run (of the committed one)."""
    run = run_id or committed(ref, services).raw_run_id
    sql = (
        "SELECT line, code, message, found, expected, original_text, number FROM inventory_ops.reject_rows "
        "WHERE landed_on = @day AND run_id = @run ORDER BY number"
    )
    return services.warehouse.query(sql, {"day": ref.landed_on, "run": run})
