"""A shop's KPIs, computed by their definitions and compared with what is computed by hand from the same facts."""

from typing import Any

from functions.kpi.examples import same
from stockflow.settings import bundle_root
from tests.golden.books import Books
from tests.golden.kpis import Cells
from tests.integration.kpi_world import FEEDS
from tests.support.local_warehouse import LocalWarehouse

_DEFINITIONS = sorted((bundle_root() / "functions" / "kpi" / "definitions").glob("*.sql"))
KPIS = [path.stem for path in _DEFINITIONS if "kind: base" not in path.read_text()]


def computed(books: Books) -> LocalWarehouse:
    """Return a warehouse with the shop's facts, and every KPI computed from them."""
    made = LocalWarehouse()
    for feed in FEEDS:
        made.put(feed, books.current[feed])
    made.compute()
    return made


def assert_as_by_hand(kpi: str, cells: Cells, warehouse: LocalWarehouse) -> None:
    """See that a KPI's table has the cells of the computation by hand, and a reason where a value is missing."""
    rows = warehouse.rows(f"SELECT * FROM inventory_kpi.{kpi}")
    found: dict[Any, dict[str, Any]] = {(r["business_date"], *(r[g] for g in cells.grain)): r for r in rows}
    assert len(found) == len(rows), "one row for each day and grain"
    assert found.keys() == cells.rows.keys()
    wrong = [
        f"{key} {column}: {found[key][column]} instead of {value}"
        for key, row in cells.rows.items()
        for column, value in row.items()
        if not same(found[key][column], value)
    ]
    assert not wrong, (len(wrong), wrong[:5])
    assert [r for r in rows if r["value"] is None and r["reason_code"] is None] == []
