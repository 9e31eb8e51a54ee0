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
_ESCAPED = r'["\\\x00-\x1f\x7f]'  # in JSON
_TO_ESCAPE = np.isin(np.arange(256), [*range(32), 34, 92, 127])  # the same signs, as bytes of UTF-8
Places = npt.NDArray[np.intp]
MOST_CELL = 20_000  # characters of a cell in the quarantine; the raw table has them all


def refusals(check: Check, places: Places, batch: pa.RecordBatch) -> pa.Table:
    """Return the verdicts of a check on the rows at these places of a batch."""
    return _verdicts([(check, places)], np.arange(len(places)), batch).cast(SCHEMA)


def with_originals(found: Sequence[tuple[Check, Places]], batch: pa.RecordBatch) -> pa.Table:
    """Return all verdicts on a batch by row and rule, with ``original_row``: the row as JSON, blank cells left out.

    ``found`` are the places in the batch that each check refuses. What a check says of
    each row, and a row that several refuse, is a dictionary's.
    """
    by_rule = sorted(found, key=lambda pair: pair[0].rule)
    places = _joined([places for _, places in by_rule])
    order = np.argsort(places, kind="stable")
    ordered = places[order]
    first = np.diff(ordered, prepend=-1) > 0  # of each row that is refused
    texts = _json(_rows(batch, ordered[first]))
    originals = pa.DictionaryArray.from_arrays(np.cumsum(first) - 1, texts)
    return _verdicts(by_rule, order, batch).append_column("original_row", originals)


def _verdicts(found: Sequence[tuple[Check, Places]], order: Places, batch: pa.RecordBatch) -> pa.Table:
    checks = [check for check, _ in found]
    places = pa.array(_joined([places for _, places in found])[order])
    number = np.repeat(np.arange(len(found), dtype=np.int8), [len(places) for _, places in found])[order]
    said = {
        "rule": [c.rule for c in checks], "column_name": [c.column for c in checks],
        "expected": [c.expected for c in checks], "message": [c.message for c in checks],
        "severity": [c.severity for c in checks],
    }  # fmt: skip
    words = {n: pa.DictionaryArray.from_arrays(number, pa.array(w, pa.string())) for n, w in said.items()}
    values = [_value(check, places, batch) for check, places in found]
    words["value"] = pa.concat_arrays([pa.nulls(0, pa.string()), *values]).take(pa.array(order))
    return pa.table(
        {"row": batch.column(ROW).take(places), "line": batch.column(LINE).take(places)}
        | {name: words[name] for name in _WORDS}
    )


def _value(check: Check, places: Places, batch: pa.RecordBatch) -> pa.Array:
    if not check.column:
        return pa.nulls(len(places), pa.string())
    return pc.utf8_slice_codeunits(batch.column(check.column).take(pa.array(places)), 0, MOST_CELL)


def _joined(places: Sequence[Places]) -> Places:
    return np.concatenate([np.empty(0, np.intp), *places])


def _rows(batch: pa.RecordBatch, places: Places) -> pa.RecordBatch:
    return batch if len(places) == batch.num_rows else batch.take(pa.array(places))


def _json(batch: pa.RecordBatch) -> pa.Array:
    """Return each row as a JSON object of its cells; those that are NULL are left out."""
    columns = [(name, batch.column(name)) for name in batch.schema.names if name not in (ROW, LINE)]
    present = [(json.dumps(name, ensure_ascii=False), c) for name, c in columns if c.null_count < len(c)]
    parts: list[Any] = []
    text = "{"
    for number, (key, column) in enumerate(present):
        comma = ", " if number else ""
        if column.null_count or not _is_plain(column):
            if not number:
                return _with_gaps(present)
            parts += [text, _cells(f"{comma}{key}", column)]
            text = ""
        else:
            parts += [f'{text}{comma}{key}: "', column]
            text = '"'
    if not parts:
        return pa.repeat(pa.scalar("{}"), batch.num_rows)
    return pc.binary_join_element_wise(*parts, text + "}", "", null_handling="replace", null_replacement="")


def _with_gaps(present: Sequence[tuple[str, pa.Array]]) -> pa.Array:
    """Return the rows when nothing is known to be in each of them: which cell is the first differs."""
    cells: list[Any] = [_cells(key, column) for key, column in present]
    joined = pc.binary_join_element_wise(*cells, ", ", null_handling="skip")
    return pc.binary_join_element_wise("{", joined, "}", "")


def _cells(key: str, column: pa.Array) -> pa.Array:
    """Return ``"name": "text"`` for each cell that is not NULL; only a text with signs to escape is looked at."""
    if _is_plain(column):
        return pc.binary_join_element_wise(f'{key}: "', column, '"', "")
    texts = Texts.of(column)
    plain = pc.utf8_slice_codeunits(texts.distinct, 0, MOST_CELL)
    escape = texts.matching(_ESCAPED)
    written = pc.binary_join_element_wise(f'{key}: "', plain, '"', "")
    if escape.any():
        cells = [f"{key}: {json.dumps(t[:MOST_CELL], ensure_ascii=False)}" for _, t in texts.where(escape)]
        written = pc.replace_with_mask(written, pa.array(escape), pa.array(cells, pa.string()))
    return written.take(pa.array(texts.codes, mask=texts.codes < 0))


def _is_plain(column: pa.Array) -> bool:
    """Whether no text of a column is long or has a sign to escape: its bytes are looked at together."""
    _, offsets, data = column.buffers()
    if data is None:
        return True
    ends = np.frombuffer(offsets, np.int32)[column.offset : column.offset + len(column) + 1]
    if not len(column) or int(np.diff(ends).max()) > MOST_CELL:
        return not len(column)
    return not _TO_ESCAPE[np.frombuffer(data, np.uint8)[ends[0] : ends[-1]]].any()
