"""Whole lines: a stream of UTF-8 cut into blocks that end with a line, each with its first line's number."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

MAX_RECORD = 10_000_000


@dataclass(frozen=True)
class Block:
    """Whole lines (each ending with ``\\n``), ``count`` of them, from number ``line`` on.

    ``too_long``: only the beginning of one enormous line. ``cut``: the file ended without a line end.
    """

    line: int
    data: bytes
    count: int
    too_long: bool = False
    cut: bool = False

    @property
    def numbers(self) -> range:
        """The numbers of its lines."""
        return range(self.line, self.line + self.count)

    def after(self, end: int) -> "Block":
        """Return what is left behind byte ``end``, which is the end of a line."""
        gone = self.count if end == len(self.data) else self.data.count(b"\n", 0, end)
        return Block(self.line + gone, self.data[end:], self.count - gone, cut=self.cut)

    def then(self, following: "Block") -> "Block":
        """Return this block and the one behind it as one."""
        if not self.data:
            return following
        return Block(self.line, self.data + following.data, self.count + following.count, cut=following.cut)


def blocks(parts: Iterable[bytes], limit: int = MAX_RECORD) -> Iterator[Block]:
    """Yield the lines of a file. A file with only ``\\r`` between its lines is read as if with ``\\n``."""
    return numbered(_unix(parts), 1, limit)


def numbered(parts: Iterable[bytes], line: int, limit: int = MAX_RECORD) -> Iterator[Block]:
    """Yield the lines of a part of a file, whose first one has the number ``line``; only ``\\n`` ends one."""
    rest, skipping = b"", False
    for part in parts:
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
            count = whole.count(b"\n")
            yield from _checked(Block(line, whole, count), limit)
            line += count
        if len(rest) > limit:
            yield Block(line, rest[:limit], 1, too_long=True)
            rest, skipping = b"", True
    if rest:
        yield Block(line, rest + b"\n", 1, cut=True)


def _checked(block: Block, limit: int) -> Iterator[Block]:
    """Yield the block; when its first line (the only one that can be) is too long, apart from the rest."""
    end = block.data.find(b"\n") + 1 if len(block.data) > limit else 0
    if end > limit:
        yield Block(block.line, block.data[:limit], 1, too_long=True)
        block = block.after(end)
    if block.data:
        yield block


def _unix(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the parts with line ends that hold ``\\n``, as the file's first line end says.

    An old Macintosh file has only ``\\r``. Windows turns ``\\r\\n`` into ``\\r\\r\\n`` when a file is written as text.
    """
    parts = iter(parts)
    for part in parts:
        feed = part.find(b"\n")
        if feed < 0 and b"\r" in part:
            yield part.replace(b"\r", b"\n")
            yield from (p.replace(b"\r", b"\n") for p in parts)
        elif part[max(feed - 2, 0) : feed] == b"\r\r":
            yield from _undoubled(part, parts)
        else:
            yield part
            if feed >= 0:
                yield from parts


def _undoubled(part: bytes, parts: Iterator[bytes]) -> Iterator[bytes]:
    held = b""
    for each in chain([part], parts):
        text = held + each
        whole = text.rstrip(b"\r")
        held = text[len(whole) :]
        yield whole.replace(b"\r\r\n", b"\n")
    yield held
