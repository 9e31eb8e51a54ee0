"""A refused load whose object is gone: what the same contract and code loaded of it before is still in raw."""

from stockflow.events import ObjectRef
from stockflow.ledger import Asked, StageRecord
from stockflow.services import Services


def loaded_before(ref: ObjectRef, feed: str, version: str, services: Services) -> StageRecord | None:
    """Return the newest record by which this version loaded the object, if all its rows are there."""
    record = services.ledger.last(Asked(ref.load_id, ref.landed_on), "ingest", "loaded", version)
    if record is None:
        return None
    sql = f"""
    SELECT COUNT(*) AS n FROM inventory_raw.{feed}
    WHERE _landed_on = @day AND _load_id = @load AND _run_id = @run
    """
    params = {"day": ref.landed_on, "load": ref.load_id, "run": record.raw_run_id}
    return record if services.warehouse.query(sql, params)[0]["n"] == record.rows else None
