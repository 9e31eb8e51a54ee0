"""XML read in parts by expat, without document types and entities of its own; names without their namespace."""

from collections.abc import Iterable, Iterator
from typing import BinaryIO
from xml.parsers import expat

PART = 1 << 18


class XmlError(Exception):
    """The XML is damaged, or holds what no workbook needs."""


class Handler:
    """What the parser calls; ``start`` gets the name without its prefix."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""

    def text(self, data: str) -> None:
        """Text."""

    def end(self, name: str) -> None:
        """An element ends."""


def parts_of(stream: BinaryIO) -> Iterator[bytes]:
    """Yield a stream in parts."""
    return iter(lambda: stream.read(PART), b"")


def feed(parts: Iterable[bytes], handler: Handler) -> Iterator[None]:
    """Read XML into a handler; yield after each part, so that the caller can take what was found.

    Raises:
        XmlError: when it is not well-formed, or declares a document type.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = lambda name, a: (
        handler.start(name.rpartition(":")[2], a) if ":" in name else (handler.start(name, a))
    )
    parser.EndElementHandler = lambda name: handler.end(name.rpartition(":")[2])
    parser.CharacterDataHandler = handler.text
    parser.StartDoctypeDeclHandler = _no_doctype
    try:
        for part in parts:
            parser.Parse(part, False)
            yield
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise XmlError(f"its XML is damaged: {error}") from error
    yield


def _no_doctype(*_: object) -> None:
    raise XmlError("its XML declares a document type, which no workbook does")
