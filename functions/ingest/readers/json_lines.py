"""JSON Lines, concatenated objects and arrays of objects: numbers as written, what is unknown kept aside.

Lines that are written alike are read by column (``json_clean``), any other one by the strict reader (``json_values``).
"""

import re
from collections.abc import Generator, Iterable, Iterator
from dataclasses import replace
from typing import BinaryIO

import pyarrow as pa

from functions.ingest.readers.encoding import is_text, utf8_blocks
from functions.ingest.readers.json_booleans import without_booleans
from functions.ingest.readers.json_clean import Template, batch_of_run
from functions.ingest.readers.json_text import Lines
from functions.ingest.readers.json_values import Values
from functions.ingest.readers.model import Chunk, Facts, Found, Reject, Target
from functions.ingest.readers.records import BATCH, BATCH_TEXT, Records
from stockflow.errors import PermanentError

PIECE = 65_536  # bytes that the strict reader is given at a time
WAIT = 1 << 20  # bytes without a line end after which the strict reader goes on
SHORT = 32  # lines; a shorter run is not worth its columns
SLOW = 200  # odd lines and short runs, after which they may be one in a hundred lines
_REST = re.compile(r"[ \t\r]*\n")


def read_json(stream: BinaryIO, target: Target, facts: Facts) -> Iterator[Chunk]:
    """Yield the rows and rejects of JSON objects: one a line, one behind the other, or in arrays.

    ``_line`` is the line in which a record starts: several may start in one. A record without the business
    date gets the one in the file's name, if that holds exactly one.

    Raises:
        PermanentError: when no record has the columns that the contract needs, or an array is damaged.
    """
    facts.format = "json_lines"
    facts.note(physical_lines=0, blank_lines=0)
    lines = Lines(utf8_blocks(stream, facts, lambda _: 0))
    reader = Reader(Feed(iter(lines)), target, facts)
    yield from joined(reader.chunks())
    facts.note(format=facts.format, physical_lines=lines.count)
    reader.records.check()


class Feed:
    """The bytes of a file, from a place on; what the strict reader did not use is given back."""

    def __init__(self, parts: Iterator[bytes], line: int = 1) -> None:
        self._parts = parts
        self.data, self.place, self.line = b"", 0, line
        self.ended = False
        self.decodes = True  # whether the data are valid UTF-8
        self.whole = True  # whether the last piece ended with a line

    def more(self) -> None:
        """Read on, and let go of what was used."""
        part = next(self._parts, None)
        self.ended = part is None
        self.data, self.place = self.data[self.place :] + (part or b""), 0
        self.decodes = is_text(self.data[: self.data.rfind(b"\n") + 1])

    def finished(self) -> bool:
        """Whether nothing is left."""
        while self.place >= len(self.data) and not self.ended:
            self.more()
        return self.place >= len(self.data)

    def piece(self) -> bytes:
        """Return the rest of a line, or a part of it; empty at the end of the file."""
        while self.data.find(b"\n", self.place) < 0 and len(self.data) - self.place < PIECE and not self.ended:
            self.more()
        end = self.data.find(b"\n", self.place, self.place + PIECE) + 1
        found = self.data[self.place : end or self.place + PIECE]
        self.place += len(found)
        self.whole = bool(end)
        return found

    def regained(self, values: Values) -> bool:
        """Whether the record that was read last ended its line; what is behind that line was given back then."""
        rest = _REST.match(values.rest) if self.whole and not values.in_array else None
        if rest is None:
            return False
        self.give_back(values.rest[rest.end() :].encode("utf-8", "surrogateescape"))
        self.line = values.line + 1
        return True

    def waits(self) -> bool:
        """Whether the line has no end yet."""
        return not self.ended and len(self.data) - self.place < WAIT and self.data.find(b"\n", self.place) < 0

    def give_back(self, rest: bytes) -> None:
        """Take back the end of what was given."""
        if self.place >= len(rest):
            self.place -= len(rest)
        else:
            self.data, self.place = rest + self.data[self.place :], 0


