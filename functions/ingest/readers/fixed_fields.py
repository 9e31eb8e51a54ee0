"""The fields of a record of fixed width: text in any code page, numbers with implied decimals, zoned, packed."""

import re
from dataclasses import dataclass

KINDS = ("text", "number", "zoned", "packed")
_PLUS, _MINUS = "{ABCDEFGHI", "}JKLMNOPQR"  # the last digit with its sign, as ASCII shows it
_NUMBER = re.compile(r"([+-]?)\s*(\d+)\s*([+-]?)")


class FieldError(Exception):
    """A field that does not hold what it should."""

    def __init__(self, field: "Field", code: str, found: str, expected: str) -> None:
        super().__init__(f"field {field.name!r} (bytes {field.start + 1} to {field.end}) does not hold {expected}")
        self.code, self.found, self.expected = code, found, expected


@dataclass(frozen=True)
class Field:
    """One field of a record: ``start`` counts from 0, ``decimals`` are implied."""

    name: str
    start: int
    length: int
    kind: str = "text"
    decimals: int = 0

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.start + self.length


def value_of(field: Field, data: bytes, encoding: str, ebcdic: bool) -> str:
    """Return what the bytes of a field say, as text.

    Raises:
        FieldError: when they are not what the field should hold.
    """
    if field.kind == "packed":
        return _packed(field, data)
    if field.kind == "zoned" and ebcdic:
        return _zoned_bytes(field, data)
    try:
        text = data.decode(encoding).strip(" \0")
    except UnicodeDecodeError as error:
        raise FieldError(field, "undecodable_bytes", data.hex(" "), f"text in {encoding}") from error
    if any(c < " " or "\x7f" <= c < "\xa0" for c in text):
        raise FieldError(field, "bad_field", data.hex(" "), f"text in {encoding}")
    if field.kind == "zoned":
        return _zoned_text(field, text)
    return _number(field, text) if field.kind == "number" else text


def _packed(field: Field, data: bytes) -> str:
    digits = data.hex()
    sign, number = digits[-1], digits[:-1]
    if not number.isdigit() or sign not in "abcdef":
        raise FieldError(
            field, "bad_packed", data.hex(" "), "a packed number: digits, and a sign in the last half byte"
        )
    return _decimal(number, sign in "bd", field.decimals)


def _zoned_bytes(field: Field, data: bytes) -> str:
    if not data.strip(b"\x40\0"):
        return ""
    number = "".join(f"{byte & 15:x}" for byte in data)
    zone = data[-1] >> 4
    if not number.isdigit() or zone < 10 or any(byte >> 4 != 15 for byte in data[:-1].lstrip(b"\x40").lstrip(b"\0")):
        raise FieldError(field, "bad_zoned", data.hex(" "), "a zoned number: digits, and a sign in the last one's zone")
    return _decimal(number, zone in (11, 13), field.decimals)


def _zoned_text(field: Field, text: str) -> str:
    if not text:
        return ""
    last = text[-1]
    place = max(_PLUS.find(last), _MINUS.find(last))
    number = text[:-1] + (str(place) if place >= 0 else last)
    if not (number.isascii() and number.isdigit()):
        raise FieldError(field, "bad_zoned", text, "a zoned number: digits, and the last one with its sign")
    return _decimal(number, last in _MINUS, field.decimals)


def _number(field: Field, text: str) -> str:
    if not text:
        return ""
    found = _NUMBER.fullmatch(text)
    if found is None or not text.isascii() or (found[1] and found[3]):
        raise FieldError(field, "bad_field", text, "digits, with or without a sign")
    return _decimal(found[2], "-" in (found[1], found[3]), field.decimals)


def _decimal(digits: str, negative: bool, decimals: int) -> str:
    """Return digits with their implied decimal point, without idle zeros in front."""
    digits = digits.rjust(decimals + 1, "0")
    whole, fraction = digits[: len(digits) - decimals].lstrip("0") or "0", digits[len(digits) - decimals :]
    text = f"{whole}.{fraction}" if decimals else whole
    return f"-{text}" if negative and text.strip("0.") else text
