"""Any file: told apart by its first bytes, unpacked, and given to the reader of its format."""

import tempfile
from collections.abc import Callable, Iterator
from typing import BinaryIO, cast

from functions.ingest.readers.model import Chunk, Facts, Target
from functions.ingest.readers.source import PEEK, READABLE, kind_of, unpack, unsupported
from stockflow.errors import PermanentError

Reader = Callable[[BinaryIO, Target, Facts], Iterator[Chunk]]
UNPACKED_TIMES = 5  # a gzip file may hold so many times what a plain file may


def decode(stream: BinaryIO, target: Target, facts: Facts, limit: int) -> Iterator[Chunk]:
    """Yield the rows and rejects of a file of any readable format; ``facts`` fills up on the way.

    Raises:
        PermanentError: when the file as a whole cannot be read; what was yielded before does not count.
    """
    plain, zipped = unpack(stream, limit * UNPACKED_TIMES)
    kind = kind_of(plain.peek(PEEK)[:PEEK], target.name)
    facts.format = kind
    facts.note(format=kind, gzip=zipped)
    if kind not in READABLE:
        raise unsupported(kind, target.name)
    if kind == "empty":
        raise PermanentError("empty_file", f"{target.name} is empty: nothing was written into it; send it again")
    if kind in {"csv", "json"}:
        yield from _reader(kind)(cast("BinaryIO", plain), target, facts)
        return
    with tempfile.TemporaryFile() as whole:  # these need to go back and forth
        while part := plain.read(1 << 20):
            whole.write(part)
        whole.seek(0)
        yield from _reader(kind)(cast("BinaryIO", whole), target, facts)


def _reader(kind: str) -> Reader:
    """Return the reader of a format; each one is imported only when a file of its kind lands."""
    if kind == "csv":
        from functions.ingest.readers.delimited import read_delimited as reader
    elif kind == "json":
        from functions.ingest.readers.json_lines import read_json as reader
    elif kind == "parquet":
        from functions.ingest.readers.columnar import read_parquet as reader
    else:
        from functions.ingest.readers.workbook import read_workbook as reader
    return reader