class Reader:
    """Reads runs by column and what is between them strictly, in the order of the file."""

    def __init__(self, feed: Feed, target: Target, facts: Facts) -> None:
        self._feed, self._target, self._facts = feed, target, facts
        self._values: Values | None = None
        self._template: Template | None = None
        self._slow = 0
        self.records = Records(target, facts, lambda: self._values.source() if self._values else "")

    def chunks(self) -> Iterator[Chunk]:
        """Yield a chunk a run, and one for each record that was read strictly."""
        while not self._feed.finished():
            chunk = self._run()
            if chunk is not None:
                yield chunk
            elif self._feed.waits():
                self._feed.more()
            elif (yield from self._strict()):
                return

    def _run(self) -> Chunk | None:
        feed = self._feed
        if self._gave_up():
            return None
        template, end, alike = self._template, feed.place, False
        if template:
            end, alike = template.run(feed.data, feed.place, feed.decodes)
        if end == feed.place and (template := Template.of(feed.data, feed.place)):
            end, alike = template.run(feed.data, feed.place, feed.decodes)
        if template is None or end == feed.place:
            return None
        columns = self.records.columns_of(template.keys)
        if isinstance(columns, PermanentError):
            return None
        run = feed.data[feed.place : end]
        written = template.columns(run, alike)
        named, constants = self.records.names, self.records.constants
        marks = self.records.marks
        written = [
            replace(v, values=marks.array(v.values)) if columns.get(k) in marks.columns and not v.bare else v
            for k, v in zip(template.keys, written, strict=True)
        ]
        batch = batch_of_run(written, template.keys, columns, named, constants, feed.line)
        self._template, feed.place, feed.line = template, end, feed.line + len(batch)
        self._slow += len(batch) < SHORT
        by_key = dict(zip(template.keys, written, strict=True))
        chunk = without_booleans(batch, run, {c: by_key[k] for k, c in columns.items()}, self._target.contract)
        self.records.refuse(chunk.rejects)
        return chunk

    def _gave_up(self) -> bool:
        """Whether lines are written so differently that looking for runs costs more than it saves."""
        return self._slow > max(SLOW, self._feed.line // 100)

    def _strict(self) -> Generator[Chunk, None, bool]:
        """Read strictly up to the end of a line behind a record; return whether that was the end of the file."""
        feed = self._feed
        values = self._values = Values(iter(feed.piece, b""), self._target.name, self._facts, feed.line)
        self._slow += 1
        if self._gave_up():
            yield from self.records.chunks(values)
            return True
        behind = _Line(values, feed)
        yield from self.records.chunks(behind)
        return not behind.regained


class _Line:
    """The records of a line, of several where an array or a long record ends on another one."""

    def __init__(self, values: Values, feed: Feed) -> None:
        self._values, self._feed = values, feed
        self.regained = False  # whether the line ended, so that another one may be read by column

    def __iter__(self) -> Iterator[Found]:
        for found in self._values:
            yield found
            if self._feed.regained(self._values):
                self.regained = True
                return


def joined(chunks: Iterable[Chunk]) -> Iterator[Chunk]:
    """Yield larger chunks of small ones."""
    batches: list[pa.RecordBatch] = []
    rejects: list[Reject] = []
    size = rows = 0
    for chunk in chunks:
        if chunk.batch is not None:
            batches.append(chunk.batch)
            rows += len(chunk.batch)
            size += chunk.batch.nbytes
        rejects += chunk.rejects
        size += sum(len(r.original_text) for r in chunk.rejects)
        if size > BATCH_TEXT or rows >= BATCH or len(rejects) >= BATCH:
            yield _joint(batches, rejects)
            batches, rejects, size, rows = [], [], 0, 0
    if batches or rejects:
        yield _joint(batches, rejects)


def _joint(batches: list[pa.RecordBatch], rejects: list[Reject]) -> Chunk:
    if len(batches) < 2:
        return Chunk(batches[0] if batches else None, tuple(rejects))
    return Chunk(pa.Table.from_batches(batches).combine_chunks().to_batches()[0], tuple(rejects))
