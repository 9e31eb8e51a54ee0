"""Names of dropped files: no two files become one object."""

from pathlib import Path

import pytest

from cli.drop import object_names
from cli.output import CommandError


def test_a_file_is_named_by_its_feed() -> None:
    assert object_names({Path("a/week.csv"): "sales"}) == {Path("a/week.csv"): "sales/week.csv"}


def test_files_of_one_name_keep_their_folders() -> None:
    wanted = {Path("lyon/sales.csv"): "sales", Path("paris/sales.csv"): "sales", Path("lyon/stock.csv"): "sales"}
    assert list(object_names(wanted).values()) == ["sales/lyon/sales.csv", "sales/paris/sales.csv", "sales/stock.csv"]


def test_one_name_in_two_feeds_is_two_objects() -> None:
    wanted = {Path("a/x.csv"): "sales", Path("b/x.csv"): "products"}
    assert set(object_names(wanted).values()) == {"sales/x.csv", "products/x.csv"}


def test_files_that_would_still_be_one_object_are_refused() -> None:
    wanted = {Path("one/lyon/sales.csv"): "sales", Path("two/lyon/sales.csv"): "sales"}
    with pytest.raises(CommandError, match=r"would all become sales/lyon/sales\.csv"):
        object_names(wanted)
