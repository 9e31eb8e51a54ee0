"""A sandbox of an environment: the same rows in datasets of its own, where a replay can be tried.

What the replayed stages write is cloned (in BigQuery a clone costs nothing until it differs), but for the ledger,
which is copied; what they only read is a view of the live table.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from uuid import uuid4

from google.cloud import bigquery

from cli import provision
from functions.transform.dimensions import has_dependents
from stockflow.schema import pipeline
from stockflow.services import Services

WRITTEN = {
    "ingest": ("raw", "curated", "kpi", "ops"),
    "validate": ("curated", "kpi", "ops"),
    "transform": ("curated", "kpi", "ops"),
    "kpi": ("kpi", "ops"),
}


@dataclass(frozen=True)
class Scope:
    """What a replay writes: the layers behind its stage; of raw and curated only its feeds."""

    stage: str
    feeds: frozenset[str]

    def writes(self, layer: str, table: str) -> bool:
        """Whether the replay may change a table. A changed dimension changes the feeds that it enriches."""
        if layer not in WRITTEN[self.stage]:
            return False
        if layer in ("kpi", "ops") or any(has_dependents(feed) for feed in self.feeds):
            return True
        return table.removesuffix("_history") in self.feeds


LAYERS = ("raw", "curated", "kpi", "ops")
_EXPIRES_MS = 24 * 3600 * 1000  # of a sandbox whose command was killed


class Silence:
    """A publisher that publishes nothing: in a sandbox, no stage wakes another."""

    def publish(self, _topic: str, _data: bytes, _attributes: Mapping[str, str]) -> str:
        """Publish nothing."""
        return ""

    def publish_all(self, _topic: str, messages: Iterable[tuple[bytes, Mapping[str, str]]]) -> list[str]:
        """Publish nothing."""
        return ["" for _ in messages]


class SandboxServices(Services):
    """Services of a sandbox: its own datasets, no events, no replay window (each asked-for stage is computed)."""

    @cached_property
    def publisher(self) -> Any:
        """Publishes nothing."""
        return Silence()


@contextmanager
def sandbox(services: Services, scope: Scope) -> Iterator[SandboxServices]:
    """Yield a sandbox in which the stage and all later ones can run for those feeds; it is gone afterwards."""
    settings = services.settings
    prefix = f"{settings.dataset_prefix}replay_{uuid4().hex[:8]}_"
    made = SandboxServices(replace(settings, dataset_prefix=prefix, replay_window_seconds=0), services.clock)
    client = services.warehouse.client
    try:
        for layer in LAYERS:
            dataset = bigquery.Dataset(f"{settings.project}.{made.settings.dataset(layer)}")
            dataset.location = settings.location
            dataset.default_table_expiration_ms = _EXPIRES_MS
            client.create_dataset(dataset)
        services.warehouse.query(";\n".join(_copies(services, made, scope)) + ";\nSELECT 1")
        provision.routines(made)
        provision.views(made)
        yield made
    finally:
        for layer in LAYERS:
            name = f"{settings.project}.{made.settings.dataset(layer)}"
            client.delete_dataset(name, delete_contents=True, not_found_ok=True)


def _copies(services: Services, made: Services, scope: Scope) -> Iterator[str]:
    for layer in LAYERS:
        for name in tables(services, layer):
            source, copy = services.settings.table(layer, name), made.settings.table(layer, name)
            if layer == "ops":
                yield _ledger_copy(name, copy, source)
            elif scope.writes(layer, name):
                yield f"CREATE TABLE {copy} CLONE {source}"
            else:
                yield f"CREATE VIEW {copy} AS SELECT * FROM {source}"


def _ledger_copy(name: str, copy: str, source: str) -> str:
    """A copy by query: rows that were streamed minutes ago are not part of a clone."""
    table = pipeline()["ops_tables"][name]
    column, cluster = table["partition"], ", ".join(table["cluster"])
    daily, since = ("landed_on", "DATE") if column == "landed_on" else (f"DATE({column})", "TIMESTAMP")
    return (
        f"CREATE TABLE {copy} PARTITION BY {daily} CLUSTER BY {cluster} AS "
        f"SELECT * FROM {source} WHERE {column} >= {since} '2000-01-01'"
    )


def tables(services: Services, layer: str) -> list[str]:
    """Return the names of the tables (not views) of a layer that a stage reads or writes."""
    feeds = sorted(services.contracts)
    if layer == "raw":
        return feeds
    if layer == "curated":
        return [name for feed in feeds for name in (feed, f"{feed}_history")]
    if layer == "ops":
        return sorted(pipeline()["ops_tables"])
    found = services.warehouse.client.list_tables(f"{services.settings.project}.{services.settings.dataset(layer)}")
    return sorted(t.table_id for t in found if t.table_type == "TABLE")
