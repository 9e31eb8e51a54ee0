"""This project's catalogue: what ``contracts/``, ``pipeline.yaml`` and ``warehouse/`` make in BigQuery."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

from cli.googlesql.catalogue import Catalogue, Columns, Fault, define, typed
from functions.kpi.refresh import views_by_name
from stockflow import schema
from stockflow.contracts import load_contracts
from stockflow.settings import bundle_root


@dataclass(frozen=True)
class Project:
    """The catalogue, and ``dataset.name`` -> what the analyzer refuses in that routine or view."""

    catalogue: Catalogue
    faults: Mapping[str, list[Fault]]


@cache
def project() -> Project:
    """Return the catalogue of this checkout: tables, then routines, then views, each after what it names."""
    texts = {**_routines(), **_views()}
    catalogue, found = Catalogue(dict(_tables())), {}
    for name in _in_order(texts):
        found[name], catalogue = define(texts[name], catalogue)
    return Project(catalogue, {name: faults for name, faults in found.items() if faults})


def _tables() -> Iterator[tuple[str, Columns]]:
    for feed, contract in load_contracts(bundle_root() / "contracts").items():
        curated = _columns(schema.curated_schema(contract))
        yield f"inventory_raw.{feed}", _columns(schema.raw_schema(contract))
        yield f"inventory_curated.{feed}", curated
        yield f"inventory_curated.{feed}_history", _columns(schema.history_schema(contract))
    for name, table in schema.pipeline()["ops_tables"].items():
        yield f"inventory_ops.{name}", _columns(schema.ops_schema(table))
    for name, table in kpi_tables().items():
        yield f"inventory_kpi.{name}", _columns(table["schema"])


def kpi_tables() -> dict[str, dict[str, list[schema.Field]]]:
    """Return ``warehouse/kpi_tables.json``: the empty tables of the KPIs, as Terraform makes them."""
    text = (bundle_root() / "warehouse" / "kpi_tables.json").read_text(encoding="utf-8")
    found: dict[str, dict[str, list[schema.Field]]] = json.loads(text)
    return found


def _columns(fields: list[schema.Field]) -> Columns:
    return typed((c["name"], c["type"]) for c in fields)


def _routines() -> dict[str, str]:
    folder = bundle_root() / "warehouse" / "routines"
    return {_qualified(p): p.read_text(encoding="utf-8").rstrip().rstrip(";") for p in folder.glob("*/*.sql")}


def _views() -> dict[str, str]:
    """Views as ``CREATE VIEW``, on the line of their first one, so that the analyzer's lines are the file's."""
    bodies = dict(views_by_name())
    for feed, contract in load_contracts(bundle_root() / "contracts").items():
        bodies[f"inventory_raw.{feed}_accepted"] = schema.accepted_view(contract)
    return {name: f"CREATE OR REPLACE VIEW {name} AS {body}" for name, body in bodies.items()}


def _qualified(path: Path) -> str:
    return f"{path.parent.name}.{path.stem}"


def _in_order(texts: Mapping[str, str]) -> list[str]:
    named = {name: set(re.findall(r"\binventory_\w+\.\w+", text)) for name, text in texts.items()}
    return list(TopologicalSorter({n: (named[n] & texts.keys()) - {n} for n in sorted(texts)}).static_order())
