"""The records of a JSON text, one after another: JSON Lines, objects with nothing between them, arrays, pretty print.

Reads in parts, so an array (or a line) of any size takes the memory of one part and one record.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from functions.ingest.readers.json_text import readable_text, texts
from functions.ingest.readers.model import KEPT_TEXT, Facts, Found, Reject, listed, shown
from functions.ingest.readers.native import Constant, native
from stockflow.errors import PermanentError

MAX_ELEMENT = 10_000_000  # characters of one record
NEAR_END = 12  # an error so close to the end of what was read may be a cut escape, word or number
# Commas: an array that lost its brackets; \x1e: JSON text sequences; \ufeff: files that were joined; \x1a: DOS's end.
_GAP = re.compile(r"[\s,\x1e\ufeff\x1a]*")
_KINDS = {"list": "array", "str": "string or number", "NoneType": "null", "bool": "true or false"}
_NEXT_RECORD = re.compile(r"\n|\}\s*(?=\{)")
_NEXT_PRINTED = re.compile(r"\n(?=[{\[])")
_ARRAY = re.compile(r"\[\s*(?=[{\]]|\Z)")
_PRINTED = re.compile(r"\{[ \t\r]*\n")


class _MistakeError(Exception):
    """What is wrong with the value at the current place."""

    def __init__(self, message: str, code: str = "bad_json", expected: str = "one JSON object after another") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.expected = expected


class Values:
    """Iterates over the records of a text; ``facts`` counts its lines."""

    def __init__(self, parts: Iterable[bytes], name: str, facts: Facts, line: int = 1) -> None:
        self._parts = texts(parts)
        self._name = name
        self._facts = facts
        self._text = ""
        self._place = 0
        self._start = 0  # of the record that was given last
        self._line = line  # of place
        self._doubtful = False  # whether what is held may have bytes or escapes that are no characters
        self._in_array = False
        self._first = True
        self._twice: list[str] = []  # keys that stand twice in the record that was read last
        hooks: dict[str, Any] = {"parse_float": native, "parse_int": str, "parse_constant": Constant}
        self._decode = json.JSONDecoder(object_pairs_hook=self._object, **hooks).raw_decode

    def __iter__(self) -> Iterator[Found]:
        """Yield (line, object), or the reject of what is none.

        Raises:
            PermanentError: ``bad_json_array``; behind a mistake nobody knows where the next element starts.
        """
        while self._next_token():
            if self._in_array and self._at("]"):
                self._in_array = False
                self._go_on(1)
            elif self._opens_array():
                self._in_array = True
                self._facts.format = "json_array"
                self._go_on(1)
            else:
                yield self._record()
            self._first = False
        if self._in_array:
            raise self._broken("it has no end: it was cut in transfer")

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            keys = [k for k, _ in pairs]
            self._twice += dict.fromkeys(k for k in keys if keys.count(k) > 1)
        return found

    @property
    def in_array(self) -> bool:
        """Whether the record that was given last stands in an array."""
        return self._in_array

    @property
    def line(self) -> int:
        """The line in which the record ends that was given last."""
        return self._line

    @property
    def rest(self) -> str:
        """What was read and not used yet."""
        return self._text[self._place :]

    # where we are

    def _at(self, sign: str) -> bool:
        return self._text.startswith(sign, self._place)

    def _go_on(self, length: int) -> None:
        self._line += self._text.count("\n", self._place, self._place + length)
        self._place += length

    def _more(self) -> bool:
        """Read on, and let go of what was read before; False at the end of the text."""
        part, doubtful = next(self._parts, ("", False))
        if part:
            rest = self._text[self._place :]
            self._text, self._place = rest + part, 0
            cut = rest[-5:] + part[:5]  # an escape may be cut in two
            self._doubtful = doubtful or "\\ud" in cut.lower() or (self._doubtful and bool(rest))
        return bool(part)

    def _next_token(self) -> bool:
        """Go to the next sign that is no blank; False at the end of the text."""
        breaks = 0
        while True:
            gap = _GAP.match(self._text, self._place)
            assert gap is not None  # it may match nothing, but it matches
            breaks += self._text.count("\n", self._place, gap.end())
            self._go_on(gap.end() - self._place)
            if self._place < len(self._text) or not self._more():
                break
        self._facts.count("blank_lines", max(0, breaks - (not self._first)))
        return self._place < len(self._text)

    def _opens_array(self) -> bool:
        """Whether an array of objects starts here, not a list that is a (wrong) record."""
        if self._in_array or not self._at("["):
            return False
        while (found := _ARRAY.match(self._text, self._place)) and found.end() == len(self._text):
            if not self._more():
                break
        return found is not None

    # one record

    def _record(self) -> Found:
        try:
            value, length = self._value()
            if not isinstance(value, dict):
                return self._not_an_object(value, length)
            if not self._in_array:
                self._check_behind(length)
            return self._checked(value, length)
        except _MistakeError as mistake:
            if self._in_array:
                raise self._broken(mistake.message) from mistake
            return self._rejected(mistake)

    def _value(self) -> tuple[Any, int]:
        """Return the value that starts here, and its length."""
        while True:
            self._twice.clear()
            try:
                value, end = self._decode(self._text, self._place)
            except json.JSONDecodeError as error:
                if not self._may_be_cut(error) or not self._more():
                    line = self._line + self._text.count("\n", self._place, error.pos)
                    raise _MistakeError(f"not valid JSON: {error.msg} in line {line}") from error
            except RecursionError as error:
                raise _MistakeError("nested too deeply", "nested_too_deeply", "an object of values") from error
            else:
                if isinstance(value, dict) or end < len(self._text) or not self._more():
                    return value, end - self._place
            if len(self._text) - self._place > MAX_ELEMENT:
                raise _MistakeError(f"a record of more than {MAX_ELEMENT:,} characters", "too_long", "a shorter record")

    def _may_be_cut(self, error: json.JSONDecodeError) -> bool:
        return error.pos >= len(self._text) - NEAR_END or error.msg.startswith("Unterminated string")

    def _check_behind(self, length: int) -> None:
        """See that what follows an object in its line starts another one: else the mistake may be in the object."""
        while (gap := _GAP.match(self._text, self._place + length)) and gap.end() == len(self._text):
            if not self._more():
                return
        assert gap is not None
        if self._text[gap.end()] not in "{[" and "\n" not in gap[0]:
            raise _MistakeError("not valid JSON: text behind the object")

    def source(self) -> str:
        """Return the text of the record that was given last (cut when it is enormous)."""
        return readable_text(shown(self._text[self._start : self._place]))

    def _checked(self, record: dict[str, Any], length: int) -> Found:
        line, start = self._line, self._place
        self._start = start
        self._go_on(length)
        if self._twice:
            message = f"{listed(self._twice)} stands twice in the object"
            return self._reject(line, start, "duplicate_key", message, "each key once", ", ".join(self._twice))
        if self._doubtful and (bad := _no_text(self._text[start : self._place], record)):
            return self._reject(line, start, bad[0], bad[1], "valid text")
        return line, record

    def _not_an_object(self, value: Any, length: int) -> Reject:
        if not self._in_array:
            line_end = self._text.find("\n", self._place + length)
            behind = self._text[self._place + length : line_end if line_end >= 0 else len(self._text)]
            if behind.strip().strip(","):
                raise _MistakeError("not valid JSON: it does not start with {")
        line, start = self._line, self._place
        self._go_on(length)
        kind = _KINDS[type(value).__name__]
        return self._reject(line, start, "not_an_object", f"a JSON {kind}, not an object", "an object", kind)

    # what is refused

    def _reject(self, line: int, start: int, code: str, message: str, expected: str, found: str = "") -> Reject:
        text = readable_text(shown(self._text[start : self._place]))
        return Reject(line, code, message, readable_text(found), expected, text)

    def _rejected(self, mistake: _MistakeError) -> Reject:
        line = self._line
        text = readable_text(shown(self._skipped().rstrip()))
        code = "undecodable_bytes" if "\\x" in text and self._doubtful and mistake.code == "bad_json" else mistake.code
        return Reject(line, code, mistake.message, "", mistake.expected, text)

    def _skipped(self) -> str:
        """Go to where the next record may start; return what was passed over (or its beginning)."""
        pattern = _NEXT_PRINTED if _PRINTED.match(self._text, self._place) else _NEXT_RECORD
        kept, searched = "", 1
        while not (found := pattern.search(self._text, self._place + searched)):
            if len(self._text) - self._place > MAX_ELEMENT:  # let go of what nobody will read
                kept = kept or self._text[self._place : self._place + KEPT_TEXT + 1]
                self._go_on(len(self._text) - self._place - 1)
            searched = len(self._text) - self._place - 1
            if not self._more():
                break
        end = found.start() + found[0].startswith("}") if found else len(self._text)
        kept = kept or self._text[self._place : end]
        self._go_on(end - self._place)
        return kept

    def _broken(self, message: str) -> PermanentError:
        return PermanentError(
            "bad_json_array",
            f"{self._name}: the JSON array is damaged near line {self._line} ({message}); expected [{{...}}, {{...}}]. "
            "Send it again, or as JSON Lines, where a bad line costs only itself",
            line=self._line,
        )


def _no_text(source: str, record: dict[str, Any]) -> tuple[str, str] | None:
    """Return code and message when a record holds something that is not a character."""
    if any("\ud800" <= c <= "\udfff" for c in source):
        return "undecodable_bytes", "bytes that the file's encoding does not have (shown as \\xNN)"
    for key, value in record.items():
        whole = json.dumps([key, value], ensure_ascii=False)  # with all that is nested in it
        for sign in (c for c in whole if "\ud800" <= c <= "\udfff"):
            message = f"\\u{ord(sign):04x} in {readable_text(key)!r} is half of a character: the text was cut there"
            return "half_a_character", message
    return None
