"""Table schemas and generated views, derived from the contracts and ``pipeline.yaml``."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from stockflow.contracts import Column, Contract
from stockflow.documents import read_yaml
from stockflow.settings import bundle_root

Field = dict[str, str]


@dataclass(frozen=True)
class Layout:
    """How a table is divided: unit and column of its partitions (both "" when there are none), and its clusters."""

    partition: tuple[str, str]
    cluster: tuple[str, ...]


def field(name: str, kind: str, description: str = "", mode: str = "NULLABLE") -> Field:
    """Return one column of a table schema, in BigQuery's JSON shape."""
    return {"name": name, "type": kind, "mode": mode, "description": description}


def raw_schema(contract: Contract) -> list[Field]:
    """Return the columns of ``inventory_raw.<feed>``: every stated column as text."""
    return [
        field("_load_id", "STRING", "The load that brought the row.", "REQUIRED"),
        field("_run_id", "STRING", "The attempt that wrote the row; it counts when the ledger names it.", "REQUIRED"),
        field("_row", "INT64", "Number of the row in its load, from 1 on.", "REQUIRED"),
        field("_line", "INT64", "Line of the file where the record starts.", "REQUIRED"),
        *(field(c.name, "STRING", c.description) for c in contract.stated),
        field("_extra", "STRING", "JSON of the columns that the contract does not know."),
        field("_ingested_at", "TIMESTAMP", "When the row was staged."),
        field("_landed_on", "DATE", "Day (UTC) on which the object landed: the partition.", "REQUIRED"),
    ]


def curated_schema(contract: Contract) -> list[Field]:
    """Return the columns of ``inventory_curated.<feed>``."""
    return [
        *(field(c.name, c.physical_type, c.description, _mode(c)) for c in contract.columns),
        field("_load_id", "STRING", "The load that stated the row."),
        field("_row", "INT64", "Number of the row in its load, from 1 on."),
        field("_line", "INT64", "Line of the file where the record starts."),
        field("_business_time", "TIMESTAMP", "When the statement was made; the newer one wins."),
        field("_generation", "INT64", "Generation of the object, the tie-break of the business time."),
        field("_updated_at", "TIMESTAMP", "When the row was written here."),
    ]


def history_schema(contract: Contract) -> list[Field]:
    """Return the columns of ``inventory_curated.<feed>_history``: every typed statement, whether it counts or not."""
    replaced = field("_replaced_by", "STRING", "The load of a newer generation of the same file, if it replaces this.")
    return [*curated_schema(contract), replaced]


def _mode(_column: Column) -> str:
    # Emulator and load jobs check REQUIRED differently; the expectation suite is what checks it.
    return "NULLABLE"


def pipeline(path: Path | None = None) -> dict[str, Any]:
    """Return ``pipeline.yaml``, parsed once: nobody changes what this returns."""
    text = (path or bundle_root() / "pipeline.yaml").read_text(encoding="utf-8")
    return _parsed(text)


@cache
def _parsed(text: str) -> dict[str, Any]:
    loaded: dict[str, Any] = read_yaml(text)
    return loaded


def ops_schema(table: dict[str, Any]) -> list[Field]:
    """Return the columns of one table under ``ops_tables`` of ``pipeline.yaml``."""
    return [field(c["name"], c["type"], c.get("description", ""), c.get("mode", "NULLABLE")) for c in table["columns"]]


def schemas(contracts: Mapping[str, Contract]) -> dict[str, list[Field]]:
    """Return ``dataset.table`` -> its columns, of the ledger and of each feed."""
    found = {f"inventory_ops.{name}": ops_schema(table) for name, table in pipeline()["ops_tables"].items()}
    for feed, contract in contracts.items():
        found[f"inventory_raw.{feed}"] = raw_schema(contract)
        found[f"inventory_curated.{feed}"] = curated_schema(contract)
        found[f"inventory_curated.{feed}_history"] = history_schema(contract)
    return found


def accepted_view(contract: Contract) -> str:
    """Return the body of view ``inventory_raw.<feed>_accepted``: the rows that passed validation."""
    template = bundle_root() / "warehouse" / "templates" / "accepted.sql"
    return template.read_text(encoding="utf-8").replace("{feed}", contract.feed)
