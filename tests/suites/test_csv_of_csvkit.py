"""The CSV files of csvkit's examples, open data among them, read as Python's ``csv`` module reads them."""

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.suites.reading import read

LARGEST = 5_000_000


def regular(folder: Path) -> Iterator[tuple[Path, list[list[str]]]]:
    """Yield the files that are tables: UTF-8, one header of distinct names, each record as wide; and their records."""
    for path in sorted(folder.rglob("*.csv")):
        data = path.read_bytes()
        if len(data) > LARGEST or b"\0" in data:
            continue
        try:
            records = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))
        except (ValueError, csv.Error):
            continue
        filled = [record for record in records if any(cell.strip() for cell in record)]
        whole = len({len(record) for record in filled}) == 1 and len(filled) > 1
        if whole and all(name.strip() for name in filled[0]) and len({*filled[0]}) == len(filled[0]):
            yield path, filled


def test_tables_are_what_the_csv_module_reads(suite: Callable[[str], Path]) -> None:
    """Given csvkit's CSV files that are tables, when they are read, then they are Python's rows.

    A break within a cell is a line feed here, also where the file ends its lines with carriage returns.
    """
    compared, different = 0, []
    for path, (header, *records) in regular(suite("csvkit") / "examples"):
        expected = [dict(zip(header, (v.replace("\r", "\n") for v in r), strict=True)) for r in records]
        found = read(path.read_bytes(), header, path.name)
        compared += 1
        different += [] if (found.rows, found.codes) == (expected, set()) else [path.name]

    assert compared > 50 and different == []
