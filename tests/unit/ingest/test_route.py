"""Where a landed object goes."""

import pytest

from functions.ingest.route import route

FEEDS = {"sales", "products"}


@pytest.mark.parametrize(
    ("name", "feed"),
    [("sales/x.csv", "sales"), ("sales/2026/09/x.csv.gz", "sales"), ("products/a b (1).xlsx", "products")],
)
def test_the_first_folder_names_the_feed(name: str, feed: str) -> None:
    assert route(name, FEEDS).feed == feed


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("sales/", "folder_marker"),
        ("sales/2026/", "folder_marker"),
        ("sales/_SUCCESS", "marker"),
        ("sales/x.csv.tmp", "temporary"),
        ("sales/X.CSV.PART", "temporary"),
        ("sales/.DS_Store", "hidden_file"),
        ("sales/~$stock.xlsx", "hidden_file"),
        ("promotions/x.csv", "unknown_feed"),
        ("sales.csv", "unknown_feed"),
        ("sales", "unknown_feed"),
        ("Sales/x.csv", "unknown_feed"),
    ],
)
def test_what_is_no_data_is_ignored_with_a_reason(name: str, reason: str) -> None:
    where = route(name, FEEDS)
    assert (where.feed, where.reason) == (None, reason)
    assert repr(name) in where.message


def test_an_unknown_folder_is_told_which_ones_there_are() -> None:
    assert "products, sales" in route("promotions/x.csv", FEEDS).message
