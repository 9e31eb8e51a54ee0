"""Rules of severity ``load``: they judge a file as a whole, next to the one before it. Pure."""

import re
from dataclasses import dataclass
from typing import Any

import pandas as pd

from functions.validate.model import Check, Result
from stockflow import values
from stockflow.contracts import Contract, Rule


@dataclass(frozen=True)
class Previous:
    """The load before this one from the same folder and name pattern: its rows and its locations."""

    load_id: str
    rows: int
    locations: frozenset[str] = frozenset()


def pattern(object_name: str) -> str:
    """Return an object's name with its digits left open: ``sales/day_20260901.csv`` -> ``sales/day_#.csv``."""
    return re.sub(r"\d+", "#", object_name)


def whole_results(contract: Contract, raw: pd.DataFrame, previous: Previous | None) -> list[Result]:
    """Return what the rules of severity load say."""
    return [_result(rule, raw, previous) for rule in contract.rules if rule.severity == "load"]


def _result(rule: Rule, raw: pd.DataFrame, previous: Previous | None) -> Result:
    judge = {
        "stockflow_columns_present": _columns_present,
        "stockflow_row_count_not_below_previous": _row_count,
        "stockflow_locations_not_absent": _locations,
    }[rule.expectation]
    observed, expected = judge(rule.kwargs | {"column": rule.column}, raw, previous)
    column = rule.column
    check = Check(rule.id, rule.expectation, column, rule.kwargs, rule.severity, rule.description, expected)
    return Result(check, checked=len(raw), failed=int(bool(observed)), observed=observed)


def _columns_present(kwargs: dict[str, Any], raw: pd.DataFrame, _previous: Previous | None) -> tuple[str, str]:
    empty = [c for c in kwargs["columns"] if len(raw) and not any(map(values.to_text, raw[c].dropna().unique()))]
    return (f"no value at all in {', '.join(empty)}" if empty else ""), "a value in each key column"


def _row_count(kwargs: dict[str, Any], raw: pd.DataFrame, previous: Previous | None) -> tuple[str, str]:
    if previous is None:
        return "", "no load before this one to compare with"
    least = int(previous.rows * kwargs["min_ratio"])
    expected = f"at least {least} rows ({kwargs['min_ratio']:.0%} of the {previous.rows} of load {previous.load_id})"
    return (f"{len(raw)} rows" if len(raw) < least else ""), expected


def _locations(kwargs: dict[str, Any], raw: pd.DataFrame, previous: Previous | None) -> tuple[str, str]:
    if previous is None or not previous.locations:
        return "", "no load before this one to compare with"
    present = {values.to_code(t) for t in raw[kwargs["column"] or "location_code"].dropna().unique()}
    absent = sorted(previous.locations - present)
    share = len(absent) / len(previous.locations)
    expected = f"at most {kwargs['max_absent_ratio']:.0%} of the locations of load {previous.load_id} absent"
    return (f"absent: {', '.join(absent)}" if share > kwargs["max_absent_ratio"] else ""), expected
