"""Tables, order, lineage and types come from the SQL; nothing is registered."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from functions.kpi.by_day import joined_by_day
from functions.kpi.catalog import load_definitions
from functions.kpi.columns import all_columns, curated_columns
from functions.kpi.definition import Definition
from functions.kpi.graph import column_lineage, column_reads, dated, in_order, reads
from functions.kpi.refresh import views_by_name
from stockflow.contracts import load_contracts
from stockflow.errors import PermanentError
from stockflow.settings import bundle_root

GOLDEN = Path(__file__).parent / "golden"
ROOT = bundle_root()


def base(name: str, sql: str, lookback_days: int = 0) -> Definition:
    return Definition(name, sql, {}, "base", name, name, "someone", lookback_days, ())


def some(**sql: str) -> dict[str, Definition]:
    return {name: base(name, text) for name, text in sql.items()}


def test_a_table_is_read_through_views_common_table_expressions_and_subqueries() -> None:
    views = {"inventory_curated.v": "SELECT * FROM inventory_curated.w", "inventory_curated.w": "SELECT 1 FROM a.t"}
    found = some(
        kpi="WITH x AS (SELECT * FROM inventory_curated.v) SELECT * FROM x, (SELECT * FROM inventory_curated.sales)"
    )
    assert reads(found, views) == {"kpi": {"a.t", "inventory_curated.sales"}}


@pytest.mark.parametrize(
    ("sql", "read"),
    [
        ("SELECT p.Name FROM c.products AS p JOIN c.sales USING (sku) WHERE p.size > 1", {"name", "sku", "size"}),
        ("WITH x AS (SELECT name FROM c.products) SELECT x.*, COUNT(*) AS n FROM x", {"name"}),
        ("SELECT p.name, s.cost FROM c.products AS p JOIN c.sales AS s USING (sku)", {"name", "sku"}),
        ("WITH x AS (SELECT name FROM c.products) SELECT name, cost FROM x JOIN c.sales USING (name)", {"name"}),
        ("SELECT c.v.shown FROM c.v", {"named"}),
        ("SELECT p.* FROM c.products AS p", None),
        ("WITH x AS (SELECT * FROM c.products) SELECT name FROM x", None),
        ("SELECT TO_JSON_STRING(p) AS j FROM c.products AS p", None),
        ("SELECT (SELECT AS STRUCT * EXCEPT (name) FROM c.products) AS one", None),
    ],
)
def test_the_columns_that_a_definition_may_read_of_a_table(sql: str, read: set[str] | None) -> None:
    """Those that its SQL names anywhere; all of them when it takes whole rows."""
    found = column_reads(base("kpi", sql), {"c.v": "SELECT named AS shown FROM c.products"})["c.products"]
    assert found == read or (read and found and read <= found)


HELD = "s.business_date BETWEEN v.valid_from AND v.valid_to"
JOINED = "SELECT unit_cost FROM inventory_curated.sales AS s JOIN c.v AS v ON "


@pytest.mark.parametrize(
    ("sql", "by_day"),
    [
        (f"{JOINED} v.sku = s.sku AND {HELD}", True),
        (f"{JOINED} v.sku = s.sku AND ({HELD}) WHERE s.quantity > 0 OR s.quantity < 0", True),
        (f"{JOINED} v.sku = s.sku WHERE {HELD}", True),
        (f"{JOINED} v.sku = s.sku", False),
        (f"{JOINED} v.sku = s.sku AND NOT {HELD}", False),
        (f"{JOINED} v.sku = s.sku AND ({HELD} OR v.valid_to > s.business_date)", False),
        (f"{JOINED} v.sku = s.sku AND {HELD.replace('s.business_date', 'CURRENT_DATE()')}", False),
        (f"{JOINED} v.sku = s.sku AND {HELD} UNION ALL SELECT unit_cost FROM c.v AS v", False),
        ("SELECT unit_cost FROM c.v WHERE valid_to = DATE '9999-12-31'", False),
        ("SELECT quantity FROM inventory_curated.sales", False),
    ],
)
def test_whether_a_definition_takes_of_a_dimension_only_what_held_on_its_own_day(sql: str, by_day: bool) -> None:
    """Then a statement of today changes nothing of the days before."""
    assert joined_by_day(base("kpi", sql), "c.v") is by_day


def test_a_new_cost_of_a_product_concerns_the_days_on_which_it_holds() -> None:
    """In every definition of the catalogue: none takes today's cost for the past."""
    view = "inventory_curated.products_by_day"
    for definition in load_definitions(str(ROOT / "functions/kpi/definitions")).values():
        reads_it = view in column_reads(definition, {})
        assert joined_by_day(definition, view) is reads_it, definition.name
        direct = column_reads(definition, views_by_name() if not reads_it else {}).get("inventory_curated.products")
        assert "unit_cost" not in (direct or ()), definition.name


