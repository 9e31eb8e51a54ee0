"""Bytes of a file: measured and hashed on the way, unpacked when gzipped, told apart by their first bytes."""

import gzip
import hashlib
import io
import zlib
from base64 import b64encode
from typing import BinaryIO, cast

from stockflow.errors import PermanentError

PEEK = 262_144
_MAGIC = (
    (b"PAR1", "parquet"),
    (b"PK\x03\x04", "workbook"),
    (b"\xd0\xcf\x11\xe0", "workbook"),
    (b"%PDF", "PDF"),
    (b"\x89PNG", "image"),
    (b"\xff\xd8\xff", "image"),
    (b"7z\xbc\xaf", "7-Zip"),
    (b"Rar!", "RAR"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstandard"),
    (b"Obj\x01", "Avro"),
    (b"ORC", "ORC"),
)
READABLE = {"csv", "json", "parquet", "workbook", "empty"}


class Hashing(io.RawIOBase):
    """A stream that knows the MD5 of what was read from it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._md5 = hashlib.md5(usedforsecurity=False)
        self.size = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill the buffer."""
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        self._md5.update(data)
        self.size += len(data)
        return len(data)

    def drain(self) -> str:
        """Read what is left and return the MD5 of everything, as Cloud Storage writes it."""
        while self.read(1 << 20):
            pass
        return b64encode(self._md5.digest()).decode()


class Unpacked(io.RawIOBase):
    """The inside of a gzip stream; damage is a permanent error, and so is an endless inside."""

    def __init__(self, stream: BinaryIO, limit: int) -> None:
        self._gzip = gzip.GzipFile(fileobj=stream, mode="rb")
        self._left = limit
        self._limit = limit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill the buffer."""
        try:
            count = self._gzip.readinto(buffer)
        except EOFError as error:
            raise PermanentError(
                "truncated_gzip", "the gzip file ends before its end: it was cut in transfer; send it again"
            ) from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise PermanentError("corrupt_gzip", f"the gzip file is damaged ({error}); send it again") from error
        self._left -= count
        if self._left < 0:
            raise too_large(f"more than {self._limit:,} bytes when unpacked")
        return count


def too_large(found: str) -> PermanentError:
    """Return the error of a file that one function call cannot take."""
    return PermanentError(
        "too_large_for_function",
        f"the file has {found}; one function call cannot read it in time. "
        "Run it through the Dataflow pipeline (dataflow/), which has the same readers, or split it",
    )


def unpack(stream: BinaryIO, limit: int) -> tuple["io.BufferedReader[io.RawIOBase]", bool]:
    """Return a stream that can be peeked into, with gzip taken off, and whether there was any."""
    plain = io.BufferedReader(cast("io.RawIOBase", stream), PEEK)
    if plain.peek(2)[:2] != b"\x1f\x8b":
        return plain, False
    return io.BufferedReader(cast("io.RawIOBase", Unpacked(cast("BinaryIO", plain), limit)), PEEK), True


def kind_of(head: bytes, name: str) -> str:
    """Return csv, json, parquet, workbook, empty, or the name of a format that is not read."""
    if not head:
        return "empty"
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if start == b"<":
        return "XML or HTML"
    stem = name.lower().removesuffix(".gz")
    if stem.endswith((".json", ".jsonl", ".ndjson")) or start in {b"{", b"["}:
        return "json"
    return "csv"


def unsupported(kind: str, name: str) -> PermanentError:
    """Return the error of a format that no reader takes."""
    return PermanentError(
        "unsupported_format",
        f"{name} is a {kind} file; expected CSV, JSON Lines, a JSON array, Parquet or XLSX "
        "(each also gzipped). Export it in one of these",
        found=kind,
    )
