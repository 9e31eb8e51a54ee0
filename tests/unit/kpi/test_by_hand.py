"""Every KPI of a shop by chance is what is computed by hand from its facts: other formulas, other code, no SQL."""

import pytest

from tests.golden.kpis import Cells, compute
from tests.integration.kpi_world import shop
from tests.support.by_hand import KPIS, assert_as_by_hand, computed
from tests.support.local_warehouse import LocalWarehouse


@pytest.fixture(scope="module")
def by_hand() -> dict[str, Cells]:
    return compute(shop(7))


@pytest.fixture(scope="module")
def warehouse() -> LocalWarehouse:
    """The shop's facts, and every KPI computed from them."""
    return computed(shop(7))


@pytest.mark.parametrize("kpi", KPIS)
def test_it_is_as_by_hand(kpi: str, by_hand: dict[str, Cells], warehouse: LocalWarehouse) -> None:
    assert_as_by_hand(kpi, by_hand[kpi], warehouse)
