"""The earlier loads of a file's series, as the ledger knows them: no row of theirs is read again."""

import json
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from functions.validate.frame import Clues
from functions.validate.jumps import Rates, limit, newest
from functions.validate.load_rules import Previous, compares
from functions.validate.model import CONTROL_COUNTS, COUNTS, Extent, Judgement
from functions.validate.series import series
from stockflow.contracts import Contract
from stockflow.filename import days_in
from stockflow.ledger import StageRecord
from stockflow.services import Services
from stockflow.values.formats import CONTRACT, DELIMITER

LOOK_BACK = timedelta(days=35)  # a monthly file finds the one before it
_EARLIER = """
WITH latest AS (
  SELECT load_id, object, state, `rows`, quarantined, landed_at, generation, detail
  FROM inventory_ops.load_stages
  WHERE landed_on BETWEEN @since AND @day AND stage = 'validate' AND feed = @feed AND load_id != @load
  QUALIFY ROW_NUMBER() OVER (PARTITION BY load_id ORDER BY finished_at DESC, record_id DESC) = 1
)
SELECT load_id, object, `rows`, quarantined, detail
FROM latest
WHERE state = 'validated' AND @series IN ('', JSON_VALUE(detail, '$.series'))
  AND (landed_at < @landed OR (landed_at = @landed AND generation < @generation))
ORDER BY landed_at DESC, generation DESC
LIMIT 40
"""


def earlier_loads(contract: Contract, ingested: StageRecord, services: Services) -> list[Previous]:
    """Return the loads of the same series that were let through in the 35 days before, newest first."""
    if not compares(contract):
        return []
    return [_previous(row, ingested) for row in _earlier(contract, ingested, services)]


def known_rates(contract: Contract, ingested: StageRecord, services: Services) -> Rates:
    """Return the newest exchange rates of each load of the 35 days before, of any series."""
    known: Rates = {}
    if limit(contract) is None:
        return known
    for row in reversed(_earlier(contract, ingested, services, "")):
        for currency, (day, rate) in (json.loads(row["detail"] or "{}").get("rates") or {}).items():
            known.setdefault(currency, {})[date.fromisoformat(day)] = rate
    return known


def _earlier(
    contract: Contract, ingested: StageRecord, services: Services, of_series: str | None = None
) -> list[dict[str, Any]]:
    """Return the newest loads of the file's series, or of another one; blank stands for all."""
    params = {
        "since": ingested.landed_on - LOOK_BACK, "day": ingested.landed_on, "feed": contract.feed,
        "load": ingested.load_id, "series": series(ingested.object or "") if of_series is None else of_series,
        "landed": ingested.landed_at or ingested.started_at, "generation": ingested.generation or 0,
    }  # fmt: skip
    return services.warehouse.query(_EARLIER, params)


def clues_of(contract: Contract, ingested: StageRecord, services: Services) -> Clues:
    """Return what the name of a file says of its dates, and where to ask what earlier files proved."""

    def sender() -> dict[str, str]:
        return proved(earlier_details(contract, ingested, services))

    return Clues(days_in(ingested.object or ""), sender, ingested.detail.get("delimiter"))


def proved(details: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return the conventions that loads of a series had, newest first: proved by their values, or let through."""
    found: dict[str, str] = {}
    for detail in details:
        released = (detail.get("decided") or {}).get("state") == "validated"
        for what, name in (("decimal mark", "decimal_mark"), ("date order", "date_order")):
            certain = (detail.get("decided_by") or {}).get(what, CONTRACT) not in (CONTRACT, DELIMITER)
            if (certain or released) and detail.get(name) not in (None, "ymd"):
                found.setdefault(what, detail[name])
    return found


def earlier_details(contract: Contract, ingested: StageRecord, services: Services) -> list[dict[str, Any]]:
    """Return what is noted of the loads of the same series, newest first."""
    return [json.loads(row["detail"] or "{}") for row in _earlier(contract, ingested, services)]


def _previous(row: dict[str, Any], ingested: StageRecord) -> Previous:
    known = json.loads(row["detail"] or "{}").get("extent") or {}
    extent = Extent(
        frozenset(known.get("locations") or ()), known.get("location_count") or 0,
        known.get("first_date"), known.get("last_date"),
    )  # fmt: skip
    rows = (row["rows"] or 0) + (row["quarantined"] or 0)
    return Previous(row["load_id"], rows, extent, row["object"] == ingested.object)


def comparable_facts(ingested: StageRecord, judgement: Judgement) -> dict[str, Any]:
    """Return what later loads of the series are compared with, for the record's detail."""
    e = judgement.extent
    extent = {
        "locations": sorted(e.locations), "location_count": e.location_count,
        "first_date": e.first_date, "last_date": e.last_date,
    }  # fmt: skip
    rates = {"rates": newest(judgement.rates)} if judgement.rates else {}
    counts = {COUNTS: ingested.detail[COUNTS]} if ingested.detail.get(COUNTS) else {}
    if stated := ingested.detail.get(CONTROL_COUNTS):
        counts[CONTROL_COUNTS] = [c for c in stated if c in judgement.stated_before] or stated
    return {"series": series(ingested.object or ""), "extent": extent, **rates, **counts}
