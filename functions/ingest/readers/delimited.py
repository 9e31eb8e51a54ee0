"""CSV and its relatives: any delimiter, any encoding, line numbers and original text always kept."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import BinaryIO

from functions.ingest.readers import misfit
from functions.ingest.readers.arrow import integers
from functions.ingest.readers.batches import batch_of, batch_of_rows
from functions.ingest.readers.careful import Sorted, Sorter
from functions.ingest.readers.dialect import Dialect, sniff
from functions.ingest.readers.encoding import is_text, readable, utf8_blocks
from functions.ingest.readers.fast import all_equal, parse
from functions.ingest.readers.layout import Layout, layout, recognised
from functions.ingest.readers.lines import MAX_RECORD, Block, blocks
from functions.ingest.readers.model import Chunk, Facts, Reject, Target, shown
from stockflow.errors import PermanentError

KEPT_PREAMBLE = 10


def read_delimited(stream: BinaryIO, target: Target, facts: Facts) -> Iterator[Chunk]:
    """Yield the rows and rejects of a delimited text file, in bounded memory.

    Raises:
        PermanentError: when the header does not give the columns that the contract needs.
    """
    parts = blocks(utf8_blocks(stream, facts, lambda text: _known_headers(text, target)))
    first = next(parts, None)
    if first is None or not first.data.strip():
        raise PermanentError("empty_file", f"{target.name} has no text in it")
    dialect = sniff(first.data, target)
    plan = layout(dialect.header, target)
    _describe(facts, dialect, plan, first.data)
    body = first.after(min(dialect.end, len(first.data)))
    yield from _Body(plan, dialect.delimiter, facts).chunks(chain([body], parts))


def _known_headers(text: str, target: Target) -> int:
    """Return how many known headers one of the first lines has, whatever the delimiter."""
    lines = text[:16_384].split("\n")[:50]
    cells = [line.strip("\r").replace('"', "").split(d) for line in lines for d in ",;\t|"]
    return max(recognised(c, target) for c in cells)


def _describe(facts: Facts, dialect: Dialect, plan: Layout, data: bytes) -> None:
    above = data[: dialect.start].split(b"\n")[:-1]
    end = min(dialect.end, len(data))
    facts.note(
        delimiter=dialect.delimiter.decode(),
        header=list(dialect.header),
        header_line=dialect.line,
        header_lines=data.count(b"\n", dialect.start, end),
        preamble_lines=len(above),
        physical_lines=data.count(b"\n", 0, end),
        blank_lines=0,
        continuation_lines=0,
        **plan.notes,
    )
    if any(line.strip() for line in above):
        facts.note(preamble=[shown(readable(line.strip(b"\r"))) for line in above[:KEPT_PREAMBLE]])


class _Body:
    """What stands below the header."""

    def __init__(self, plan: Layout, delimiter: bytes, facts: Facts) -> None:
        self._plan = plan
        self._delimiter = delimiter
        self._facts = facts
        self._sorter = Sorter(delimiter, plan.width)
        self._blank = ("",) * plan.width

    def chunks(self, parts: Iterable[Block]) -> Iterator[Chunk]:
        """Yield a chunk a block; a record that is not whole yet is carried over to the next block."""
        rest = Block(1, b"", 0)
        for block in parts:
            self._facts.count("physical_lines", block.count)
            if block.too_long:
                yield from self._last(rest)
                rest = Block(block.line + 1, b"", 0)
                yield Chunk(rejects=(misfit.too_long(block.line, block.data, MAX_RECORD),))
                continue
            whole = rest.then(block)
            used, chunks = self._block(whole, final=False)
            yield from chunks
            rest = whole.after(used)
        yield from self._last(rest)

    def _last(self, rest: Block) -> Iterator[Chunk]:
        if rest.data:
            yield from self._block(rest, final=True)[1]

    def _block(self, block: Block, final: bool) -> tuple[int, list[Chunk]]:
        if not block.data:  # only a header
            return 0, []
        if _is_plain(block.data):
            lines = range(block.line, block.line + block.count)
            return len(block.data), [self._parsed(block.data, lines)]
        found = self._sorter.sort(block.line, block.data, final)
        chunks = [self._parsed(b"".join(found.plain), found.lines)] if found.plain else []
        return found.used, [*chunks, self._read(found)]

    def _read(self, found: Sorted) -> Chunk:
        """Return what the careful road read itself."""
        self._facts.count("blank_lines", found.blank)
        self._facts.count("continuation_lines", found.continued)
        batch = None
        if found.rows:
            batch = batch_of_rows(self._plan, [n for n, _ in found.rows], [cells for _, cells in found.rows])
        return Chunk(batch, tuple(found.rejects))

    def _parsed(self, data: bytes, lines: range | list[int]) -> Chunk:
        """Return what the fast parser makes of plain lines, without blank lines and repeated headers."""
        parsed = parse(data, self._delimiter, self._plan.width)
        rejects = self._misfits(data, lines, parsed.misfits)
        numbers = integers(_without(lines, set(parsed.misfits)))
        columns = parsed.columns
        blank = all_equal(columns, self._blank)
        again = all_equal(columns, self._plan.header) if self._plan.header != self._blank else []
        self._facts.count("blank_lines", len(blank))
        if again:
            rejects += self._headers(data, lines, numbers.take(integers(again)).to_pylist())
        if blank or again:
            kept = integers(_without(range(len(numbers)), {*blank, *again}))
            numbers, columns = numbers.take(kept), [c.take(kept) for c in columns]
        return Chunk(batch_of(self._plan, numbers, columns), tuple(rejects))

    def _misfits(self, data: bytes, lines: range | list[int], places: list[int]) -> list[Reject]:
        if not places:
            return []
        raw = data.split(b"\n")
        rejects = []
        for place in places:
            cells = raw[place].split(self._delimiter)
            if any(c.strip() for c in cells):
                rejects.append(misfit.misfit(lines[place], raw[place], len(cells), self._plan.width))
            else:
                self._facts.count("blank_lines")
        return rejects

    def _headers(self, data: bytes, lines: range | list[int], numbers: list[int]) -> list[Reject]:
        raw = data.split(b"\n")
        return [misfit.repeated_header(n, raw[lines.index(n)]) for n in numbers]


def _without(values: range | list[int], places: set[int]) -> range | list[int]:
    return [v for i, v in enumerate(values) if i not in places] if places else values


def _is_plain(data: bytes) -> bool:
    """Whether each line is a record and nothing in it can be taken for something else."""
    return b'"' not in data and b"\0" not in data and data.count(b"\r") == data.count(b"\r\n") and is_text(data)
