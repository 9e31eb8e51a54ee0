"""Where the fields of a file of fixed width are, as the feed's contract declares it."""

import codecs
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from functions.ingest.readers.fixed_fields import KINDS, Field, value_of
from functions.ingest.readers.model import Target
from stockflow.errors import PermanentError

PROPERTY = "fixedWidth"
MAX_RECORD = 32_760  # bytes, the longest of such files


@dataclass(frozen=True)
class Shape:
    """What a contract declares: the bytes of a record without its line end, their encoding, the fields."""

    length: int
    encoding: str
    fields: tuple[Field, ...]

    @cached_property
    def ebcdic(self) -> bool:
        """Whether the code page is one of EBCDIC, where a digit is F0 to F9."""
        return "0".encode(self.encoding) == b"\xf0"

    @cached_property
    def only_text(self) -> bool:
        """Whether records are text, which has lines, and whose last blanks may be left out."""
        return not self.ebcdic and all(f.kind != "packed" for f in self.fields)

    def values(self, record: bytes) -> list[str]:
        """Return the values of a record as text.

        Raises:
            FieldError: for the first field that cannot be read.
        """
        return [value_of(f, record[f.start : f.end], self.encoding, self.ebcdic) for f in self.fields]


def shape_of(target: Target) -> Shape | None:
    """Return what the feed's contract declares, or None.

    Raises:
        PermanentError: ``bad_fixed_width`` when the declaration has a mistake.
    """
    stated = target.contract.properties.get(PROPERTY)
    return _shape(stated, f"contracts/{target.contract.feed}.yaml") if stated else None


def _shape(stated: Any, where: str) -> Shape:
    try:
        fields = tuple(
            Field(
                str(c["name"]), int(c["start"]) - 1, int(c["length"]), c.get("type", "text"), int(c.get("decimals", 0))
            )
            for c in stated["columns"]
        )
        shape = Shape(int(stated["recordLength"]), codecs.lookup(stated.get("encoding", "utf-8")).name, fields)
    except (KeyError, TypeError, ValueError, LookupError) as error:
        raise _mistake(where, f"{type(error).__name__}: {error}") from error
    if not 0 < shape.length <= MAX_RECORD:
        raise _mistake(where, f"recordLength {shape.length}; expected 1 to {MAX_RECORD}")
    for field in fields:
        if field.kind not in KINDS:
            raise _mistake(where, f"{field.name}: type {field.kind!r}; expected one of {', '.join(KINDS)}")
        if field.start < 0 or field.length < 1 or field.end > shape.length or not 0 <= field.decimals <= 18:
            raise _mistake(where, f"{field.name}: it does not lie within the record's {shape.length} bytes")
    return shape


def _mistake(where: str, what: str) -> PermanentError:
    return PermanentError("bad_fixed_width", f"{where}, {PROPERTY}: {what}. docs/formats.md has an example")
