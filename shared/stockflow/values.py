"""Text to values: how numbers, dates, codes and units are read.

The SQL functions of the same names (``warehouse/routines/inventory_curated/``) read the same way; a
test holds the two together. Each returns None for what it refuses: nothing is guessed, nothing raises.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Context, Decimal

_BLANKS = re.compile("[ \t\n\x0b\f\r\u00a0\u200b\u2007\u2009\u202f\u3000\ufeff]+")
_NUMBER = re.compile(
    r"(?P<lead>[+-]?)(?P<body>(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,3}(?:'[0-9]{3})+)(?:\.[0-9]+)?|\.[0-9]+)"
    r"(?P<power>[eE][+-]?[0-9]{1,2})?(?P<trail>-?)"
)
_TIME = (
    r"(?:[T ]([01]?[0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9])(?:\.([0-9]{1,9}))?)?"
    r"(Z|UTC| UTC|[+-](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?)?)?"
)
_YEAR_FIRST = re.compile(r"([12][0-9]{3})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})" + _TIME)
_YEAR_LAST = re.compile(r"([0-9]{1,2})[-/.]([0-9]{1,2})[-/.]([12][0-9]{3})" + _TIME)
_COMPACT = re.compile(r"([12][0-9]{3})([0-9]{2})([0-9]{2})(?:([01][0-9]|2[0-3])([0-5][0-9])([0-5][0-9]))?")
_ZEROS = re.compile(r"[0.:/ T-]+")
_NUMERIC_LIMIT = Decimal(10) ** 29
_NINE = Decimal("1E-9")
_DIGITS = Context(prec=60)

_UNITS = {
    "EA": "ea each pc pcs pce pz piece pieces unit units unite unites u un st stk stuck",
    "CS": "cs case cases ca carton cartons ct ctn kar colis col",
    "BX": "bx box boxes boite boites bte",
    "PK": "pk pack packs pac paq paquet paquets lot lots",
    "PAL": "pal pallet pallets palette palettes",
    "DZ": "dz doz dozen douzaine",
    "KG": "kg kgm kgs kilo kilos kilogram kilograms kilogramme kilogrammes",
    "G": "g gr grm gram grams gramme grammes",
    "L": "l lt ltr liter liters litre litres",
    "ML": "ml mlt milliliter millilitre millilitres",
    "M": "m mtr meter meters metre metres",
}
_UNIT_OF = {word: unit for unit, words in _UNITS.items() for word in words.split()}
_PLAIN = str.maketrans("àâäáãçéèêëîïíôöóûüùúñ", "aaaaaceeeeiiiooouuuun")
_METRIC = {("G", "KG"): Decimal("0.001"), ("KG", "G"): Decimal(1000), ("ML", "L"): Decimal("0.001"), ("L", "ML"): Decimal(1000)}  # fmt: skip  # noqa: E501


def to_text(value: str | None) -> str | None:
    """Return the text without outer blanks, inner blanks made one, without ``="..."`` and ``'``."""
    if value is None:
        return None
    text = _BLANKS.sub(" ", value).strip(" ")
    if text.startswith('="') and text.endswith('"') and len(text) >= 3:
        text = text[2:-1].strip(" ")
    if text.startswith("'"):
        text = text[1:].strip(" ")
    return text or None


def to_code(value: str | None) -> str | None:
    """Return the text in capitals."""
    text = to_text(value)
    return None if text is None else "".join(_upper(ch) for ch in text)


def _upper(ch: str) -> str:
    upper = ch.upper()
    return upper if len(upper) == 1 else ch


def is_blank(value: str | None, logical_type: str = "string") -> bool:
    """Whether a cell says nothing; SAP writes an empty date as zeros."""
    text = to_text(value)
    return text is None or (logical_type in {"date", "timestamp"} and bool(_ZEROS.fullmatch(text)))


def to_number(value: str | None, decimal_mark: str = ".") -> Decimal | None:
    """Return an exact number (29 digits before, 9 after the point), or None.

    Thousands may be grouped by the other mark, blanks or apostrophes, in threes. The minus may
    stand behind. Refused: NaN, inf, underscores, other scripts' digits, what NUMERIC cannot hold.
    """
    text = to_text(value)
    found = _NUMBER.fullmatch(_points(text, decimal_mark)) if text else None
    if found is None or (found["lead"] and found["trail"]):
        return None
    sign = "-" if "-" in (found["lead"], found["trail"]) else ""
    digits = re.sub("[,']", "", found["body"])
    return _exact(Decimal(sign + digits + (found["power"] or "")))


def _points(text: str, decimal_mark: str) -> str:
    """Write decimals with a point, commas for the other mark and apostrophes for blanks between digits."""
    plain = text.replace("\u2212", "-").replace(" ", "'").replace("\u2019", "'")
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


def to_date(value: str | None, date_order: str = "dmy") -> date | None:
    """Return the date that a text begins with, or None for impossible and unordered ones.

    Year first is always understood; day and month first only as ``date_order`` (dmy or mdy) says.
    """
    parts = _parts(to_text(value) or "", date_order)
    return _date(*parts[:3]) if parts else None


def to_timestamp(value: str | None, date_order: str = "dmy") -> datetime | None:
    """Return the moment, in UTC, or None. Without an offset it is UTC; without a time it is midnight."""
    parts = _parts(to_text(value) or "", date_order)
    day = _date(*parts[:3]) if parts else None
    if parts is None or day is None:
        return None
    hour, minute, second, fraction, zone = (part or "" for part in parts[3:])
    moment = datetime(day.year, day.month, day.day, int(hour or 0), int(minute or 0), int(second or 0))
    moment = moment.replace(microsecond=int(fraction[:6].ljust(6, "0")), tzinfo=_zone(zone))
    return moment.astimezone(UTC)


