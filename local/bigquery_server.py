"""Runs local-bigquery with DuckDB's extensions taken from wheels, never from the network."""

import sys

from duckdb_extensions import import_extension

EXTENSIONS = ("ducklake", "icu", "httpfs", "avro", "encodings")


def main() -> None:
    """Install the extensions below HOME (the stack's own), then serve."""
    for name in EXTENSIONS:
        import_extension(name)
    from local_bigquery.sql import dialect

    # The geography functions want DuckDB's spatial extension, which no wheel carries and nobody here needs.
    dialect.FUNCTIONS[:] = [p for p in dialect.FUNCTIONS if p.stem != "geography"]
    from local_bigquery.cli import main as serve

    from local import bigquery_lookups

    bigquery_lookups.install()

    serve(sys.argv[1:])


if __name__ == "__main__":
    main()
