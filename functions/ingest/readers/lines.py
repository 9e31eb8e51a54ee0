"""Whole lines: a stream of UTF-8 cut into blocks that end with a line, each with its first line's number."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

MAX_RECORD = 10_000_000


@dataclass(frozen=True)
class Block:
    """Whole lines (each ending with ``\\n``). ``too_long``: only the beginning of one enormous line."""

    line: int
    data: bytes
    too_long: bool = False


def blocks(parts: Iterable[bytes], limit: int = MAX_RECORD) -> Iterator[Block]:
    """Yield the lines of a file. A file with only ``\\r`` between its lines is read as if with ``\\n``."""
    line, rest, skipping = 1, b"", False
    for part in _unix(parts):
        if skipping:  # the tail of a line that was too long
            end = part.find(b"\n") + 1
            if not end:
                continue
            part, skipping, line = part[end:], False, line + 1  # noqa: PLW2901
        cut = part.rfind(b"\n") + 1
        if not cut:
            rest += part
        else:
            whole, rest = rest + part[:cut], part[cut:]
            yield from _checked(line, whole, limit)
            line += whole.count(b"\n")
        if len(rest) > limit:
            yield Block(line, rest[:limit], too_long=True)
            rest, skipping = b"", True
    if rest:
        yield Block(line, rest + b"\n")


def _checked(line: int, whole: bytes, limit: int) -> Iterator[Block]:
    """Yield the block; when its first line (the only one that can be) is too long, apart from the rest."""
    end = whole.find(b"\n") + 1 if len(whole) > limit else 0
    if end > limit:
        yield Block(line, whole[:limit], too_long=True)
        line, whole = line + 1, whole[end:]
    if whole:
        yield Block(line, whole)


def _unix(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the parts; an old Macintosh file, which has no ``\\n`` at all, gets them for its ``\\r``."""
    macintosh: bool | None = None
    for part in parts:
        if macintosh is None and (b"\r" in part or b"\n" in part):
            macintosh = b"\n" not in part
        yield part.replace(b"\r", b"\n") if macintosh else part
