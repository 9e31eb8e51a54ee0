"""What the last lines and the control files of a series' earlier files counted, as the ledger knows it."""

import json
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Any

from functions.validate.earlier import LOOK_BACK, earlier_details
from functions.validate.model import CONTROL_COUNTS, COUNTS
from functions.validate.series import series
from stockflow.contracts import Contract
from stockflow.ledger import StageRecord
from stockflow.services import Services

RECORDS = "records"
_BESIDE = timedelta(hours=6)  # as long as a control file may land before its data
# A count that leaves no doubt is recorded of the control file alone, when it lands after its data.
_CONTROL = """
SELECT detail
FROM inventory_ops.load_stages
WHERE landed_on BETWEEN @since AND @day AND stage = 'ingest' AND reason_code = 'control_file'
  AND STARTS_WITH(object, @folder) AND landed_at < @until AND JSON_VALUE(detail, '$.control_count') IS NOT NULL
ORDER BY landed_at DESC
LIMIT 400
"""


def counted_before(contract: Contract, ingested: StageRecord, services: Services) -> str:
    """Return what the last lines of the series' earlier files counted; blank where no earlier file had such a line."""
    if not ingested.detail.get(COUNTS):
        return ""
    details = earlier_details(contract, ingested, services)
    return next((str(found) for d in details if (found := d.get(COUNTS))), "")


def stated_before(contract: Contract, ingested: StageRecord, services: Services) -> tuple[str, ...]:
    """Return what the control files of the series' earlier files may have counted; nothing where none did."""
    if not (counts := ingested.detail.get(CONTROL_COUNTS)):
        return ()
    details = earlier_details(contract, ingested, services)
    if known := next((tuple(found) for d in details if (found := d.get(CONTROL_COUNTS))), ()):
        return known
    if RECORDS not in counts and _is_sure_before(_control_details(ingested, services), ingested):
        return (RECORDS,)
    return ()


def _control_details(ingested: StageRecord, services: Services) -> list[dict[str, Any]]:
    params = {
        "since": ingested.landed_on - LOOK_BACK, "day": ingested.landed_on,
        "folder": f"{PurePosixPath(ingested.object or '').parent}/",
        "until": (ingested.landed_at or ingested.started_at) + _BESIDE,
    }  # fmt: skip
    return [json.loads(row["detail"]) for row in services.warehouse.query(_CONTROL, params)]


def _is_sure_before(details: Iterable[Mapping[str, Any]], ingested: StageRecord) -> bool:
    """Whether a control file counted the records of another file of the series."""
    mine = series(ingested.object or "")
    return any(
        RECORDS in d[CONTROL_COUNTS] and d.get("about_load") != ingested.load_id and series(d["about"]) == mine
        for d in details
    )
