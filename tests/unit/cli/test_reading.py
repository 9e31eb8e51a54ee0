"""What commands make of names, times, log lines and values."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from cli import logs
from cli.drop import guess_feed, is_settled
from cli.loads import ended, pick, reading
from cli.output import CommandError, cell
from functions.ingest.receipts.described import restated, unvalued

FEEDS = ["sales", "stock_counts", "stock_snapshots", "products"]


@pytest.mark.parametrize(
    ("path", "feed"),
    [
        ("samples/sales/ventes_2026-S37.csv", "sales"),
        ("/somewhere/products_2026.csv", "products"),
        ("/somewhere/Stock_Counts-1.xlsx", "stock_counts"),
        ("/in/stock_snapshots/sales_like_name.csv", "stock_snapshots"),
    ],
)
def test_the_feed_is_the_folder_or_the_beginning_of_the_name(path: str, feed: str) -> None:
    """The folder decides before the name."""
    assert guess_feed(Path(path), FEEDS) == feed


def test_a_name_that_says_nothing_asks_for_the_feed() -> None:
    """Given neither, the error names the option and the feeds."""
    with pytest.raises(CommandError, match=r"--feed with one of products, sales"):
        guess_feed(Path("/somewhere/export.csv"), FEEDS)


def test_how_a_file_was_read_is_told_in_words() -> None:
    """Given what ingest recorded, its guesses and what it decided about headers can be checked by a person."""
    detail = {
        "format": "csv", "encoding": "cp1252", "delimiter": ";", "header_line": 3, "blank_lines": 0,
        "set_aside": ["sku"], "from_file_name": {"business_date": "2026-09-30"},
    }  # fmt: skip
    assert reading([{"stage": "validate", "detail": None}, {"stage": "ingest", "detail": json.dumps(detail)}]) == [
        "read as: csv, encoding 'cp1252', delimiter ';', header in line 3",
        "set aside, since another column says the same: sku (kept in _extra)",
        "from the file's name: business_date 2026-09-30",
    ]
    assert reading([{"stage": "ingest", "detail": None}]) == []


def test_what_was_guessed_and_what_was_not_used_is_told_in_words() -> None:
    """Given doubts and columns without use, a person sees the characters, the nearest columns and missing measures."""
    detail = {
        "format": "csv", "encoding": "cp1252", "encoding_confidence": 0.67, "encoding_doubt": ["a3 £"],
        "unused_columns": [{"header": "Net Amnt", "nearest": "net_amount"}, {"header": "Till", "nearest": None}],
        "absent_measures": ["net_amount", "gross_amount"], "short_lines": 2,
    }  # fmt: skip
    assert reading([{"stage": "ingest", "detail": json.dumps(detail)}]) == [
        "read as: csv, encoding 'cp1252'",
        "encoding cp1252 is a guess (67% sure); bytes and characters: a3 £",
        "columns not used: 'Net Amnt' (nearest: net_amount), 'Till' (kept in _extra)",
        "warning: no column states net_amount, gross_amount: what is computed from it is missing",
        "lines without their last, optional cells: 2 (read as empty)",
    ]


@pytest.mark.parametrize(
    ("state", "settled"),
    [
        ("loaded", False),
        ("transformed", False),
        ("refreshed", True),
        ("rejected", True),
        ("ignored", True),
        ("duplicate_content", True),
    ],
)
def test_a_load_is_settled_when_nothing_more_comes(state: str, settled: bool) -> None:
    """Until the KPIs are refreshed, a load that was loaded is on its way."""
    assert is_settled({"state": state}) is settled


@pytest.mark.parametrize(
    ("load", "told"),
    [
        (("rejected", "empty_file", "no rows"), "rejected: empty_file: no rows"),
        (("duplicate_content", "duplicate_content", "same as w1.csv"), "duplicate_content: same as w1.csv"),
        (("retrying", "unavailable", None), "retrying: unavailable"),
        (("refreshed", None, None), "refreshed"),
    ],
)
def test_how_a_load_ended_is_said_once(load: tuple[str, str | None, str | None], told: str) -> None:
    """A reason code that repeats the state is left out; what `try` says of a file is said in the same way."""
    assert ended(dict(zip(("state", "reason_code", "message"), load, strict=True))) == told


LOADS = [
    {"load_id": "aaaaaa1111", "bucket": "landing", "object": "sales/w1.csv"},
    {"load_id": "bbbbbb2222", "bucket": "landing", "object": "sales/w2.csv"},
    {"load_id": "cccccc3333", "bucket": "landing", "object": "sales/w1.csv"},
]


@pytest.mark.parametrize(
    ("what", "load"),
    [
        ("bbbbbb2222", "bbbbbb2222"),
        ("aaaaaa", "aaaaaa1111"),
        ("w1.csv", "cccccc3333"),
        ("sales/w2.csv", "bbbbbb2222"),
        ("gs://landing/sales/w2.csv", "bbbbbb2222"),
        ("/home/me/w1.csv", "cccccc3333"),
    ],
)
def test_explain_takes_ids_objects_and_file_names(what: str, load: str) -> None:
    """A name that was dropped twice means the last one."""
    assert pick(LOADS, what)["load_id"] == load


def test_explain_of_an_unknown_file_says_where_to_look() -> None:
    """Given no such load, the error names the command that lists them."""
    with pytest.raises(CommandError, match="stockflow loads"):
        pick(LOADS, "w9.csv")


def test_a_functions_json_is_read_as_a_line() -> None:
    """Severity, message and labels; the time is when it was written."""
    text = '2026-11-23T10:00:01.250Z {"severity": "ERROR", "message": "no", "logging.googleapis.com/labels": '
    line = logs.parse("ingest", text + '{"load_id": "ab", "python_logger": "x"}}')
    assert (line.severity, line.message, line.labels) == ("ERROR", "no", {"load_id": "ab"})
    assert line.text == "10:00:01 ingest     ERROR   no  load_id=ab"


@pytest.mark.parametrize("text", ["plain words", "{not json", '2026-11-23T10:00:01.250Z {"half": '])
def test_other_lines_are_kept_as_they_are(text: str) -> None:
    """What is no JSON is shown as it was said."""
    assert logs.parse("storage", text).message in text


def test_since_is_a_number_and_a_unit() -> None:
    """Ten minutes ago is ten minutes ago; anything else names what was expected."""
    found = logs.ago("10m")
    assert found is not None and abs(datetime.now(UTC) - timedelta(minutes=10) - found) < timedelta(seconds=5)
    assert logs.ago("") is None
    with pytest.raises(CommandError, match="such as 10m"):
        logs.ago("yesterday")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (1234, "1,234"),
        (Decimal("1.5"), "1.50"),
        (True, "yes"),
        ("[x]", r"\[x]"),
        (datetime(2026, 1, 2, 3, 4, 5), "2026-01-02 03:04:05"),
    ],
)
def test_values_are_shown_as_people_read_them(value: object, shown: str) -> None:
    """Nothing for nothing, separators in numbers, and brackets that are no markup."""
    assert cell(value) == shown


def test_a_key_that_states_something_else_is_a_warning_with_an_example() -> None:
    """What transform counted, in one line."""
    example = {"receipt_number": "1001", "till_number": "", "sku": "B2", "before_sku": "A1", "before_load_id": "L0"}
    detail = {"restated_with_other_content": {"rows": 3, "example": example}}
    (line,) = restated([{"stage": "ingest", "detail": "{}"}, {"stage": "transform", "detail": json.dumps(detail)}])
    assert line.startswith("warning: 3 of its keys are stated with other content, too (load L0)")
    assert line.endswith("Example: receipt_number 1001, sku B2, before_sku A1")
    assert restated([{"stage": "transform", "detail": "{}"}]) == []


def test_products_without_a_rate_are_a_warning() -> None:
    """How many, where the first one stands, and in which currency."""
    detail = {"unvalued": {"rows": 2, "first_line": 7, "currencies": "CHF, USD", "reason": "unknown_exchange_rate"}}
    (line,) = unvalued([{"stage": "transform", "detail": json.dumps(detail)}])
    assert line.startswith("warning: 2 rows have no cost or price (first in line 7): no exchange rate for CHF, USD on")
    assert unvalued([{"stage": "transform", "detail": "{}"}]) == []
