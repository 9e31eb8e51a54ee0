"""The cells of an XLSX sheet, row by row: a cell far away costs no more than one nearby."""

import re
from collections.abc import Callable
from typing import BinaryIO

from functions.ingest.readers.cells import FORMULA, Dated, Problem, Render, Truth, Unreadable, plain
from functions.ingest.readers.sheet import Merge, Row
from functions.ingest.readers.workbook_limits import MAX_COLUMNS, MAX_ROWS
from functions.ingest.readers.xml_events import Handler, XmlError

_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_MERGE = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref\s*=\s*["\']([A-Z]+)(\d+):([A-Z]+)(\d+)["\']')
_PART = 1 << 20
REMEMBERED = 20_000
_INDEX = re.compile(r"\s*\+?[0-9]{1,9}\s*", re.ASCII)


def unescaped(text: str) -> str:
    """Return text without Excel's own escapes of control characters."""
    if "_x" not in text:
        return text
    return _ESCAPED.sub(lambda m: m[0] if m[1][0] in "dD" else chr(int(m[1], 16)), text)


_TRUE, _FALSE = Truth("TRUE"), Truth("FALSE")
_TRUTH = {"1": _TRUE, "true": _TRUE, "0": _FALSE, "false": _FALSE}
_WORDS: dict[str, Callable[[str], str]] = {
    "e": Problem,
    "b": lambda text: _TRUTH.get(text.strip()) or Unreadable.of(text, "which is not TRUE or FALSE"),
    "d": lambda text: Dated(text.removesuffix("T00:00:00").replace("T", " ")),
    "str": unescaped,
    "inlineStr": unescaped,
}


def column_number(letters: str) -> int:
    """Return the position of a column, from 0."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number - 1


class _Columns(dict[str, int]):
    def __missing__(self, letters: str) -> int:
        number = self[letters] = column_number(letters)
        return number


class _Remembered(dict[str, str]):
    """What the numbers of one style are written as: the same ones come again and again."""

    def __init__(self, render: Render) -> None:
        super().__init__()
        self._render = render

    def __missing__(self, text: str) -> str:
        if len(self) > REMEMBERED:
            self.clear()
        shown = self[text] = self._render(text) if text else ""
        return shown


class RowHandler(Handler):
    """Collects rows."""

    def __init__(self, strings: list[str], renders: list[Render]) -> None:
        self.found: list[Row] = []
        self.strings = strings
        self.renders = [_Remembered(r) for r in renders] or [_Remembered(plain)]
        self.columns = _Columns()
        self.number = 0
        self._hidden = False
        self._cells: dict[int, str] = {}
        self._column = -1
        self._kind = self._style = ""
        self._parts: list[str] = []
        self._take = self._formula = self._phonetic = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """A row, a cell, or what is in it, begins."""
        if name == "c":
            place = attributes.get("r")
            self._column = self.columns[place.rstrip("0123456789")] if place else self._column + 1
            self._kind = attributes.get("t", "")
            self._style = attributes.get("s", "0")
            self._parts = []
            self._formula = False
        elif name == "v":
            self._take = True
        elif name == "row":
            number = attributes.get("r")
            self.number = int(number) if number else self.number + 1
            self._hidden = attributes.get("hidden", "0") in {"1", "true"}
            self._cells, self._column = {}, -1
        elif name == "t":
            self._take = not self._phonetic
        elif name == "f":
            self._formula = True
        elif name == "rPh":
            self._phonetic = True

    def text(self, data: str) -> None:
        """Keep the text of a value."""
        if self._take:
            self._parts.append(data)

    def end(self, name: str) -> None:
        """A value, a cell or a row is whole."""
        if name in {"v", "t"}:
            self._take = False
        elif name == "c":
            if value := self._value():
                self._check_place()
                self._cells[self._column] = value
        elif name == "row":
            self.found.append(Row(self.number, self._cells, self._hidden))
        elif name == "rPh":
            self._phonetic = False

    def _check_place(self) -> None:
        if not (0 <= self._column < MAX_COLUMNS and 0 < self.number <= MAX_ROWS):
            raise XmlError(f"a cell stands outside of what a sheet has (row {self.number}, column {self._column + 1})")

    def _value(self) -> str:
        return self.value("".join(self._parts), self._kind, self._style, self._formula)

    def value(self, text: str, kind: str, style: str, formula: bool) -> str:
        """Return a cell as people see it."""
        if not text:
            return Problem(FORMULA) if formula and kind != "str" else ""
        if kind == "s":
            return self.strings[index(text)]
        if kind in {"", "n"}:
            return self.renders[index(style or "0")][text]
        if kind in _WORDS:
            return _WORDS[kind](text)
        return Unreadable.of(text, f"of the type {kind!r}, which no spreadsheet has")


def index(text: str) -> int:
    """Return a place in a list, which Python would count from the end when it is less than 0."""
    if not _INDEX.fullmatch(text):
        raise ValueError(f"{text[:20]!r} is not a number from 0 on")
    return int(text)


def merges_of(stream: BinaryIO, most: int) -> list[Merge]:
    """Return the merged ranges of a sheet, which stand behind its cells; not many more than ``most``."""
    found: list[Merge] = []
    rest = b""
    while len(found) < most and (part := stream.read(_PART)):
        data = rest + part
        end = 0
        for m in _MERGE.finditer(data) if b"mergeCell" in data else ():
            left, right = column_number(m[1].decode()), column_number(m[3].decode())
            found.append(Merge(int(m[2]), int(m[4]), left, right))
            end = m.end()
        rest = data[max(end, len(data) - 200) :]
    return found