def _parts(text: str, date_order: str) -> tuple[str | None, ...] | None:
    """Return year, month, day, hour, minute, second, fraction, zone as written."""
    if found := _YEAR_FIRST.fullmatch(text):
        return found.groups()
    if found := _COMPACT.fullmatch(text):
        return (*found.groups(), None, None)
    found = _YEAR_LAST.fullmatch(text)
    if not found or date_order not in {"dmy", "mdy"}:
        return None
    first, second, year = found.groups()[:3]
    month, day = (second, first) if date_order == "dmy" else (first, second)
    return (year, month, day, *found.groups()[3:])


def _date(year: str | None, month: str | None, day: str | None) -> date | None:
    try:
        return date(int(year or 0), int(month or 0), int(day or 0))
    except ValueError:
        return None


def _zone(text: str) -> timezone:
    if text.strip() in {"", "Z", "UTC"}:
        return UTC
    minutes = int(text[1:3]) * 60 + int(text[3:].lstrip(":") or 0)
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))


def to_unit(value: str | None) -> str | None:
    """Return the usual code of a unit (EA, CS, KG, ...); a unit that is not known keeps its own name."""
    code = to_code(value)
    if code is None:
        return None
    return _UNIT_OF.get(re.sub("[^a-z0-9]", "", code.lower().translate(_PLAIN)), code)


def unit_factor(
    stated: str | None, base: str | None, pack: str | None, units_per_pack: Decimal | None
) -> Decimal | None:
    """Return how many base units one stated unit is, or None when that is not known. Never a guessed 1."""
    base = base or "EA"
    if stated is None or stated == base:
        return Decimal(1)
    if stated == pack and units_per_pack is not None and units_per_pack > 0:
        return units_per_pack
    return _METRIC.get((stated, base))


def has_check_digit(digits: str) -> bool:
    """Whether the last digit is GS1's check digit (weights 3 and 1 from the right)."""
    body = [int(d) for d in reversed(digits)]
    return sum(d * (3 if i % 2 else 1) for i, d in enumerate(body)) % 10 == 0


def to_gtin(value: str | None) -> str | None:
    """Return a GTIN as 14 digits, or None. Zeros that a spreadsheet cut are put back."""
    text = re.sub("[ -]", "", to_text(value) or "")
    if not re.fullmatch("[0-9]{7,14}", text) or not has_check_digit(text):
        return None
    return text.rjust(14, "0")


def to_gln(value: str | None) -> str | None:
    """Return a GLN as 13 digits with a right check digit, or None."""
    text = re.sub("[ -]", "", to_text(value) or "")
    return text if re.fullmatch("[0-9]{13}", text) and has_check_digit(text) else None


@dataclass(frozen=True)
class Formats:
    """How one load writes numbers and dates.

    ``ambiguous`` names what had to fall back on the contract's default; ``contradictions`` names
    values that speak against the choice (they will be refused or, worse, misread: a person should look).
    """

    decimal_mark: str
    date_order: str
    ambiguous: tuple[str, ...] = ()
    contradictions: tuple[str, ...] = ()


def detect_formats(
    numbers: Iterable[str | None],
    dates: Iterable[str | None],
    decimal_mark: str = ".",
    date_order: str = "dmy",
) -> Formats:
    """Return the conventions of a whole load from all its number and date cells.

    ``decimal_mark`` and ``date_order`` are the contract's defaults for what no value decides.
    """
    mark, mark_doubt, mark_clash = _vote("decimal mark", map(mark_evidence, numbers), decimal_mark)
    order, order_doubt, order_clash = _vote("date order", map(order_evidence, dates), date_order)
    return Formats(mark, order, mark_doubt + order_doubt, mark_clash + order_clash)


def mark_evidence(value: str | None) -> str | None:
    """Return the decimal mark that a number proves, ``?`` when it could be either, None when it has none."""
    text = to_text(value) or ""
    comma, point = text.count(","), text.count(".")
    if not comma and not point:
        return None
    if comma and point:
        return "," if text.rfind(",") > text.rfind(".") else "."
    mark, other = (",", ".") if comma else (".", ",")
    if comma + point > 1:
        return other
    whole, _, fraction = text.lstrip("+-").partition(mark)
    grouped = re.fullmatch("[1-9][0-9]{0,2}", whole) and re.fullmatch("[0-9]{3}-?", fraction)
    return "?" if grouped else mark


def order_evidence(value: str | None) -> str | None:
    """Return the date order that a date proves, ``?`` when it could be either, None when it is no date."""
    text = to_text(value) or ""
    if _YEAR_FIRST.fullmatch(text) or _COMPACT.fullmatch(text):
        return "ymd"
    found = _YEAR_LAST.fullmatch(text)
    if not found:
        return None
    first, second = int(found[1]), int(found[2])
    if first > 12 or (text[len(found[1])] == "." and second <= 12):
        return "dmy"
    return "mdy" if second > 12 else "?"


def _vote(what: str, evidence: Iterable[str | None], default: str) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    votes: dict[str, int] = {}
    for found in evidence:
        if found is not None:
            votes[found] = votes.get(found, 0) + 1
    doubtful, iso = votes.pop("?", 0), votes.pop("ymd", 0)
    if not votes:
        if not doubtful:
            return ("ymd" if iso else default), (), ()
        return (
            default,
            (f"{what}: {doubtful} values could be read two ways, the contract says {default}",),
            (),
        )
    best = max(votes, key=lambda k: (votes[k], k == default))
    rest = {k: n for k, n in votes.items() if k != best}
    clash = tuple(f"{what}: {votes[best]} values say {best}, {n} say {k}" for k, n in rest.items())
    return best, (), clash
