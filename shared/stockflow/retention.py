"""How long what is kept: ``retention`` of ``pipeline.yaml``, and what a contract says otherwise for its feed. Pure.

0 days is without limit. Terraform reads the same numbers (partition expiration, lifecycle of buckets).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from stockflow.contracts import Contract

FILES, RAW, CURATED = "keepFilesDays", "keepRawDays", "keepCuratedDays"
# a later one must not end before the one in front of it: what names rows is kept as long as the rows
_ORDER = (("raw", "quarantine"), ("raw", "rejects"), ("quarantine", "ledger"), ("rejects", "ledger"),
          ("landing", "ledger"))  # fmt: skip
_TABLES = {"reject_rows": "rejects", "quarantine_rows": "quarantine"}
WITHOUT_LIMIT = 0
Days = Mapping[str, int]


@dataclass(frozen=True)
class Kept:
    """One thing that is kept: of which kind, where it is, for how many days, and who says so."""

    kind: str
    where: str
    days: int
    said_by: str


def kept_of(days: Days, contract: Contract) -> Iterator[Kept]:
    """Yield what is said of one feed: its files, raw, curated and history."""
    feed, stated = contract.feed, contract.properties
    if FILES in stated:
        files = int(stated[FILES])
        yield Kept("landing", f"landing bucket, {feed}/", files, _by(feed, FILES))
        yield Kept("staging", f"staging bucket, ingest/{feed}/ and receipts/{feed}/", files, _by(feed, FILES))
    yield _table("raw", f"inventory_raw.{feed}", RAW, days, contract)
    yield _table("curated", f"inventory_curated.{feed}", CURATED, days, contract)
    yield _table("curated", f"inventory_curated.{feed}_history", CURATED, days, contract)


def _table(kind: str, where: str, name: str, days: Days, contract: Contract) -> Kept:
    if kind == "curated" and not contract.business_date:
        return Kept(kind, where, WITHOUT_LIMIT, "a dimension: it has no days that end")
    said = _by(contract.feed, name) if name in contract.properties else f"pipeline.yaml, retention.{kind}"
    return Kept(kind, where, days_of(kind, days, contract), said)


def days_of(kind: str, days: Days, contract: Contract) -> int:
    """Return how many days raw or curated rows of a feed are kept; 0 is without limit."""
    if kind == "curated" and not contract.business_date:
        return WITHOUT_LIMIT
    return int(contract.properties.get(RAW if kind == "raw" else CURATED, days[kind]))


def limited(kind: str, days: Days, contracts: Mapping[str, Contract]) -> dict[str, int]:
    """Return feed -> days, of the feeds whose raw or curated rows end."""
    found = {feed: days_of(kind, days, contract) for feed, contract in contracts.items()}
    return {feed: kept for feed, kept in found.items() if kept}


def first_day(days: int, today: date) -> date | None:
    """Return the first day whose partition is still there; None when all are."""
    return today - timedelta(days=days) if days else None


def first_month(days: int, today: date) -> date | None:
    """Return the first day of the first month that is still there: a month ends as a whole, after its last day."""
    first = first_day(days, today)
    return first.replace(day=1) if first else None


def ops_kind(table: str) -> str:
    """Return which number of ``retention`` holds for a table of the ledger."""
    return _TABLES.get(table, "ledger")


def faults(days: Days, contracts: Mapping[str, Contract]) -> list[str]:
    """Return what cannot be kept as it is said: rows whose names in the ledger would end before them."""
    found = [_fault(a, days[a], b, days[b], "pipeline.yaml") for a, b in _ORDER]
    found += [
        _fault("raw", days_of("raw", days, c), b, days[b], f"contracts/{feed}.yaml")
        for feed, c in contracts.items()
        for b in ("quarantine", "rejects")
        if RAW in c.properties
    ]
    return [fault for fault in found if fault]


def _fault(kind: str, short: int, other: str, long: int, where: str) -> str:
    if long == WITHOUT_LIMIT or 0 < short <= long:
        return ""
    kept = f"{short} days" if short else "without limit"
    return f"{where}: {kind} is kept {kept}, {other} only {long} days; expected {other} at least as long (or 0)"


def _by(feed: str, name: str) -> str:
    return f"contracts/{feed}.yaml, {name}"
