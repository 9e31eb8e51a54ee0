"""What a control file's count may count: said when it is not that of the records, and never what cannot be."""

import io
from typing import Any

import pytest

from functions.ingest.agreement import Found, check, is_sure
from functions.ingest.control import Stated
from stockflow.errors import PermanentError

CSV = {"header_line": 1, "physical_lines": 4}


def compared(stated: int | None, rows: int = 3, rejects: int = 0, **detail: Any) -> dict[str, Any]:
    found = Found("sales/x.csv", 99, "", rows, rejects, detail)
    return check(Stated("x.csv", stated), "sales/x.ctl", found, io.BytesIO)


@pytest.mark.parametrize(
    ("stated", "detail", "counts"),
    [
        (3, CSV, ["records"]),
        (4, CSV, ["records and header", "lines"]),
        (4, {"header_line": 1, "physical_lines": 7}, ["records and header", "lines"]),
        (7, {"header_line": 1, "physical_lines": 7}, ["lines"]),
        (2, {**CSV, "not_counted": 1}, ["records"]),
        (3, {**CSV, "not_counted": 1}, ["records and totals", "records and header"]),
        (6, {"header_line": 1, "member_count": 3}, ["records and header", "lines"]),
    ],
)
def test_a_count_is_said_with_all_that_it_may_count(stated: int, detail: dict[str, Any], counts: list[str]) -> None:
    facts = compared(stated, **detail)
    assert (facts["control_file"], facts["control_count"]) == ("sales/x.ctl", stated)
    assert facts["control_counts"] == counts
    assert is_sure(facts) == (counts[0] == "records")


@pytest.mark.parametrize("detail", [{}, {"physical_lines": 3}, {"header": ["sku"]}])
def test_a_format_without_a_header_has_none_that_could_be_counted(detail: dict[str, Any]) -> None:
    """A JSON file of 3 records of which 4 were stated has lost one."""
    with pytest.raises(PermanentError, match="states 4 rows, found was 3"):
        compared(4, **detail)


def test_a_control_file_without_a_count_leaves_nothing_to_say() -> None:
    assert compared(None, **CSV) == {}
    assert is_sure({})
