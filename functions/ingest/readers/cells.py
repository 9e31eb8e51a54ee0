"""Cells of a workbook as people see them: numbers without ``.0``, serial dates as ISO dates, zeros of a format."""

import re
from collections.abc import Callable
from datetime import datetime, time, timedelta
from decimal import Decimal
from math import inf, isinf

from functions.ingest.readers.native import native

Render = Callable[[str], str]
_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)
_EPOCH = datetime(1899, 12, 30)
_LEAP = 60  # Excel's 29 February 1900, which never was
_LAST_DAY = 2_958_466
_LONGEST = 999_999_999  # days that Python keeps
_SHIFT_1904 = 1462
DATES = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}  # number formats that every workbook has
_DURATION = 46
_NO_CODE = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?![hms]+\])[^\]]*\]', re.IGNORECASE)
_TEXT = re.compile(r'"([^"]*)"|\\(.)|([-/ ().:])')
_ZEROS = re.compile(r'(?:"[^"]*"|\\.|[-/ ().:])*0(?:0|"[^"]*"|\\.|[-/ ():])*')


class Problem(str):
    """What stands in a cell instead of a value: an error such as ``#N/A``, or a formula that was never computed."""

    __slots__ = ()

    @property
    def unknown(self) -> bool:
        """Whether nobody has computed the value."""
        return self == FORMULA


class Coded(str):
    """A number that its format shows as a code with text in it (``AB-0417``): the number; ``shown`` is the code."""

    shown: str


class Rounded(str):
    """A number of more digits than a spreadsheet keeps: the last ones are none that anybody wrote."""

    __slots__ = ()


class Unreadable(str):
    """What stands in a cell that is not what the cell's type says; ``why`` says so."""

    why: str

    @classmethod
    def of(cls, text: str, why: str) -> "Unreadable":
        """Return such a text."""
        found = cls(text)
        found.why = why
        return found


class Dated(str):
    """A date, a time or a duration of the spreadsheet's own, which in a column of texts nobody has written."""

    __slots__ = ()


class Truth(str):
    """A boolean of the spreadsheet's own: ``TRUE`` or ``FALSE``."""

    __slots__ = ()


_EXACT = 1e15
_NUMBER = re.compile(r"\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\s*", re.ASCII)
FORMULA = "a formula without a stored value"


def plain(text: str) -> str:
    """Return a number without exponent, idle digits or the noise beyond its 15th digit."""
    if text.lstrip("-").isdigit() and text.isascii():
        return text
    value = float(text) if _NUMBER.fullmatch(text) else inf
    if isinf(value):
        return Unreadable.of(text, "which is not a number")
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    short = format(value, ".15g")
    if abs(value) >= _EXACT and "e" in text.lower():
        return Rounded(format(Decimal(short), "f"))
    return native(format(Decimal(short), "f") if "e" in short else short)


def renderer(number: int, code: str, since_1904: bool) -> Render:
    """Return how cells of a number format are written."""
    bare = _NO_CODE.sub("", code).lower()
    if number == _DURATION or re.search(r"\[[hms]+\]", bare):
        return _duration
    first = code.split(";", maxsplit=1)[0]
    if number in DATES or (bare != "general" and re.search(r"[dmyhs]", bare.split(";")[0])):
        return lambda text: _moment(text, since_1904)
    if _ZEROS.fullmatch(first) and _slots(first) > 1 and not first.startswith("0."):
        return lambda text: _coded(text, first)
    return plain


def _slots(code: str) -> int:
    return _TEXT.sub("", code).count("0")


def _coded(text: str, code: str) -> str:
    """Return a whole number with the zeros (and the text) that its format shows."""
    number = plain(text)
    if not number.isdigit():
        return number
    digits = number.zfill(_slots(code))
    if not _TEXT.search(code):
        return digits
    coded = Coded(number)
    coded.shown = _filled(code, digits)
    return coded


def _filled(code: str, digits: str) -> str:
    """Put digits into the places of a format; the first place takes those that are too many."""
    parts = re.findall(r'"[^"]*"|\\.|.', code)
    spare = len(digits) - parts.count("0")
    out, taken = "", 0
    for part in parts:
        if part != "0":
            out += part.strip('"') if part[0] == '"' else part[-1]
            continue
        more = taken + 1 + (spare if taken == 0 else 0)
        out, taken = out + digits[taken:more], more
    return out


def _duration(text: str) -> str:
    value = _number(text)
    if value is None or not abs(value) < _LONGEST:
        return plain(text)
    return Dated(span_text(timedelta(days=value)))


def _moment(text: str, since_1904: bool) -> str:
    value = _number(text)
    if value is None or not 0 <= value < _LAST_DAY:
        return plain(text)
    if value < 1:
        return Dated(span_text(timedelta(days=value)))
    days = value + _SHIFT_1904 if since_1904 else value + (value < _LEAP)
    return Dated(moment_text(_EPOCH + timedelta(days=days)))


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def moment_text(value: datetime) -> str:
    """Return a moment; midnight is the day alone."""
    value = _rounded(value)
    return value.date().isoformat() if value.time() == time() else value.isoformat(" ")


def span_text(value: timedelta) -> str:
    """Return a time of day, or a longer duration."""
    short = timedelta(0) <= value < _DAY
    return str(_rounded(datetime(2000, 1, 1) + value).time()) if short else str(value)


def _rounded(value: datetime) -> datetime:
    """A serial number is a float: what is within half a millisecond of a whole second means that second.

    23:59:59.997, the end of a day in many databases, is not the next day.
    """
    near = (value + _SECOND / 2).replace(microsecond=0)
    return near if abs(near - value) < _SECOND / 2_000 else value
