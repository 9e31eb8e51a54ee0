"""Rows of text become Arrow batches: ``_line``, the contract's columns, and ``_extra`` as JSON text."""

import json
from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from functions.ingest.readers.arrow import TEXT, integers, text, texts
from functions.ingest.readers.layout import Layout

Columns = tuple[pa.Array, list[pa.Array]]  # line numbers, and a column for each position of the header

_NEEDS_ESCAPE = r'[\\"\x00-\x1f]'


def batch_of(layout: Layout, lines: pa.Array, cells: Sequence[pa.Array]) -> pa.RecordBatch:
    """Return a batch from columns of text in the order of the file."""
    arrays = {"_line": lines} | {name: cells[i] for i, name in layout.columns.items()}
    for name, value in layout.constants.items():
        arrays[name] = pa.repeat(text(value), len(lines))
    if layout.extras:
        arrays["_extra"] = _extra(layout, cells, len(lines))
    return pa.RecordBatch.from_pydict(arrays)


def batch_of_rows(layout: Layout, lines: Sequence[int], rows: Sequence[Sequence[str | None]]) -> pa.RecordBatch:
    """Return a batch from rows of text."""
    columns = zip(*rows, strict=True)
    return batch_of(layout, integers(lines), [texts(c) for c in columns])


def merged(table: Columns | None, rows: Sequence[tuple[int, list[str]]]) -> Columns:
    """Return the columns of a table and of rows of text, each with its line, in the order of the lines."""
    if not rows:
        return table or (integers([]), [])
    lines = integers([line for line, _ in rows])
    columns = [texts(c) for c in zip(*(cells for _, cells in rows), strict=True)]
    if table is None or not len(table[0]):
        in_order = [line for line, _ in rows] == sorted(line for line, _ in rows)
    else:
        in_order = False
        lines = pa.concat_arrays([table[0], lines])
        columns = [pa.concat_arrays(pair) for pair in zip(table[1], columns, strict=True)]
    if in_order:
        return lines, columns
    order = pc.sort_indices(lines)
    return lines.take(order), [c.take(order) for c in columns]


def batch_of_records(
    lines: Sequence[int], records: Sequence[Mapping[str, str | None]], names: Sequence[str]
) -> pa.RecordBatch:
    """Return a batch from records that each have some of the named columns."""
    arrays = {"_line": integers(lines)}
    for name in names:
        arrays[name] = texts([r.get(name) for r in records])
    return pa.RecordBatch.from_pydict(arrays)


def _extra(layout: Layout, cells: Sequence[pa.Array], count: int) -> pa.Array:
    parts: list[pa.Array | pa.Scalar] = []
    for position, key in layout.extras.items():
        if layout.header[position].strip() or pc.any(pc.not_equal(cells[position], text(""))).as_py():
            parts += [text(f"{', ' if parts else '{'}{json.dumps(key, ensure_ascii=False)}: "), _json(cells[position])]
    if not parts:
        return pa.nulls(count, TEXT)
    return pc.binary_join_element_wise(*parts, text("}"), text(""))


def _json(values: pa.Array) -> pa.Array:
    """Return each value as a JSON string; NULL as null."""
    if pc.any(pc.match_substring_regex(values, _NEEDS_ESCAPE)).as_py():
        return texts([json.dumps(v, ensure_ascii=False) for v in values.to_pylist()])
    quoted = pc.binary_join_element_wise(text('"'), values, text('"'), text(""))
    return quoted.fill_null(text("null")) if quoted.null_count else quoted
