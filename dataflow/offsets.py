"""Where lines start in a file's bytes, while readers see it as UTF-8."""

import io
from typing import BinaryIO

KEPT = 64  # of a read that a short one follows (readers ask for the rest of a character)
_WIDE = ("utf-8", "ascii", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
_ASCII = bytes(range(128))


def line_feed(encoding: str) -> bytes | None:
    """Return the bytes that end a line, where they mean nothing else; None where that is not certain.

    In the encodings of Unicode and in those of one byte a character it is: a decoder that begins behind a line
    feed, at a multiple of its length, reads the same as one that began with the file.
    """
    if encoding in _WIDE:
        return "\n".encode(encoding)
    try:
        signs = bytes(range(256)).decode(encoding, "replace")
    except LookupError:
        return None
    single = len(signs) == 256 and signs[128:].count("\ufffd") < 64
    return b"\n" if single and signs[:128].encode("ascii", "replace") == _ASCII else None


class Counted(io.RawIOBase):
    """A stream that knows how much of it was read, and what was read last."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._last = b""
        self.offset = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """Read as the stream does."""
        data = self._stream.read(size)
        self.offset += len(data)
        self._last = self._last + data if len(data) < KEPT else data
        return data

    def line_start(self, newlines: int, feed: bytes) -> int | None:
        """Return where the line begins behind which so many line feeds were read; None when that is long ago."""
        first, place = self.offset - len(self._last), len(self._last)
        for _ in range(newlines + 1):
            place = self._last.rfind(feed, 0, place)
            while place >= 0 and (first + place) % len(feed):
                place = self._last.rfind(feed, 0, place + len(feed) - 1)
            if place < 0:
                return None
        return first + place + len(feed)
