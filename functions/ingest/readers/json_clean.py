"""Runs of JSON lines that are written alike, read by column: the same keys in the same order, values without escapes.

A pattern proves each line before anything is cut: no backslash and no control character stands in it, so that a quote
always begins or ends a text. Where each key has texts in all lines or in none of them, lines are cut at their quotes;
else what stands between two values is replaced by one separator.
"""

import json
import re
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, compress

import pyarrow as pa
import pyarrow.compute as pc

from functions.ingest.readers.arrow import TEXT, counted, text
from functions.ingest.readers.fast import cut, parse
from functions.ingest.readers.record import Syntax

_SEPARATED = Syntax(b"\x1f", quote=b"\x1e")  # two signs that no clean line has
_NUMBER = rb"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+"
_ANY = rb'"[^"\\\x00-\x1f]*+"'
_ASCII = rb'"[^"\\\x00-\x1f\x80-\xff]*+"'
_PAIR = re.compile(
    rb'([ \t]*+[{,][ \t]*+"([A-Za-z0-9_ ./()-]++)"[ \t]*+:[ \t]*+)(?:' + _ANY + rb"|" + _NUMBER + rb"|true|false|null)"
)
_TAIL = re.compile(rb"[ \t]*+\}\r?\n")
_OTHER = _NUMBER + rb"|true|false|null"
_BOTH = (True, False)
MAX_KEYS = 200
AHEAD = 65_536  # bytes in which the kind of a key is looked for whose first value is null


@dataclass(frozen=True)
class Written:
    """The values of a key as they are written; ``bare``: all of them texts, without their quotes, or NULL."""

    values: pa.Array
    bare: bool

    def plain(self) -> pa.Array:
        """Return values as text: strings without quotes, numbers as written, null as NULL."""
        return self.values if self.bare else plain(self.values)

    def quoted(self) -> pa.Array:
        """Return values as JSON, numbers as text (as they are written)."""
        if self.bare:
            found = _in_quotes(self.values)
            return found.fill_null(text("null")) if found.null_count else found
        number = pc.match_substring_regex(self.values, r"^[-0-9]")
        return pc.if_else(number, _in_quotes(self.values), self.values) if pc.any(number).as_py() else self.values


