"""Text to values: how text, numbers, dates, amounts and units are read.

The SQL functions of the same names (``warehouse/routines/inventory_curated/``) read the same way; a
test holds the two together. Each returns None for what it refuses: nothing is guessed, nothing raises.
"""

from stockflow.values.blanks import is_blank, to_word
from stockflow.values.dates import to_date, to_timestamp
from stockflow.values.formats import Doubt, Formats, detect_formats, mark_evidence, order_evidence
from stockflow.values.numbers import bare_amount, is_number, to_amount, to_integer, to_number
from stockflow.values.text import to_code, to_text
from stockflow.values.units import has_check_digit, to_gln, to_gtin, to_unit, unit_factor

__all__ = [
    "Doubt",
    "Formats",
    "bare_amount",
    "detect_formats",
    "has_check_digit",
    "is_blank",
    "is_number",
    "mark_evidence",
    "order_evidence",
    "to_amount",
    "to_code",
    "to_date",
    "to_gln",
    "to_gtin",
    "to_integer",
    "to_number",
    "to_text",
    "to_timestamp",
    "to_unit",
    "to_word",
    "unit_factor",
]
