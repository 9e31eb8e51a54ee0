"""Encodings: whatever a text file is written in becomes UTF-8, a block at a time.

A byte that the encoding does not know becomes a lone surrogate (``BAD``), which is no valid UTF-8:
the record that holds it is rejected later, and only that record.
"""

import codecs
import re
from collections.abc import Callable, Iterator
from typing import BinaryIO

from functions.ingest.readers.model import Facts

BLOCK = 2 << 20
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WESTERN = ("cp1252", "cp850", "mac_roman")
_USUAL = set("éèêëàâäáçùûüúîïíôöóœæñßøå°€’–«»\xa0")
_RARE = set("ÉÈÊÀÂÄÇÙÛÜÎÏÔÖŒÆÑØÅ²³‘“”—…£§µ")
_HIGH = re.compile(rb"[\x80-\xff]+")
_HANDLER = "stockflow.mark"


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


def utf8_blocks(stream: BinaryIO, facts: Facts, score: Callable[[str], int]) -> Iterator[bytes]:
    """Yield the file as UTF-8 without its byte order mark; note the encoding.

    ``score`` says how many known headers a decoded beginning has; it helps to tell 8-bit encodings apart.
    """
    head = stream.read(BLOCK)
    bom, encoding = next(((b, e) for b, e in _BOMS if head.startswith(b)), (b"", _wide(head)))
    head = head[len(bom) :]
    facts.note(encoding=encoding or "ascii", byte_order_mark=bool(bom))
    while head and encoding is None and head.isascii():  # nothing to decide yet
        yield head
        head = stream.read(BLOCK)
    if not head:
        return
    if encoding is None:
        encoding = guess(head, score)
        facts.note(encoding=encoding)
    yield from _transcoded(head, stream, encoding)


def _transcoded(head: bytes, stream: BinaryIO, encoding: str) -> Iterator[bytes]:
    if encoding == "utf-8":  # checked record by record later
        yield head
        yield from iter(lambda: stream.read(BLOCK), b"")
        return
    decoder = codecs.getincrementaldecoder(encoding)(_HANDLER)
    while head:
        yield decoder.decode(head).encode("utf-8", "surrogatepass")
        head = stream.read(BLOCK)
    yield decoder.decode(b"", final=True).encode("utf-8", "surrogatepass")


def _wide(head: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of mostly Latin text is zero."""
    sample = head[:4096]
    if len(sample) < 4 or sample.count(0) * 3 < len(sample):
        return None
    return "utf-16-le" if sample[1::2].count(0) > sample[::2].count(0) else "utf-16-be"


def guess(block: bytes, score: Callable[[str], int]) -> str:
    """Return the likely encoding of a block that is not all ASCII.

    UTF-8 when a fair part of its non-ASCII characters is valid UTF-8: another encoding hardly ever looks like that,
    and some broken bytes do not make a UTF-8 file a cp1252 one. Else the western encoding that gives more known
    headers, then more letters that people use. charset-normalizer is asked for what is not western, or makes no
    sense: on a short sample of French it is wrong as often as right.
    """
    text = block.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    valid = sum(not c.isascii() for c in text) - broken
    if broken == 0 or valid * 4 >= broken:
        return "utf-8"
    best = max(_WESTERN, key=lambda e: (score(block.decode(e, "replace")), _sense(block, e)))
    needed = 0.95 if _crowded(block) else 0.25
    return best if _sense(block, best) > needed else _asked(block)


def _crowded(block: bytes) -> bool:
    """Whether letters beyond ASCII stand side by side, as in Cyrillic or Chinese: in western words they do not."""
    runs = _HIGH.findall(block[:65_536])
    return sum(len(r) for r in runs if len(r) > 2) * 2 > sum(len(r) for r in runs)


def _sense(block: bytes, encoding: str) -> float:
    """Return how usual the characters are that the bytes beyond ASCII become: 0 to 1."""
    text = bytes(b for b in block if b > 127)[:20_000].decode(encoding, "replace")
    return sum(1.0 if c in _USUAL else 0.4 if c in _RARE else 0.0 for c in text) / max(len(text), 1)


def _asked(block: bytes) -> str:
    from charset_normalizer import from_bytes

    found = from_bytes(block[:65_536]).best()
    return found.encoding if found else "cp1252"
