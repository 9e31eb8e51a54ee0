"""GoogleSQL on a DuckDB of this process, by the emulator's own translation: for worked examples, without a stack.

The emulator is imported when it is first asked for: a machine that only asks a project needs none.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

_PROJECT = "project"


class NotRunError(Exception):
    """A SELECT that the engine refused, in its own words."""


def rows(sql: str, parameters: Sequence[dict[str, Any]] = ()) -> list[dict[str, Any]]:
    """Return the rows of one SELECT; ``parameters`` as BigQuery's API takes them.

    Raises:
        NotRunError: it cannot be translated, or DuckDB refused it.
    """
    import duckdb
    from local_bigquery.errors import BigQueryError

    try:
        found = _connection().execute(*_bound(sql, parameters))
        names, kinds = zip(*((column[0], str(column[1])) for column in found.description), strict=True)
        if "TIMESTAMP WITH TIME ZONE" in kinds:  # DuckDB's own rows of those need pytz
            return list(found.to_arrow_table().to_pylist())
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    except (duckdb.Error, BigQueryError) as error:
        raise NotRunError(str(error).partition("\n")[0]) from error


def _bound(sql: str, parameters: Sequence[dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """Return a SELECT as DuckDB reads it, and the values of its parameters."""
    from local_bigquery.models import QueryParameter
    from local_bigquery.sql.params import bind
    from local_bigquery.sql.translate import Context, parse, translate

    _connection()  # the translation asks the catalogue
    context = Context(_PROJECT, None, *bind([QueryParameter.model_validate(p) for p in parameters]))
    text, values = translate(parse(sql)[0], context)
    return str(text), dict(values)


def translated(sql: str) -> str:
    """Return a SELECT without parameters as DuckDB reads it."""
    return _bound(sql, ())[0]


def database() -> Any:
    """Return the connection, with an empty database for the tables of the project."""
    from local_bigquery.engine import database as emulator

    connection = _connection()
    connection.execute(f"DETACH DATABASE IF EXISTS {_PROJECT}; ATTACH ':memory:' AS {_PROJECT}")
    emulator._attached.add(_PROJECT)
    return connection


@cache
def _connection() -> Any:
    """A database in memory with the emulator's functions, and its catalogue, which stays empty."""
    import duckdb
    from local_bigquery.engine import database as emulator
    from local_bigquery.sql import dialect, native

    connection = duckdb.connect()
    connection.execute("SET threads = 1; ATTACH ':memory:' AS bq; ATTACH ':memory:' AS emulator")
    connection.execute(emulator.EMULATOR_SCHEMA)
    native.register(connection)
    for path in dialect.FUNCTIONS:
        if path.stem != "geography":  # needs DuckDB's spatial extension, which no wheel carries
            connection.execute(dialect.MACRO.sub(r"CREATE MACRO bq.main.\1", path.read_text(encoding="utf-8")))
    emulator._connect = lambda: connection
    return connection
