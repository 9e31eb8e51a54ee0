"""Refused rows as files that a person corrects."""

import json
from typing import Any

from cli.quarantine import REASONS, ROW, corrected_lines
from stockflow.contracts import load_contracts
from stockflow.settings import bundle_root

SALES = load_contracts(bundle_root() / "contracts")["sales"]


def refused(line: int, rule: str, column: str, message: str, **cells: str) -> dict[str, Any]:
    return {"load_id": "abc", "row": line - 1, "line": line, "rule": rule, "column_name": column, "message": message,
            "decimal_mark": ",", "date_order": "dmy", "original_row": json.dumps(cells)}  # fmt: skip


def test_a_row_has_all_its_reasons_its_own_name_and_what_it_said() -> None:
    cells = {"quantity": "deux", "sku": "A1", "_extra": '{"till": "4"}'}
    (line,) = corrected_lines(
        [refused(7, "q", "quantity", "no number", **cells), refused(7, "s", "sku", "unknown", **cells)], SALES
    )
    assert line[REASONS] == "quantity: no number; sku: unknown"
    assert (line[ROW], line["quantity"], line["sku"], line["till"]) == ("abc/6", "deux", "A1", "4")


def test_what_could_be_read_is_written_the_neutral_way() -> None:
    cells = {"net_amount": "1.234,50", "business_date": "03/04/2026", "quantity": "", "sku": "003,5"}
    (line,) = corrected_lines([refused(2, "q", "quantity", "missing", **cells)], SALES)
    assert (line["net_amount"], line["business_date"]) == ("1234.5", "2026-04-03")
    assert (line["quantity"], line["sku"]) == ("", "003,5")


def test_a_row_that_was_exported_before_is_named_anew() -> None:
    cells = {"_extra": json.dumps({REASONS: "old", ROW: "old/1", "till": "4"})}
    (line,) = corrected_lines([refused(2, "q", "quantity", "missing", **cells)], SALES)
    assert (line[ROW], line[REASONS], line["till"]) == ("abc/1", "quantity: missing", "4")
