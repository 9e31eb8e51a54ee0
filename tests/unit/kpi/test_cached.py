"""What commands keep of definitions: never wrong, and nothing is lost with it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from functions.kpi import cached
from functions.kpi.cached import MOST, keep, keep_in, kept, recall


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in which findings are kept."""
    keep_in(tmp_path / "cache")
    yield tmp_path / "cache"
    keep_in(None)


def never() -> str:
    """Fail: what is asked is known."""
    raise AssertionError("found a second time")


def test_what_was_found_is_found_once(folder: Path) -> None:
    assert kept(lambda: {"a": ["é", 1]}, "columns", "SELECT 1") == {"a": ["é", 1]}
    assert kept(never, "columns", "SELECT 1") == {"a": ["é", 1]}
    assert recall("columns", "SELECT 2") is None and recall("tables", "SELECT 1") is None


@pytest.mark.parametrize("text", ["", "{}", "0000\n[1]", '"a"', "\xff"])
def test_a_damaged_file_counts_as_none(text: str, folder: Path) -> None:
    keep([2], "columns", "SELECT 1")
    (file,) = folder.iterdir()
    file.write_bytes(text.encode("latin-1"))
    assert kept(lambda: [3], "columns", "SELECT 1") == [3]
    assert recall("columns", "SELECT 1") == [3]


def test_a_file_cut_short_counts_as_none(folder: Path) -> None:
    keep(["business_date", "value"], "columns", "SELECT 1")
    (file,) = folder.iterdir()
    file.write_text(file.read_text()[:-1])
    assert recall("columns", "SELECT 1") is None


def test_nothing_is_kept_where_no_folder_is_named(tmp_path: Path) -> None:
    keep_in(None)
    keep([1], "columns", "SELECT 1")
    assert recall("columns", "SELECT 1") is None and list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_no_error(tmp_path: Path) -> None:
    keep_in(tmp_path / "not there" / "cache")
    try:
        assert kept(lambda: 1, "columns", "SELECT 1") == 1
    finally:
        keep_in(None)


def test_of_very_many_files_the_older_half_goes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST > 1_000
    monkeypatch.setattr(cached, "MOST", 3)
    folder.mkdir()
    for number in range(4):
        (folder / f"{number}.json").write_text("old")
    keep([1], "columns", "SELECT 1")
    assert len(list(folder.iterdir())) == 3 and recall("columns", "SELECT 1") == [1]
