"""CSV and its relatives: any delimiter, any encoding, line numbers and original text always kept."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any, BinaryIO, TypeVar

import pyarrow as pa

from functions.ingest.readers import misfit
from functions.ingest.readers.arrow import counted, integers
from functions.ingest.readers.batches import Columns, batch_of, merged
from functions.ingest.readers.dialect import Dialect, sniff
from functions.ingest.readers.encoding import MARK, has_whole_ends, is_text, readable, utf8_blocks
from functions.ingest.readers.fast import Parsed, all_blank, all_equal, parse
from functions.ingest.readers.folded import parse_folded
from functions.ingest.readers.formats import READABLE
from functions.ingest.readers.layout import Layout, layout, recognised
from functions.ingest.readers.lines import MAX_RECORD, Block, blocks
from functions.ingest.readers.model import Chunk, Facts, Target, shown
from functions.ingest.readers.quoted import cells_of, parse_quoted
from functions.ingest.readers.record import Syntax
from functions.ingest.readers.strict import Form, Sorted, Sorter
from functions.ingest.readers.trailer import Trailer
from stockflow.errors import PermanentError

T = TypeVar("T")  # and no type parameter: the functions can be imported by Python 3.11
KEPT_PREAMBLE = 10
TRIED = 3  # blocks that a parser of quotes could not read; then no other one of the file is tried


def read_delimited(stream: BinaryIO, target: Target, facts: Facts) -> Iterator[Chunk]:
    """Yield the rows and rejects of a delimited text file, in bounded memory.

    Raises:
        PermanentError: when the header does not give the columns that the contract needs; ``trailer_count`` when the
            file's last line counts other records than there are.
    """
    beginning = begin(stream, target, facts)
    trailer = Trailer(target.name)
    yield from Body(beginning.form, facts, trailer).chunks(beginning.blocks)
    facts.note(**trailer.checked())


@dataclass(frozen=True)
class Beginning:
    """What the beginning of a file says of its records, and the blocks of lines below its header."""

    form: Form
    blocks: Iterator[Block]


def begin(stream: BinaryIO, target: Target, facts: Facts) -> Beginning:
    """Read a file up to the end of its header, and note what was found out about it.

    Raises:
        PermanentError: when the header does not give the columns that the contract needs.
    """
    parts = blocks(
        utf8_blocks(
            stream, facts, lambda text: _known_headers(text, target), target.contract.properties.get("encoding")
        )
    )
    first = next(parts, None)
    if first is None or not first.data.strip():
        raise PermanentError("empty_file", f"{target.name} has no text in it")
    dialect = sniff(first.data, target)
    if any("\0" in name for name in dialect.header):
        raise PermanentError(
            "unsupported_format",
            f"{target.name}: the header, in line {dialect.line}, holds NUL bytes: it is a binary file, or was damaged "
            f"in transfer; expected {READABLE}",
        )
    plan = layout(dialect.header, target)
    _describe(facts, dialect, plan, first.data)
    if any(c.pii for c in target.contract.columns):
        facts.values.pop("preamble", None)  # what stands above the header may be somebody's data
    body = first.after(min(dialect.end, len(first.data)))
    return Beginning(Form.of(dialect, plan, target), chain([body], parts))


def _known_headers(text: str, target: Target) -> int:
    """Return how many known headers one of the first lines has, whatever the delimiter."""
    lines = text[:16_384].split("\n")[:50]
    cells = [line.strip("\r").replace('"', "").split(d) for line in lines for d in ",;\t|"]
    return max(recognised(c, target) for c in cells)


def _describe(facts: Facts, dialect: Dialect, plan: Layout, data: bytes) -> None:
    above = data[: dialect.start].split(b"\n")[:-1]
    end = min(dialect.end, len(data))
    facts.note(
        delimiter=dialect.syntax.delimiter.decode(),
        header=list(dialect.header),
        header_line=dialect.line,
        header_lines=data.count(b"\n", dialect.start, end),
        preamble_lines=len(above),
        physical_lines=data.count(b"\n", 0, end),
        blank_lines=0,
        continuation_lines=0,
        **plan.notes,
    )
    if dialect.syntax.quote != b'"':
        facts.note(quote=dialect.syntax.quote.decode())
    if dialect.syntax.escaped:
        facts.note(escape="\\")
    if dialect.added:
        facts.note(header_cells_added=dialect.added)
    if any(line.strip() for line in above):
        facts.note(preamble=[shown(readable(line.strip(b"\r"))) for line in above[:KEPT_PREAMBLE]])


@dataclass(frozen=True)
class _Lines:
    """Records of one line each, and their line numbers; ``parsed``: their cells, where they are known already.

    ``restore`` translates line breaks back that were folded away.
    """

    data: bytes
    numbers: range | list[int]
    parsed: Parsed | None = None
    restore: bytes | None = None

    def raw(self) -> dict[int, bytes]:
        """Return line number -> the record as it was sent."""
        return {n: r.translate(self.restore) for n, r in zip(self.numbers, self.data.split(b"\n"), strict=False)}


def _tried(parse: Callable[..., T | None]) -> Callable[..., T | None]:  # noqa: UP047
    """Return a parser that is given up after ``TRIED`` blocks which it cannot read (None)."""
    failed = 0

    def tried(*given: Any) -> T | None:
        nonlocal failed
        found = parse(*given) if failed < TRIED else None
        failed += found is None
        return found

    return tried


class Body:
    """What stands below the header: all of it, or a part that begins with a record. ``trailer`` sees every record."""

    def __init__(self, form: Form, facts: Facts, trailer: Trailer) -> None:
        self._form = form
        self._facts = facts
        self._sorter = Sorter(form)
        self._trailer = trailer
        self._in_quotes, self._folded = _tried(parse_quoted), _tried(parse_folded)

    def chunks(self, parts: Iterable[Block]) -> Iterator[Chunk]:
        """Yield a chunk a block, in the order of the file."""
        for chunk in self._chunks(parts):
            self._trailer.see(chunk)
            yield chunk

    def _chunks(self, parts: Iterable[Block]) -> Iterator[Chunk]:
        """A record that is not whole yet is carried over to the next block."""
        rest = Block(1, b"", 0)
        for block in parts:
            self._facts.count("physical_lines", block.count)
            if block.too_long:
                yield from self._last(rest)
                rest = Block(block.line + 1, b"", 0)
                yield Chunk(rejects=(misfit.too_long(block.line, block.data, MAX_RECORD),))
                continue
            whole = rest.then(block)
            used, chunk = self._block(whole, final=False)
            if chunk is not None:
                yield chunk
            rest = whole.after(used)
        yield from self._last(rest)

    def _last(self, rest: Block) -> Iterator[Chunk]:
        chunk = self._block(rest, final=True)[1] if rest.data else None
        if chunk is not None:
            yield chunk

    def _block(self, block: Block, final: bool) -> tuple[int, Chunk | None]:
        """Return how many bytes were read, and what they hold."""
        if not block.data:  # only a header
            return 0, None
        if is_plain(block.data, self._form.syntax):
            data = _unmarked(block.data)
            return len(block.data), self._chunk(_Lines(data, block.numbers), Sorted(), block.cut)
        syntax, width = self._form.syntax, self._form.width
        if parsed := self._in_quotes(block.data, syntax, width):
            return len(block.data), self._chunk(_Lines(block.data, block.numbers, parsed), Sorted(), block.cut)
        if folded := self._folded(block.data, syntax, width, final):
            lines = _Lines(folded.data, [block.line + n for n in folded.begins], folded.parsed, folded.restore)
            cut = block.cut and folded.used == len(block.data)
            return folded.used, self._chunk(lines, Sorted(continued=folded.continued), cut)
        found = self._sorter.sort(block.line, block.data, final, block.cut)
        return found.used, self._chunk(_Lines(b"".join(found.plain), found.lines), found, block.cut)

    def _chunk(self, lines: _Lines, found: Sorted, cut: bool) -> Chunk:
        """Return what the fast parser makes of plain lines, merged with what the strict one read."""
        table = self._table(lines, found, cut) if lines.data else None
        self._facts.count("blank_lines", found.blank)
        self._facts.count("continuation_lines", found.continued)
        if found.short:
            self._facts.count("short_lines", found.short)
        numbers, columns = merged(table, found.rows)
        batch = batch_of(self._form.layout, numbers, columns) if len(numbers) else None
        return Chunk(batch, tuple(sorted(found.rejects, key=lambda r: r.line)))

    def _table(self, given: _Lines, found: Sorted, cut: bool) -> Columns:
        """Return the rows of plain lines; blank lines, headers and lines of another width are found on the way."""
        syntax, lines = self._form.syntax, given.numbers
        parsed = given.parsed or parse(given.data, syntax, self._form.width)
        for place, text in parsed.misfits:
            ends = cut and place == len(lines) - 1
            cells = cells_of(text.rstrip("\r\n"), syntax)
            self._form.take(lines[place], text.encode(), cells, found, ends)
        numbers = counted(lines.start, len(lines)) if isinstance(lines, range) else integers(lines)
        numbers, columns = _without(numbers, [place for place, _ in parsed.misfits]), parsed.columns
        blank = all_blank(columns)
        header = self._form.layout.header
        again = all_equal(columns, header) if any(header) else []
        again += self._other_headers(columns, numbers, {*again})
        found.blank += len(blank)
        if again:
            raw = given.raw()
            found.rejects += [misfit.repeated_header(n, raw[n]) for n in (numbers[i].as_py() for i in again)]
        if blank or again:
            gone = sorted({*blank, *again})
            numbers, columns = _without(numbers, gone), [_without(c, gone) for c in columns]
        return numbers, columns

    def _other_headers(self, columns: list[pa.Array], lines: pa.Array, known: set[int]) -> list[int]:
        """Return the rows that are the header again, written otherwise; refuse a file with another one."""
        headers = self._form.headers
        places = [i for i in headers.places(columns) if i not in known]
        return [i for i in places if headers.repeated(lines[i].as_py(), [c[i].as_py() for c in columns])]


def _without(values: pa.Array, places: list[int]) -> pa.Array:
    """Return values without those at some places, which are in order."""
    if not places:
        return values
    begins, ends = [0, *(p + 1 for p in places)], [*places, len(values)]
    return pa.concat_arrays([values.slice(b, e - b) for b, e in zip(begins, ends, strict=True)])


def is_plain(data: bytes, syntax: Syntax) -> bool:
    """Whether each line is a record and nothing in it can be taken for something else."""
    special = syntax.quote in data or b"\0" in data or (syntax.escaped and b"\\" in data)
    return not special and has_whole_ends(data) and is_text(data)


def _unmarked(data: bytes) -> bytes:
    """Return lines without the byte order marks in front of them: there two files were joined."""
    if data.isascii() or MARK not in data:
        return data
    data = b"\n" + data
    while b"\n" + MARK in data:
        data = data.replace(b"\n" + MARK, b"\n")
    return data[1:]
