"""Opens a workbook of any kind, and says in words what is wrong with one that cannot be opened."""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Protocol

from functions.ingest.readers.model import Target
from functions.ingest.readers.sheet import Sheet
from functions.ingest.readers.xml_events import XmlError
from stockflow.errors import PermanentError

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_BOF = b"\x09\x08\x10\x00\x00\x06\x05\x00"  # where the globals of an XLS workbook begin
_FILEPASS = 0x2F
_HEAD = 1 << 22
_PARTS = (  # what only a workbook of that kind holds
    ("xl/workbook.bin", "xlsb"),
    ("xl/workbook.xml", "xlsx"),
    ("content.xml", "ods"),
    ("[content_types].xml", "xlsx"),
)
_DAMAGE = (XmlError, zipfile.BadZipFile, zlib.error, struct.error, LookupError, ValueError, OSError, EOFError)
_UNSUPPORTED = (NotImplementedError, RuntimeError, AttributeError, TypeError, RecursionError, OverflowError)


class Book(Protocol):
    """An open workbook."""

    def sheets(self) -> Iterator[Sheet]:
        """Yield the sheets in the order of their tabs."""


class Opened:
    """An open workbook and its kind."""

    def __init__(self, kind: str, book: Book, name: str) -> None:
        self.kind = kind
        self._book = book
        self._name = name

    def sheets(self) -> Iterator[Sheet]:
        """Yield the sheets in the order of their tabs."""
        return self._book.sheets()

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Say what is wrong when the workbook turns out to be damaged while it is read."""
        with _words(self._name):
            yield


@contextmanager
def _words(name: str) -> Iterator[None]:
    try:
        yield
    except PermanentError:
        raise
    except (*_DAMAGE, *_UNSUPPORTED) as error:
        raise corrupt(name, error) from error
    except BaseException as error:  # a panic of the native library is no Exception
        if type(error).__name__ != "PanicException":
            raise
        raise corrupt(name, error) from None


def corrupt(name: str, error: object) -> PermanentError:
    """Return the error of a workbook that is damaged."""
    kind = type(error).__name__
    return PermanentError(
        "corrupt_workbook",
        f"{name} is not a readable workbook ({kind}: {str(error)[:200]}); open it, and save it again as XLSX",
    )


def protected(name: str) -> PermanentError:
    """Return the error of a workbook that wants a password."""
    return PermanentError("protected_workbook", f"{name} is protected by a password; save it without one")


def open_workbook(stream: BinaryIO, target: Target) -> Opened:
    """Open a workbook.

    Raises:
        PermanentError: ``protected_workbook``, ``corrupt_workbook``.
    """
    name = target.name
    with _words(name):
        if _is_protected(stream):
            raise protected(name)
        kind = kind_of_workbook(stream, name)
        if kind == "xlsx":
            from functions.ingest.readers.xlsx import Xlsx

            return Opened(kind, Xlsx(stream, name, target.memory_bytes), name)
        from functions.ingest.readers.calamine_book import CalamineBook

        return Opened(kind, CalamineBook(stream, kind), name)


def kind_of_workbook(stream: BinaryIO, name: str) -> str:
    """Return xlsx, xlsb, ods or xls; ``zip`` for an archive that is none of them.

    Raises:
        PermanentError: ``corrupt_workbook``, ``corrupt_archive``.
    """
    stream.seek(0)
    if stream.read(8) == OLE:
        return "xls"
    try:
        with zipfile.ZipFile(stream) as archive:
            names = {n.replace("\\", "/").lstrip("/").lower() for n in archive.namelist()}
    except (*_DAMAGE, *_UNSUPPORTED) as error:
        if name.lower().endswith(".zip"):
            raise PermanentError(
                "corrupt_archive", f"the zip file {name} is damaged ({error}); send it again"
            ) from error
        raise corrupt(name, error) from error
    kinds = (kind for part, kind in _PARTS if part in names)
    return next(kinds, "zip")


def _is_protected(stream: BinaryIO) -> bool:
    stream.seek(0)
    head = stream.read(_HEAD)
    stream.seek(0)
    if head.startswith(OLE):
        return _ENCRYPTED in head or _has_password(head)
    if not zipfile.is_zipfile(stream):
        return False
    with zipfile.ZipFile(stream) as archive:
        if any(i.flag_bits & 1 for i in archive.infolist()):
            return True
        manifest = next((i for i in archive.infolist() if i.filename == "META-INF/manifest.xml"), None)
        if manifest is None:
            return False
        with archive.open(manifest) as listing:
            return b"encryption-data" in listing.read(_HEAD)


def _has_password(head: bytes) -> bool:
    """Whether the first records of an XLS workbook say that it is encrypted."""
    place = head.find(_BOF)
    records = io.BytesIO(head[place : place + 512] if place >= 0 else b"")
    while len(mark := records.read(4)) == 4:
        kind, length = int.from_bytes(mark[:2], "little"), int.from_bytes(mark[2:], "little")
        if kind == _FILEPASS:
            return True
        records.read(length)
    return False
