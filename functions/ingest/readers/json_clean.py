"""Runs of JSON lines that are written alike, read by column: the same keys in the same order, values without escapes.

A pattern proves each line before anything is cut: no backslash and no control character stands in it, so that a quote
always begins or ends a text, and what stands between two values can be replaced by one separator.
"""

import json
import re
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

from functions.ingest.readers.arrow import TEXT, integers, text
from functions.ingest.readers.fast import parse
from functions.ingest.readers.record import Syntax

_SEPARATED = Syntax(b"\x1f", quote=b"\x1e")  # two signs that no clean line has
_NUMBER = rb"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+"
_ANY = rb'"[^"\\\x00-\x1f]*+"'
_ASCII = rb'"[^"\\\x00-\x1f\x80-\xff]*+"'
_PAIR = re.compile(
    rb'([ \t]*+[{,][ \t]*+"([A-Za-z0-9_ ./()-]++)"[ \t]*+:[ \t]*+)(?:' + _ANY + rb"|" + _NUMBER + rb"|true|false|null)"
)
_TAIL = re.compile(rb"[ \t]*+\}\r?\n")
MAX_KEYS = 200


@dataclass(frozen=True)
class Template:
    """How each line of a run is written: what stands before each value, and behind the last one."""

    keys: tuple[str, ...]
    before: tuple[bytes, ...]
    tail: bytes

    @classmethod
    def of(cls, data: bytes, start: int) -> "Template | None":
        """Return how the line is written that starts there; None when it is not a clean one."""
        keys: list[str] = []
        before: list[bytes] = []
        place = start
        while (pair := _PAIR.match(data, place)) and len(keys) < MAX_KEYS:
            if (b"{" in pair[1].partition(b'"')[0]) != (place == start):
                return None
            before.append(pair[1])
            keys.append(pair[2].decode())
            place = pair.end()
        tail = _TAIL.match(data, place)
        if not keys or tail is None or len(set(keys)) < len(keys) or before[0][:1] != b"{":
            return None
        return cls(tuple(keys), tuple(before), tail[0])

    @cached_property
    def _patterns(self) -> dict[bool, re.Pattern[bytes]]:
        return {plain: self._pattern(_ASCII if plain else _ANY) for plain in (True, False)}

    def _pattern(self, string: bytes) -> re.Pattern[bytes]:
        value = rb"(?:" + string + rb"|" + _NUMBER + rb"|true|false|null)"
        line = b"".join(re.escape(b) + value for b in self.before) + re.escape(self.tail)
        return re.compile(rb"(?:" + line + rb")++")

    def end_of_run(self, data: bytes, start: int, decodes: bool) -> int:
        """Return where the run ends that starts there; ``start`` when there is none.

        ``decodes``: whether the data are valid UTF-8 as a whole; if not, only lines in ASCII are clean.
        """
        found = self._patterns[not decodes].match(data, start)
        return found.end() if found else start

    def columns(self, run: bytes) -> list[pa.Array]:
        """Return the values of a run as they are written, a column for each key."""
        body = run[len(self.before[0]) : -len(self.tail)].replace(self.tail + self.before[0], b"\n")
        for between in self.before[1:]:
            body = body.replace(between, b"\x1f")
        return parse(body + b"\n", _SEPARATED, len(self.keys)).columns


def plain(written: pa.Array) -> pa.Array:
    """Return values as text: strings without quotes, numbers as written, null as NULL."""
    found = pc.ascii_trim(written, '"')
    null = pc.equal(written, text("null"))
    return pc.if_else(null, pa.nulls(1, TEXT)[0], found) if pc.any(null).as_py() else found


def extra(keys: list[str], written: list[pa.Array]) -> pa.Array:
    """Return the values of several keys as a JSON object, numbers as text (as they are written)."""
    parts: list[pa.Array | pa.Scalar] = []
    for key, column in zip(keys, written, strict=True):
        number = pc.match_substring_regex(column, r"^[-0-9]")
        if pc.any(number).as_py():
            column = pc.if_else(number, pc.binary_join_element_wise(text('"'), column, text('"'), text("")), column)  # noqa: PLW2901
        parts += [text(f"{', ' if parts else '{'}{json.dumps(key)}: "), column]
    return pc.binary_join_element_wise(*parts, text("}"), text(""))


def batch_of_run(
    run: list[pa.Array], keys: tuple[str, ...], columns: dict[str, str], names: tuple[str, ...], dated: dict[str, str],
    line: int,
) -> pa.RecordBatch:  # fmt: skip
    """Return a batch of a run: ``columns`` says which key is which column, ``dated`` what the file's name states."""
    count = len(run[0])
    arrays = {columns[k]: plain(v) for k, v in zip(keys, run, strict=True) if k in columns}
    for column, value in dated.items():
        arrays.setdefault(column, pa.repeat(text(value), count))
    if others := [k for k in keys if k not in columns]:
        arrays["_extra"] = extra(others, [v for k, v in zip(keys, run, strict=True) if k not in columns])
    empty = pa.nulls(count, TEXT)
    named = {"_line": integers(range(line, line + count))} | {n: arrays.get(n, empty) for n in (*names, "_extra")}
    return pa.RecordBatch.from_pydict(named)