def test_a_new_name_of_a_product_concerns_no_kpi() -> None:
    """What the weekly master changes most is shown, and not computed with."""
    views = views_by_name()
    for definition in load_definitions(str(ROOT / "functions/kpi/definitions")).values():
        for table in ("inventory_curated.products", "inventory_curated.locations"):
            read = column_reads(definition, views).get(table, frozenset())
            assert read is not None and "name" not in read, definition.name


def test_each_definition_comes_after_those_that_it_reads() -> None:
    found = some(a="SELECT * FROM inventory_kpi.c", b="SELECT * FROM inventory_kpi.a", c="SELECT 1 AS x FROM s.t")
    assert [d.name for d in in_order(found, reads(found, {}))] == ["c", "a", "b"]


def test_a_circle_is_named() -> None:
    found = some(a="SELECT * FROM inventory_kpi.b", b="SELECT * FROM inventory_kpi.a", c="SELECT 1 AS x FROM s.t")
    with pytest.raises(PermanentError, match="circle") as caught:
        in_order(found, reads(found, {}))
    assert set(caught.value.facts["circle"]) == {"a", "b"}


def test_a_column_is_traced_to_the_columns_of_tables() -> None:
    inner = "SELECT sku, quantity * price AS worth FROM c.sales"
    found = base("k", f"WITH x AS ({inner}) SELECT SUM(worth) AS value FROM x")
    assert column_lineage(found, "value") == ["c.sales.price", "c.sales.quantity"]


def test_dated_inputs_are_cut_to_the_window() -> None:
    sql = (GOLDEN / "as_written.sql").read_text()
    found = dated(base("k", sql, 28), {"inventory_curated.sales", "inventory_kpi.stock_daily"})
    assert found == (GOLDEN / "dated.sql").read_text()


def test_an_input_can_have_a_window_of_its_own() -> None:
    sql = "SELECT business_date FROM inventory_kpi.stock_daily JOIN inventory_curated.sales USING (business_date)"
    short = replace(base("k", sql, 28), input_lookback_days={"inventory_kpi.stock_daily": 0})
    found = dated(short, {"inventory_curated.sales", "inventory_kpi.stock_daily"})
    assert re.findall(r"(\w+) WHERE business_date BETWEEN .*? INTERVAL (\d+) DAY", found) == [
        ("stock_daily", "0"), ("sales", "28")
    ]  # fmt: skip


def test_every_column_of_every_definition_has_a_type() -> None:
    definitions = load_definitions(str(ROOT / "functions/kpi/definitions"))
    views = {f"{p.parent.name}.{p.stem}": p.read_text() for p in (ROOT / "warehouse/views/inventory_curated").glob("*")}
    known = all_columns(definitions, views, curated_columns(load_contracts(ROOT / "contracts")))
    for definition in definitions.values():
        types = {"DATE", "STRING", "FLOAT64", "INT64", "BOOL", "NUMERIC"}
        unknown = {c for c, t in known[definition.table].items() if t not in types}
        assert not unknown, definition.name
        assert known[definition.table]["business_date"] == "DATE"
        if definition.kind == "kpi":
            assert {known[definition.table][c] for c in ("numerator", "denominator", "value")} == {"FLOAT64"}


def test_a_column_that_nobody_has_is_said() -> None:
    found = {"k": base("k", "SELECT wrong FROM inventory_curated.sales")}
    with pytest.raises(PermanentError, match=r"k\.sql:1: Column 'wrong' could not be resolved"):
        all_columns(found, {}, {"inventory_curated.sales": {"sku": "STRING"}})
