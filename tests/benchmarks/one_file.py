"""The path of one file through the stack: dropped, and followed to the KPIs by what the ledger says."""

from typing import Any

from stockflow.waiting import wait_until
from tests.chaos.rig import Rig

PATIENCE_SECONDS = 900
_RECORDS = """
SELECT stage, MIN(landed_at) AS landed_at, MIN(finished_at) AS finished_at, MIN(quarantined) AS quarantined
FROM inventory_ops.load_stages
WHERE landed_on >= DATE '2000-01-01' AND object = @name AND state IN ('loaded', 'validated', 'transformed', 'refreshed')
GROUP BY stage
"""


def through(made: Rig, name: str, content: bytes) -> dict[str, dict[str, Any]]:
    """Drop a file; return stage -> its first record, when the last stage has one.

    Raises:
        TimeoutError: naming the stages that have one, after a quarter of an hour.
    """
    made.calm.object_store.write(made.calm.settings.landing_bucket, name, content, "text/csv")
    records: dict[str, dict[str, Any]] = {}

    def done() -> bool:
        records.update({row["stage"]: row for row in made.calm.warehouse.query(_RECORDS, {"name": name})})
        return "kpi" in records

    if not wait_until(done, PATIENCE_SECONDS, 1):
        raise TimeoutError(f"{name} is not done after {PATIENCE_SECONDS} s: {sorted(records)}")
    return records
