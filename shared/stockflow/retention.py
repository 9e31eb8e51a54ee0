"""How long what is kept: ``retention`` of ``pipeline.yaml``, and what a contract says otherwise for its feed. Pure.

0 days is without limit. Terraform reads the same numbers (partition expiration, lifecycle of buckets).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from stockflow.contracts import Contract

FILES, RAW, CURATED = "keepFilesDays", "keepRawDays", "keepCuratedDays"
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
    feed = contract.feed
    if own(contract, FILES) is not None:
        yield _files("landing", f"landing bucket, {feed}/", days, contract)
        yield _files("staging", f"staging bucket, ingest/{feed}/ and receipts/{feed}/", days, contract)
    yield _table("raw", f"inventory_raw.{feed}", RAW, days, contract)
    yield _table("curated", f"inventory_curated.{feed}", CURATED, days, contract)
    yield _table("curated", f"inventory_curated.{feed}_history", CURATED, days, contract)


def _files(kind: str, where: str, days: Days, contract: Contract) -> Kept:
    kept = sooner(own(contract, FILES) or WITHOUT_LIMIT, days[kind])
    mine = kept != days[kind]
    return Kept(kind, where, kept, _by(contract.feed, FILES) if mine else f"pipeline.yaml, retention.{kind}")


def sooner(one: int, other: int) -> int:
    """Return which of two ends comes first; 0 is none."""
    return min(filter(None, (one, other)), default=WITHOUT_LIMIT)


def _table(kind: str, where: str, name: str, days: Days, contract: Contract) -> Kept:
    if kind == "curated" and not contract.business_date:
        return Kept(kind, where, WITHOUT_LIMIT, "a dimension: it has no days that end")
    said = _by(contract.feed, name) if own(contract, name) is not None else f"pipeline.yaml, retention.{kind}"
    return Kept(kind, where, days_of(kind, days, contract), said)


def days_of(kind: str, days: Days, contract: Contract) -> int:
    """Return how many days raw or curated rows of a feed are kept; 0 is without limit."""
    if kind == "curated" and not contract.business_date:
        return WITHOUT_LIMIT
    stated = own(contract, RAW if kind == "raw" else CURATED)
    return days[kind] if stated is None else stated


def own(contract: Contract, name: str) -> int | None:
    """Return what a contract says otherwise; None when it says nothing, or no whole number of days."""
    try:
        value = float(contract.properties[name])
    except (KeyError, TypeError, ValueError):
        return None
    return int(value) if value.is_integer() else None


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


def _by(feed: str, name: str) -> str:
    return f"contracts/{feed}.yaml, {name}"
