"""Has DuckDB find its extensions where their wheels put them: never on the network, and never as a copy.

DuckDB's own INSTALL copies them below HOME, which each stack has of its own: 52 MB, half a second of its first start.
"""

import shutil
from importlib.resources import files
from pathlib import Path

import duckdb

NAMES = ("icu", "httpfs", "avro")


def link(home: Path | None = None) -> None:
    """Put the extensions into DuckDB's folder below ``home`` (the user's own, if none is given)."""
    version, platform = _asked("PRAGMA version"), _asked("PRAGMA platform")
    folder = (home or Path.home()) / ".duckdb" / "extensions" / version / platform
    folder.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        brought = Path(str(files(f"duckdb_extension_{name}"))) / "extensions" / version / f"{name}.duckdb_extension"
        _place(brought, folder / brought.name)


def _asked(sql: str) -> str:
    with duckdb.connect() as connection:
        found = connection.execute(sql).fetchone()
    assert found is not None
    return str(found[0])


def _place(brought: Path, wanted: Path) -> None:
    """Link a file, or copy it where links are not allowed; what is there stays, unless it leads nowhere any more."""
    if wanted.exists():
        return
    wanted.unlink(missing_ok=True)
    try:
        wanted.symlink_to(brought)
    except OSError:
        shutil.copyfile(brought, wanted)
