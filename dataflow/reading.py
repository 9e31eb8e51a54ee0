"""One part of a file becomes rows and rejects; what the parts found becomes what the whole says of itself."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from dataflow.split import Range, Split
from functions.ingest.readers import encoding
from functions.ingest.readers.delimited import Body
from functions.ingest.readers.json_lines import Feed, Reader, joined
from functions.ingest.readers.lines import numbered
from functions.ingest.readers.model import Chunk, Facts, Target
from functions.ingest.readers.records import Records, Seen
from functions.ingest.readers.trailer import Trailer

COUNTERS = ("physical_lines", "blank_lines", "continuation_lines", "short_lines")


@dataclass
class Part:
    """What a part said of itself: its facts, its count for the file's trailer (CSV), what JSON records hold."""

    facts: Facts = field(default_factory=Facts)
    trailer: Trailer | None = None
    seen: Seen | None = None


def read_part(stream: BinaryIO, at: Range, how: Split, target: Target, part: Part) -> Iterator[Chunk]:
    """Yield the rows and rejects of one range; ``stream`` holds its bytes and no others. ``part`` fills up.

    Raises:
        PermanentError: what refuses the file as a whole.
    """
    code = "utf-8" if how.encoding == "ascii" else how.encoding
    text = encoding.transcoded(stream.read(encoding.BLOCK), stream, code)
    if how.form is None:
        reader = Reader(Feed(iter(text), at.line), target, part.facts)
        yield from joined(reader.chunks())
        part.seen = reader.records.seen
        return
    part.trailer = Trailer(target.name)
    yield from Body(how.form, part.facts, part.trailer).chunks(numbered(text, at.line))


def put_together(parts: Sequence[Part], facts: Facts, target: Target) -> None:
    """Add to the ``facts`` of a file what its parts found, in their order.

    Raises:
        PermanentError: what only the whole shows: a trailer that counts other records, columns that are in no record.
    """
    for name in COUNTERS:
        found: list[Any] = [p.facts.values[name] for p in parts if name in p.facts.values]
        if found:
            facts.count(name, sum(found))
    if trailers := [p.trailer for p in parts if p.trailer]:
        whole = trailers[0]
        for trailer in trailers[1:]:
            whole = whole.and_then(trailer)
        facts.note(**whole.checked())
        return
    if any(p.facts.format == "json_array" for p in parts):
        facts.format = "json_array"
    facts.note(format=facts.format)
    records = Records(target, facts, str)
    for part in parts:
        if part.seen:
            records.and_then(part.seen)
    records.check()
