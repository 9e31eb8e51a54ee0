"""JSON Lines, and a JSON array of objects: numbers as written, what is unknown kept aside."""

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

from functions.ingest.readers.batches import batch_of_records
from functions.ingest.readers.encoding import utf8_blocks
from functions.ingest.readers.json_array import elements
from functions.ingest.readers.layout import column_of, constants_from_name, missing_columns
from functions.ingest.readers.lines import MAX_RECORD, blocks
from functions.ingest.readers.misfit import too_long, unreadable
from functions.ingest.readers.model import Chunk, Facts, Reject, Target, listed, shown
from stockflow.errors import PermanentError

BATCH = 20_000
Item = tuple[int, str | Reject]


class _Twice(dict[str, Any]):
    """An object in which a key stands twice."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else _Twice(found)


_encode = json.JSONEncoder(ensure_ascii=False).encode
_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=str, parse_int=str, parse_constant=str)


def read_json(stream: BinaryIO, target: Target, facts: Facts) -> Iterator[Chunk]:
    """Yield the rows and rejects of JSON Lines or of a JSON array of objects.

    A record without the business date gets the one in the file's name, if that holds exactly one.

    Raises:
        PermanentError: when no record has the columns that the contract needs, or an array is damaged.
    """
    parts = blocks(utf8_blocks(stream, facts, lambda _: 0))
    first = next(parts, None)
    if first is None or not first.data.strip():
        raise PermanentError("empty_file", f"{target.name} has no text in it")
    array = first.data.lstrip().startswith(b"[") and not _is_line(first.data)
    facts.format = "json_array" if array else "json_lines"
    facts.note(format=facts.format, physical_lines=0, blank_lines=0)
    stream_of = elements(first, parts, target.name) if array else _lines(first, parts, facts)
    yield from _Records(target, facts).chunks(stream_of)


def _is_line(data: bytes) -> bool:
    """Whether the first line is a whole JSON value: then it is a (wrong) record, not an array's start."""
    line, _, rest = data.lstrip().partition(b"\n")
    return bool(rest.strip()) and not rest.lstrip().startswith((b",", b"]")) and line.rstrip().endswith(b"]")


def _lines(first: Any, parts: Iterator[Any], facts: Facts) -> Iterator[Item]:
    block = first
    while block is not None:
        facts.count("physical_lines", block.count)
        if block.too_long:
            yield block.line, too_long(block.line, block.data, MAX_RECORD)
        else:
            for number, raw in enumerate(block.data.split(b"\n")[:-1], block.line):
                if not raw.strip():
                    facts.count("blank_lines")
                else:
                    yield number, unreadable(number, raw) or raw.decode()
        block = next(parts, None)


class _Records:
    """Turns JSON texts into rows; the keys of each shape of record are looked up once."""

    def __init__(self, target: Target, facts: Facts) -> None:
        self._target = target
        self._facts = facts
        self._shapes: dict[tuple[str, ...], dict[str, str] | PermanentError] = {}
        self._dated = constants_from_name((), target)
        self._names = tuple(c.name for c in target.contract.stated)
        self._seen: set[str] = set()
        self._keys: dict[str, None] = {}

    def chunks(self, items: Iterator[Item]) -> Iterator[Chunk]:
        """Yield a chunk for every ``BATCH`` records."""
        lines: list[int] = []
        rows: list[dict[str, str | None]] = []
        rejects: list[Reject] = []
        for line, item in items:
            row = item if isinstance(item, Reject) else self._row(line, item)
            if isinstance(row, Reject):
                rejects.append(row)
            else:
                lines.append(line)
                rows.append(row)
            if len(rows) + len(rejects) == BATCH:
                yield self._chunk(lines, rows, rejects)
                lines, rows, rejects = [], [], []
        if rows or rejects:
            yield self._chunk(lines, rows, rejects)
        self._check()

    def _chunk(self, lines: list[int], rows: list[dict[str, str | None]], rejects: list[Reject]) -> Chunk:
        batch = batch_of_records(lines, rows, (*self._names, "_extra")) if rows else None
        return Chunk(batch, tuple(rejects))

    def _row(self, line: int, text: str) -> dict[str, str | None] | Reject:
        record = _parsed(line, text)
        if isinstance(record, Reject):
            return record
        shape = tuple(record)
        if shape not in self._shapes:
            self._shapes[shape] = self._columns(shape)
        columns = self._shapes[shape]
        if isinstance(columns, PermanentError):
            return Reject(line, columns.code, columns.message, listed(columns.facts["headers"]), "", shown(text))
        row = {c: v if type(v := record.pop(k)) is str else _text(v) for k, c in columns.items()}
        for column, date in self._dated.items():
            row.setdefault(column, date)
        row["_extra"] = _encode(record) if record else None
        return row

    def _columns(self, shape: tuple[str, ...]) -> dict[str, str] | PermanentError:
        if len(self._shapes) > 10_000:  # keys that are data: do not remember them all
            self._shapes.clear()
        if len(self._keys) < 200:
            self._keys.update(dict.fromkeys(shape))
        try:
            columns = column_of(shape, self._target)
        except PermanentError as error:
            return error
        self._seen.update(columns.values())
        return columns

    def _check(self) -> None:
        """Refuse a file in which no record has the needed columns."""
        self._facts.note(header=list(self._keys))
        dated = {c: d for c, d in self._dated.items() if c not in self._seen}
        if dated:
            self._facts.note(from_file_name=dated)
        missing = [c for c in self._target.needed if c not in self._seen and c not in dated]
        if self._keys and missing:
            raise missing_columns(missing, list(self._keys), self._target)


def _parsed(line: int, text: str) -> dict[str, Any] | Reject:
    """Return the object that a text holds, or why it is none."""
    try:
        record = _DECODER.decode(text.strip())
    except (ValueError, RecursionError) as error:
        return Reject(line, "bad_json", f"no valid JSON: {error}", "", "one JSON object a line", shown(text))
    if isinstance(record, _Twice):
        return Reject(line, "duplicate_key", "a key stands twice in the object", "", "each key once", shown(text))
    if not isinstance(record, dict):
        found = type(record).__name__
        return Reject(line, "not_an_object", f"a JSON {found}, not an object", found, "an object", shown(text))
    return record


def _text(value: Any) -> str | None:
    """Return a JSON value as text: numbers as written, nested values as JSON."""
    if value is None or isinstance(value, str):
        return value
    return _encode(value)
