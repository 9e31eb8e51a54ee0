"""Encodings: whatever a text file is written in becomes UTF-8, a block at a time.

In this order: what the contract declares (its property ``encoding``), a byte order mark, valid UTF-8, UTF-16 without
a mark, and else cp1252, with the doubt noted; another 8-bit encoding only on overwhelming evidence, noted as well.

A byte that the encoding does not know becomes a lone surrogate (``BAD``), which is not valid UTF-8:
the record that holds it is rejected later, and only that record.
"""

import codecs
from collections.abc import Callable, Iterator
from typing import BinaryIO

from functions.ingest.readers.model import Facts
from stockflow.errors import PermanentError

BLOCK = 2 << 20
MARK = codecs.BOM_UTF8
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_ASCII = bytes(range(128))
_HANDLER = "stockflow.mark"
_REPLACED = "\ufffd".encode()  # somebody else's mark for what could not be decoded: it is a character, too
_SEPARATORS = b"\n,;\t|:"
_SAMPLE = 4096


def _mark(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    bad = error.object[error.start : error.end]
    return "".join(chr(0xDC00 + byte) for byte in bad), error.end


codecs.register_error(_HANDLER, _mark)


def readable(record: bytes) -> str:
    """Return a record's text for people: bytes that could not be decoded appear as ``\\xNN``."""
    try:
        text = record.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        text = record.decode("utf-8", _HANDLER)
    if is_text(record):
        return text
    return "".join(f"\\x{ord(c) - 0xDC00:02x}" if "\udc00" <= c <= "\udcff" else c for c in text)


def is_text(data: bytes) -> bool:
    """Whether the bytes are valid UTF-8."""
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def is_unmarked(data: bytes) -> bool:
    """Whether the bytes are valid UTF-8 in which nothing is hidden: no NUL, and no byte order mark."""
    return b"\0" not in data and is_text(data) and (data.isascii() or MARK not in data)


def has_whole_ends(data: bytes) -> bool:
    """Whether each carriage return stands before a line feed."""
    return b"\r" not in data or data.count(b"\r") == data.count(b"\r\n")


def utf8_blocks(
    stream: BinaryIO, facts: Facts, score: Callable[[str], int], declared: str | None = None
) -> Iterator[bytes]:
    """Yield the file as UTF-8 without its byte order mark; note the encoding and how it is known.

    ``score`` says how many known headers a decoded beginning has; it helps to tell 8-bit encodings apart.
    ``declared`` is the encoding that the contract names.

    Raises:
        PermanentError: ``unknown_encoding`` when that is not the name of one.
    """
    named = _named(declared) if declared else None
    head = stream.read(BLOCK)
    mark, marked = next(((b, e) for b, e in _BOMS if head.startswith(b)), (b"", None))
    head = head[len(mark) :]
    encoding = marked or named or _wide(head)
    source = "mark" if marked else "declared" if named else "zeros" if encoding else "content"
    facts.note(encoding=encoding or "ascii", encoding_source=source, byte_order_mark=bool(mark))
    if marked and named and marked != named:
        facts.note(encoding_declared=named)
    while head and encoding is None and head.isascii():  # nothing to decide yet
        yield head
        head = stream.read(BLOCK)
    if not head:
        return
    if encoding is None:
        head += stream.read(_wanting(head))
        encoding, single = _decided(head, facts, score)
        yield from transcoded(head, stream, encoding, facts if single else None)
    else:
        yield from transcoded(head, stream, encoding, None)


def _named(declared: str) -> str:
    """Return the usual name of an encoding of text."""
    try:
        "".encode(declared)
        return codecs.lookup(declared).name
    except LookupError as error:
        raise PermanentError(
            "unknown_encoding",
            f"the contract declares the encoding {declared!r}, which is not a known one; "
            "expected a name such as utf-8, cp1252, cp850 or cp1250",
            found=declared,
        ) from error


def _wanting(block: bytes) -> int:
    """Return how many bytes the character lacks that a block may end in the middle of, if it is UTF-8."""
    for back in (1, 2, 3):
        byte = block[-back] if back <= len(block) else 0
        if byte >= 0xC2:
            return max((4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2) - back, 0)
        if byte < 0x80:
            break
    return 0


def _decided(block: bytes, facts: Facts, score: Callable[[str], int]) -> tuple[str, bool]:
    """Return the encoding of the first block beyond ASCII, and whether that is in doubt; note why.

    UTF-8 when at least half of what is beyond ASCII is valid UTF-8, and a fifth when nothing else is certain:
    another encoding hardly ever looks like that, and some broken bytes do not make a UTF-8 file another one.
    """
    from functions.ingest.readers.evidence import choose  # few files need it

    text = block.decode("utf-8", "replace")
    broken = text.count("\ufffd") - block.count(_REPLACED)
    valid = len(text) - len(text.encode("ascii", "ignore")) - broken
    if valid >= broken:
        facts.note(encoding="utf-8")
        return "utf-8", False
    choice = choose(block, score)
    if valid * 4 >= broken and not choice.overwhelming:
        facts.note(encoding="utf-8")
        return "utf-8", False
    source = "evidence" if choice.overwhelming else "assumed"
    facts.note(encoding=choice.encoding, encoding_source=source, encoding_confidence=choice.confidence)
    return choice.encoding, True


def transcoded(head: bytes, stream: BinaryIO, encoding: str, doubted: Facts | None = None) -> Iterator[bytes]:
    """Yield a text's blocks as UTF-8; note its characters beyond ASCII where the encoding is in doubt."""
    if encoding == "utf-8":  # checked record by record later
        yield head
        yield from iter(lambda: stream.read(BLOCK), b"")
        return
    decoder = codecs.getincrementaldecoder(encoding)(_HANDLER)
    seen: set[int] = set()
    while head:
        text = decoder.decode(head)
        if doubted is not None and (new := {*head.translate(None, _ASCII)} - seen):
            seen |= new
            doubted.note(encoding_doubt=_characters(seen, encoding))
        yield text.encode("utf-8", "surrogatepass")
        head = stream.read(BLOCK)
    yield decoder.decode(b"", final=True).encode("utf-8", "surrogatepass")


def _characters(seen: set[int], encoding: str) -> list[str]:
    """Return each byte beyond ASCII and what it was taken for, such as ``a3 £``."""
    shown = ((byte, bytes([byte]).decode(encoding, "ignore")) for byte in sorted(seen))
    return [f"{byte:02x} {sign}".strip() for byte, sign in shown]


def _wide(head: bytes) -> str | None:
    """UTF-16 or UTF-32 without a mark: told by the zeros beside what separates cells and lines, in any script.

    Zeros on both sides are no text but damage, such as a file that was filled up with them.
    """
    sample = head[: min(_SAMPLE, len(head) & ~3 or len(head) & ~1)]
    if 0 not in sample:
        return None
    quarters = [sample[i::4].count(0) * 10 >= len(sample[i::4]) * 9 for i in range(4)]
    if quarters in ([False, True, True, True], [True, True, True, False]):
        return "utf-32-be" if quarters[0] else "utf-32-le"
    low, high = sample[::2], sample[1::2]
    encoding = "utf-16-le" if high.count(0) > low.count(0) else "utf-16-be"
    if encoding == "utf-16-be":
        low, high = high, low
    if low.count(0) * 20 > high.count(0):
        return None
    paired = sum(1 for a, b in zip(low, high, strict=True) if b == 0 and a in _SEPARATORS)
    signs = sum(map(sample.count, (bytes([sign]) for sign in _SEPARATORS)))
    return encoding if paired and paired * 10 >= signs * 9 else None
