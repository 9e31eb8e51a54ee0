"""Bytes as a function gets them: a buffered stream."""

import io
from typing import BinaryIO, cast


def buffered(data: bytes) -> BinaryIO:
    """Return bytes as a stream with a buffer of its own, as an open file has it."""
    return cast("BinaryIO", io.BufferedReader(cast("io.RawIOBase", io.BytesIO(data))))
