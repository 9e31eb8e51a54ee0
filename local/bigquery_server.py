"""Runs local-bigquery as a part of a stack: its extensions from wheels, with what makes it quick put in its places."""

import gc
import logging
import sys
from datetime import UTC, datetime
from typing import Any

from local import bigquery_extensions
from stockflow.gcp.lean import Without

# DuckDB asks for Python's lock after each piece of a query, and waits this long whenever another thread computes:
# with Python's own 5 ms, two thirds of the time in which queries run on a busy stack.
SWITCH_SECONDS = 0.001


def main() -> None:
    """Put the extensions below HOME (the stack's own), then serve."""
    sys.setswitchinterval(SWITCH_SECONDS)
    bigquery_extensions.link()
    # google-cloud-bigquery-storage imports it for data frames that nobody asks of a server: two seconds of each start.
    sys.meta_path.insert(0, Without("pandas"))
    from local_bigquery.sql import dialect

    # The geography functions want DuckDB's spatial extension, which no wheel carries and nobody here needs.
    _install_clock(dialect.DuckDBDialect)
    dialect.FUNCTIONS[:] = [p for p in dialect.FUNCTIONS if p.stem != "geography"]
    from local_bigquery.cli import main as serve

    from local import bigquery_files, bigquery_jobs, bigquery_lookups, bigquery_memory, bigquery_merge

    bigquery_lookups.install()
    bigquery_merge.install()
    bigquery_memory.install()
    bigquery_jobs.install()
    _tell_internal_errors()
    bigquery_files.install()
    gc.freeze()  # what was imported stays: nobody needs to look through it again and again
    serve(sys.argv[1:])


def _tell_internal_errors() -> None:
    """Write the traceback of an error that is local-bigquery's own into the log: its answer says the last line only."""
    from local_bigquery import errors

    from local import bigquery_lookups

    described = errors.from_exception

    def told(error: Exception) -> errors.BigQueryError:
        answer = described(error)
        if answer.reason == "dontRetry":
            logging.error("internal error", exc_info=error)
        return answer

    bigquery_lookups.replace(described, told)


def _install_clock(duckdb_dialect: Any) -> None:
    """Make CURRENT_TIMESTAMP() the start of its statement, as in BigQuery: DuckDB's is the start of the transaction."""
    from local_bigquery.sql import native
    from sqlglot import exp

    # DuckDB calls a function without arguments once a statement.
    native.FUNCTIONS["_clock"] = (lambda: datetime.now(UTC), [], "TIMESTAMP WITH TIME ZONE")
    duckdb_dialect.Generator.TRANSFORMS[exp.CurrentTimestamp] = lambda *_: "_clock()"


if __name__ == "__main__":
    main()
