"""Runs a MERGE that matches nothing (``ON FALSE``: rows out, rows in) as one DELETE and one INSERT.

local-bigquery 0.4.0 runs each MERGE as seven statements: it notes which row of the source belongs to which of the
target, by row ids of the whole target. Where nothing is matched there is nothing to note.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import duckdb
from local_bigquery.jobs import merge
from local_bigquery.models import JobStatistics2
from sqlglot import exp

_any_merge: Callable[..., JobStatistics2] = merge.run


@dataclass(frozen=True)
class _Replacement:
    """What a MERGE that matches nothing does, in this order."""

    delete: exp.Delete
    insert: exp.Insert


def install() -> None:
    """Take the place of local-bigquery's own function."""
    merge.run = _run


def _run(cur: duckdb.DuckDBPyConnection, tree: exp.Merge, context: Any) -> JobStatistics2:
    found = _replacement(tree)
    if found is None:
        return _any_merge(cur, tree, context)
    cur.execute("BEGIN")  # inside a transaction DuckDB refuses it; local-bigquery's own MERGE fails there, too
    try:
        deleted, inserted = (_execute(cur, part, context) for part in (found.delete, found.insert))
        cur.execute("COMMIT")
    except Exception:
        cur.execute("ROLLBACK")
        raise
    stats = {"insertedRowCount": str(inserted), "updatedRowCount": "0", "deletedRowCount": str(deleted)}
    return JobStatistics2(numDmlAffectedRows=str(deleted + inserted), dmlStats=stats)


def _execute(cur: duckdb.DuckDBPyConnection, tree: exp.Expression, context: Any) -> int:
    row = cur.execute(*merge.translate(tree, context)).fetchone()
    return int(row[0]) if row else 0


def _replacement(tree: exp.Merge) -> _Replacement | None:
    """Return the two statements; None for a MERGE that does anything else, or reads what it changes."""
    on, target, source = tree.args["on"], tree.this, tree.args["using"]
    whens = tree.args["whens"].expressions
    if (
        not (isinstance(on, exp.Boolean) and not on.this)
        or len(whens) != 2
        or any(w.args.get("matched") for w in whens)
    ):
        return None
    removing = [w for w in whens if w.args.get("source") and isinstance(w.args["then"], exp.Var)]
    adding = [w for w in whens if not w.args.get("source") and not w.args.get("condition")]
    if len(removing) != 1 or len(adding) != 1 or _reads(source, target):
        return None
    return _Replacement(
        _delete(target, removing[0].args.get("condition")), _insert(target, source, adding[0].args["then"])
    )


def _reads(source: exp.Expression, target: exp.Table) -> bool:
    return any((t.db, t.name) == (target.db, target.name) for t in source.find_all(exp.Table))


def _delete(target: exp.Table, condition: exp.Expression | None) -> exp.Delete:
    where = exp.Where(this=condition.copy() if condition is not None else exp.true())
    return exp.Delete(this=target.copy(), where=where)


def _insert(target: exp.Table, source: exp.Expression, action: exp.Insert) -> exp.Insert:
    into = target.copy()
    into.set("alias", None)
    if isinstance(action.this, exp.Var):  # INSERT ROW
        return exp.Insert(this=into, expression=exp.select("*").from_(source.copy()))
    chosen = exp.select(*(value.copy() for value in action.expression.expressions)).from_(source.copy())
    columns = [column.this.copy() for column in action.this.expressions]
    return exp.Insert(this=exp.Schema(this=into, expressions=columns), expression=chosen)
