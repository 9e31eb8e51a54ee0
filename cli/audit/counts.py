"""The cheap half of the audit: what each load's records say, next to what the tables hold. Counts only."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cli.audit.ended import Ended
from cli.reconciliation import by_feed
from stockflow.events import ObjectRef
from stockflow.ledger import StageRecord, record_of
from stockflow.schema import pipeline
from stockflow.services import Services

END_STATES = ("loaded", "rejected", "duplicate_content", "ignored", "failed")
WAITING = ("held",)  # a person decides: the load has no end yet, and shows as missing
TEXT_FORMATS = ("csv", "json")

Records = Mapping[str, Mapping[str, StageRecord]]  # load -> stage -> latest record

_LATEST = "SELECT * FROM inventory_ops.load_stages_latest WHERE landed_on >= DATE '2000-01-01'"
_LOADS = "SELECT load_id, end_state, state FROM inventory_ops.loads"
_RAW = """
SELECT
  '{feed}' AS feed,
  _load_id AS load_id,
  _run_id AS run_id,
  COUNT(*) AS `rows`,
  COUNT(DISTINCT _row) AS numbers,
  MAX(_row) AS last_row
FROM inventory_raw.{feed}
WHERE _landed_on >= DATE '2000-01-01'
GROUP BY _load_id, _run_id
"""
_REFUSED = """
SELECT load_id, stage, COUNT(DISTINCT `row`) AS `rows`
FROM inventory_ops.quarantine
WHERE landed_on >= DATE '2000-01-01' AND severity = 'critical'
GROUP BY load_id, stage
"""
_TWICE = """
SELECT load_id, COUNT(*) AS `rows`, MIN(`row`) AS example
FROM (
  SELECT load_id, `row`
  FROM ({places})
  GROUP BY load_id, `row`
  HAVING COUNT(*) > 1
)
GROUP BY load_id
"""
_PLACES = """
  SELECT DISTINCT load_id, `row`
  FROM inventory_ops.quarantine
  WHERE landed_on >= DATE '2000-01-01' AND severity = 'critical'
