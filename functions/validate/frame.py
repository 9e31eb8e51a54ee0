"""The typed batch: raw text columns become values that expectations can compare. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from functions.validate.texts import Mask, Texts
from stockflow import values
from stockflow.contracts import Column, Contract, Rule
from stockflow.values import Formats
from stockflow.values.formats import MARK, ORDER

BAD = "__bad"
GIVEN = "__given"
REMEMBERED = 100_000  # texts of a column whose meaning is kept from one batch to the next

_NAT = np.datetime64("NaT", "us")
_BLANK = object()  # what a blank text means

# Texts that need no second look, whatever the conventions: what they match reads the same by `stockflow.values`.
_CERTAIN = "[1-9]"  # a text with such a digit is not blank
_PLAIN = r"^[!-&(-<>-~][!-~]*(?: [!-~]+)*$"  # nothing to trim, no shield
# Years that no system uses to say "no date": those get a second look.
_YEAR = "(?:19[1-9][0-9]|20[0-9]{2})"
_ISO_DATE = rf"^{_YEAR}-[0-9]{{2}}-[0-9]{{2}}$"
_ISO_TIME = (
    rf"^{_YEAR}-[0-9]{{2}}-[0-9]{{2}}[T ][0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])$"
)


@dataclass(frozen=True)
class Clues:
    """What may say how a load is written where its own values do not.

    ``file_days`` are the first and the last day that its name speaks of; ``sender`` returns what earlier files of its
    series proved, and is only called when it is needed; ``delimiter`` is what separates the cells of a text file.
    """

    file_days: tuple[date, date] | None = None
    sender: Callable[[], Mapping[str, str]] = dict
    delimiter: str | None = None


def conventions(contract: Contract, texts: Mapping[str, Iterable[str]], clues: Clues | None = None) -> Formats:
    """Return how the load writes numbers and dates, from the distinct values of all its rows.

    ``texts`` maps a column to its distinct raw texts.
    """
    clues = clues or Clues()
    numbers = [t for c in contract.stated if c.logical_type in ("number", "integer") for t in texts[c.name]]
    dates = [t for c in contract.stated if c.logical_type in ("date", "timestamp") for t in texts[c.name]]
    mark = str(contract.properties.get("decimalMark", "."))
    order = str(contract.properties.get("dateOrder", "dmy"))
    told = {what: said for what, said, key in ((MARK, mark, "decimalMark"), (ORDER, order, "dateOrder"))
            if contract.properties.get(f"{key}Certain") and "sender" in contract.properties}  # fmt: skip
    found = values.detect_formats(numbers, dates, mark, order, file_days=clues.file_days, declared=told)
    if found.ambiguous and ((sender := clues.sender()) or clues.delimiter):
        found = values.detect_formats(
            numbers, dates, mark, order, file_days=clues.file_days, sender=sender, declared=told,
            delimiter=clues.delimiter,
        )  # fmt: skip
    return replace(found, time_zone=contract.time_zone)


def converter(column: Column, formats: Formats) -> Callable[[str], Any]:
    """Return the function that types one column's text; it returns None for what it cannot read."""
    number = values.to_amount if column.unit == "currency" else values.to_number
    return {
        "number": lambda t: number(t, formats.decimal_mark),
        "integer": lambda t: values.to_integer(t, formats.decimal_mark),
        "date": lambda t: values.to_date(t, formats.date_order, formats.time_zone),
        "timestamp": lambda t: values.to_timestamp(t, formats.date_order, formats.time_zone),
    }.get(column.logical_type, values.to_text)


class Typer:
    """Types the batches of one load; what a text means is found once."""

    def __init__(self, contract: Contract, formats: Formats, wanted: Iterable[str]) -> None:
        self._columns = [_Typed(c, formats, c.name in set(wanted)) for c in contract.stated]

    def frame(self, batch: pa.RecordBatch) -> pd.DataFrame:
        """Return the batch that is judged.

        Columns: each wanted column typed (text cleaned, numbers as float64, dates as datetime64); beside them
        marks, 1 or missing: ``<column>_type__bad`` where the text could not be typed, ``<column>__given`` where a
        required column is not blank.
        """
        out: dict[str, Any] = {}
        for column in self._columns:
            out |= column.of(batch.column(column.name))
        return pd.DataFrame(out, index=pd.RangeIndex(batch.num_rows))


def marks(mask: Mask) -> npt.NDArray[np.float32]:
    """Return 1 where a mask is set, and missing elsewhere."""
    return np.where(mask, np.float32(1), np.float32(np.nan))


