"""JSON Lines, concatenated objects and arrays of objects: numbers as written, what is unknown kept aside."""

from collections.abc import Iterator
from typing import BinaryIO

from functions.ingest.readers.encoding import utf8_blocks
from functions.ingest.readers.json_text import Lines
from functions.ingest.readers.json_values import Values
from functions.ingest.readers.model import Chunk, Facts, Target
from functions.ingest.readers.records import Records


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
    values = Values(lines, target.name, facts)
    records = Records(target, facts, values.source)
    yield from records.chunks(values)
    facts.note(format=facts.format, physical_lines=lines.count)
    records.check()