def _in_quotes(values: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(text('"'), values, text('"'), text(""))


def _is_text(data: bytes, pair: re.Match[bytes]) -> bool:
    """Whether a key has texts: by its first value, or, when that is null, by the next one that is a text."""
    value = data[pair.end(1) : pair.end()]
    return value[:1] == b'"' or (value == b"null" and data.find(pair[1] + b'"', pair.end(), pair.end() + AHEAD) > 0)


@dataclass(frozen=True)
class Template:
    """How each line of a run is written: what stands before each value, and behind the last one.

    ``texts``: which keys have texts.
    """

    keys: tuple[str, ...]
    before: tuple[bytes, ...]
    tail: bytes
    texts: tuple[bool, ...]

    @classmethod
    def of(cls, data: bytes, start: int) -> "Template | None":
        """Return how the line is written that starts there; None when it is not a clean one."""
        keys: list[str] = []
        before: list[bytes] = []
        texts: list[bool] = []
        place = start
        while (pair := _PAIR.match(data, place)) and len(keys) < MAX_KEYS:
            if (b"{" in pair[1].partition(b'"')[0]) != (place == start):
                return None
            before.append(pair[1])
            keys.append(pair[2].decode())
            texts.append(_is_text(data, pair))
            place = pair.end()
        tail = _TAIL.match(data, place)
        if not keys or tail is None or len(set(keys)) < len(keys) or before[0][:1] != b"{":
            return None
        return cls(tuple(keys), tuple(before), tail[0], tuple(texts))

    @cached_property
    def _patterns(self) -> dict[tuple[bool, bool], re.Pattern[bytes]]:
        """By whether texts may be beyond ASCII, and whether each key keeps to texts, or to other values."""
        return {(wide, alike): self._pattern(_ANY if wide else _ASCII, alike) for wide in _BOTH for alike in _BOTH}

    def _pattern(self, string: bytes, alike: bool) -> re.Pattern[bytes]:
        of_kind = {True: rb"(?:" + string + rb"|null)", False: rb"(?:" + _OTHER + rb")"}
        either = rb"(?:" + string + rb"|" + _OTHER + rb")"
        values = [of_kind[is_text] if alike else either for is_text in self.texts]
        line = b"".join(re.escape(b) + value for b, value in zip(self.before, values, strict=True))
        return re.compile(rb"(?:" + line + re.escape(self.tail) + rb")++")

    def end_of_run(self, data: bytes, start: int, decodes: bool) -> int:
        """Return where the run ends that starts there; ``start`` when there is none."""
        return self.run(data, start, decodes)[0]

    def run(self, data: bytes, start: int, decodes: bool) -> tuple[int, bool]:
        """Return where the run ends that starts there, ``start`` when there is none; and whether its lines are alike.

        ``decodes``: whether the data are valid UTF-8 as a whole; if not, only lines in ASCII are clean.
        """
        alike = self._patterns[decodes, True].match(data, start)
        end = alike.end() if alike else start
        if end == data.rfind(b"\n") + 1:
            return end, True
        found = self._patterns[decodes, False].match(data, start)
        return (found.end(), found.end() == end) if found else (start, False)

    def columns(self, run: bytes, alike: bool) -> list[Written]:
        """Return the values of a run as they are written, for each key."""
        if alike:
            return self._cut_at_quotes(run)
        body = run[len(self.before[0]) : -len(self.tail)].replace(self.tail + self.before[0], b"\n")
        for between in self.before[1:]:
            body = body.replace(between, b"\x1f")
        return [Written(c, bare=False) for c in parse(body + b"\n", _SEPARATED, len(self.keys)).columns]

    def _cut_at_quotes(self, run: bytes) -> list[Written]:
        """Return them from lines cut at each quote: a text is a cell of its own, another value has signs around it.

        A text that is null gets quotes first, and a sign between them that no clean line has.
        """
        of_texts = compress(self.before, self.texts) if b"null" in run else ()
        nulls = [b for b in of_texts if b + b"null" in run]
        for before in nulls:
            run = run.replace(before + b"null", before + b'"\x1f"')
        ends = list(accumulate(4 if is_text else 2 for is_text in self.texts))
        places = [end - is_text for end, is_text in zip(ends, self.texts, strict=True)]
        cells = cut(run, b'"', ends[-1] + 1, places)
        behind = [b.index(b'"') for b in self.before[1:]] + [len(self.tail.rstrip(b"\r\n"))]
        return [
            Written(_with_nulls(cell) if b in nulls else cell, True)
            if is_text
            else Written(_without(cell, len(b) - b.rindex(b'"') - 1, signs), False)
            for cell, is_text, b, signs in zip(cells, self.texts, self.before, behind, strict=True)
        ]


def _with_nulls(cell: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(cell, text("\x1f")), pa.nulls(1, TEXT)[0], cell)


def _without(cell: pa.Array, before: int, behind: int) -> pa.Array:
    """Return cells of ASCII without so many signs at their beginning and end."""
    return pc.utf8_slice_codeunits(cell, before, -behind)


def plain(written: pa.Array) -> pa.Array:
    """Return values as text: strings without quotes, numbers as written, null as NULL."""
    found = pc.ascii_trim(written, '"')
    null = pc.equal(written, text("null"))
    return pc.if_else(null, pa.nulls(1, TEXT)[0], found) if pc.any(null).as_py() else found


def extra(keys: list[str], written: list[Written]) -> pa.Array:
    """Return the values of several keys as a JSON object, numbers as text (as they are written)."""
    parts: list[pa.Array | pa.Scalar] = []
    for key, column in zip(keys, written, strict=True):
        parts += [text(f"{', ' if parts else '{'}{json.dumps(key)}: "), column.quoted()]
    return pc.binary_join_element_wise(*parts, text("}"), text(""))


def batch_of_run(
    run: list[Written], keys: tuple[str, ...], columns: dict[str, str], names: tuple[str, ...], dated: dict[str, str],
    line: int,
) -> pa.RecordBatch:  # fmt: skip
    """Return a batch of a run: ``columns`` says which key is which column, ``dated`` what the file's name states."""
    count = len(run[0].values)
    arrays = {columns[k]: v.plain() for k, v in zip(keys, run, strict=True) if k in columns}
    for column, value in dated.items():
        arrays.setdefault(column, pa.repeat(text(value), count))
    if others := [k for k in keys if k not in columns]:
        arrays["_extra"] = extra(others, [v for k, v in zip(keys, run, strict=True) if k not in columns])
    empty = pa.nulls(count, TEXT)
    named = {"_line": counted(line, count)} | {n: arrays.get(n, empty) for n in (*names, "_extra")}
    return pa.RecordBatch.from_pydict(named)
