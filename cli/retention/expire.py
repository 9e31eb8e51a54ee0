"""What a laptop's emulators do not do by themselves: rows and objects are deleted when their time is over."""

from collections.abc import Iterator
from datetime import date, timedelta

from stockflow.ledger import landing_day
from stockflow.retention import FILES, first_day, first_month, limited, ops_kind, own
from stockflow.schema import pipeline
from stockflow.services import Services


def expire(services: Services) -> None:
    """Delete what ``retention`` and the contracts no longer keep, as partition expiration and lifecycle rules do."""
    today = landing_day(services.clock())
    for table, column, day in over(services, today):
        services.warehouse.query(f"DELETE FROM {table} WHERE {column} < @day", {"day": day})
    for bucket, prefix, days in files(services):
        _objects(services, bucket, prefix, today - timedelta(days=days))


def over(services: Services, today: date) -> Iterator[tuple[str, str, date]]:
    """Yield each table that has an end, what dates its rows, and the first day that is kept."""
    days, contracts = pipeline()["retention"], services.contracts
    for feed, number in limited("raw", days, contracts).items():
        if first := first_day(number, today):
            yield f"inventory_raw.{feed}", "_landed_on", first
    for feed, number in limited("curated", days, contracts).items():
        if first := first_month(number, today):
            yield f"inventory_curated.{feed}", str(contracts[feed].business_date), first
            yield f"inventory_curated.{feed}_history", str(contracts[feed].business_date), first
    for name, table in pipeline()["ops_tables"].items():
        if first := first_day(days[ops_kind(name)], today):
            yield f"inventory_ops.{name}", _day(table["partition"]), first


def _day(column: str) -> str:
    return column if column == "landed_on" else f"DATE({column})"


def files(services: Services) -> Iterator[tuple[str, str, int]]:
    """Yield bucket, prefix and days of what has an end."""
    days, settings = pipeline()["retention"], services.settings
    buckets = {"landing": settings.landing_bucket, "staging": settings.staging_bucket}
    for kind, bucket in buckets.items():
        if days[kind]:
            yield bucket, "", days[kind]
    for feed, contract in services.contracts.items():
        if number := own(contract, FILES):
            yield buckets["landing"], f"{feed}/", number
            yield buckets["staging"], f"ingest/{feed}/", number
            yield buckets["staging"], f"receipts/{feed}/", number


def _objects(services: Services, bucket: str, prefix: str, first: date) -> None:
    store = services.object_store
    for ref in list(store.list(bucket, prefix, versions=True)):
        if ref.landed_on < first:
            store.delete(bucket, ref.name, ref.generation)
