"""Rows of a load for tests and benchmarks, without an environment."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from functions.validate.rows import EXTRA, LINE, ROW, pieces
from stockflow.contracts import Contract


@dataclass(frozen=True)
class Table:
    """Rows that are in memory."""

    table: pa.Table

    @property
    def count(self) -> int:
        """How many there are."""
        return int(self.table.num_rows)

    def pieces(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield the rows in pieces."""
        yield from pieces([self.table.select(columns)])


def table(contract: Contract, columns: Mapping[str, Sequence[Any]], count: int, first_line: int = 2) -> pa.Table:
    """Return raw rows with these texts; the columns that are not given are empty."""
    names = [c.name for c in contract.stated]
    data = {
        ROW: pa.array(range(1, count + 1), pa.int64()),
        LINE: pa.array(columns.get(LINE, range(first_line, count + first_line)), pa.int64()),
        **{n: pa.array(columns[n], pa.string()) if n in columns else pa.nulls(count, pa.string()) for n in names},
        EXTRA: pa.array(columns[EXTRA], pa.string()) if EXTRA in columns else pa.nulls(count, pa.string()),
    }
    return pa.table(data)
