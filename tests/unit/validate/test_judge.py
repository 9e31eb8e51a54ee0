"""A load is judged by its contract: which rows are refused, why, and what is only reported."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.validate.judge import judge
from functions.validate.load_rules import Previous, load_results
from functions.validate.model import Extent, Judgement, Result
from functions.validate.report import report
from functions.validate.series import series
from functions.validate.suite import row_checks, without_groups
from functions.validate.survey import Survey
from stockflow.contracts import MASK, load_contracts
from stockflow.ledger import StageRecord
from tests.support.rows import Table, table

CONTRACTS = load_contracts(Path(__file__).parents[3] / "contracts")
LANDED = datetime(2026, 10, 12, 8, tzinfo=UTC)
SALE = {
    "receipt_number": "T1", "line_number": "1", "business_date": "2026-10-11", "sku": "A-1", "location_code": "LYO",
    "quantity": "2", "net_amount": "10.00", "gross_amount": "12.00", "currency": "EUR",
}  # fmt: skip


def frame(feed: str, *rows: Mapping[str, str | None]) -> pa.Table:
    """Return raw rows as they are staged; the first is line 2 of its file."""
    names = [c.name for c in CONTRACTS[feed].stated]
    return table(CONTRACTS[feed], {c: [row.get(c) for row in rows] for c in names}, len(rows))


def judged(feed: str, *rows: Mapping[str, str | None]) -> Judgement:
    """Return the judgement of some rows."""
    return found(feed, frame(feed, *rows))[0]


def found(feed: str, raw: pa.Table) -> tuple[Judgement, Survey, list[dict[str, Any]]]:
    """Return the judgement, the survey and the verdicts that refuse rows."""
    refused: list[dict[str, Any]] = []
    judgement, survey = judge(CONTRACTS[feed], Table(raw), LANDED, lambda t: refused.extend(t.to_pylist()))
    return judgement, survey, refused


def refused_lines(feed: str, *rows: Mapping[str, str | None]) -> set[int]:
    """Return the lines that break a critical rule."""
    return {v["line"] for v in found(feed, frame(feed, *rows))[2]}


def said(judgement: Judgement) -> list[tuple[int, str, str | None]]:
    """Return line, rule and value of each verdict."""
    return sorted((v.line, v.rule, v.value) for r in judgement.results for v in r.examples)


def load_rules(feed: str, raw: pa.Table, *earlier: Previous) -> list[Result]:
    """Return what the rules of the whole file say."""
    judgement, survey, _ = found(feed, raw)
    return load_results(CONTRACTS[feed], judgement, survey.filled, earlier)


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
    rows = (good, {**SALE, "line_number": "2", **change}, other)
    assert said(judged("sales", *rows)) == [(3, rule, value)]
    assert refused_lines("sales", *rows) == {3}


def test_a_warning_reports_and_refuses_nothing() -> None:
    """Net above gross, a repeated key: the rows go on."""
    judgement = judged("sales", SALE, {**SALE, "net_amount": "20.00"})
    assert said(judgement) == [
        (2, "key_unique_in_file", "LYO"), (3, "key_unique_in_file", "LYO"), (3, "net_not_above_gross", "20.00"),
    ]  # fmt: skip
    assert judgement.refused == 0


def test_a_french_file_is_read_by_its_own_conventions() -> None:
    """Decimal comma and day first are found in the values, not guessed from a country."""
    french = {**SALE, "business_date": "11/10/2026", "net_amount": "1 234,50", "gross_amount": "1.481,40"}
    judgement = judged("sales", french, {**french, "line_number": "2", "business_date": "25/09/2026"})
    assert said(judgement) == []


def test_a_gtin_with_a_wrong_check_digit_is_a_warning() -> None:
    """The row is good, its bar code is not."""
    product = {"sku": "A-1", "name": "Fork", "base_unit": "EA", "gtin": "4006381333932"}
    judgement = judged("products", product, {**product, "sku": "A-2", "gtin": "4006381333931"})
    verdicts = [v for r in judgement.results for v in r.examples if "gtin" in v.rule]
    assert [(v.line, v.column, v.severity) for v in verdicts] == [(2, "gtin", "warning")]


def test_a_load_without_rows_breaks_nothing() -> None:
    """A header-only file is validated with 0 rows."""
    judgement = judged("sales")
    assert (said(judgement), judgement.refused) == ([], 0)
    assert all(r.success for r in load_rules("sales", frame("sales")))


def test_every_rule_of_every_contract_is_checked() -> None:
    """What a contract says, the suite asks: none is dropped on the way."""
    for contract in CONTRACTS.values():
        asked = {c.rule for c in row_checks(contract)} | {
            r.check.rule for r in load_rules(contract.feed, frame(contract.feed))
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
    lines = set(range(2, 2 + len(rows)))
    quarantined = refused_lines("sales", *rows)
    assert quarantined <= lines
    refused = {n for n, q in zip(sorted(lines), quantities, strict=True) if q in ("x", "", "NaN")}
    assert refused <= quarantined


# -- the whole file


STOCK = {"business_date": "2026-10-11", "sku": "A-1", "location_code": "LYO", "on_hand": "5"}


def test_a_truncated_export_rejects_the_load() -> None:
    """Given 100 rows last week, when 10 come, then the file is refused: it would read as stockouts."""
    raw = frame("stock_snapshots", *[{**STOCK, "sku": f"A-{n}"} for n in range(10)])
    before = Previous("before", 100, Extent(frozenset({"LYO"}), 1))
    (broken,) = [r for r in load_rules("stock_snapshots", raw, before) if not r.success]
    assert broken.check.rule == "row_count_not_collapsed"
    assert (broken.observed, broken.check.expected) == ("10 rows", "at least 40 rows (40% of the 100 of load before)")


def test_absent_locations_reject_the_load_and_are_named() -> None:
    """More than half of last week's locations."""
    raw = frame("stock_snapshots", *[{**STOCK, "sku": f"A-{n}"} for n in range(50)])
    before = Previous("before", 50, Extent(frozenset({"LYO", "NA", "GVA"}), 3))
    (broken,) = [r for r in load_rules("stock_snapshots", raw, before) if not r.success]
    assert broken.observed == "absent: GVA, NA"


