"""Any file: told apart by its first bytes, unpacked, and given to the reader of its format."""

import tempfile
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO, cast

from functions.ingest.limits import DEFAULT_MEMORY, largest, sandbox_memory
from functions.ingest.readers.formats import FORMATS, Format
from functions.ingest.readers.model import Chunk, Facts, Target
from functions.ingest.readers.source import PEEK, kind_of, too_large, unpack, unsupported
from stockflow.errors import PermanentError

UNPACKED_TIMES = 5  # a packed file may hold so many times what a plain file may
PART = 1 << 20


def decode(
    stream: BinaryIO, target: Target, facts: Facts, limit: int, memory_bytes: int = DEFAULT_MEMORY
) -> Iterator[Chunk]:
    """Yield the rows and rejects of a file of any readable format; ``facts`` fills up on the way.

    ``limit``: the size in bytes up to which there is time to read a file; ``memory_bytes``: what the instance has.

    Raises:
        PermanentError: when the file as a whole cannot be read; what was yielded before does not count.
    """
    plain, packed = unpack(stream, limit * UNPACKED_TIMES)
    kind = kind_of(plain.peek(PEEK)[:PEEK], target.name)
    stream = cast("BinaryIO", plain)
    facts.note(gzip="gzip" in packed, **({"packed": packed} if packed else {}))
    if kind in {"zip", "ole", "parquet"}:
        _prepare()
    if kind in {"zip", "ole"}:
        with _spooled(stream, kind, target, memory_bytes) as whole:
            yield from _contents(whole, target, facts, limit, memory_bytes)
        return
    _note(facts, kind)
    if kind == "empty":
        raise PermanentError("empty_file", f"{target.name} is empty: nothing was written into it; send it again")
    if kind not in FORMATS:
        raise unsupported(kind, target.name)
    if not FORMATS[kind].whole:
        yield from FORMATS[kind].reader(stream, target, facts)
        return
    with _spooled(stream, kind, target, memory_bytes) as whole:
        yield from _whole(FORMATS[kind], whole, target, facts, memory_bytes)


def _prepare() -> None:
    """Have the process for risky formats start while the file comes in."""
    from functions.ingest.readers.sandbox import prepare

    prepare()


def _note(facts: Facts, kind: str) -> None:
    facts.format = kind
    facts.note(format=kind)


def _contents(whole: BinaryIO, target: Target, facts: Facts, limit: int, memory_bytes: int) -> Iterator[Chunk]:
    """Yield what is in a ZIP archive or an OLE file: a workbook, or files of data."""
    from functions.ingest.readers.archive import members
    from functions.ingest.readers.workbook_file import kind_of_workbook

    kind = kind_of_workbook(whole, target.name)
    _note(facts, kind)
    if kind == "zip":
        each = partial(decode, limit=limit, memory_bytes=memory_bytes)
        yield from members(whole, target, facts, limit * UNPACKED_TIMES, each)
        return
    _check_size(kind, whole, target, memory_bytes)
    yield from _whole(FORMATS[kind], whole, target, facts, memory_bytes)


def _whole(form: Format, whole: BinaryIO, target: Target, facts: Facts, memory_bytes: int) -> Iterator[Chunk]:
    whole.seek(0)
    if not form.isolated:
        yield from form.reader(whole, target, facts)
        return
    from functions.ingest.readers.sandbox import isolated
    from functions.ingest.readers.sandbox_job import Job

    yield from isolated(Job(form.path, form.function, target, sandbox_memory(memory_bytes)), whole, facts)


def _spooled(plain: BinaryIO, kind: str, target: Target, memory_bytes: int) -> BinaryIO:
    """Return a file that can be read back and forth; on Cloud Run it takes memory."""
    limit = largest(kind, memory_bytes)
    whole = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115  (the caller closes it)
    while part := plain.read(PART):
        whole.write(part)
        if whole.tell() > limit:
            whole.close()
            raise too_large(target.name, f"more than {limit:,} bytes", limit, kind)
    whole.flush()
    return whole


def _check_size(kind: str, whole: BinaryIO, target: Target, memory_bytes: int) -> None:
    limit, size = largest(kind, memory_bytes), whole.seek(0, 2)
    if size > limit:
        raise too_large(target.name, f"{size:,} bytes", limit, kind)
