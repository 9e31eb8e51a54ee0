"""Translations outlive the emulator that made them."""

from pathlib import Path

import pytest

from local import bigquery_translations
from local.bigquery_translations import Translations


def test_another_emulator_finds_what_was_kept(tmp_path: Path) -> None:
    Translations(tmp_path).keep("SELECT 1", "select 1")
    later = Translations(tmp_path)
    assert later.find("SELECT 1") == "select 1"
    assert later.find("SELECT 2") is None


def test_a_new_translator_begins_anew_and_removes_what_the_old_one_left(tmp_path: Path) -> None:
    (tmp_path / "older.sqlite").write_text("of another version")
    Translations(tmp_path).keep("SELECT 1", "select 1")
    assert [path.name for path in tmp_path.glob("older*")] == []


def test_what_cannot_be_opened_costs_time_only(tmp_path: Path) -> None:
    """A damaged file, and a folder that is a file."""
    (tmp_path / f"{bigquery_translations._makers()}.sqlite").write_bytes(b"not a database" * 100)
    (tmp_path / "file").touch()
    for folder in (tmp_path, tmp_path / "file"):
        translations = Translations(folder)
        translations.keep("SELECT 1", "select 1")
        assert translations.find("SELECT 1") is None


def test_the_oldest_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    translations = Translations(tmp_path)
    for number in range(5):
        translations.keep(f"SELECT {number}", "select")
    monkeypatch.setattr(bigquery_translations, "MOST", 2)
    later = Translations(tmp_path)
    assert [later.find(f"SELECT {number}") for number in range(5)] == [None, None, None, "select", "select"]
