"""Whole lines: a stream of UTF-8 cut into blocks that end with a line, each with its first line's number."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

MAX_RECORD = 10_000_000


@dataclass(frozen=True)
class Block:
    """Whole lines (each ending with ``\\n``), ``count`` of them, from number ``line`` on.

    ``too_long``: only the beginning of one enormous line.
    """

    line: int
    data: bytes
    count: int
    too_long: bool = False

    def after(self, end: int) -> "Block":
        """Return what is left behind byte ``end``, which is the end of a line."""
        gone = self.count if end == len(self.data) else self.data.count(b"\n", 0, end)
        return Block(self.line + gone, self.data[end:], self.count - gone)

    def then(self, following: "Block") -> "Block":
        """Return this block and the one behind it as one."""
        if not self.data:
            return following
        return Block(self.line, self.data + following.data, self.count + following.count)


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
            count = whole.count(b"\n")
            yield from _checked(Block(line, whole, count), limit)
            line += count
        if len(rest) > limit:
            yield Block(line, rest[:limit], 1, too_long=True)
            rest, skipping = b"", True
    if rest:
        yield Block(line, rest + b"\n", 1)


def _checked(block: Block, limit: int) -> Iterator[Block]:
    """Yield the block; when its first line (the only one that can be) is too long, apart from the rest."""
    end = block.data.find(b"\n") + 1 if len(block.data) > limit else 0
    if end > limit:
        yield Block(block.line, block.data[:limit], 1, too_long=True)
        block = block.after(end)
    if block.data:
        yield block


def _unix(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the parts; an old Macintosh file, which has no ``\\n`` at all, gets them for its ``\\r``."""
    macintosh: bool | None = None
    for part in parts:
        if macintosh is None and (b"\r" in part or b"\n" in part):
            macintosh = b"\n" not in part
        yield part.replace(b"\r", b"\n") if macintosh else part
