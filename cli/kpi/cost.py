"""What a computation reads: BigQuery's own dry run on a project, the sizes of the tables on the stack."""

from datetime import date

from sqlglot import exp

from cli.kpi import sql
from cli.kpi.subject import Subject
from cli.texts import said, separators
from functions.kpi.columns import Columns
from functions.kpi.dates import Span
from functions.kpi.graph import parse_sql, tables

# https://cloud.google.com/bigquery/pricing: on demand, US dollars for a TiB; a query counts as 10 MB at least.
DOLLARS_PER_TIB, LEAST_BYTES = 6.25, 10 << 20
# https://cloud.google.com/bigquery/pricing#data-type-sizes
_WIDTHS = {"FLOAT64": 8, "INT64": 8, "DATE": 8, "TIMESTAMP": 8, "NUMERIC": 16, "BIGNUMERIC": 32, "BOOL": 1}


def bytes_read(found: Subject, span: Span) -> int:
    """Return how many bytes a query for these days reads."""
    warehouse = found.services.warehouse
    if not warehouse.emulated:
        return warehouse.bytes_of(sql.over_days(found.definition, found.inputs), _days(span))
    counted = size_sql(found)
    return int(warehouse.query(counted)[0]["size"] or 0) if counted else 0


def size_sql(found: Subject) -> str:
    """Return a query for the size of the columns that a definition names, in the tables that it reads."""
    definition, workspace = found.definition, found.workspace
    tree = parse_sql(definition.name, definition.sql, definition.first_line)
    named = {column.name for column in tree.find_all(exp.Column)}
    everything = any(tree.find_all(exp.Star))
    known = found.known
    read = workspace.reads[definition.name] | (tables(tree) & known.keys())
    parts = []
    for table in sorted(t for t in read if t in known and t not in workspace.views):
        chosen = {c: t for c, t in known[table].items() if everything or c in named}
        parts.append(f"SELECT SUM({_width(chosen)}) AS size FROM {table}")
    return f"SELECT SUM(size) AS size FROM ({' UNION ALL '.join(parts)}) AS sizes" if parts else ""


def _width(columns: Columns) -> str:
    """Return the bytes of one row: texts take two and their own, all else the width of its type."""
    texts = [f"COALESCE({name}, '')" for name, kind in columns.items() if kind == "STRING"]
    fixed = sum(2 if kind == "STRING" else _WIDTHS.get(kind, 8) for kind in columns.values())
    return f"{fixed} + BYTE_LENGTH(CONCAT({', '.join(texts)}))" if texts else str(fixed)


def _days(span: Span) -> dict[str, date]:
    return {"from_date": span.first, "to_date": span.last}


def in_words(size: int) -> str:
    """Return a size and what BigQuery asks for it."""
    price = max(size, LEAST_BYTES) / 2**40 * DOLLARS_PER_TIB
    read, dollars = separators(_readable(size)), separators(f"{price:.5f}")
    return said("one such query reads {size}, on demand {price} USD", size=read, price=dollars)


def _readable(size: float) -> str:
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1000:
            return f"{size:,.0f} {unit}" if unit == "B" else f"{size:,.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} TB"
