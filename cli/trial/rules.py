"""The row rules of a contract without Great Expectations, whose import alone takes seconds.

``tests/unit/validate/test_plain_rules.py`` holds what is found here against what Great Expectations finds.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from functions.validate.model import Check
from functions.validate.suite import row_checks
from functions.validate.texts import Mask
from stockflow.contracts import Contract

Places = npt.NDArray[np.intp]
Rule = Callable[[pd.DataFrame, dict[str, Any]], Mask]


def failing(contract: Contract, frame: pd.DataFrame) -> dict[str, Places]:
    """Return rule -> places of the rows of a typed frame that break it; a rule that is not known here breaks none."""
    return {c.rule: _places(c, frame) for c in row_checks(contract)}


def unknown(contract: Contract) -> list[str]:
    """Return the rules that only Great Expectations can judge."""
    return [c.rule for c in row_checks(contract) if c.expectation not in _RULES]


def _places(check: Check, frame: pd.DataFrame) -> Places:
    rule = _RULES.get(check.expectation)
    return np.flatnonzero(rule(frame, check.kwargs)) if rule else np.zeros(0, np.intp)


def _null(frame: pd.DataFrame, kwargs: dict[str, Any]) -> Mask:
    found: Mask = frame[kwargs["column"]].isna().to_numpy(bool)
    return found


def _not_null(frame: pd.DataFrame, kwargs: dict[str, Any]) -> Mask:
    return ~_null(frame, kwargs)


def _outside(frame: pd.DataFrame, kwargs: dict[str, Any]) -> Mask:
    """Return which values are below the least or above the most; blank ones are not judged."""
    column, low, high = frame[kwargs["column"]], kwargs.get("min_value"), kwargs.get("max_value")
    below = _wrong(column < low, column == low, kwargs.get("strict_min")) if low is not None else False
    above = _wrong(column > high, column == high, kwargs.get("strict_max")) if high is not None else False
    found: Mask = np.asarray(below | above, bool) & column.notna().to_numpy(bool)
    return found


def _wrong(beyond: "pd.Series[bool]", equal: "pd.Series[bool]", strict: bool | None) -> "pd.Series[bool]":
    return beyond | equal if strict else beyond


def _matching(frame: pd.DataFrame, kwargs: dict[str, Any]) -> Mask:
    """Return which texts hold the pattern; each distinct text is looked at once."""
    codes, texts = pd.factorize(frame[kwargs["column"]], use_na_sentinel=True)
    holds = pd.Series(texts, dtype=object).astype(str).str.contains(kwargs["regex"], regex=True).to_numpy(bool)
    found: Mask = np.append(holds, False)[codes]
    return found


def _not_matching(frame: pd.DataFrame, kwargs: dict[str, Any]) -> Mask:
    return ~_matching(frame, kwargs) & _not_null(frame, kwargs)


def _pair_wrong(frame: pd.DataFrame, kwargs: dict[str, Any]) -> Mask:
    """Return where A is not above B; ``ignore_row_if`` says which rows with blank values are not judged."""
    a, b = frame[kwargs["column_A"]], frame[kwargs["column_B"]]
    right = (a >= b) if kwargs.get("or_equal") else (a > b)
    either = kwargs.get("ignore_row_if", "both_values_are_missing") == "either_value_is_missing"
    ignored = (a.isna() | b.isna()) if either else (a.isna() & b.isna())
    found: Mask = (~right & ~ignored).to_numpy(bool)
    return found


_RULES: dict[str, Rule] = {
    "expect_column_values_to_not_be_null": _null,
    "expect_column_values_to_be_null": _not_null,
    "expect_column_values_to_be_between": _outside,
    "expect_column_values_to_match_regex": _not_matching,
    "expect_column_values_to_not_match_regex": _matching,
    "expect_column_pair_values_a_to_be_greater_than_b": _pair_wrong,
}