def test_a_key_column_without_any_value_rejects_the_load() -> None:
    """A header that no alias knows leaves its column empty."""
    raw = frame("stock_snapshots", {**STOCK, "sku": None}, {**STOCK, "sku": " "})
    (broken,) = [r for r in load_rules("stock_snapshots", raw) if not r.success]
    assert broken.observed == "no value at all in sku"


def test_a_smaller_file_of_another_store_is_not_compared() -> None:
    """Stores of one sender under one name: each has a size of its own."""
    raw = frame("stock_snapshots", *[{**STOCK, "sku": f"A-{n}", "location_code": "947"} for n in range(8)])
    before = Previous("before", 300, Extent(frozenset({"915"}), 1))
    assert all(r.success for r in load_rules("stock_snapshots", raw, before))


def test_a_file_is_compared_with_the_newest_of_its_own_locations() -> None:
    """Stores that take turns: the small one is measured by its own file of the day before."""
    raw = frame("stock_snapshots", *[{**STOCK, "sku": f"A-{n}", "location_code": "947"} for n in range(2)])
    big, own = (
        Previous("big", 300, Extent(frozenset({"915", "947"}), 2)),
        Previous("own", 8, Extent(frozenset({"947"}))),
    )
    (broken,) = [r for r in load_rules("stock_snapshots", raw, big, own) if not r.success]
    assert broken.check.expected == "at least 3 rows (40% of the 8 of load own)"


