"""Contract -> checks -> a Great Expectations suite."""

import re
from datetime import date, datetime
from typing import Any

from functions.validate.frame import BAD, GIVEN
from functions.validate.model import CRITICAL, LOAD, Check
from functions.validate.preload import import_great_expectations
from stockflow.contracts import Column, Contract, Rule

UNIQUE = "expect_compound_columns_to_be_unique"
_OWN = (
    "stockflow_not_after_landing", "stockflow_gtin_check_digit", "stockflow_gln_check_digit",
    "stockflow_abs_not_above", "stockflow_same_sign", UNIQUE,
)  # fmt: skip
_READABLE = 40
_KINDS = {
    "number": "a number", "integer": "a whole number", "date": "a date that exists, such as 2026-09-30",
    "timestamp": "a time that exists, such as 2026-09-30 14:05",
}  # fmt: skip


def row_checks(contract: Contract) -> list[Check]:
    """Return the checks that judge rows: derived from types and required columns, then the contract's rules."""
    derived = [check for column in contract.stated for check in _derived(column)]
    return derived + [_explicit(contract, rule) for rule in contract.rules if rule.severity != LOAD]


def marker(rule_id: str) -> str:
    """Return the column that holds what breaks a rule of our own."""
    return f"{rule_id}{BAD}"


def own_rules(contract: Contract) -> list[Rule]:
    """Return the rules that Great Expectations does not know, and that a marker column answers."""
    return [r for r in contract.rules if r.expectation in _OWN]


def compared(contract: Contract, checks: list[Check]) -> set[str]:
    """Return the columns of the contract whose values a check, or a rule of our own, looks at."""
    own = [r for r in own_rules(contract) if r.expectation != UNIQUE]
    asked = [c.kwargs for c in checks] + [r.kwargs | {"column": r.column} for r in own]
    names = {k.get(name) for k in asked for name in ("column", "column_A", "column_B")}
    names |= {name for k in asked for name in k.get("column_list", ())}
    return {c.name for c in contract.stated if c.name in names}


def _derived(column: Column) -> list[Check]:
    checks = []
    if column.required:
        text = f"{column.name} is required and blank"
        checks.append(
            Check(f"{column.name}_required", "expect_column_values_to_not_be_null", column.name,
                  {"column": column.name + GIVEN}, CRITICAL, text, "a value")
        )  # fmt: skip
    if column.logical_type in _KINDS:
        expected = _KINDS[column.logical_type]
        rule = f"{column.name}_type"
        checks.append(
            Check(rule, "expect_column_values_to_be_null", column.name, {"column": marker(rule)}, CRITICAL,
                  f"{column.name} cannot be read as {expected.split(',')[0]}", expected)
        )  # fmt: skip
    return checks


def _explicit(contract: Contract, rule: Rule) -> Check:
    column = rule.column or rule.kwargs.get("column_A") or (rule.kwargs.get("column_list") or [None])[0]
    if rule.expectation in _OWN:
        name, kwargs = "expect_column_values_to_be_null", {"column": marker(rule.id)}
    else:
        name, kwargs = rule.expectation, _native(contract, rule)
    return Check(rule.id, name, column, kwargs, rule.severity, rule.description, expected_words(rule))


_GROUP = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\((?!\?)", re.DOTALL)


def without_groups(pattern: str) -> str:
    """Return a pattern that matches the same and captures nothing (pandas warns of groups that nobody reads)."""
    return _GROUP.sub(lambda found: "(?:" if found[0] == "(" else found[0], pattern)


def _native(contract: Contract, rule: Rule) -> dict[str, Any]:
    kwargs = {k: without_groups(v) if k == "regex" else v for k, v in rule.kwargs.items()}
    if rule.column is not None:
        kwargs["column"] = rule.column
        if contract.column(rule.column).logical_type in ("date", "timestamp"):
            kwargs = {k: _moment(v) if k in ("min_value", "max_value") else v for k, v in kwargs.items()}
    return kwargs


def _moment(value: Any) -> Any:
    if isinstance(value, str):
        return datetime.fromisoformat(value)
    return datetime(value.year, value.month, value.day) if isinstance(value, date) else value


def expected_words(rule: Rule) -> str:
    """Return what a rule expects, in plain words."""
    k = rule.kwargs
    if rule.expected:
        return rule.expected
    if rule.expectation == "expect_column_values_to_be_between":
        low, high = k.get("min_value"), k.get("max_value")
        if low is None or high is None:
            return f"at least {low}" if high is None else f"at most {high}"
        return f"between {low} and {high}"
    words = {
        "expect_column_values_to_match_regex": _pattern(rule, "text like"),
        "expect_column_values_to_not_match_regex": _pattern(rule, "no text like"),
        "stockflow_not_after_landing": f"at most {k.get('max_days')} day after the file landed",
        "stockflow_gtin_check_digit": "8, 12, 13 or 14 digits with a right check digit",
        "stockflow_gln_check_digit": "13 digits with a right check digit",
        "stockflow_abs_not_above": f"{k.get('column_A')} not above {k.get('column_B')}, signs aside",
        "stockflow_same_sign": f"{k.get('column_A')} and {k.get('column_B')} with the same sign",
        "expect_column_pair_values_a_to_be_greater_than_b": f"{k.get('column_A')} not below {k.get('column_B')}",
        "expect_compound_columns_to_be_unique": f"{', '.join(k.get('column_list', []))} once in the file",
    }
    return words.get(rule.expectation, rule.description)


def _pattern(rule: Rule, words: str) -> str:
    """A short pattern helps whoever reads it; of a long one only its description does."""
    regex = str(rule.kwargs.get("regex"))
    return f"{words} {regex}" if len(regex) <= _READABLE else rule.description


def suite(name: str, checks: list[Check]) -> Any:
    """Return the Great Expectations suite of the checks, in their order."""
    gx = import_great_expectations()
    expectations = [_expectation(gx, check) for check in checks]
    return gx.ExpectationSuite(name=name, expectations=expectations)


def _expectation(gx: Any, check: Check) -> Any:
    kind = "".join(part.capitalize() for part in check.expectation.split("_"))
    return getattr(gx.expectations, kind)(**check.kwargs, meta={"rule": check.rule, "severity": check.severity})