"""
_PLACE = "UNION ALL SELECT _load_id, _row FROM inventory_curated.{feed}_history"
_REJECTS = """
SELECT load_id, COUNT(*) AS `rows` FROM inventory_ops.rejects WHERE landed_on >= DATE '2000-01-01' GROUP BY load_id
"""


@dataclass(frozen=True)
class Break:
    """One broken promise: of which load, what was expected, what was found."""

    load_id: str
    expected: str
    found: str


def records(services: Services) -> dict[str, dict[str, StageRecord]]:
    """Return the latest record of each load and stage."""
    found: dict[str, dict[str, StageRecord]] = {}
    for page in services.warehouse.pages(_LATEST):
        for row in page:
            found.setdefault(row["load_id"], {})[row["stage"]] = record_of(row)
    return found


def landed(services: Services) -> list[ObjectRef]:
    """Return each generation in the landing bucket, those that versioning kept, too."""
    return list(services.object_store.list(services.settings.landing_bucket, versions=True))


def end_states(objects: list[ObjectRef], services: Services) -> Iterator[Break]:
    """Every generation that landed has exactly one end state."""
    known = {row["load_id"]: row["end_state"] for row in services.warehouse.query(_LOADS)}
    for ref in objects:
        if ref.load_id not in known:
            yield Break(ref.load_id, "an end state", f"{ref.name} landed and has no load")
        elif known[ref.load_id] not in (*END_STATES, *WAITING):
            yield Break(ref.load_id, f"one of {', '.join(END_STATES)}", f"{ref.name} is {known[ref.load_id]}")


def breaks(ledger: Records, objects: list[ObjectRef], services: Services) -> Iterator[Break]:
    """What the bucket, the ledger and the tables say of each other, one break for each promise that does not hold."""
    yield from end_states(objects, services)
    yield from lines(ledger)
    yield from rows(ledger, services)


def lines(ledger: Records) -> Iterator[Break]:
    """Physical lines = preamble + header + blank + continuation + rows + rejects, of files that have lines."""
    for load, stages in ledger.items():
        record = stages.get("ingest")
        if record is None or record.state != "loaded" or record.detail.get("format") not in TEXT_FORMATS:
            continue
        names = ("preamble_lines", "header_lines", "blank_lines", "continuation_lines")
        around = {name: int(record.detail.get(name) or 0) for name in names}
        total = sum(around.values()) + (record.rows or 0) + (record.rejects or 0)
        # several records of a JSON file may share a line
        several = record.detail.get("format") == "json" and total > record.detail["physical_lines"]
        if total != record.detail["physical_lines"] and not several:
            parts = ", ".join(f"{count} {name}" for name, count in around.items() if count)
            found = f"{record.rows} rows + {record.rejects} rejects" + (f" + {parts}" if parts else "")
            yield Break(load, f"{record.detail['physical_lines']} lines accounted for", found)


def rows(ledger: Records, services: Services) -> Iterator[Break]:
    """Raw rows of committed runs = the ledger; raw = current + superseded + quarantined; rejects = the ledger."""
    refused: dict[str, int] = {}
    for row in services.warehouse.query(_REFUSED):
        refused[row["load_id"]] = refused.get(row["load_id"], 0) + row["rows"]
    rejects = {row["load_id"]: row["rows"] for row in services.warehouse.query(_REJECTS)}
    ended = Ended(pipeline()["retention"], services)
    twice = _twice(services)
    raw, curated = _raw_rows(services), by_feed(services, services.contracts)
    for feed in services.contracts:
        mine = {load: stages for load, stages in ledger.items() if stages["ingest"].feed == feed}
        for load, stages in mine.items():
            if not ended.in_raw(stages):
                yield from _raw(stages["ingest"], raw, rejects.get(load, 0))
            if not ended.in_curated(stages):
                yield from _curated(stages, curated[feed].get(load, {}), refused.get(load, 0))
            if load in twice and _is_through(stages):
                yield twice[load]
        for load in curated[feed].keys() - mine.keys():
            yield Break(load, "a load in the ledger", f"curated rows of {feed} of a load that the ledger does not know")


def _raw_rows(services: Services) -> dict[tuple[str, str, str], Mapping[str, Any]]:
    """Return what raw holds by feed, load and run; a large environment has many, which come page by page."""
    sql = "UNION ALL".join(_RAW.format(feed=feed) for feed in services.contracts)
    pages = services.warehouse.pages(sql) if sql else ()
    return {(row["feed"], row["load_id"], row["run_id"]): row for page in pages for row in page}


def _twice(services: Services) -> dict[str, Break]:
    """Rows that curated states more than once, or that are in curated and in quarantine."""
    places = "\n".join([_PLACES, *(_PLACE.format(feed=feed) for feed in services.contracts)])
    found = services.warehouse.query(_TWICE.format(places=places))
    expected = "each row in curated or in quarantine, once"
    return {
        row["load_id"]: Break(row["load_id"], expected, f"{row['rows']} more than once, such as row {row['example']}")
        for row in found
    }


def _raw(record: StageRecord, raw: Mapping[tuple[str, str, str], Mapping[str, Any]], rejects: int) -> Iterator[Break]:
    if record.state != "loaded":
        return
    nothing = {"rows": 0, "numbers": 0, "last_row": 0}
    found = raw.get((record.feed or "", record.load_id, record.raw_run_id or ""), nothing)
    expected = record.rows or 0
    if found["rows"] != expected:
        yield Break(record.load_id, f"{expected} rows in raw of run {record.raw_run_id}", str(found["rows"]))
    elif expected and not found["numbers"] == found["last_row"] == expected:
        yield Break(record.load_id, f"rows 1 to {expected} once each", f"{found['numbers']}, up to {found['last_row']}")
    if rejects != (record.rejects or 0):
        yield Break(record.load_id, f"{record.rejects} rejected lines kept", str(rejects))


def _curated(stages: Mapping[str, StageRecord], curated: Mapping[str, Any], refused: int) -> Iterator[Break]:
    ingested, done = stages["ingest"], stages.get("transform")
    typed, current = curated.get("typed_rows") or 0, curated.get("current_rows") or 0
    if done is None or done.state != "transformed" or not _is_through(stages):
        if current and not _is_through(stages):
            yield Break(ingested.load_id, "no rows in curated of a load that was refused", f"{current} rows")
        return
    if (ingested.rows or 0) != typed + refused or current > typed:
        found = f"{current} current + {typed - current} superseded + {refused} quarantined"
        yield Break(ingested.load_id, f"{ingested.rows} rows of raw accounted for", found)


def _is_through(stages: Mapping[str, StageRecord]) -> bool:
    judged = stages.get("validate")
    return stages["ingest"].state == "loaded" and judged is not None and judged.state == "validated"
