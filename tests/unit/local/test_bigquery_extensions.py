"""DuckDB's extensions are loaded from their wheels."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local import bigquery_extensions

LOADED = """
import duckdb
connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
for name in ("icu", "httpfs", "avro"):
    connection.execute(f"LOAD {name}")
"""


def loaded(home: Path) -> int:
    """Load each in a process with that home; return its exit code."""
    return subprocess.run([sys.executable, "-c", LOADED], env={**os.environ, "HOME": str(home)}, check=False).returncode


def test_they_are_found_without_a_copy_of_them(tmp_path: Path) -> None:
    bigquery_extensions.link(tmp_path)
    bigquery_extensions.link(tmp_path)
    made = list(tmp_path.rglob("*.duckdb_extension"))
    assert len(made) == len(bigquery_extensions.NAMES) and all(path.is_symlink() for path in made)
    assert loaded(tmp_path) == 0


def test_a_link_into_an_environment_that_is_gone_is_made_anew(tmp_path: Path) -> None:
    bigquery_extensions.link(tmp_path)
    one = next(tmp_path.rglob("icu.duckdb_extension"))
    one.unlink()
    one.symlink_to(tmp_path / "gone")
    bigquery_extensions.link(tmp_path)
    assert one.exists()


def test_where_links_are_not_allowed_they_are_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_args: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "symlink_to", refused)
    bigquery_extensions.link(tmp_path)
    assert [path.is_symlink() for path in tmp_path.rglob("*.duckdb_extension")] == [False] * 3
