"""Reads a file as ingest does, and gives back plain Python."""

import io
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from functions.ingest.readers.decode import decode
from functions.ingest.readers.model import Facts, Reject, Target
from stockflow.contracts import Contract, load_contracts
from stockflow.settings import bundle_root


@cache
def contracts() -> dict[str, Contract]:
    return load_contracts(bundle_root() / "contracts")


@dataclass
class Reading:
    rows: list[dict[str, Any]] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    def check_books(self) -> None:
        """Every line of a text file is a row, a reject, blank, above the header, or part of a record."""
        if "continuation_lines" not in self.facts:
            return
        f = self.facts
        around = f["preamble_lines"] + f["header_lines"] + f["blank_lines"] + f["continuation_lines"]
        assert f["physical_lines"] == around + len(self.rows) + len(self.rejects), f


def read(
    data: bytes,
    feed: str = "sales",
    name: str = "sales/x.csv",
    limit: int = 10**9,
    declared: dict[str, Any] | None = None,
) -> Reading:
    """Read a file; ``declared``: properties that the feed's contract has besides its own."""
    facts, reading = Facts(), Reading()
    contract = contracts()[feed]
    if declared:
        contract = replace(contract, properties={**contract.properties, **declared})
    for chunk in decode(io.BytesIO(data), Target(contract, name), facts, limit):
        if chunk.batch is not None:
            reading.rows += [{"line": r.pop("_line"), **r} for r in chunk.batch.to_pylist()]
        reading.rejects += chunk.rejects
    reading.facts = facts.values
    reading.rows.sort(key=lambda r: r["line"])
    reading.rejects.sort(key=lambda r: r.line)
    return reading
