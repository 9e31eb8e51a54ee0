"""Readers that do what a hostile file does to a real one."""

import os
import signal
import time
from collections.abc import Iterator
from typing import BinaryIO

import pyarrow as pa

from functions.ingest.readers.arrow import texts
from functions.ingest.readers.model import Chunk, Facts, Reject, Target
from stockflow.errors import PermanentError


def _chunk(number: int = 1) -> Chunk:
    batch = pa.RecordBatch.from_pydict({"sku": texts([f"S{number}", "é\t"])})
    return Chunk(batch, (Reject(3, "wrong_width", "x"),))


def fine(stream: BinaryIO, target: Target, facts: Facts) -> Iterator[Chunk]:
    facts.note(header=["sku"], size=len(stream.read()), name=target.name)
    for i in range(300):
        yield _chunk(i)


def refuses(stream: BinaryIO, target: Target, facts: Facts) -> Iterator[Chunk]:
    facts.note(header=["x"])
    yield _chunk()
    raise PermanentError("missing_columns", "no sku", missing=["sku"])


def aborts(stream: BinaryIO, target: Target, facts: Facts) -> Iterator[Chunk]:
    yield _chunk()
    os.abort()


def fails(stream: BinaryIO, target: Target, facts: Facts) -> Iterator[Chunk]:
    yield _chunk()
    raise ZeroDivisionError("what nobody thought of")


def hangs(stream: BinaryIO, target: Target, facts: Facts) -> Iterator[Chunk]:
    yield _chunk()
    time.sleep(600)


def spins(stream: BinaryIO, target: Target, facts: Facts) -> Iterator[Chunk]:
    yield _chunk()
    signal.signal(signal.SIGXCPU, signal.SIG_IGN)
    while True:
        pass


def swells(stream: BinaryIO, target: Target, facts: Facts) -> Iterator[Chunk]:
    yield _chunk()
    kept = [bytearray(10_000_000) for _ in range(1000)]
    yield Chunk(rejects=(Reject(len(kept), "never", ""),))


def lies(stream: BinaryIO, target: Target, facts: Facts) -> Iterator[Chunk]:
    yield _chunk()
    for fd in range(3, 30):
        try:
            os.write(fd, b"\0\0\0\x02{}" * 10)
        except OSError:
            continue
    os._exit(0)
