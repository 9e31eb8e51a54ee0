"""A publisher of KPIs makes views; tables are the kpi function's, which has the right to make them."""

from functools import cached_property
from typing import Any

import pytest

from cli.kpi import reporting
from functions.kpi.catalog import load_definitions
from stockflow.services import Services
from stockflow.settings import Settings, bundle_root

KPI = load_definitions(str(bundle_root() / "functions" / "kpi" / "definitions"))["days_of_supply"]


class Warehouse:
    """A warehouse with these tables, that keeps what it was asked."""

    def __init__(self, *tables: str) -> None:
        self._tables = tables
        self.sent = ""

    def layout(self, table: str) -> Any:
        """Return something for a table that is there."""
        return ("MONTH",) if table in self._tables else None

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Keep a script."""
        self.sent += sql
        return []


class _Services(Services):
    def __init__(self, warehouse: Warehouse) -> None:
        super().__init__(Settings("local"))
        self._local = warehouse

    @cached_property
    def warehouse(self) -> Any:
        return self._local


@pytest.mark.parametrize(("tables", "made"), [((), True), (("inventory_kpi.days_of_supply",), False)])
def test_a_table_is_made_only_where_the_kpi_function_made_none(tables: tuple[str, ...], made: bool) -> None:
    warehouse = Warehouse(*tables)
    reporting.make(KPI, {KPI.table: {"business_date": "DATE", "value": "FLOAT64"}}, _Services(warehouse))
    assert "CREATE OR REPLACE VIEW inventory_reporting.kpi_days_of_supply" in warehouse.sent
    assert ("CREATE TABLE" in warehouse.sent) is made
