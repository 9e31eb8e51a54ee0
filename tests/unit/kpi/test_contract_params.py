"""A number that a contract decides is taken from it, and is part of a KPI's version."""

import re
from dataclasses import replace

import pytest

from functions.kpi.catalog import load_definitions
from functions.kpi.contract_params import with_values
from functions.kpi.definition import Definition
from stockflow.contracts import Contract, load_contracts
from stockflow.errors import PermanentError
from stockflow.settings import bundle_root

ROOT = bundle_root()
CONTRACTS = load_contracts(ROOT / "contracts")


def definition(sql: str) -> Definition:
    return Definition("some", sql, {}, "base", "Some", "Some", "someone", 0, (), first_line=10)


def carrying(days: int) -> dict[str, Contract]:
    stock = CONTRACTS["stock_snapshots"]
    return {"stock_snapshots": replace(stock, properties={**stock.properties, "carryForwardDays": days})}


def test_the_contracts_value_stands_in_the_sql_and_makes_another_version() -> None:
    written = definition("SELECT age > /* stock_snapshots.carryForwardDays */ 7 AS is_stale FROM s.t")
    seven, three = (with_values(written, carrying(days)) for days in (7, 3))
    assert seven == written
    assert three.sql == "SELECT age > /* stock_snapshots.carryForwardDays */ 3 AS is_stale FROM s.t"
    assert three.version != seven.version


def test_a_value_that_no_contract_has_is_named_with_its_line() -> None:
    written = definition("SELECT 1 AS x\nFROM t WHERE y > /* stock_snapshots.carryDays */ 7")
    with pytest.raises(PermanentError, match=r"some\.sql:11: stock_snapshots\.carryDays is not a whole number"):
        with_values(written, CONTRACTS)


def test_the_definitions_as_written_say_what_the_contracts_say() -> None:
    """Whoever pastes a definition into the console gets the same figures."""
    for name, found in load_definitions(str(ROOT / "functions/kpi/definitions")).items():
        assert found.sql in (ROOT / f"functions/kpi/definitions/{name}.sql").read_text()


def test_the_spine_carries_balances_as_long_as_the_contract_says() -> None:
    balance = load_definitions(str(ROOT / "functions/kpi/definitions"))["balance_daily"]
    assert re.findall(r"carryForwardDays \*/ (\d+)", balance.sql) == ["7"] * 3


def test_the_horizon_of_stock_reaches_as_far_as_a_balance_is_carried() -> None:
    """A view takes no value of a contract: it says the same number, in words and in SQL."""
    view = (ROOT / "warehouse/views/inventory_curated/known_days.sql").read_text()
    days = CONTRACTS["stock_snapshots"].properties["carryForwardDays"]
    assert f"INTERVAL {days} DAY" in view and f"at most {days} days" in view
