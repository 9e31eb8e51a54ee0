"""List prices in US dollars, region europe-west1, as published on 2026-10-01: the only place that has any."""

from dataclasses import dataclass

GIB, TIB = 2**30, 2**40
AS_OF = "2026-10-01"


@dataclass(frozen=True)
class Price:
    """Dollars for one unit, and the page that says so."""

    dollars: float
    unit: str
    source: str


_BIGQUERY = "https://cloud.google.com/bigquery/pricing"
_RUN = "https://cloud.google.com/run/pricing"
_PUBSUB = "https://cloud.google.com/pubsub/pricing"
_STORAGE = "https://cloud.google.com/storage/pricing"
PRICES = {
    "scanned": Price(6.25 / TIB, "byte read by a query (on demand)", _BIGQUERY),
    "streamed": Price(0.05 / GIB, "byte of streamed rows", _BIGQUERY),
    "active": Price(0.02 / GIB / 30, "byte stored for a day, changed in the last 90 days", _BIGQUERY),
    "long_term": Price(0.01 / GIB / 30, "byte stored for a day, not changed for 90 days", _BIGQUERY),
    "cpu": Price(0.000024, "vCPU-second", _RUN),
    "memory": Price(0.0000025, "GiB-second", _RUN),
    "requests": Price(0.40 / 1e6, "request", _RUN),
    "messages": Price(40 / TIB, "byte published or delivered", _PUBSUB),
    "kept_messages": Price(0.27 / GIB / 30, "byte of messages kept for a day", _PUBSUB),
    "writes": Price(0.05 / 1e4, "write or list of an object (class A)", _STORAGE),
    "reads": Price(0.004 / 1e4, "read of an object (class B)", _STORAGE),
    "objects": Price(0.02 / GIB / 30, "byte of objects stored for a day", _STORAGE),
}
# https://cloud.google.com/bigquery/pricing#on_demand_pricing: at least so many bytes of each table that a query reads
LEAST_SCANNED = 10 * 2**20
# https://cloud.google.com/bigquery/pricing#data_ingestion_pricing: a streamed row counts as so many bytes at least
LEAST_STREAMED = 1_024
# https://cloud.google.com/pubsub/pricing: a message counts as so many bytes at least
LEAST_MESSAGE = 1_000
