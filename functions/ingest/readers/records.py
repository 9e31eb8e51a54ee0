"""Records with names of their own (JSON objects, segments, elements) become rows; what is unknown is kept aside."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from functions.ingest.readers.batches import batch_of_records
from functions.ingest.readers.layout import column_of, constants_from_name, constants_of_sender, missing_columns
from functions.ingest.readers.misfit import takes_booleans, unfit_value
from functions.ingest.readers.model import Chunk, Facts, Found, Reject, Target, listed
from functions.ingest.readers.native import Marks
from functions.ingest.readers.nearest import absent, unused
from stockflow.contracts import normalise_header
from stockflow.errors import PermanentError

BATCH = 20_000
BATCH_TEXT = 8_000_000  # characters of values
SHAPES = 10_000
KEYS = 200  # that are remembered, for people
_encode = json.JSONEncoder(ensure_ascii=False).encode
Row = dict[str, str | None]


@dataclass(frozen=True)
class Seen:
    """What stands in the records of a part of a file: keys in their order, columns, the first record refused."""

    keys: tuple[str, ...]
    columns: frozenset[str]
    first_reject: Reject | None


class UnfitError(Exception):
    """A column whose value is an object, an array, or a boolean where none is meant."""

    def __init__(self, column: str, value: Any) -> None:
        super().__init__()
        self.column, self.value = column, value


class Records:
    """Turns records into rows; the keys of each shape of record are looked up once.

    ``standard``: whether numbers are written as a standard says, not as the sender likes it.
    """

    def __init__(self, target: Target, facts: Facts, source: Callable[[], str], standard: bool = False) -> None:
        self._target = target
        self._facts = facts
        self._source = source  # gives the text of the record that was read last
        self.marks, self._standard = Marks(target), standard
        self._shapes: dict[tuple[str, ...], dict[str, str] | PermanentError] = {}
        self._dated, self._given = constants_from_name((), target), constants_of_sender((), target)
        self.constants = {**self._given, **self._dated}  # of columns that a record does not state
        self.booleans = frozenset(c.name for c in target.contract.columns if takes_booleans(c.logical_type))
        self.names = tuple(c.name for c in target.contract.stated)
        self._seen: set[str] = set()
        self._keys: dict[str, None] = {}
        self._first_reject: Reject | None = None

    def chunks(self, found: Iterable[Found]) -> Iterator[Chunk]:
        """Yield a chunk for every ``BATCH`` records, or sooner when they are long."""
        lines: list[int] = []
        rows: list[Row] = []
        rejects: list[Reject] = []
        size = 0
        for item in found:
            row = item if isinstance(item, Reject) else self._row(*item)
            if isinstance(row, Reject):
                rejects.append(row)
                size += len(row.original_text)
            else:
                lines.append(row[0])
                rows.append(row[1])
                size += row[2]
            if len(rows) + len(rejects) == BATCH or size > BATCH_TEXT:
                yield self._chunk(lines, rows, rejects)
                lines, rows, rejects, size = [], [], [], 0
        if rows or rejects:
            yield self._chunk(lines, rows, rejects)

    def _chunk(self, lines: list[int], rows: list[Row], rejects: list[Reject]) -> Chunk:
        self.refuse(rejects)
        batch = batch_of_records(lines, rows, (*self.names, "_extra")) if rows else None
        if batch is not None and self._standard:
            batch = self.marks.batch(batch)
        return Chunk(batch, tuple(rejects))

    def _row(self, line: int, record: dict[str, Any]) -> tuple[int, Row, int] | Reject:
        """Return line, row and size of a record, or why it cannot be one."""
        columns = self.columns_of(tuple(record))
        if isinstance(columns, PermanentError):
            found = listed(columns.facts["headers"])
            return Reject(line, columns.code, columns.message, found, "", self._source())
        try:
            row = {c: v if type(v := record.pop(k)) is str else self._text(c, v) for k, c in columns.items()}
            extra = _encode(record) if record else None
        except UnfitError as error:
            return unfit_value(line, self._target.contract.column(error.column), error.value, self._source())
        except RecursionError:
            return Reject(line, "nested_too_deeply", "nested too deeply", "", "an object of values", self._source())
        if self.marks.comma:
            row = {c: v and self.marks.value(c, v) for c, v in row.items()}
        for column, value in self.constants.items():
            row.setdefault(column, value)
        row["_extra"] = extra
        return line, row, sum(map(len, filter(None, row.values())))

    def _text(self, column: str, value: Any) -> str | None:
        """Return a JSON value as text, numbers as written.

        Raises:
            UnfitError: for an object or an array, of which no text is the value, and for a boolean that is not meant.
        """
        if isinstance(value, str):
            return self.marks.value(column, value)
        if isinstance(value, (dict, list)) or (isinstance(value, bool) and column not in self.booleans):
            raise UnfitError(column, value)
        return None if value is None else _encode(value)

    def refuse(self, rejects: Iterable[Reject]) -> None:
        """Remember the first record that was refused."""
        self._first_reject = self._first_reject or next(iter(rejects), None)

    def columns_of(self, shape: tuple[str, ...]) -> dict[str, str] | PermanentError:
        """Return key -> column of records with these keys, or why there cannot be such records."""
        if shape not in self._shapes:
            self._shapes[shape] = self._columns(shape)
        return self._shapes[shape]

    def _columns(self, shape: tuple[str, ...]) -> dict[str, str] | PermanentError:
        if len(self._shapes) > SHAPES:  # keys that are data: do not remember them all
            self._shapes.clear()
        if len(self._keys) < KEYS:
            self._keys.update(dict.fromkeys(shape))
            self._facts.note(header=list(self._keys))
        try:
            columns = column_of(shape, self._target)
        except PermanentError as error:
            return error
        self._seen.update(columns.values())
        return columns

    @property
    def seen(self) -> Seen:
        """What was seen so far."""
        return Seen(tuple(self._keys), frozenset(self._seen), self._first_reject)

    def and_then(self, seen: Seen) -> None:
        """Take over what was seen in the part of the file behind this one."""
        new = [key for key in seen.keys if key not in self._keys]
        self._keys.update(dict.fromkeys(new[: KEYS - len(self._keys)] if self._keys else new))
        self._facts.note(header=list(self._keys))
        self._seen |= seen.columns
        self._first_reject = self._first_reject or seen.first_reject

    def check(self) -> None:
        """Refuse a file in which no record can be read, or none has the needed columns."""
        if not self._keys:
            raise _nothing(self._first_reject, self._target.name)
        dated = {c: d for c, d in self._dated.items() if c not in self._seen}
        if dated:
            self._facts.note(from_file_name=dated)
        given = {c: v for c, v in self._given.items() if c not in self._seen and c not in dated}
        if given:
            self._facts.note(from_sender=given)
        missing = [c for c in self._target.needed if c not in {*self._seen, *dated, *given}]
        if missing:
            raise missing_columns(missing, list(self._keys), self._target)
        self._note_unused({*self._seen, *dated, *given})

    def _note_unused(self, present: set[str]) -> None:
        """Note the keys that no column takes, and the optional measures that no key states."""
        names, known = list(self._keys), self._target.headers
        used = [i for i, name in enumerate(names) if normalise_header(name) in known]
        self._facts.note(**unused(names, used, self._target), **absent(present, self._target))


def _nothing(reject: Reject | None, name: str) -> PermanentError:
    if reject is None:
        return PermanentError("empty_file", f"{name} has no record in it")
    return PermanentError(
        "no_readable_record",
        f"{name}: no record can be read. The first one, in line {reject.line}: {reject.message}; "
        f"expected {reject.expected}",
        line=reject.line,
    )
