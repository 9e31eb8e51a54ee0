"""A publisher of KPIs makes views; tables are the kpi function's, which has the right to make them."""

from functools import cached_property
from typing import Any

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


def test_the_view_is_made_on_the_table_of_the_kpi_function() -> None:
    warehouse = Warehouse("inventory_kpi.days_of_supply")
    assert reporting.make(KPI, _Services(warehouse)) == "inventory_reporting.kpi_days_of_supply"
    assert "CREATE OR REPLACE VIEW inventory_reporting.kpi_days_of_supply" in warehouse.sent


def test_without_that_table_nothing_is_made() -> None:
    """A publisher may not make tables there."""
    warehouse = Warehouse()
    assert reporting.make(KPI, _Services(warehouse)) is None
    assert warehouse.sent == ""
