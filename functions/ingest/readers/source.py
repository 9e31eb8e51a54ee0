"""Bytes of a file: measured and hashed on the way, unpacked when gzipped, told apart by their first bytes."""

import gzip
import hashlib
import io
import re
import zlib
from base64 import b64encode
from typing import BinaryIO, cast

from functions.ingest.readers.formats import READABLE
from stockflow.errors import PermanentError

PEEK = 262_144
_MAGIC = (
    (b"PAR1", "parquet"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),  # without members
    (b"\xd0\xcf\x11\xe0", "ole"),
    (b"%PDF", "PDF"),
    (b"\x89PNG", "image"),
    (b"\xff\xd8\xff", "image"),
    (b"7z\xbc\xaf", "7-Zip"),
    (b"Rar!", "RAR"),
    (b"\xfd7zXZ", "xz"),
    (b"Obj\x01", "avro"),
    (b"ORC", "ORC"),
    (b"ARROW1", "Arrow or Feather"),
    (b"SQLite format 3\0", "SQLite"),
)
_TAR = slice(257, 262)
_PACKING = ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"BZh", "bzip2"))
MAX_PACKINGS = 3
_JSON_NAME = re.compile(r"(?i)\.(json|jsonl|ndjson)(\.(gz|zst|bz2))*$")
_JSON_ARRAY = re.compile(rb'\[\s*(?:[\[{\]"]|-?\d|true\b|false\b|null\b|\Z)')
_EDIFACT = re.compile(rb"(?s)UNA.(.).{4}\s*UNB\1|UNB\+UNO")
_XML = re.compile(rb"(?s)(?:<\?.*?\?>|<!--.*?-->|\s)*<(?:!DOCTYPE\s+)?(?:[\w.-]+:)?([\w.-]+)")
_REPORTS = {b"InventoryReport", b"inventoryReport", b"inventoryReportMessage", b"StandardBusinessDocument"}
_JSON_OBJECT = re.compile(rb'\{\s*(?:["}]|\Z)')


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
    """The inside of a packed stream; damage is a permanent error, and so is an endless inside."""

    def __init__(self, stream: BinaryIO, packing: str, limit: int) -> None:
        self._inside = _opened(stream, packing)
        self._packing = packing
        self._left = limit
        self._limit = limit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill the buffer."""
        try:
            data = self._inside.read(len(buffer))
        except EOFError as error:
            raise PermanentError(
                f"truncated_{self._packing}",
                f"the {self._packing} file ends before its end: it was cut in transfer; send it again",
            ) from error
        except (OSError, zlib.error, ValueError) as error:
            raise self._damaged(error) from error
        buffer[: len(data)] = data
        self._left -= len(data)
        if self._left < 0:
            raise too_large("", f"more than {self._limit:,} bytes when unpacked", self._limit)
        return len(data)

    def _damaged(self, error: Exception) -> PermanentError:
        code = f"corrupt_{self._packing}"
        return PermanentError(code, f"the {self._packing} file is damaged ({error}); send it again")


def _opened(stream: BinaryIO, packing: str) -> BinaryIO:
    if packing == "zstd":
        import pyarrow as pa

        return cast("BinaryIO", pa.CompressedInputStream(pa.PythonFile(stream, "r"), "zstd"))
    if packing == "bzip2":
        import bz2

        return cast("BinaryIO", bz2.BZ2File(stream))
    return cast("BinaryIO", gzip.GzipFile(fileobj=stream, mode="rb"))


def too_large(name: str, found: str, limit: int, kind: str = "") -> PermanentError:
    """Return the error of a file that one function call cannot take."""
    of = f" of {kind}" if kind else ""
    return PermanentError(
        "too_large_for_function",
        f"{name or 'the file'} has {found}; one function call takes {limit:,} bytes{of}. "
        "Split it into smaller files, each with the header, and send those",
        limit=limit,
    )


def unpack(stream: BinaryIO, limit: int) -> tuple["io.BufferedReader[io.RawIOBase]", list[str]]:
    """Return a stream that can be peeked into, with what it was packed by taken off, and the names of that."""
    plain: io.BufferedReader[io.RawIOBase] = io.BufferedReader(cast("io.RawIOBase", stream), PEEK)
    packings: list[str] = []
    while packing := next((name for magic, name in _PACKING if plain.peek(4).startswith(magic)), None):
        if len(packings) == MAX_PACKINGS:
            raise PermanentError(
                "packed_too_often",
                f"the file is packed more than {MAX_PACKINGS} times; pack it once, and send it again",
            )
        packings.append(packing)
        plain = io.BufferedReader(Unpacked(cast("BinaryIO", plain), packing, limit), PEEK)
    return plain, packings


def kind_of(head: bytes, name: str) -> str:
    """Return a format of ``FORMATS``, zip, ole, empty, or the name of a format that is not read."""
    if not head:
        return "empty"
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head[_TAR] == b"ustar":
        return "tar"
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:PEEK]
    return _message(start) or ("json" if _is_json(start, name) else "csv")


def _message(start: bytes) -> str:
    """Return the format of a text that says by its first signs what it is."""
    if _is_x12(start[:1_000]):
        return "x12"
    if _EDIFACT.match(start):
        return "edifact"
    if not start.startswith(b"<"):
        return ""
    root = _XML.match(start)
    return "xml" if root and root[1] in _REPORTS else "XML or HTML"


def _is_json(start: bytes, name: str) -> bool:
    return bool(_JSON_NAME.search(name) or _JSON_ARRAY.match(start) or _JSON_OBJECT.match(start))


def _is_x12(start: bytes) -> bool:
    """Whether a text begins with an ISA segment of 16 elements, and GS behind it."""
    sign = start[3:4]
    if not start.startswith(b"ISA") or not sign or sign.isalnum():
        return False
    elements = start.split(sign, 16)
    behind = elements[16][2:].lstrip() if len(elements) == 17 else b"?"
    return not behind or behind.startswith(b"GS" + sign)


def unsupported(kind: str, name: str) -> PermanentError:
    """Return the error of a format that no reader takes."""
    return PermanentError(
        "unsupported_format",
        f"{name} is a {kind} file; expected {READABLE}. Export it in one of these",
        found=kind,
    )
