"""Datasets, tables with their columns, and views."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from cli.doctor.events import APPLY
from cli.doctor.finding import Finding, compare, looked_up, missing
from stockflow import schema
from stockflow.services import Services
from stockflow.settings import bundle_root

_TYPES = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}
_EVOLVE = f"{APPLY}; a column whose type changed needs `stockflow replay` into a new table"


def check(services: Services, cloud: bool) -> Iterator[Finding]:
    """Look at the tables that contracts and ``pipeline.yaml`` describe, and the views of ``warehouse/views``."""
    if cloud:
        for layer in schema.pipeline()["datasets"]:
            name = services.settings.dataset(layer)
            yield from looked_up(f"dataset {name}", APPLY, partial(_dataset, services, name))
    for (layer, table), columns in tables(services).items():
        name = services.settings.table(layer, table)
        yield from looked_up(f"table {name}", APPLY, partial(_table, services, name, columns))
    for layer, names in views(services).items():
        dataset = services.settings.dataset(layer)
        yield from looked_up(f"views of {dataset}", APPLY, partial(_views, services, dataset, names))


def tables(services: Services) -> dict[tuple[str, str], list[schema.Field]]:
    """Return (layer, table) -> columns."""
    found = {("ops", name): schema.ops_schema(table) for name, table in schema.pipeline()["ops_tables"].items()}
    for feed, contract in services.contracts.items():
        found[("raw", feed)] = schema.raw_schema(contract)
        found[("curated", feed)] = schema.curated_schema(contract)
        found[("curated", f"{feed}_history")] = schema.history_schema(contract)
    return found


def views(services: Services) -> dict[str, list[str]]:
    """Return layer -> views."""
    found: dict[str, list[str]] = {"raw": [f"{feed}_accepted" for feed in services.contracts]}
    for path in sorted((bundle_root() / "warehouse/views").glob("*/*.sql")):
        found.setdefault(path.parent.name.removeprefix("inventory_"), []).append(path.stem)
    return found


def _dataset(services: Services, name: str) -> Iterator[Finding]:
    there = services.warehouse.client.get_dataset(f"{services.settings.project}.{name}")
    yield from compare(f"dataset {name}", {"location": services.settings.location}, _location(there), APPLY)


def _location(dataset: Any) -> Mapping[str, Any]:
    return {"location": dataset.location}


def _table(services: Services, name: str, columns: list[schema.Field]) -> Iterator[Finding]:
    there = services.warehouse.client.get_table(f"{services.settings.project}.{name}")
    found = {f.name: _TYPES.get(f.field_type, f.field_type) for f in there.schema}
    expected = {c["name"]: c["type"] for c in columns}
    differs = {n: f"{found.get(n)} instead of {kind}" for n, kind in expected.items() if found.get(n) != kind}
    said = ", ".join(f"{n}: {what}" for n, what in differs.items()) or f"{len(expected)} columns"
    yield Finding(f"table {name}", f"{len(expected)} columns", said, _EVOLVE, not differs)


def _views(services: Services, dataset: str, names: list[str]) -> Iterator[Finding]:
    there = services.warehouse.client.list_tables(f"{services.settings.project}.{dataset}")
    yield from missing(names, (t.table_id for t in there), f"view {dataset}", APPLY)
