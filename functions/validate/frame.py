"""The typed batch: raw text columns become values that expectations can compare. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pandas as pd

from stockflow import values
from stockflow.contracts import Column, Contract, Rule
from stockflow.values import Formats

LINE = "_line"
BAD = "__bad"
GIVEN = "__given"


def conventions(contract: Contract, texts: Mapping[str, Any]) -> Formats:
    """Return how the load writes numbers and dates, from the distinct values of all its rows.

    ``texts`` maps a column to its distinct raw texts.
    """
    numbers = [t for c in contract.stated if c.logical_type in ("number", "integer") for t in texts[c.name]]
    dates = [t for c in contract.stated if c.logical_type in ("date", "timestamp") for t in texts[c.name]]
    mark = str(contract.properties.get("decimalMark", "."))
    order = str(contract.properties.get("dateOrder", "dmy"))
    return replace(values.detect_formats(numbers, dates, mark, order), time_zone=contract.time_zone)


def converter(column: Column, formats: Formats) -> Callable[[str], Any]:
    """Return the function that types one column's text; it returns None for what it cannot read."""
    number = values.to_amount if column.unit == "currency" else values.to_number
    return {
        "number": lambda t: number(t, formats.decimal_mark),
        "integer": lambda t: values.to_integer(t, formats.decimal_mark),
        "date": lambda t: values.to_date(t, formats.date_order, formats.time_zone),
        "timestamp": lambda t: values.to_timestamp(t, formats.date_order, formats.time_zone),
    }.get(column.logical_type, values.to_text)


def typed(contract: Contract, raw: pd.DataFrame, formats: Formats) -> pd.DataFrame:
    """Return the batch that is judged.

    Columns: ``_line``; each stated column typed (text cleaned, numbers as float64, dates as datetime64);
    ``<column>_type__bad`` with the text that could not be typed; ``<column>__given`` with the text of a
    required column, where it is not blank.
    """
    out: dict[str, Any] = {LINE: raw[LINE].astype("int64")}
    for column in contract.stated:
        text = raw[column.name].astype(object)
        convert = converter(column, formats)
        table = {t: _typed(column, convert, t) for t in text.dropna().unique()}
        out[column.name] = _series(column, text.map(table))
        blank = {t: values.is_blank(t, column.kind) for t in table}
        unreadable = {t: t for t, v in table.items() if v is None and not blank[t]}
        out[f"{column.name}_type{BAD}"] = text.map(unreadable)
        if column.required:
            out[f"{column.name}{GIVEN}"] = text.map({t: t for t in table if not blank[t]}).astype(object)
    return pd.DataFrame(out)


def _typed(column: Column, convert: Callable[[str], Any], text: str) -> Any:
    return None if values.is_blank(text, column.kind) else convert(text)


def _series(column: Column, series: pd.Series) -> pd.Series:
    if column.logical_type in ("number", "integer"):
        return series.map(lambda v: float(v) if isinstance(v, Decimal | int) else None).astype("float64")
    if column.logical_type in ("date", "timestamp"):
        return pd.to_datetime(series, utc=True, errors="coerce").dt.tz_localize(None).astype("datetime64[us]")
    return series.astype(object).where(series.notna(), None)


def broken(rule: Rule, frame: pd.DataFrame, landed_at: datetime) -> pd.Series:
    """Return, for a rule of our own, the values of the rows that break it (None elsewhere)."""
    kwargs = rule.kwargs
    if rule.expectation in ("stockflow_abs_not_above", "stockflow_same_sign"):
        return _pair(rule, frame[kwargs["column_A"]], frame[kwargs["column_B"]])
    series = frame[rule.column]
    if rule.expectation == "stockflow_not_after_landing":
        latest = pd.Timestamp(landed_at.replace(tzinfo=None) + timedelta(days=kwargs["max_days"]))
        return series.astype(object).where(series > latest, None)
    check = {"stockflow_gtin_check_digit": values.to_gtin, "stockflow_gln_check_digit": values.to_gln}
    wrong = {v: v for v in series.dropna().unique() if check[rule.expectation](v) is None}
    return series.map(wrong).astype(object)


def _pair(rule: Rule, a: pd.Series, b: pd.Series) -> pd.Series:
    wrong = a.abs() > b.abs() if rule.expectation == "stockflow_abs_not_above" else a * b < 0
    return a.astype(object).where(wrong, None)


def repeated(raw: pd.DataFrame, columns: list[str]) -> set[int]:
    """Return the lines whose key (cleaned, in capitals) another line of the load has too."""
    keys = pd.DataFrame(
        {c: raw[c].astype(object).map({t: values.to_code(t) for t in raw[c].dropna().unique()}) for c in columns}
    )
    twice = keys.duplicated(keep=False) & keys.notna().all(axis=1)
    return set(raw.loc[twice, LINE].astype(int))
