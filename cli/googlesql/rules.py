"""What the analyzer accepts and BigQuery refuses: its planner, its transactions, its streaming buffer. Pure.

Each rule names Google's page that says so. They read one statement's syntax tree (sqlglot).
"""

from collections.abc import Callable, Collection, Iterator
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import Scope, traverse_scope

from cli.googlesql.catalogue import Fault
from cli.googlesql.script import Statement, statements, tokens

# https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical#reserved_keywords, those one would use as a name
_RESERVED = """
ALL AND ANY ARRAY AS ASC AT BETWEEN BY CASE CAST COLLATE CONTAINS CREATE CROSS CUBE CURRENT DEFAULT
DEFINE DESC DISTINCT ELSE END ENUM ESCAPE EXCEPT EXCLUDE EXISTS EXTRACT FALSE FETCH FOLLOWING FOR FROM
FULL GROUP GROUPING GROUPS HASH HAVING IF IGNORE IN INNER INTERSECT INTERVAL INTO IS JOIN LATERAL LEFT
LIKE LIMIT LOOKUP MERGE NATURAL NEW NO NOT NULL NULLS OF ON OR ORDER OUTER OVER PARTITION PRECEDING PROTO
QUALIFY RANGE RECURSIVE RESPECT RIGHT ROLLUP ROWS SELECT SET SOME STRUCT TABLESAMPLE THEN TO TREAT TRUE
UNBOUNDED UNION UNNEST USING WHEN WHERE WINDOW WITH WITHIN
"""
RESERVED = frozenset(_RESERVED.split())
Tree = Any
Rule = Callable[[Statement, Tree, Collection[str]], Iterator[str]]


def broken(script: str, streamed: Collection[str] = ()) -> list[Fault]:
    """Return the rules that a script breaks; ``streamed`` are the tables that get streaming inserts."""
    found: list[Fault] = []
    for piece in statements(script):
        text = f"SELECT ({piece.text})" if piece.kind == "expression" else piece.text
        if piece.kind in ("statement", "expression"):
            tree = _parsed(text)
            found += [Fault(words, piece.line) for rule in RULES for words in rule(piece, tree, streamed)]
    return found


def _parsed(text: str) -> Tree:
    try:
        return sqlglot.parse_one(text, read="bigquery")
    except SqlglotError:
        return exp.Command(this=text)  # what cannot be read here is the analyzer's affair


def correlated_without_equality(_piece: Statement, tree: Tree, _streamed: Collection[str]) -> Iterator[str]:
    """A subquery that names an outer column needs ``inner = outer`` among its ANDed conditions.

    "Correlated subqueries that reference other tables are not supported unless they can be de-correlated, such as by
    transforming them into an efficient JOIN": https://cloud.google.com/bigquery/docs/error-messages and
    https://cloud.google.com/bigquery/docs/reference/standard-sql/subqueries#correlated_subquery_concepts
    """
    for scope in _scopes(tree):
        if not scope.is_subquery or not isinstance(scope.expression, exp.Select) or not _reads_a_table(scope):
            continue
        outer = {id(column) for column in scope.external_columns if column.table}
        if outer and not any(_links(condition, outer) for condition in _conditions(scope.expression)):
            yield (
                f"a subquery with {next(c.sql() for c in scope.external_columns if c.table)} of the outer query has no "
                "plain equality between both: BigQuery cannot make a join of it"
            )


def _scopes(tree: Tree) -> list[Scope]:
    try:
        roots = [tree] if isinstance(tree, exp.Query) else list(tree.find_all(exp.Query, bfs=True))[:1]
        where = tree.args.get("where") if isinstance(tree, exp.Delete | exp.Update) else None
        if where is not None and isinstance(tree.this, exp.Table):
            roots = [exp.select("1").from_(tree.this.copy()).where(where.this.copy())]
        return [scope for root in roots for scope in traverse_scope(root)]
    except SqlglotError:
        return []


def _reads_a_table(scope: Scope) -> bool:
    return any(not isinstance(source, Scope) or not source.is_udtf for source in scope.sources.values())


def _conditions(select: Tree) -> Iterator[Tree]:
    """The ANDed conditions of a SELECT: of its WHERE, and of its inner joins."""
    places = [select.args.get("where"), *(j for j in select.args.get("joins") or [] if not j.side)]
    for place in places:
        condition = None if place is None else place.this if isinstance(place, exp.Where) else place.args.get("on")
        if condition is not None:
            yield from condition.unnest().flatten() if isinstance(condition.unnest(), exp.And) else [condition]


def _links(condition: Tree, outer: Collection[int]) -> bool:
    """Whether a condition is an equality of something inside with something outside."""
    condition = condition.unnest()
    if not isinstance(condition, exp.EQ):
        return False
    sides = [{id(c) in outer for c in side.find_all(exp.Column)} for side in (condition.left, condition.right)]
    return sides in ([{True}, {False}], [{False}, {True}])


