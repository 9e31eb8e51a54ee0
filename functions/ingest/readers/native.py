"""Numbers that a file holds as numbers, not as text: they are the same in every country.

Validation finds out how a load writes decimals, and reads all its texts that way: beside ``12,50``, or for a sender
whose profile says ``decimalMark: ","``, the number 12.345 of a workbook would count as twelve thousand. So a number
that could be read two ways gets one more zero (``12.3450`` has one reading, and proves the decimal point), and where
the sender's profile declares the comma, numbers are written with it.
"""

import re
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from functions.ingest.readers.arrow import integers, text
from functions.ingest.readers.model import Target
from stockflow.values import mark_evidence

NUMBERS = frozenset({"integer", "number"})
_TWO_WAYS = "^-?[1-9][0-9]{0,2}\\.[0-9]{3}$"
_IS_TWO_WAYS = re.compile(_TWO_WAYS).match
_THREE = integers([4])[0].cast(pa.int32())  # the point, and three decimals
_POINT = r"^(-?[0-9]+)\."


class Native(str):
    """A number that would have two readings if it were text."""

    __slots__ = ()


class Constant(str):
    """``NaN`` or ``Infinity``: no number, and in a column of text no value."""

    __slots__ = ()


def native(number: str) -> str:
    """Return a number, marked when as text it would have two readings."""
    return Native(number) if number[-4:-3] == "." and _IS_TWO_WAYS(number) else number


class Marks:
    """How numbers of a file become text that is read right; only in columns of numbers."""

    def __init__(self, target: Target) -> None:
        said = target.contract.properties
        self.comma = "sender" in said and bool(said.get("decimalMarkCertain")) and said.get("decimalMark") == ","
        self.columns = frozenset(c.name for c in target.contract.columns if c.logical_type in NUMBERS)

    def value(self, column: str | None, number: str) -> str | None:
        """Return the text of one cell, ``Native`` or not."""
        if column not in self.columns:
            return None if type(number) is Constant else str(number)  # which takes the mark off
        if type(number) is Native:
            return number.replace(".", ",") if self.comma else f"{number}0"
        if self.comma and "," not in number and mark_evidence(number) == ".":
            return number.replace(".", ",")
        return str(number)

    def array(self, numbers: pa.Array) -> pa.Array:
        """Return a column of numbers; texts in quotes between them stay as they are."""
        if self.comma:
            return pc.replace_substring_regex(numbers, _POINT, r"\1,")
        characters = numbers.buffers()[2]
        if characters is None or b"." not in characters.to_pybytes():
            return numbers
        lengths = pc.subtract(pc.binary_length(numbers), pc.find_substring(numbers, "."))
        if not pc.any(pc.equal(lengths, _THREE)).as_py():
            return numbers
        found = pc.match_substring_regex(numbers, _TWO_WAYS)
        return pc.if_else(found, pc.binary_join_element_wise(numbers, text("0"), text("")), numbers)

    def batch(self, batch: pa.RecordBatch, columns: Iterable[str] | None = None) -> pa.RecordBatch:
        """Return rows in which all numbers (of some columns) are numbers of the file."""
        for name in self.columns.intersection(batch.schema.names if columns is None else columns):
            place = batch.schema.get_field_index(name)
            batch = batch.set_column(place, name, self.array(batch.column(place)))
        return batch
