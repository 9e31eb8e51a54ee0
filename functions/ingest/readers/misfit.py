"""Records that do not fit: why each is refused, in words that its sender understands."""

import json
import re
from collections.abc import Iterable
from typing import Any

from functions.ingest.readers.encoding import is_text, readable
from functions.ingest.readers.model import Reject, shown
from functions.ingest.readers.trailer import stated_count
from stockflow.contracts import Column

_MEANT = {
    "string": "a text", "integer": "a whole number", "number": "a number", "date": "a date",
    "timestamp": "a date and a time",
}  # fmt: skip
_TOTAL = re.compile(r"(?i)^\W*((grand|sub|sous)[- ]?)?(total(e|s|es)?|totaux|sum|somme|summe|suma|gesamt\w*)\b")


def misfit(line: int, raw: bytes, found: int, expected: int) -> Reject:
    """Return the reject of a record of the wrong width."""
    text = readable(raw.rstrip(b"\r\n"))
    if (count := stated_count(text)) is not None:
        message = f"a line that says how many records the file has: {count:,}"
        return Reject(line, "trailer_row", message, str(count), "a row", shown(text))
    code = "totals_row" if _TOTAL.match(text.lstrip("\"'")) else "wrong_width"
    message = f"{found} cells where the header has {expected}"
    if code == "totals_row":
        message = f"a totals row ({message})"
    return Reject(line, code, message, str(found), str(expected), shown(text))


def repeated_header(line: int, raw: bytes) -> Reject:
    """Return the reject of a header that stands again between the rows."""
    text = shown(readable(raw.rstrip(b"\r\n")))
    return Reject(line, "repeated_header", "the header again, in the middle of the file", text, "a row", text)


def unreadable(line: int, raw: bytes) -> Reject | None:
    """Return the reject of a record with bytes that are no text, or None."""
    text = raw.rstrip(b"\r\n")
    if not is_text(text):
        message = "bytes that the file's encoding does not have (shown as \\xNN)"
        return Reject(line, "undecodable_bytes", message, "", "valid text", shown(readable(text)))
    if b"\0" in text:
        place = text.index(b"\0") + 1
        message = f"a NUL byte at position {place}: the file was damaged in transfer or is not text"
        kept = shown(readable(text.replace(b"\0", b"\\x00")))
        return Reject(line, "nul_byte", message, "\\x00", "valid text", kept)
    return None


def not_utf8(line: int, cells: Iterable[str | None]) -> Reject:
    """Return the reject of a row of a binary format whose texts are not valid; ``cells`` show their bytes."""
    message = "bytes that are not valid UTF-8 (shown as \\xNN)"
    return Reject(line, "undecodable_bytes", message, "", "valid text", shown("\t".join(c or "" for c in cells)))


def nested_value(line: int, column: str, value: Any, text: str) -> Reject:
    """Return the reject of a record that holds an object or an array where a column has one value."""
    kind = "an object" if isinstance(value, dict) else "an array"
    message = f"column {column!r} holds {kind}, not a single value"
    try:
        found = json.dumps(value, ensure_ascii=False, default=str)
    except RecursionError:
        found = "(nested deeply)"
    return Reject(line, "nested_value", message, shown(found), "a single value, or null", shown(text))


def date_for_a_text(line: int, where: str, value: str, text: str) -> Reject:
    """Return the reject of a row with a native date or time in a column of texts: a program made one of a code."""
    message = f"{where} holds a date or a time, {value}, in a column of texts: programs make one of 05-Dec or 3/4"
    return Reject(line, "date_for_a_text", message, value, "the text, in a cell or column of texts", shown(text))


def boolean_value(line: int, where: str, kind: str, value: str, text: str) -> Reject:
    """Return the reject of a row with a native boolean in a column of another logical type."""
    meant = _MEANT.get(kind, "another value")
    message = f"{where} holds a boolean, {value}, not {meant}"
    return Reject(line, "boolean_value", message, value, f"{meant}, or no value", shown(text))


def takes_booleans(kind: str) -> bool:
    """Whether columns of a logical type keep native booleans."""
    return kind == "boolean"


def unfit_value(line: int, column: Column, value: Any, text: str) -> Reject:
    """Return the reject of a row with a nested value, a boolean for something else or, as text, a date for a text."""
    where = f"column {column.name!r}"
    if isinstance(value, bool):
        return boolean_value(line, where, column.logical_type, str(value).lower(), text)
    if isinstance(value, str):
        return date_for_a_text(line, where, value, text)
    return nested_value(line, column.name, value, text)


def broken_quote(line: int, raw: bytes, problem: str) -> Reject:
    """Return the reject of a line whose quotes do not pair."""
    text = shown(readable(raw.rstrip(b"\r\n")))
    messages = {
        "unclosed_quote": ("a quote is opened and never closed", 'a closing " before the next delimiter'),
        "bad_quote": (
            'text after a closing quote, or a " inside quotes',
            'a " inside a quoted cell is written twice: ""',
        ),
        "joined_cells": ("a quoted cell begins in the middle of another", "a delimiter before the opening quote"),
    }
    message, expected = messages[problem]
    return Reject(line, problem, message, "", expected, text)


def too_long(line: int, head: bytes, limit: int) -> Reject:
    """Return the reject of an enormous line."""
    message = f"a record of more than {limit:,} bytes"
    text = head.decode("utf-8", "replace")
    return Reject(line, "too_long", message, f"> {limit}", f"<= {limit}", shown(text))