def outer_join_without_equality(_piece: Statement, tree: Tree, _streamed: Collection[str]) -> Iterator[str]:
    """An outer join needs an equality between columns of both sides; ON TRUE only beside what is always one row.

    "LEFT OUTER JOIN cannot be used without a condition that is an equality of fields from both sides of the join":
    https://cloud.google.com/bigquery/docs/error-messages (invalidQuery), and "FULL JOIN ... merge-joinable":
    https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#join_types
    """
    for select in tree.find_all(exp.Select):
        for join in select.args.get("joins") or []:
            if join.side in ("LEFT", "RIGHT", "FULL") and not isinstance(join.this, exp.Unnest):
                name, on = join.this.alias_or_name, join.args.get("on")
                if on is not None and not _joins(on, name) and not (_is_true(on) and one_row(join.this, select)):
                    yield f"{join.side} JOIN {name} has no equality between columns of both sides"


def _is_true(condition: Tree) -> bool:
    return isinstance(condition, exp.Boolean) and bool(condition.this)


def _joins(on: Tree, name: str) -> bool:
    """Whether one of the ANDed conditions is an equality of a column of ``name`` with one that is not."""
    condition = on.unnest()
    for part in condition.flatten() if isinstance(condition, exp.And) else [condition]:
        equality = part.unnest()
        if isinstance(equality, exp.EQ):
            sides = [{c.table for c in s.find_all(exp.Column)} for s in (equality.left, equality.right)]
            if all(sides) and sides.count({name}) == 1 and not any(name in s and s != {name} for s in sides):
                return True
    return False


def one_row(source: Tree, select: Tree) -> bool:
    """Whether a subquery, or the WITH query of that name, always gives one row: aggregates without a GROUP BY."""
    query = source.this if isinstance(source, exp.Subquery) else _with_query(source, select)
    if not isinstance(query, exp.Select) or query.args.get("group"):
        return False
    return all(e.find(exp.AggFunc) for e in query.expressions) or not query.args.get("from_", query.args.get("from"))


def _with_query(source: Tree, select: Tree) -> Tree:
    around = select
    while around is not None:
        for cte in around.ctes if isinstance(around, exp.Query) else []:
            if cte.alias == source.name:
                return cte.this
        around = around.parent
    return None


def not_in_a_transaction(piece: Statement, tree: Tree, _streamed: Collection[str]) -> Iterator[str]:
    """A transaction takes SELECT, DML, TRUNCATE, and CREATE or DROP of temporary tables and functions; nothing else.

    https://cloud.google.com/bigquery/docs/transactions#statements_supported_in_transactions (ASSERT is not listed)
    """
    words = [t.word for t in tokens(piece.text)[:6]]
    if not piece.transaction or piece.kind != "statement" or not words:
        return
    plain = {"SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE", "", "RAISE"}
    temporary = words[0] == "CREATE" and ("TEMP" in words or "TEMPORARY" in words)
    permanent = any(table.db for table in tree.find_all(exp.Table))
    dropped = words[:2] in (["DROP", "TABLE"], ["DROP", "FUNCTION"]) and not permanent
    if words[0] not in plain and not temporary and not dropped:
        yield f"{' '.join(words[:2]).strip()} is not among the statements that a transaction takes"


def changes_streamed_rows(_piece: Statement, tree: Tree, streamed: Collection[str]) -> Iterator[str]:
    """UPDATE, DELETE, MERGE and TRUNCATE fail on rows that came by insertAll within the last 30 minutes.

    https://cloud.google.com/bigquery/docs/data-manipulation-language#dml-limitations
    """
    if isinstance(tree, exp.Update | exp.Delete | exp.Merge | exp.TruncateTable):
        target = tree.expressions[0] if isinstance(tree, exp.TruncateTable) else tree.this
        table = target.find(exp.Table) if target is not None else None
        if table is not None and f"{table.db}.{table.name}" in streamed:
            yield f"{tree.key.upper()} on {table.db}.{table.name}, which gets streaming inserts"


def project_without_backticks(piece: Statement, _tree: Tree, _streamed: Collection[str]) -> Iterator[str]:
    """A project id with dashes may stand bare in a table's name, not in a routine's.

    https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical#path_expressions ("The first part of a path
    expression ... dashes ... only in FROM or TABLE clauses")
    """
    found = tokens(piece.text)
    for at, token in enumerate(found):
        if token.sign == "(" and at:
            start = at - 1
            while start > 0 and found[start].end == found[start + 1].start and found[start].sign in ("", ".", "-"):
                start -= 1
            path = piece.text[found[start + 1].start : token.start].strip()
            if "-" in path and path.count(".") >= 2 and "`" not in path:
                yield f"{path}: the project's id needs backticks where a routine is called"


def reserved_name(_piece: Statement, tree: Tree, _streamed: Collection[str]) -> Iterator[str]:
    """A reserved word is no name of a column, table, window or WITH query, unless in backticks.

    https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical#reserved_keywords
    """
    for name in tree.find_all(exp.Identifier):
        if not name.args.get("quoted") and name.name.upper() in RESERVED and not isinstance(name.parent, exp.Dot):
            yield f"{name.name} is a reserved word: put it in backticks or take another name"


RULES: tuple[Rule, ...] = (
    correlated_without_equality,
    outer_join_without_equality,
    not_in_a_transaction,
    changes_streamed_rows,
    project_without_backticks,
    reserved_name,
)
