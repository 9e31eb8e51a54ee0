"""A file cut into parts that can be read side by side: byte ranges that begin with a record, with its line.

One pass goes through the file as the reader of its format does, without making rows: it finds where records start by
the reader's own rules, inside quotes and behind broken ones, too. Nothing is guessed from the middle of a file. A
format, an encoding or line ends for which that is not certain make one part.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import BinaryIO, cast

from dataflow import json_starts
from dataflow.offsets import Counted, line_feed
from functions.ingest.readers.decode import kind_in, note_kind
from functions.ingest.readers.delimited import begin, is_plain
from functions.ingest.readers.encoding import utf8_blocks
from functions.ingest.readers.json_lines import Feed
from functions.ingest.readers.json_text import Lines
from functions.ingest.readers.lines import Block
from functions.ingest.readers.model import Facts, Target
from functions.ingest.readers.source import PEEK, unpack
from functions.ingest.readers.strict import Form, Sorter
from stockflow.errors import PermanentError

PART_BYTES = 64 << 20
NO_LIMIT = 1 << 62


@dataclass(frozen=True)
class Range:
    """Bytes of a file, from ``start`` up to ``end``; the first one begins the line of that number."""

    start: int
    end: int
    line: int


@dataclass(frozen=True)
class Split:
    """How a file is read in parts: ``form`` is what delimited records are held against, None for JSON."""

    encoding: str
    ranges: tuple[Range, ...]
    form: Form | None = None


Start = tuple[int, int]  # a line with which a record begins, and the line feeds that were read from there on


def split(stream: BinaryIO, target: Target, facts: Facts, part_bytes: int = PART_BYTES) -> Split | None:
    """Return the parts of a file, of about that many bytes each; None when it is to be read as a whole.

    ``facts`` gets what concerns the file, not a part of it; they count for nothing when None is returned.

    Raises:
        PermanentError: as the reader of the format does, where the file's beginning shows that it cannot be read.
    """
    plain, packed = unpack(stream, NO_LIMIT)
    head = plain.peek(PEEK)[:PEEK]
    kind = kind_in(head, target)
    if packed or kind not in ("csv", "json"):
        return None
    facts.note(gzip=False)
    note_kind(facts, kind)
    counted = Counted(cast("BinaryIO", plain))
    if kind == "csv":
        return _delimited(counted, head, target, facts, part_bytes)
    return _json(counted, head, target, facts, part_bytes)


def _delimited(counted: Counted, head: bytes, target: Target, facts: Facts, part_bytes: int) -> Split | None:
    beginning = begin(cast("BinaryIO", counted), target, facts)
    if not _usual_lines(head, _encoding(facts)):
        return None
    form = beginning.form
    body = next(beginning.blocks)
    feed = line_feed(_encoding(facts))
    first = counted.line_start(body.count, feed) if feed else None
    if first is None:
        return None
    starts = _records(form, chain([body], beginning.blocks))
    ranges = _ranges(Range(first, first, body.line), starts, counted, facts, part_bytes)
    return Split(_encoding(facts), ranges, form) if ranges else None


def _json(counted: Counted, head: bytes, target: Target, facts: Facts, part_bytes: int) -> Split | None:
    facts.format = "json_lines"
    facts.note(physical_lines=0, blank_lines=0)
    lines = Lines(utf8_blocks(cast("BinaryIO", counted), facts, lambda _: 0))
    feed = Feed(iter(lines))
    if feed.finished() or not _usual_lines(head, _encoding(facts)):
        return None
    mark = len("\ufeff".encode(_encoding(facts))) if facts.values["byte_order_mark"] else 0
    try:
        ranges = _ranges(Range(mark, mark, 1), json_starts.starts(feed, target.name), counted, facts, part_bytes)
    except PermanentError:  # a damaged array: its reader says it better
        return None
    facts.note(physical_lines=lines.count)
    return Split(_encoding(facts), ranges) if ranges else None


def _records(form: Form, blocks: Iterator[Block]) -> Iterator[Start]:
    """Yield a record's start in each block, by the rules of ``delimited.Body``."""
    sorter, rest = Sorter(form), Block(1, b"", 0)
    for block in blocks:
        if block.too_long:
            rest = Block(block.line + 1, b"", 0)
            continue
        whole = rest.then(block)
        plain = is_plain(whole.data, form.syntax)
        used = len(whole.data) if plain else sorter.sort(whole.line, whole.data, False, whole.cut).used
        rest = whole.after(used)
        if not whole.cut:
            yield rest.line, rest.count


def _ranges(
    first: Range, starts: Iterator[Start], counted: Counted, facts: Facts, part_bytes: int
) -> tuple[Range, ...]:
    """Return the ranges from the ``first`` on, which is empty yet; none where lines cannot be told in the bytes."""
    chosen = [first]
    for line, newlines in starts:
        feed = line_feed(_encoding(facts))
        if feed is None:
            return ()
        if counted.offset - chosen[-1].start < part_bytes:
            continue
        place = counted.line_start(newlines, feed)
        if place is not None and place - chosen[-1].start >= part_bytes:
            chosen.append(Range(place, place, line))
    ends = [at.start for at in chosen[1:]] + [counted.offset]
    ranges = tuple(replace(at, end=end) for at, end in zip(chosen, ends, strict=True))
    return tuple(at for at in ranges if at.end > at.start) or ranges


def _encoding(facts: Facts) -> str:
    return str(facts.values["encoding"])


def _usual_lines(head: bytes, encoding: str) -> bool:
    r"""Whether the first line ends with ``\n`` or ``\r\n``, and so all others are read that way, too."""
    text = head.decode(encoding if line_feed(encoding) else "latin-1", "replace")
    first, found, _ = text.partition("\n")
    return bool(found) and not first.endswith("\r\r") and (first.count("\r") - first.endswith("\r")) == 0
