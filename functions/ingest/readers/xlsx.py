"""XLSX and XLSM: an archive of XML, read in parts. Only the shared strings are held in memory, up to a limit."""

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import BinaryIO, cast

from functions.ingest.readers.cells import Render, plain, renderer
from functions.ingest.readers.sheet import Merge, Part, Row, Sheet
from functions.ingest.readers.workbook_limits import (
    MAX_MERGES,
    MAX_RELATIONS,
    MAX_SETTINGS,
    MAX_SHEETS,
    MAX_STYLES,
    Held,
    check_count,
)
from functions.ingest.readers.xlsx_rows import parts_of_sheet
from functions.ingest.readers.xlsx_sheet import merges_of
from functions.ingest.readers.xlsx_strings import strings_of
from functions.ingest.readers.xml_events import Handler, feed, parts_of

_SHEET = "/worksheet"


@dataclass(frozen=True)
class Most:
    """Up to how many of something are collected of the workbook of that name."""

    name: str
    what: str
    count: int


class _Elements(Handler):
    """Collects the attributes of all elements of some names, in order, up to a number."""

    def __init__(self, names: tuple[str, ...], most: "Most") -> None:
        self._names = names
        self._most = most
        self._path: list[str] = []
        self.found: list[tuple[str, str, dict[str, str]]] = []  # parent, name, attributes

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Keep it when it is one of those."""
        if name in self._names:
            local = {k.rpartition(":")[2]: v for k, v in attributes.items()}
            self.found.append((self._path[-1] if self._path else "", name, local))
            check_count(self._most.name, self._most.what, len(self.found), self._most.count)
        self._path.append(name)

    def end(self, _name: str) -> None:
        """Go up."""
        self._path.pop()


class Xlsx:
    """An open workbook."""

    def __init__(self, stream: BinaryIO, name: str, memory_bytes: int) -> None:
        """Open it; the shared strings get a share of the memory.

        Raises:
            XmlError, zipfile.BadZipFile, KeyError, OSError: when it is damaged.
            PermanentError: ``too_large_for_function``; the other methods raise it, too.
        """
        self.name, self._memory_bytes = name, memory_bytes
        self._archive = zipfile.ZipFile(stream)
        self._names = {n.replace("\\", "/").lstrip("/").lower(): n for n in self._archive.namelist()}
        self._book = self._main_part()
        self._related = self._relations(self._book)

    def sheets(self) -> Iterator[Sheet]:
        """Yield the worksheets in the order of their tabs."""
        for _, _, sheet in self._elements(self._book, "sheets", MAX_SHEETS, "sheet"):
            kind, part = self._related.get(sheet.get("id", ""), ("", ""))
            if kind.endswith(_SHEET) and part:
                yield XlsxSheet(self, sheet.get("name", ""), sheet.get("state", "visible") == "visible", part)

    def open(self, part: str) -> BinaryIO:
        """Return a part of the archive."""
        return cast("BinaryIO", self._archive.open(self._names[part.lower()]))

    @cached_property
    def strings(self) -> list[str]:
        """The shared strings."""
        part = next((p for kind, p in self._related.values() if kind.endswith("/sharedStrings")), "")
        if part.lower() not in self._names:
            return []
        return strings_of(self.open(part), Held(self.name, self._memory_bytes))

    @cached_property
    def renders(self) -> list[Render]:
        """How the cells of each style are written."""
        part = next((p for kind, p in self._related.values() if kind.endswith("/styles")), "")
        if part.lower() not in self._names:
            return [plain]
        found = self._elements(part, "cell styles", MAX_STYLES, "numFmt", "xf")
        codes = {a.get("numFmtId"): a.get("formatCode", "") for _, name, a in found if name == "numFmt"}
        cells = [a.get("numFmtId", "0") for parent, name, a in found if name == "xf" and parent == "cellXfs"]
        return [renderer(int(n), codes.get(n, ""), self._since_1904) for n in cells] or [plain]

    @cached_property
    def _since_1904(self) -> bool:
        found = self._elements(self._book, "settings", MAX_SETTINGS, "workbookPr")
        return any(a.get("date1904", "0").lower() in {"1", "true", "on"} for _, _, a in found)

    def _main_part(self) -> str:
        for kind, part in self._relations("").values():
            if kind.endswith("/officeDocument"):
                return part
        return "xl/workbook.xml"

    def _relations(self, part: str) -> dict[str, tuple[str, str]]:
        """Return id -> (kind, part) of what a part refers to."""
        folder, _, name = part.rpartition("/")
        listing = f"{folder}/_rels/{name}.rels".lstrip("/")
        if listing.lower() not in self._names:
            return {}
        found = self._elements(listing, "parts", MAX_RELATIONS, "Relationship")
        return {a.get("Id", ""): (a.get("Type", ""), resolved(folder, a.get("Target", ""))) for _, _, a in found}

    def _elements(self, part: str, what: str, most: int, *names: str) -> list[tuple[str, str, dict[str, str]]]:
        found = _Elements(names, Most(self.name, what, most))
        for _ in feed(parts_of(self.open(part)), found):
            pass
        return found.found


class XlsxSheet(Sheet):
    """One worksheet."""

    def __init__(self, book: Xlsx, name: str, visible: bool, part: str) -> None:
        super().__init__(name, visible)
        self._book = book
        self._part = part

    def rows(self) -> Iterator[Row]:
        """Yield the rows that have cells."""
        for part in self.parts():
            yield from part.rows()

    def parts(self) -> Iterator[Part]:
        """Yield the rows, those together that are written alike."""
        with self._book.open(self._part) as stream:
            yield from parts_of_sheet(stream, self._book.strings, self._book.renders)

    def merges(self) -> list[Merge]:
        """Return the merged ranges."""
        with self._book.open(self._part) as stream:
            found = merges_of(stream, MAX_MERGES + 1)
        check_count(self._book.name, "merged ranges", len(found), MAX_MERGES)
        return found


def resolved(folder: str, target: str) -> str:
    """Return the part that a relation of a part in ``folder`` means."""
    if target.startswith("/"):
        return target[1:]
    parts = folder.split("/") if folder else []
    for step in target.split("/"):
        if step == "..":
            parts = parts[:-1]
        elif step != ".":
            parts.append(step)
    return "/".join(parts)
