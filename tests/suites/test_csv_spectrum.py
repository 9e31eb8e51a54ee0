"""csv-spectrum: twelve CSV files, and what they mean."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.suites.reading import read

FILES = (
    "comma_in_quotes", "empty", "empty_crlf", "escaped_quotes", "json", "location_coordinates", "newlines",
    "newlines_crlf", "quotes_and_newlines", "simple", "simple_crlf", "utf8",
)  # fmt: skip
# its JSON has another telephone number than its CSV
MISTAKEN = {"location_coordinates": {"1234567890": "2095257564"}}


@pytest.mark.parametrize("file", FILES)
def test_rows_are_what_the_suite_says(suite: Callable[[str], Path], file: str) -> None:
    """Given a file of the suite, when it is read, then its rows are those of the suite's JSON."""
    folder = suite("csv-spectrum")
    told = json.loads((folder / "json" / f"{file}.json").read_text(encoding="utf-8"))
    rows = told if isinstance(told, list) else [told]
    mistaken = MISTAKEN.get(file, {})
    expected = [{k: mistaken.get(v, v) for k, v in row.items()} for row in rows]

    found = read((folder / "csvs" / f"{file}.csv").read_bytes(), list(expected[0]), f"{file}.csv")

    assert (found.rows, found.codes) == (expected, set())


def test_every_file_is_read(suite: Callable[[str], Path]) -> None:
    """Given the suite, when its files are listed, then each has its test."""
    assert {p.stem for p in (suite("csv-spectrum") / "csvs").iterdir()} == set(FILES)
