"""Units of measure, their factors, and trade numbers."""

import re
from decimal import Decimal

from stockflow.values.text import to_code, to_text

_UNITS = {
    "EA": "ea each c62 pc pcs pce pz piece pieces unit units unite unites u un st stk stuck",
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
