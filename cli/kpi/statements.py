"""The lines of files behind a cell: what was stated of its SKU, location or supplier between two days."""

from datetime import date
from typing import Any

from cli.kpi.parts import Key
from cli.kpi.sources import Tracer, texts
from cli.kpi.subject import Subject
from cli.loads import find_loads
from stockflow.contracts import Contract

MOST = 20
# What a line says of itself, of each feed that has quantities by day: a column that each line fills.
AMOUNTS = {"sales": "quantity", "stock_movements": "quantity", "stock_snapshots": "on_hand",
           "stock_counts": "counted_quantity", "purchase_orders": "ordered_quantity",
           "customer_orders": "ordered_quantity"}  # fmt: skip
_NO_AMOUNTS = ("business_date", "sku", "location_code", "supplier_code", "movement_type")
_LINES = """
SELECT business_date, _load_id AS load_id, _line AS line, {amount} AS amount
FROM inventory_curated.{feed} AS fact
WHERE business_date >= @first AND business_date <= @last AND {where}
ORDER BY ABS({amount}) DESC, business_date, _line
LIMIT {most}
"""


def statements(subject: Subject, key: Key, days: tuple[date, date]) -> list[dict[str, Any]]:
    """Return the largest facts of a cell from the first day to the last one, with file and line."""
    cell = dict(zip(subject.definition.grain, key, strict=True))
    found = [row for feed in _feeds(subject) for row in _of_feed(subject, feed, cell, days)]
    loads = {row["load_id"] for row in found}
    files = {f["load_id"]: f["object"] for f in find_loads(subject.services, load_ids=sorted(loads))} if loads else {}
    return [
        {"file": files.get(row["load_id"], row["load_id"]), "line": row["line"], "feed": row["feed"],
         "business_date": row["business_date"], "amount": row["amount"],
         "what": f"{row['column']} {float(row['amount']):g}", **cell}
        for row in found
    ]  # fmt: skip


def lines_sql(contract: Contract, columns: list[str]) -> str:
    """Return the query for the facts of one cell of a feed."""
    where = " AND ".join(f"fact.{column} = @{column}" for column in columns)
    return _LINES.format(amount=AMOUNTS[contract.feed], feed=contract.feed, where=where, most=MOST)


def _of_feed(subject: Subject, feed: str, cell: dict[str, Any], days: tuple[date, date]) -> list[dict[str, Any]]:
    contract = subject.workspace.contracts[feed]
    known = {column.name for column in contract.columns}
    shared = {name: value for name, value in cell.items() if name in known and value is not None}
    if not shared:
        return []
    params = {**shared, "first": days[0], "last": days[1]}
    rows = subject.services.warehouse.query(lines_sql(contract, sorted(shared)), params)
    return [{**row, "feed": feed, "column": AMOUNTS[feed]} for row in rows]


def _feeds(subject: Subject) -> list[str]:
    """Return the feeds whose amounts a KPI's value is computed from, in the end."""
    origin = Tracer(texts(subject.workspace), subject.known).trace(f"{subject.definition.table}.value")
    leaves = {leaf.rpartition(".")[0] for leaf in origin.leaves() if not leaf.endswith(_NO_AMOUNTS)}
    return [feed for feed in AMOUNTS if f"inventory_curated.{feed}" in leaves]
