"""Any file: told apart by its first bytes, unpacked, and given to the reader of its format."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO, cast

from functions.ingest.limits import DEFAULT_MEMORY, largest, sandbox_memory
from functions.ingest.readers.formats import FORMATS, Format
from functions.ingest.readers.model import Chunk, Facts, Target
from functions.ingest.readers.source import PEEK, kind_of, too_large, unpack, unsupported
from stockflow.errors import PermanentError

UNPACKED_TIMES = 5  # a packed file may hold so many times what a plain file may
PROPERTY = "fixedWidth"  # of a contract
MAX_DEPTH = 2  # archives within archives
PART = 1 << 20


def decode(
    stream: BinaryIO, target: Target, facts: Facts, limit: int, memory_bytes: int = DEFAULT_MEMORY
) -> Iterator[Chunk]:
    """Yield the rows and rejects of a file of any readable format; ``facts`` fills up on the way.

    ``limit``: the size in bytes up to which there is time to read a file; ``memory_bytes``: what the instance has.

    Raises:
        PermanentError: when the file as a whole cannot be read; what was yielded before does not count.
    """
    yield from _Decoder(limit, memory_bytes).decode(stream, target, facts)


@dataclass(frozen=True)
class _Decoder:
    limit: int
    memory_bytes: int
    depth: int = 0  # in how many archives the file is

    def decode(self, stream: BinaryIO, target: Target, facts: Facts) -> Iterator[Chunk]:
        plain, packed = unpack(stream, self.limit * UNPACKED_TIMES)
        kind = kind_in(plain.peek(PEEK)[:PEEK], target)
        facts.note(gzip="gzip" in packed, **({"packed": packed} if packed else {}))
        note_kind(facts, kind)
        if kind == "empty":
            raise PermanentError("empty_file", f"{target.name} is empty: nothing was written into it; send it again")
        form = FORMATS.get(kind)
        if form is None and kind not in {"zip", "ole"}:
            raise unsupported(kind, target.name)
        if form is not None and not form.whole:
            yield from form.reader(cast("BinaryIO", plain), target, facts)
            return
        if form is None or form.isolated:
            _prepare()
        with self._spooled(cast("BinaryIO", plain), kind, target) as whole:
            reading = self._whole(form, whole, target, facts) if form else self._contents(whole, target, facts)
            yield from reading

    def _contents(self, whole: BinaryIO, target: Target, facts: Facts) -> Iterator[Chunk]:
        """Yield what is in a ZIP archive or an OLE file: a workbook, or files of data."""
        from functions.ingest.readers.archive import members
        from functions.ingest.readers.workbook_file import kind_of_workbook

        kind = kind_of_workbook(whole, target.name)
        note_kind(facts, kind)
        if kind != "zip":
            self._check_size(kind, whole.seek(0, 2), target)
            yield from self._whole(FORMATS[kind], whole, target, facts)
            return
        if self.depth == MAX_DEPTH:
            raise unsupported("zip within zip within zip", target.name)
        inner = replace(self, depth=self.depth + 1)
        yield from members(whole, target, facts, self.limit * UNPACKED_TIMES, inner.decode)

    def _whole(self, form: Format, whole: BinaryIO, target: Target, facts: Facts) -> Iterator[Chunk]:
        whole.seek(0)
        if not form.isolated:
            yield from form.reader(whole, target, facts)
            return
        from functions.ingest.readers.sandbox import isolated
        from functions.ingest.readers.sandbox_job import Job

        memory = sandbox_memory(self.memory_bytes)
        job = Job(form.path, form.function, replace(target, memory_bytes=memory), memory)
        yield from isolated(job, whole, facts)

    def _spooled(self, plain: BinaryIO, kind: str, target: Target) -> BinaryIO:
        """Return a file that can be read back and forth; on Cloud Run it takes memory."""
        whole = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115  (the caller closes it)
        try:
            while part := plain.read(PART):
                whole.write(part)
                self._check_size(kind, whole.tell(), target)
            whole.flush()
        except BaseException:
            whole.close()
            raise
        return whole

    def _check_size(self, kind: str, size: int, target: Target) -> None:
        limit = largest(kind, self.memory_bytes)
        if size > limit:
            raise too_large(target.name, f"more than {limit:,} bytes", limit, kind)


def kind_in(head: bytes, target: Target) -> str:
    """Return what a file is: by its first bytes, or by what the feed's contract declares of files without marks."""
    kind = kind_of(head, target.name)
    if kind != "csv" or PROPERTY not in target.contract.properties:
        return kind
    from functions.ingest.readers.fixed_width import fits

    return "fixed_width" if fits(head, target) else kind


def _prepare() -> None:
    """Have the process for risky formats start while the file comes in."""
    from functions.ingest.readers.sandbox import prepare

    prepare()


def note_kind(facts: Facts, kind: str) -> None:
    """Note what a file is."""
    facts.format = kind
    facts.note(format=kind)
