"""Keeps each project of local-bigquery in a DuckDB database file, where local-bigquery itself takes a DuckLake.

A lake writes its catalogue by two dozen statements for each commit and reads it by several for each table of a query.
With tables of a few thousand rows that is most of the work: an INSERT took 13 ms where a database takes 4,
CREATE TABLE 100 where it takes 2, a KPI's query twice as long (DuckDB 1.5.5, 105 tables, one processor). What a
lake has and a database has not is the past of a table (``FOR SYSTEM_TIME AS OF``), which nothing here reads.
"""

import functools

import duckdb
from local_bigquery.engine import database
from local_bigquery.settings import settings
from local_bigquery.sql import dialect, native

from local import bigquery_lookups

SUFFIX = ".duckdb"
_OWN = "emulator"  # where local-bigquery keeps jobs, results and descriptions of tables


def install() -> None:
    """Take the place of the functions that attach and list projects."""
    database._connect, database._attach = _connect, _attach
    bigquery_lookups.replace(database.projects, _projects)


@functools.cache
def _connect() -> duckdb.DuckDBPyConnection:
    """Do what local-bigquery's own ``_connect`` does, without a lake."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    # One thread: the jobs run side by side as it is; to divide a small query among threads costs more than it gives.
    # What does not fit into memory (80 % of the machine's) lies beside the databases, not in the folder of the caller.
    spilled = str(settings.data_dir / "spilled")
    con = duckdb.connect(config={"TimeZone": "UTC", "threads": 1, "temp_directory": spilled})
    con.execute(f"ATTACH '{settings.data_dir / _OWN}{SUFFIX}' AS {_OWN}")
    con.execute(database.EMULATOR_SCHEMA)
    con.execute("ATTACH ':memory:' AS bq")
    native.register(con)
    for path in dialect.FUNCTIONS:
        con.execute(dialect.MACRO.sub(r"CREATE MACRO bq.main.\1", path.read_text()))
    found = {path.stem for path in settings.data_dir.glob(f"*{SUFFIX}")} - {_OWN}
    for project in found | {settings.default_project_id}:
        _attach(con, project)
    default = database.quote(settings.default_project_id, settings.default_dataset_id)
    con.execute(f"CREATE SCHEMA IF NOT EXISTS {default}")
    return con


def _attach(con: duckdb.DuckDBPyConnection, project: str) -> None:
    path = settings.data_dir / f"{project}{SUFFIX}"
    con.execute(f"ATTACH IF NOT EXISTS '{path}' AS {database.quote(project)} (STORAGE_VERSION 'latest')")
    database._attached.add(project)


def _projects() -> list[str]:
    return sorted(database._attached)
