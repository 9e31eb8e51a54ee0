"""What is wrong with a definition: where, what, and what would be right. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from cli.nearest import hint

_PLACE = re.compile(
    r"^(?:bad_definition: )?\S+?\.sql:(\d+)(?::(?:column )?(\d+))?: ?(?:column (\d+): )?(.*)$", re.DOTALL
)
_SQLGLOT_PLACE = re.compile(r"\.? Line: \d+, Col: \d+")  # counted in the SQL, not in the file
# How Google's analyzer and sqlglot name what they do not find.
_UNKNOWN = (
    re.compile(r"(?i)unrecognized name: ([\w.]+)"),
    re.compile(r"(?i)name (\w+) not found inside"),
    re.compile(r"(?i)column '\"?(\w+)\"?' could not be resolved"),
    re.compile(r"(?i)unknown column: (\w+)"),
)
_NO_TABLE = re.compile(r"(?i)table not found: ([\w.]+)")


@dataclass(frozen=True, order=True)
class Fault:
    """One finding; ``is_error`` False is advice. Line and column count from 1, column 0 is the whole line."""

    file: str
    line: int
    column: int
    message: str
    is_error: bool = True

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.column else f"{self.file}:{self.line}"
        return f"{place}: {self.message}"


def told(name: str, message: str) -> Fault:
    """Return the fault that a message ``file.sql:line: words`` tells."""
    match = _PLACE.match(message)
    if match is None:
        return Fault(f"{name}.sql", 1, 0, message)
    line, column, inner, words = match.groups()
    return Fault(f"{name}.sql", int(line), int(column or inner or 0), _SQLGLOT_PLACE.sub("", words))


def with_nearest(message: str, columns: Iterable[str], tables: Iterable[str]) -> str:
    """Return a message about an unknown name with the nearest known one, unless it names one already."""
    if "did you mean" in message.lower():
        return message
    if match := _NO_TABLE.search(message):
        return message + hint(match[1], tables)
    for pattern in _UNKNOWN:
        if match := pattern.search(message):
            return message + hint(match[1].rsplit(".", 1)[-1], columns)
    return message


def unknown_name(message: str) -> str | None:
    """Return the column that a message does not find."""
    found = (pattern.search(message) for pattern in _UNKNOWN)
    return next((match[1] for match in found if match), None)
