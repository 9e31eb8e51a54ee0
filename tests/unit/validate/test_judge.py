"""A load is judged by its contract: which rows are refused, why, and what is only reported."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.validate.frame import LINE, conventions
from functions.validate.judge import judge
from functions.validate.model import Judgement
from functions.validate.report import MASK, report
from functions.validate.suite import row_checks, without_groups
from functions.validate.wholes import Previous, pattern, whole_results
from stockflow.contracts import load_contracts
from stockflow.ledger import StageRecord

CONTRACTS = load_contracts(Path(__file__).parents[3] / "contracts")
LANDED = datetime(2026, 10, 12, 8, tzinfo=UTC)
SALE = {
    "receipt_number": "T1", "line_number": "1", "business_date": "2026-10-11", "sku": "A-1", "location_code": "LYO",
    "quantity": "2", "net_amount": "10.00", "gross_amount": "12.00", "currency": "EUR",
}  # fmt: skip


def frame(feed: str, *rows: dict[str, str | None]) -> pd.DataFrame:
    """Return raw rows as they are read from the warehouse; the first is line 2 of its file."""
    names = [c.name for c in CONTRACTS[feed].stated]
    body = [{LINE: n, **{c: row.get(c) for c in names}} for n, row in enumerate(rows, 2)]
    return pd.DataFrame(body, columns=[LINE, *names])


def judged(feed: str, *rows: dict[str, str | None]) -> Judgement:
    """Return the judgement of some rows."""
    raw, contract = frame(feed, *rows), CONTRACTS[feed]
    formats = conventions(contract, {c.name: raw[c.name].dropna().unique() for c in contract.stated})
    return judge(contract, raw, formats, LANDED)


def said(judgement: Judgement) -> list[tuple[int, str, str | None]]:
    """Return line, rule and value of each verdict."""
    return [(v.line, v.rule, v.value) for v in judgement.verdicts]


@pytest.mark.parametrize(
    ("change", "rule", "value"),
    [
        ({"quantity": "1O"}, "quantity_type", "1O"),
        ({"quantity": "  "}, "quantity_required", "  "),
        ({"sku": None}, "sku_required", None),
        ({"business_date": "2026-02-31"}, "business_date_type", "2026-02-31"),
        ({"business_date": "2026-12-24"}, "business_date_not_future", "2026-12-24"),
        ({"business_date": "1999-12-31"}, "business_date_not_ancient", "1999-12-31"),
        ({"business_date": "1900-01-01"}, "business_date_required", "1900-01-01"),
        ({"quantity": "NULL"}, "quantity_required", "NULL"),
        ({"net_amount": "#N/A"}, "net_amount_type", "#N/A"),
        ({"quantity": "3012345678901"}, "quantity_range", "3012345678901"),
        ({"sku": "1.2E+05"}, "sku_not_scientific", "1.2E+05"),
        ({"currency": "EURO"}, "currency_code", "EURO"),
    ],
)
def test_a_row_that_breaks_a_critical_rule_is_refused_by_line_and_value(
    change: dict[str, Any], rule: str, value: str | None
) -> None:
    """Given one bad row between two good ones, then just that row is refused, for just that reason."""
    good, other = SALE, {**SALE, "line_number": "3"}
    judgement = judged("sales", good, {**SALE, "line_number": "2", **change}, other)
    assert said(judgement) == [(3, rule, value)]
    assert judgement.quarantined == {3}


def test_a_warning_reports_and_refuses_nothing() -> None:
    """Net above gross, a repeated key: the rows go on."""
    judgement = judged("sales", SALE, {**SALE, "net_amount": "20.00"})
    assert said(judgement) == [
        (2, "key_unique_in_file", "T1"), (3, "key_unique_in_file", "T1"), (3, "net_not_above_gross", "20.00"),
    ]  # fmt: skip
    assert judgement.quarantined == set()


def test_a_french_file_is_read_by_its_own_conventions() -> None:
    """Decimal comma and day first are found in the values, not guessed from a country."""
    french = {**SALE, "business_date": "11/10/2026", "net_amount": "1 234,50", "gross_amount": "1.481,40"}
    judgement = judged("sales", french, {**french, "line_number": "2", "business_date": "25/09/2026"})
    assert said(judgement) == []


def test_a_gtin_with_a_wrong_check_digit_is_a_warning() -> None:
    """The row is good, its bar code is not."""
    product = {"sku": "A-1", "name": "Fork", "base_unit": "EA", "gtin": "4006381333932"}
    judgement = judged("products", product, {**product, "sku": "A-2", "gtin": "4006381333931"})
    assert [(v.line, v.column, v.severity) for v in judgement.verdicts if "gtin" in v.rule] == [(2, "gtin", "warning")]


def test_a_load_without_rows_breaks_nothing() -> None:
    """A header-only file is validated with 0 rows."""
    judgement = judged("sales")
    assert (judgement.verdicts, judgement.quarantined) == ([], set())
    assert all(r.success for r in whole_results(CONTRACTS["sales"], frame("sales"), None))


def test_every_rule_of_every_contract_is_checked() -> None:
    """What a contract says, the suite asks: none is dropped on the way."""
    for contract in CONTRACTS.values():
        asked = {c.rule for c in row_checks(contract)} | {
            r.check.rule for r in whole_results(contract, frame(contract.feed), None)
        }
        assert {r.id for r in contract.rules} <= asked


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("^(a|b)+$", "^(?:a|b)+$"),
        (r"\((x)", r"\((?:x)"),
        ("[(][^)(](?i:c)", "[(][^)(](?i:c)"),
        (r"[\](](d)", r"[\](](?:d)"),
    ],
)
def test_a_pattern_is_asked_without_its_groups(written: str, asked: str) -> None:
    assert without_groups(written) == asked


def test_no_pattern_of_a_contract_captures() -> None:
    patterns = [
        c.kwargs["regex"] for contract in CONTRACTS.values() for c in row_checks(contract) if "regex" in c.kwargs
    ]
    assert len(patterns) > 10
    assert {re.compile(p).groups for p in patterns} == {0}


@settings(max_examples=8, deadline=None)
@given(st.lists(st.sampled_from(["2", "x", "", "-1", "3,5", "NaN"]), min_size=1, max_size=12))
def test_each_row_is_kept_or_refused_never_both_never_neither(quantities: list[str]) -> None:
    """Refused lines are lines of the load, each once."""
    rows = [{**SALE, "line_number": str(n), "quantity": q} for n, q in enumerate(quantities, 1)]
    judgement = judged("sales", *rows)
    lines = set(range(2, 2 + len(rows)))
    assert judgement.quarantined <= lines
    refused = {n for n, q in zip(sorted(lines), quantities, strict=True) if q in ("x", "", "NaN")}
    assert refused <= judgement.quarantined


# -- the whole file


STOCK = {"business_date": "2026-10-11", "sku": "A-1", "location_code": "LYO", "on_hand": "5"}


def test_a_truncated_export_rejects_the_load() -> None:
    """Given 100 rows last week, when 10 come, then the file is refused: it would read as stockouts."""
    raw = frame("stock_snapshots", *[{**STOCK, "sku": f"A-{n}"} for n in range(10)])
    before = Previous("before", 100, frozenset({"LYO"}))
    (broken,) = [r for r in whole_results(CONTRACTS["stock_snapshots"], raw, before) if not r.success]
    assert broken.check.rule == "row_count_not_collapsed"
    assert (broken.observed, broken.check.expected) == ("10 rows", "at least 40 rows (40% of the 100 of load before)")


def test_absent_locations_reject_the_load_and_are_named() -> None:
    """More than half of last week's locations."""
    raw = frame("stock_snapshots", *[{**STOCK, "sku": f"A-{n}"} for n in range(50)])
    before = Previous("before", 50, frozenset({"LYO", "NA", "GVA"}))
    (broken,) = [r for r in whole_results(CONTRACTS["stock_snapshots"], raw, before) if not r.success]
    assert broken.observed == "absent: GVA, NA"


