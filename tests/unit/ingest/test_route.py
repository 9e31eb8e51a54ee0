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
        ("sales/x.csv.ok", "control_file"),
        ("sales/X.CSV.MD5", "control_file"),
        ("sales/x.done", "control_file"),
        ("sales/x.ctl", "control_file"),
        ("sales/x.csv.gz.sha256", "control_file"),
        ("sales/2026/SHA256SUMS", "control_file"),
        ("sales/checksums.txt", "control_file"),
        ("sales/.DS_Store", "hidden_file"),
        ("sales/~$stock.xlsx", "hidden_file"),
        ("sales/stock.csv~", "hidden_file"),
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


def test_an_empty_object_without_the_name_of_data_is_a_marker() -> None:
    assert route("sales/FINISHED", FEEDS, 0).reason == "control_file"
    assert route("sales/x.eof", FEEDS, 12).reason == "control_file"
    assert route("sales/FINISHED", FEEDS, 12).feed == "sales"
    assert route("sales/FINISHED", FEEDS).feed == "sales"


@pytest.mark.parametrize("name", ["x.csv", "x.CSV.GZ", "x.txt", "x.xlsx", "x.jsonl", "x.parquet"])
def test_an_empty_data_file_is_not_a_marker(name: str) -> None:
    assert route(f"sales/{name}", FEEDS, 0).feed == "sales"
