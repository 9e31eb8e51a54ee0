"""The large parts of an XLSX file (a sheet, the shared strings) as text of whole elements, as all programs write them.

Where one is written otherwise (comments, other encodings, prefixes), the rest is for an XML parser.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from functions.ingest.readers.xml_events import XmlError

LONGEST = 1 << 23  # characters of an element: what is longer is not gathered


@dataclass(frozen=True)
class Written:
    """How such a part begins, each of its elements ends, and all of them.

    ``again``: how the rest of it begins for a parser. What stands behind the end is for one when it is ``judged``.
    """

    begin: re.Pattern[bytes]
    each: str
    end: str
    again: str
    judged: bool = False


def elements(parts: Iterator[bytes], written: Written) -> Iterator[str | Iterator[bytes]]:
    """Yield texts that end with an element; last, if need be, the rest for a parser.

    Raises:
        XmlError: when it was cut, or is not UTF-8.
    """
    head = next(parts, b"")
    begin = written.begin.search(head)
    if begin is None or b"<!" in head[: begin.end()] or not _is_utf8(head):
        yield chain([head], parts)
        return
    texts = _texts(chain([head[begin.end() :]], parts))
    rest, ends = "", False
    for text in texts:
        rest += text
        if _is_unusual(rest):
            break
        end = rest.find(written.end)
        ends = end >= 0
        last = rest.rfind(written.each, 0, end if ends else len(rest))
        cut = last + len(written.each) if last >= 0 else 0
        yield rest[:cut]
        rest = rest[cut:]
        if ends or len(rest) > LONGEST:
            break
    else:
        if not written.judged:
            raise XmlError("the sheet has no end: it was cut")
    if written.judged or not ends:
        yield (t.encode() for t in chain([written.again, rest], texts))
    for _ in parts:  # to the end, where the archive's checksum is checked
        pass


def _texts(parts: Iterator[bytes]) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for part in parts:
            yield decoder.decode(part)
    except UnicodeDecodeError as error:
        raise XmlError(f"its XML is damaged: {error}") from error


def _is_unusual(text: str) -> bool:
    """Whether there is a comment or the like; a single sign is found in a hundredth of the time of two."""
    return ("!" in text and "<!" in text) or ("?" in text and "<?" in text)


def _is_utf8(head: bytes) -> bool:
    declared = re.search(rb'^<\?xml[^>]*encoding=["\']([\w-]+)', head[:200])
    return declared is None or declared[1].lower() in {b"utf-8", b"us-ascii"}
