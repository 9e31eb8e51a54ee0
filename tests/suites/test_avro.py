"""Apache Avro's own files, of several writers and codecs, as fastavro keeps them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.suites.reading import read

# the same reports of the weather, as its Java and C libraries write them
WEATHER = ("weather.avro", "weather-sorted.avro", "weather-snappy.avro")
REPORTS = [
    ("011990-99999", "-619524000000", "0"),
    ("011990-99999", "-619506000000", "22"),
    ("011990-99999", "-619484400000", "-11"),
    ("012650-99999", "-655531200000", "111"),
    ("012650-99999", "-655509600000", "78"),
]


@pytest.mark.parametrize("file", WEATHER)
def test_the_reports_are_read_whatever_packs_them(suite: Callable[[str], Path], file: str) -> None:
    """Given the same records in several files, when they are read, then they are the same rows."""
    data = (suite("fastavro") / "tests/avro-files" / file).read_bytes()

    found = read(data, ["station", "time", "temp"], file)

    assert sorted(tuple(row.values()) for row in found.rows) == sorted(REPORTS) and found.codes == set()


def test_every_file_ends_well(suite: Callable[[str], Path]) -> None:
    """Given all files, when they are read, then each ends in rows, rejects or a refusal that says why."""
    files = sorted((suite("fastavro") / "tests/avro-files").glob("*.avro"))
    silent = []
    for file in files:
        found = read(file.read_bytes(), ["a", "b"], file.name)
        if not (found.rows or found.codes):
            silent.append(file.name)

    assert len(files) > 30 and silent == []
