"""Every KPI of a shop by chance is what is computed by hand from its facts: other formulas, other code, no SQL."""

import pytest

from tests.golden.kpis import compute
from tests.integration.kpi_world import shop
from tests.support.by_hand import assert_as_by_hand, computed
from tests.support.local_warehouse import LocalWarehouse

BOOKS = shop(7)
BY_HAND = compute(BOOKS)


@pytest.fixture(scope="module")
def warehouse() -> LocalWarehouse:
    """The shop's facts, and every KPI computed from them."""
    return computed(BOOKS)


@pytest.mark.parametrize("kpi", BY_HAND)
def test_it_is_as_by_hand(kpi: str, warehouse: LocalWarehouse) -> None:
    assert_as_by_hand(kpi, BY_HAND[kpi], warehouse)
