"""Exact numbers and amounts of money."""

import re
from decimal import ROUND_HALF_UP, Context, Decimal

from stockflow.values.text import to_text

_NUMBER = re.compile(
    r"(?P<lead>[+-]?)(?P<body>(?:[0-9]+|[1-9][0-9]{0,2}(?:,[0-9]{3})+|[1-9][0-9]{0,2}(?:'[0-9]{3})+)(?:\.[0-9]+)?|\.[0-9]+)"
    r"(?P<power>[eE][+-]?[0-9]{1,2})?(?P<trail>-?)"
)
_MANTISSA = 18  # digits and the point
_PARENTHESES = re.compile(r"^\( ?([^-+\u2212]+?) ?\)$")
# A sign or an ISO 4217 code in front of or behind an amount. $, kr and the yen sign belong to several currencies.
_CURRENCIES = {"€": "EUR", "£": "GBP"}
_SIGNED = re.compile(r"([(+-]?) ?(€|£|[A-Z]{3}) ?([^A-Z€£]+)|([^A-Z€£]+?) ?(€|£|[A-Z]{3})(\)?)")
_NUMERIC_LIMIT = Decimal(10) ** 29
_NINE = Decimal("1E-9")
_DIGITS = Context(prec=60)


def to_number(value: str | None, decimal_mark: str = ".") -> Decimal | None:
    """Return an exact number (29 digits before, 9 after the point), or None.

    Thousands may be grouped by the other mark, blanks or apostrophes, in threes. The minus may stand
    behind; parentheses are a minus. Refused: NaN, inf, underscores, other scripts' digits, currency signs
    (see ``to_amount``), what NUMERIC cannot hold, a power of ten behind more than 17 digits.
    """
    found = _written(value, decimal_mark)
    if found is None:
        return None
    sign = "-" if "-" in (found["lead"], found["trail"]) else ""
    digits = re.sub("[,']", "", found["body"])
    if found["power"] and len(digits) > _MANTISSA:
        return None
    return _exact(Decimal(sign + digits + (found["power"] or "")))


def is_number(value: str | None, decimal_mark: str = ".") -> bool:
    """Whether a cell is written as a number, whatever its size."""
    return _written(value, decimal_mark) is not None


def _written(value: str | None, decimal_mark: str) -> re.Match[str] | None:
    text = to_text(value)
    found = _NUMBER.fullmatch(_points(text, decimal_mark)) if text else None
    return None if found is None or (found["lead"] and found["trail"]) else found


def _points(text: str, decimal_mark: str) -> str:
    """Write decimals with a point, commas for the other mark, apostrophes for blanks between digits, a minus for ()."""
    signed = _PARENTHESES.sub(r"-\1", text)
    plain = signed.replace("\u2212", "-").replace(" ", "'").replace("\u2019", "'")
    return plain.translate(str.maketrans(",.", ".,")) if decimal_mark == "," else plain


def _exact(number: Decimal) -> Decimal | None:
    """Round as NUMERIC does: nine decimals, half away from zero; None when there is no room for the rest."""
    if number.copy_abs() >= _NUMERIC_LIMIT:
        return None
    exact = number.quantize(_NINE, rounding=ROUND_HALF_UP, context=_DIGITS)
    if exact.is_zero():
        return Decimal(0)
    return exact if exact.copy_abs() < _NUMERIC_LIMIT else None


def to_integer(value: str | None, decimal_mark: str = ".") -> int | None:
    """Return a whole number of 64 bits, or None; ``12.0`` is whole, ``12.5`` is not."""
    number = to_number(value, decimal_mark)
    if number is None or number != int(number) or not -(2**63) <= number < 2**63:
        return None
    return int(number)


def bare_amount(value: str | None, currency: str | None = None) -> str | None:
    """Return an amount's text without the currency written beside it; None when that is not ``currency``.

    Only what means one currency is understood: the signs of euro and pound, and three capital letters.
    Without ``currency`` any of them is taken off.
    """
    text = to_text(value)
    found = _SIGNED.fullmatch(text or "")
    if found is None:
        return text
    stated = found[2] or found[5]
    if currency is not None and _CURRENCIES.get(stated, stated) != currency:
        return None
    return f"{found[1]}{found[3]}" if found[2] else f"{found[4]}{found[6] or ''}"


def to_amount(value: str | None, decimal_mark: str = ".", currency: str | None = None) -> Decimal | None:
    """Return an amount of money as ``to_number`` does, also with its currency beside it (``12,50 €``)."""
    return to_number(bare_amount(value, currency), decimal_mark)
