"""Every KPI of a shop by chance is what is computed by hand from its facts: other formulas, other code, no SQL."""

from typing import Any

import pytest

from functions.kpi.examples import same
from tests.golden.kpis import Cells, compute
from tests.integration.kpi_world import FEEDS, shop
from tests.support.local_warehouse import LocalWarehouse

BOOKS = shop(7)
BY_HAND = compute(BOOKS)


@pytest.fixture(scope="module")
def warehouse() -> LocalWarehouse:
    """The shop's facts, and every KPI computed from them."""
    made = LocalWarehouse()
    for feed in FEEDS:
        made.put(feed, BOOKS.current[feed])
    made.compute()
    return made


@pytest.mark.parametrize("kpi", BY_HAND)
def test_it_is_as_by_hand(kpi: str, warehouse: LocalWarehouse) -> None:
    cells: Cells = BY_HAND[kpi]
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
