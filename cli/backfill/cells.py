"""Which KPI cells a backfill changed: the KPI tables as they were are kept as clones, and compared at the end."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from cli.replay.changes import Change, Compared, compare
from stockflow.services import Services

KEPT = timedelta(days=7)  # of clones whose backfill was never reported


def before(services: Services, name: str) -> Services:
    """Return services whose KPI tables are the copies that ``keep`` made under this name."""
    prefix = f"{services.settings.dataset_prefix}backfill_{name}_"
    return Services(replace(services.settings, dataset_prefix=prefix), services.clock)


def keep(services: Services, name: str) -> None:
    """Clone each KPI table; in BigQuery a clone costs nothing until it differs."""
    from google.cloud import bigquery

    kept_at = before(services, name)
    dataset = bigquery.Dataset(f"{services.settings.project}.{kept_at.settings.dataset('kpi')}")
    dataset.location = services.settings.location
    dataset.default_table_expiration_ms = int(KEPT.total_seconds() * 1000)
    services.warehouse.client.create_dataset(dataset, exists_ok=True)
    copies = clones(services, kept_at, _tables(services))
    if copies:
        services.warehouse.query(";\n".join(copies) + ";\nSELECT 1")


def clones(services: Services, kept_at: Services, tables: list[str]) -> list[str]:
    """Return the statements that keep these KPI tables; one that is kept already stays as it is."""
    return [
        f"CREATE TABLE IF NOT EXISTS {kept_at.settings.table('kpi', t)} CLONE {services.settings.table('kpi', t)}"
        for t in tables
    ]


def changed(services: Services, name: str) -> list[Change]:
    """Return how each KPI differs from what was kept under this name."""
    from functions.kpi.catalog import read_catalog

    kept_at, found = before(services, name), []
    kept = set(_tables(kept_at))
    for kpi, definition in read_catalog(services.settings.definitions_uri, services).definitions.items():
        if kpi in kept:
            key = ("business_date", *definition.grain)
            measure = "value" if definition.kind == "kpi" else None
            change = compare(Compared(f"kpi.{kpi}", key, "business_date", measure), kept_at, services)
            found += [] if change is None else [change]
    return found


def forget(services: Services, name: str) -> None:
    """Drop what was kept."""
    dataset = f"{services.settings.project}.{before(services, name).settings.dataset('kpi')}"
    services.warehouse.client.delete_dataset(dataset, delete_contents=True, not_found_ok=True)


def _tables(services: Services) -> list[str]:
    dataset: Any = f"{services.settings.project}.{services.settings.dataset('kpi')}"
    found = services.warehouse.client.list_tables(dataset)
    return sorted(t.table_id for t in found if t.table_type == "TABLE")
