"""Refused rows as Arrow tables: of 50,000 as cheap as of 50. Pure."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import compute as pc

from functions.validate.model import Check
from functions.validate.rows import LINE, ROW
from functions.validate.texts import Texts

_WORDS = ("rule", "column_name", "value", "expected", "message", "severity")
SCHEMA = pa.schema([("row", pa.int64()), ("line", pa.int64()), *((name, pa.string()) for name in _WORDS)])
NOTHING = SCHEMA.empty_table()
_ESCAPED = r'["\\\x00-\x1f\x7f]'  # in JSON
MOST_CELL = 20_000  # characters of a cell in the quarantine; the raw table has them all


def refusals(check: Check, places: npt.NDArray[np.intp], batch: pa.RecordBatch) -> pa.Table:
    """Return the verdicts of a check on the rows at these places of a batch."""
    taken = pa.array(places, pa.int64())
    count = len(places)
    value = batch.column(check.column).take(taken) if check.column else pa.nulls(count, pa.string())
    words = (check.rule, check.column, None, check.expected, check.message, check.severity)
    said = {n: pa.repeat(pa.scalar(w, pa.string()), count) for n, w in zip(_WORDS, words, strict=True)}
    said["value"] = pc.utf8_slice_codeunits(value, 0, MOST_CELL)
    columns = {"row": batch.column(ROW).take(taken), "line": batch.column(LINE).take(taken), **said}
    return pa.table(columns, schema=SCHEMA)


def with_originals(verdicts: Sequence[pa.Table], batch: pa.RecordBatch) -> pa.Table:
    """Return all verdicts on a batch by row and rule, with ``original_row``: the row as JSON, blank cells left out."""
    table = pa.concat_tables(verdicts).sort_by([("row", "ascending"), ("rule", "ascending")])
    rows = pc.unique(table["row"])
    refused = batch.take(pc.index_in(rows, value_set=batch.column(ROW)))
    return table.append_column("original_row", _json(refused).take(pc.index_in(table["row"], value_set=rows)))


def _json(batch: pa.RecordBatch) -> pa.Array:
    """Return each row as a JSON object of its cells."""
    cells: list[Any] = [_cells(name, batch.column(name)) for name in batch.schema.names if name not in (ROW, LINE)]
    joined = pc.binary_join_element_wise(*cells, ", ", null_handling="skip")
    return pc.binary_join_element_wise("{", joined, "}", "")


def _cells(name: str, column: pa.Array) -> pa.Array:
    """Return ``"name": "text"`` for each cell that is not NULL; only a text with signs to escape is looked at."""
    texts, key = Texts.of(column), json.dumps(name, ensure_ascii=False)
    plain = pc.utf8_slice_codeunits(texts.distinct, 0, MOST_CELL)
    escape = texts.matching(_ESCAPED)
    written = pc.binary_join_element_wise(f'{key}: "', plain, '"', "")
    if escape.any():
        cells = [f"{key}: {json.dumps(t[:MOST_CELL], ensure_ascii=False)}" for _, t in texts.where(escape)]
        written = pc.replace_with_mask(written, pa.array(escape), pa.array(cells, pa.string()))
    return written.take(pa.array(texts.codes, mask=texts.codes < 0))
