"""Reads a file of any columns as ingest does: its contract is made of the names of its columns."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from functions.ingest.readers.decode import decode
from functions.ingest.readers.model import Facts, Reject, Target
from stockflow.contracts import Contract, load_contract
from stockflow.errors import PermanentError

LIMIT = 10**8


@dataclass
class Reading:
    """What became of a file: its rows by the names of the columns, its rejects, or the code that refuses it."""

    rows: list[dict[str, str]] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    refused: str = ""
    extra: list[str | None] = field(default_factory=list)

    @property
    def codes(self) -> set[str]:
        """Why it, or some of its lines, are refused."""
        return {r.code for r in self.rejects} | ({self.refused} if self.refused else set())


def contract_of(names: Sequence[str], kinds: dict[str, str], properties: dict[str, Any]) -> Contract:
    """Return the contract of a feed with these columns; texts, but for ``kinds``. The first one is the key."""
    key = {"required": True, "primaryKey": True, "primaryKeyPosition": 1}
    columns = [
        {
            "name": f"column_{i}",
            "logicalType": kinds.get(name, "string"),
            "physicalType": "DATE" if kinds.get(name) == "date" else "STRING",
            "customProperties": [{"property": "aliases", "value": [name]}],
            **(key if i == 0 else {}),
        }
        for i, name in enumerate(names)
    ]
    document = {
        "apiVersion": "v3.0.2", "kind": "DataContract", "id": "suite", "name": "Suite", "version": "1.0.0",
        "schema": [{"name": "suite", "logicalType": "object", "properties": columns}],
        "customProperties": [{"property": k, "value": v} for k, v in {"kind": "fact", **properties}.items()],
    }  # fmt: skip
    with TemporaryDirectory() as folder:
        path = Path(folder) / "suite.yaml"
        path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
        return load_contract(path)


def read(
    data: bytes, names: Sequence[str], file: str, kinds: dict[str, str] | None = None, sheet: str | None = None
) -> Reading:
    """Read a file with these columns, a workbook's sheet of that name."""
    reading = Reading()
    target = Target(contract_of(names, kinds or {}, {"sheet": sheet} if sheet else {}), f"suite/{file}")
    try:
        for chunk in decode(io.BytesIO(data), target, Facts(), LIMIT):
            for row in chunk.batch.to_pylist() if chunk.batch is not None else []:
                reading.rows.append({name: row.get(f"column_{i}") or "" for i, name in enumerate(names)})
                reading.extra.append(row.get("_extra"))
            reading.rejects += chunk.rejects
    except PermanentError as error:
        reading.refused = error.code
    return reading