class _Typed:
    """One column of a contract, and what its texts mean."""

    def __init__(self, column: Column, formats: Formats, wanted: bool) -> None:
        self.name, self._column, self._wanted = column.name, column, wanted
        self._mark, self._convert = formats.decimal_mark, converter(column, formats)
        self._known: dict[str, Any] = {}

    @property
    def _kind(self) -> str:
        kinds = {"number": "number", "integer": "number", "date": "time", "timestamp": "time"}
        return kinds.get(self._column.logical_type, "text")

    def of(self, texts: pa.Array) -> dict[str, Any]:
        """Return the columns of the frame that come from this one."""
        column, out = Texts.of(texts), dict[str, Any]()
        blank, typed, unread = self._understood(column)
        if self._wanted:
            missing = {"number": np.nan, "time": _NAT}.get(self._kind)
            spread = column.spread(typed, missing)
            out[self.name] = pd.Series(spread, dtype=object) if self._kind == "text" else spread
        if self._kind != "text":
            out[f"{self.name}_type{BAD}"] = marks(column.spread(unread, False))
        if self._column.required:
            out[f"{self.name}{GIVEN}"] = marks(column.spread(~blank, False))
        return out

    def _understood(self, column: Texts) -> tuple[Mask, npt.NDArray[Any], Mask]:
        """Return, for each distinct text, whether it is blank, its value, and whether it cannot be read."""
        typed, sure = self._fast(column)
        blank, unread = np.zeros(len(typed), bool), np.zeros(len(typed), bool)
        for place, text in column.where(~sure):
            value = self._meaning(text)
            blank[place], unread[place] = value is _BLANK, value is None
            typed[place] = self._value(None if value is _BLANK else value)
        return blank, typed, unread

    def _meaning(self, text: str) -> Any:
        """Return the value of a text; None when it cannot be read."""
        if text in self._known:
            return self._known[text]
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        blank = values.is_blank(text, self._column.kind)
        self._known[text] = _BLANK if blank else self._convert(text)
        return self._known[text]

    def _value(self, value: Any) -> Any:
        if self._kind == "number":
            return np.nan if value is None else float(value)
        if self._kind == "time":
            return _NAT if value is None else _moment(value)
        return value

    def _fast(self, column: Texts) -> tuple[npt.NDArray[Any], Mask]:
        """Return the values of the texts that need no second look, and which those are."""
        if self._kind == "number":
            return _numbers(column, self._mark, self._column.logical_type == "integer")
        if self._kind == "time":
            return _times(column, _ISO_DATE if self._column.logical_type == "date" else _ISO_TIME)
        sure = column.matching(_CERTAIN) & column.matching(_PLAIN)
        found = column.distinct.to_numpy(zero_copy_only=False).astype(object)
        return found, sure


def _numbers(column: Texts, mark: str, whole: bool) -> tuple[npt.NDArray[Any], Mask]:
    sure = column.matching("^-?[0-9]{1,15}$" if whole else rf"^-?[0-9]{{1,15}}(?:\{mark}[0-9]{{1,9}})?$")
    typed = np.full(len(sure), np.nan)
    plain = column.distinct.filter(pa.array(sure)).to_numpy(zero_copy_only=False)
    typed[sure] = np.array([float(t) for t in (plain if mark == "." else (p.replace(mark, ".") for p in plain))])
    return typed, sure


def _times(column: Texts, pattern: str) -> tuple[npt.NDArray[Any], Mask]:
    sure = column.matching(pattern)
    typed = np.full(len(sure), _NAT, dtype="datetime64[us]")
    plain = pd.Series(column.distinct.filter(pa.array(sure)).to_pylist(), dtype=object)
    found = pd.to_datetime(plain, format="ISO8601", utc=True, errors="coerce").dt.tz_localize(None)
    typed[sure] = found.astype("datetime64[us]").to_numpy()
    sure[sure] = found.notna().to_numpy()  # a day that does not exist gets its second look
    return typed, sure


def _moment(value: Any) -> np.datetime64:
    """Return a day, or a moment in UTC, as numpy has it."""
    if isinstance(value, datetime):
        return np.datetime64(value.replace(tzinfo=None), "us")
    return np.datetime64(value, "us")


def broken(rule: Rule, frame: pd.DataFrame, landed_at: datetime) -> Mask:
    """Return which rows break a rule of our own."""
    kwargs = rule.kwargs
    if rule.expectation in ("stockflow_abs_not_above", "stockflow_same_sign"):
        return _pair(rule, frame[kwargs["column_A"]], frame[kwargs["column_B"]])
    series = frame[str(rule.column)]
    if rule.expectation == "stockflow_not_after_landing":
        latest = pd.Timestamp(landed_at.replace(tzinfo=None) + timedelta(days=kwargs["max_days"]))
        late: Mask = (series > latest).to_numpy(dtype=bool)
        return late
    check = {"stockflow_gtin_check_digit": values.to_gtin, "stockflow_gln_check_digit": values.to_gln}
    wrong = {v for v in series.dropna().unique() if check[rule.expectation](v) is None}
    found: Mask = series.isin(wrong).to_numpy(dtype=bool)
    return found


def _pair(rule: Rule, a: pd.Series, b: pd.Series) -> Mask:
    wrong: Mask = (a.abs() > b.abs() if rule.expectation == "stockflow_abs_not_above" else a * b < 0).to_numpy(bool)
    return wrong