def test_a_key_column_without_any_value_rejects_the_load() -> None:
    """A header that no alias knows leaves its column empty."""
    raw = frame("stock_snapshots", {**STOCK, "sku": None}, {**STOCK, "sku": " "})
    (broken,) = [r for r in whole_results(CONTRACTS["stock_snapshots"], raw, None) if not r.success]
    assert broken.observed == "no value at all in sku"


def test_files_of_one_pattern_are_compared() -> None:
    """Digits are what changes from week to week."""
    assert pattern("stock/day_20260901.csv") == pattern("stock/day_20261012.csv") == "stock/day_#.csv"


# -- the page


def test_the_report_escapes_and_masks() -> None:
    """Values are shown as text; personal ones are not shown."""
    supplier = {"supplier_code": "S1", "name": "<b>Acme</b>", "email": "nobody", "currency": "XXXX"}
    judgement = judged("suppliers", supplier)
    record = StageRecord(
        load_id="abc", feed="suppliers", stage="validate", state="validated", stage_version="v", started_at=LANDED,
        finished_at=LANDED, object="suppliers/<x>.csv", landed_at=LANDED,
        detail={"decimal_mark": ".", "date_order": "dmy"},
    )  # fmt: skip
    page = report(record, CONTRACTS["suppliers"], judgement)
    assert "suppliers/&lt;x&gt;.csv" in page
    assert "XXXX" in page
    assert "nobody" not in page
    assert ("email" in {v.column for v in judgement.verdicts}) == (MASK in page)
    assert "http" not in page.split("<style>")[1].split("</style>")[0]
