"""How large a file of each format may be: computed from the memory and the time of the instance that reads it.

``tests/benchmarks/bench_limits.py`` measures what the figures are made from, with a margin (docs/benchmarks.md). Text
is read in parts, so that its size costs no memory. What has to be read back and forth lies in a temporary file, which
is memory on Cloud Run; what native code reads, and what an archive's text takes, stays within the memory that the
reading process is given.
"""

from dataclasses import dataclass

from stockflow.schema import pipeline

DEFAULT_MEMORY = 1 << 30
BASELINE = 300_000_000  # an instance with its clients open, and the buffers of four calls that read text
CALLS = 4  # that read at once in one instance (pipeline.DECODERS)
SANDBOX_SHARE = 0.35  # of memory, for the one process that reads what native code parses
ANY_SIZE = 1 << 62


@dataclass(frozen=True)
class Cost:
    """Bytes of memory for each byte of the file: where it lies, and in the process that reads it."""

    spooled: float = 0.0
    read: float = 0.0


COSTS = {
    "csv": Cost(),
    "json": Cost(),
    "x12": Cost(),
    "edifact": Cost(),
    "xml": Cost(),
    "fixed_width": Cost(),
    "zip": Cost(spooled=1.0),
    "parquet": Cost(spooled=1.0, read=2.0),  # a row group of text, unpacked; written by others, so of any size
    "avro": Cost(spooled=1.0, read=4.0),  # a block, unpacked; written by others, so of any size
    "xlsx": Cost(spooled=1.0, read=12.0),  # shared strings, at their worst all different
    "xlsb": Cost(spooled=1.0, read=25.0),  # calamine holds the whole sheet
    "xls": Cost(spooled=1.0, read=8.0),
    "ods": Cost(spooled=1.0, read=60.0),
}


def sandbox_memory(memory_bytes: int) -> int:
    """Return how many bytes the process may take that reads a risky format."""
    return int(memory_bytes * SANDBOX_SHARE)


def largest(format: str, memory_bytes: int) -> int:
    """Return the size in bytes up to which a file of a format is read in an instance of so much memory."""
    cost = COSTS.get(format, Cost(spooled=1.0))
    spool = max(0, memory_bytes - BASELINE - sandbox_memory(memory_bytes)) / CALLS
    by_spool = spool / cost.spooled if cost.spooled else ANY_SIZE
    by_process = sandbox_memory(memory_bytes) / cost.read if cost.read else ANY_SIZE
    return int(min(by_spool, by_process))


PACKED_TIMES = 5  # a packed file holds so many times its size


def in_one_call(format: str, packed: bool) -> int:
    """Return the size in bytes up to which one call has the time to read an object of a format."""
    given = pipeline()["one_call"]
    speed = given["megabytes_per_second"].get(format)
    if speed is None:
        return ANY_SIZE
    return int(given["cpu_seconds"] * speed * 1_000_000 / (PACKED_TIMES if packed else 1))
