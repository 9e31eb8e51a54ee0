"""The shared strings of an XLSX file: those of plain text by a pattern, others (some words in bold) by expat."""

import re
from collections.abc import Iterable
from itertools import groupby
from typing import BinaryIO
from xml.sax.saxutils import unescape

from functions.ingest.readers.workbook_limits import Held
from functions.ingest.readers.xlsx_sheet import unescaped
from functions.ingest.readers.xlsx_text import Written, elements
from functions.ingest.readers.xml_events import Handler, feed, parts_of

_BEGIN = re.compile(rb'\A(?:\xef\xbb\xbf)?(?:<\?xml[^<>]*\?>)?\s*<sst(?: [\w:]+="[^"<>&]*")*>')
_WRITTEN = Written(_BEGIN, "</si>", "</sst>", "<sst>", judged=True)
_SIGNS = r"[^<&\]\x00-\x08\x0b-\x1f\ufffe\uffff]*+"  # which need nothing else to be valid
_PLAIN = re.compile(
    rf'\s*+<si><t(?: xml:space="preserve")?+>({_SIGNS}(?:&(?:amp|lt|gt|quot|apos);{_SIGNS})*+)</t></si>|(.*?</si>)',
    re.DOTALL,
)
_NAMED = {"&quot;": '"', "&apos;": "'"}


def strings_of(stream: BinaryIO, held: Held) -> list[str]:
    """Return the shared strings.

    Raises:
        XmlError: when they are damaged.
        PermanentError: ``too_large_for_function``.
    """
    strings = _Strings(held)
    for text in elements(parts_of(stream), _WRITTEN):
        if not isinstance(text, str):
            _parse(text, strings)
            continue
        for other, items in groupby(_PLAIN.findall(text), lambda item: bool(item[1])):
            if other:
                _parse([f"<sst>{''.join(item[1] for item in items)}</sst>".encode()], strings)
            else:
                strings.keep(item[0] for item in items)
    return strings.found


def _parse(parts: Iterable[bytes], strings: "_Strings") -> None:
    for _ in feed(parts, strings):
        pass


class _Strings(Handler):
    """Collects the strings; what tells how to pronounce them is left out."""

    def __init__(self, held: Held) -> None:
        self.found: list[str] = []
        self._held = held
        self._parts: list[str] = []
        self._characters = 0
        self._take = self._phonetic = False

    def keep(self, texts: Iterable[str]) -> None:
        """Keep strings as they stand in the file."""
        for text in texts:
            self._keep(unescape(text, _NAMED) if "&" in text else text)

    def _keep(self, text: str) -> None:
        self.found.append(unescaped(text))
        self._held.keep(self.found[-1])

    def start(self, name: str, _attributes: dict[str, str]) -> None:
        """Look out for text."""
        if name == "si":
            self._parts, self._characters = [], 0
        elif name == "rPh":
            self._phonetic = True
        elif name == "t":
            self._take = not self._phonetic

    def text(self, data: str) -> None:
        """Keep text."""
        if self._take:
            self._parts.append(data)
            self._characters += len(data)
            self._held.check(self._characters)

    def end(self, name: str) -> None:
        """A string is whole."""
        if name == "t":
            self._take = False
        elif name == "rPh":
            self._phonetic = False
        elif name == "si":
            self._keep("".join(self._parts))
