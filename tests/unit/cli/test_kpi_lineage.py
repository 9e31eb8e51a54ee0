"""A column is followed through definitions and views to the columns of files."""

from cli.kpi.sources import Tracer, texts
from cli.kpi.workspace import Workspace
from stockflow.contracts import load_contracts
from stockflow.settings import bundle_root

KNOWN = {
    "inventory_curated.sales": {"sku": "STRING", "quantity": "NUMERIC", "net_amount": "NUMERIC"},
    "inventory_curated.doubled": {"sku": "STRING", "twice": "NUMERIC"},
    "inventory_kpi.first": {"sku": "STRING", "units": "NUMERIC", "rows_seen": "INT64"},
}
HEAD = "/*\nkind: base\ntitle: t\ndescription: d\nowner: o\nlookback_days: 0\ngrain: [sku]\n*/\n"
TEXTS = {
    "first.sql": HEAD
    + "SELECT DATE '2026-01-01' AS business_date, sku, twice + 1 AS units, COUNT(*) OVER () AS rows_seen "
    "FROM inventory_curated.doubled",
}
VIEWS = {"inventory_curated.doubled": "SELECT sku, quantity * 2 + net_amount AS twice FROM inventory_curated.sales"}
TRACER = Tracer(texts(Workspace(TEXTS, load_contracts(bundle_root() / "contracts"), ("first",), VIEWS)), KNOWN)


def test_the_ends_are_columns_of_files() -> None:
    origin = TRACER.trace("inventory_kpi.first.units")
    assert origin.leaves() == {"inventory_curated.sales.quantity", "inventory_curated.sales.net_amount"}


def test_each_step_between_is_told() -> None:
    assert TRACER.trace("inventory_kpi.first.units").tree() == {
        "column": "inventory_kpi.first.units",
        "inputs": [{"column": "inventory_curated.doubled.twice", "inputs": [
            {"column": "inventory_curated.sales.net_amount", "inputs": []},
            {"column": "inventory_curated.sales.quantity", "inputs": []},
        ]}],
    }  # fmt: skip


def test_a_count_of_rows_comes_from_no_column() -> None:
    assert TRACER.trace("inventory_kpi.first.rows_seen").inputs == ()