@pytest.mark.parametrize(("last", "same_object", "broken"), [
    ("2026-10-11", False, []),
    ("2026-10-10", False, ["row_count_not_collapsed", "locations_not_absent"]),
    ("2026-10-11", True, ["row_count_not_collapsed", "locations_not_absent"]),
])  # fmt: skip
def test_a_correction_is_not_held_to_the_size_of_what_it_corrects(
    last: str, same_object: bool, broken: list[str]
) -> None:
    """It states nothing newer; a newer day, or the object sent again, is a whole statement."""
    before = Previous("before", 100, Extent(frozenset({"LYO", "NA", "GVA"}), 3, last, last), same_object)
    found = load_rules("stock_snapshots", frame("stock_snapshots", STOCK), before)
    assert [r.check.rule for r in found if not r.success] == broken


@pytest.mark.parametrize("code", ['="0161"', "'0161", " 0161 ", "0161"])
def test_a_shielded_code_is_the_code(code: str) -> None:
    """What a spreadsheet needs to keep zeros is not part of the code."""
    judgement = judged("stock_snapshots", {**STOCK, "location_code": code})
    assert judgement.extent == Extent(frozenset({"0161"}), 1, "2026-10-11", "2026-10-11")


def test_of_very_many_locations_a_sample_is_kept() -> None:
    """The record of a load stays small."""
    rows = [{**STOCK, "location_code": f"L{n}"} for n in range(1500)]
    extent = judged("stock_snapshots", *rows).extent
    assert (len(extent.locations), extent.location_count) == (1000, 1500)


@pytest.mark.parametrize(("name", "same"), [
    ("stock/day_20260901.csv", "stock/day_20261012.csv"),
    ("stock/day_2026-09-01.csv", "stock/day_2026-10-12.csv"),
    ("stock/01.09.2026 stock.csv", "stock/12.10.2026 stock.csv"),
    ("stock/2026/09/01/all.csv", "stock/2026/10/12/all.csv"),
    ("stock/day_20260901T0630.csv", "stock/day_20261012T0715.csv"),
    ("stock/day_20260901_2.csv", "stock/day_20261012.csv"),
    ("stock/day_20260901 (1).csv", "stock/day_20261012.csv"),
    ("stock/s_2026-W36.csv", "stock/s_2026-W37.csv"),
    ("stock/s_260901.csv", "stock/s_261012.csv"),
    ("stock/s_20260901063000.csv", "stock/s_20261012071500.csv"),
    ("stock/s_1788000000.csv", "stock/s_1788086400.csv"),
])  # fmt: skip
def test_dates_are_what_changes_from_one_file_of_a_series_to_the_next(name: str, same: str) -> None:
    assert series(name) == series(same)


@pytest.mark.parametrize(("name", "other"), [
    ("stock/store_012_20260901.csv", "stock/store_013_20260901.csv"),
    ("stock/012.csv", "stock/013.csv"),
    ("stock/12/20260901.csv", "stock/13/20260901.csv"),
    ("stock/paris/20260901.csv", "stock/lyon/20260901.csv"),
    ("stock/store_100245.csv", "stock/store_100246.csv"),
])  # fmt: skip
def test_other_numbers_name_another_series(name: str, other: str) -> None:
    assert series(name) != series(other)


def test_rows_that_share_a_line_are_told_apart() -> None:
    """A JSON array on one line: each element is a row of its own."""
    raw = frame("sales", SALE, {**SALE, "line_number": "2", "quantity": "two"}, {**SALE, "line_number": "3"})
    raw = raw.set_column(1, "_line", pa.array([1, 1, 1]))
    judgement, _, refused = found("sales", raw)
    assert judgement.refused == 1
    assert [(v["row"], v["line"], v["rule"], v["value"]) for v in refused] == [(2, 1, "quantity_type", "two")]


def test_a_refused_row_comes_with_its_original_text() -> None:
    """As JSON, without blank cells, exactly as it was written."""
    bad = {**SALE, "quantity": 'tw"o', "sku": "Caf\u00e9\n1"}
    (verdict, *_) = found("sales", frame("sales", SALE, bad))[2]
    assert json.loads(verdict["original_row"]) == bad


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
    assert ("email" in {v.column for r in judgement.results for v in r.examples}) == (MASK in page)
    assert "http" not in page.split("<style>")[1].split("</style>")[0]
