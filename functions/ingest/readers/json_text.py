"""UTF-8 in parts becomes text in parts; bytes that are no text become lone surrogates, which mark their record."""

import codecs
from collections.abc import Iterable, Iterator

_DECODER = codecs.getincrementaldecoder("utf-8")
_MARKS = "\udc80", "\udcff"  # Python's own marks of a byte that is no text


class Lines:
    """The parts of a text, whose lines are counted on the way; lone ``\\r`` of an old Macintosh become ``\\n``."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        self._parts = parts
        self.count = 0

    def __iter__(self) -> Iterator[bytes]:
        """Yield the parts."""
        last, macintosh = b"\n", None
        for part in self._parts:
            if macintosh is None and (b"\r" in part or b"\n" in part):
                macintosh = b"\n" not in part
            lines = part.replace(b"\r", b"\n") if macintosh else part
            self.count += lines.count(b"\n")
            last = lines[-1:] or last
            yield lines
        self.count += last != b"\n"


def texts(parts: Iterable[bytes]) -> Iterator[tuple[str, bool]]:
    """Yield each part as text, and whether it may hold something that is no character."""
    decoder = _DECODER("surrogateescape")
    for part in parts:
        if text := decoder.decode(part):
            yield text, _doubtful(text)
    if text := decoder.decode(b"", final=True):
        yield text, True


def _doubtful(text: str) -> bool:
    if "\\ud" in text or "\\uD" in text:
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def readable_text(text: str) -> str:
    """Return a text for people: bytes that could not be decoded as ``\\xNN``, halves of characters as ``\\uNNNN``."""
    if text.isascii():
        return text
    return "".join(_sign(c) for c in text)


def _sign(sign: str) -> str:
    if not "\ud800" <= sign <= "\udfff":
        return sign
    return f"\\x{ord(sign) - 0xDC00:02x}" if _MARKS[0] <= sign <= _MARKS[1] else f"\\u{ord(sign):04x}"
