"""What was known at a time: late rows and corrections of later files take no part in it."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from cli.kpi.known import as_known
from cli.kpi.restated import moment, steps
from cli.kpi.workspace import Workspace
from functions.kpi.catalog import catalog_of
from functions.kpi.columns import Columns
from functions.kpi.definition import Definition
from functions.kpi.examples import example_sql
from local.in_process import rows
from stockflow.contracts import load_contracts
from stockflow.settings import bundle_root

CONTRACTS = load_contracts(bundle_root() / "contracts")
HEAD = "title: t\ndescription: d\nowner: o\nlookback_days: 0\ngrain: [sku]\n"
OF_KPI = "meaning: m\nformula: f\nsource: s\nunit: units\ndirection: up\nrollup: sum\n"
TEXTS = {
    "daily.sql": f"/*\nkind: base\n{HEAD}*/\nSELECT business_date, sku, SUM(CAST(quantity AS FLOAT64)) AS units "
    "FROM inventory_curated.sales_seen GROUP BY business_date, sku",
    "sold.sql": f"/*\n{HEAD}{OF_KPI}*/\nSELECT daily.business_date, daily.sku, units AS numerator, "
    "CAST(NULL AS FLOAT64) AS denominator, units AS value, CAST(NULL AS STRING) AS reason_code, 100.0 AS coverage_pct "
    "FROM inventory_kpi.daily",
}
VIEWS = {"inventory_curated.sales_seen": "SELECT sale.* FROM inventory_curated.sales AS sale WHERE sale.quantity > 0"}
WORKSPACE = Workspace(TEXTS, CONTRACTS, ("sold",), VIEWS)
DAY = date(2026, 9, 1)


def line(number: int, quantity: int, load: str, generation: int, replaced_by: str | None = None) -> dict[str, Any]:
    return {"till_number": "", "receipt_number": "1", "line_number": number, "business_date": DAY, "sku": "A",
            "location_code": "P1", "quantity": quantity, "_load_id": load, "_generation": generation, "_line": number,
            "_business_time": "2026-09-01 08:00:00", "_replaced_by": replaced_by}  # fmt: skip


HISTORY = [
    line(1, 2, "first", 1),  # stated, and corrected by a later file
    line(2, 5, "first", 1),  # stated once
    line(1, 3, "second", 2),
    line(3, 7, "second", 2),  # came late
]


def value(with_late: bool, loads: str, now: list[dict[str, Any]], history: list[dict[str, Any]]) -> float:
    """Return the KPI, computed in this process from these statements."""
    definition: Definition = catalog_of(TEXTS, CONTRACTS).definitions["sold"]
    sql = as_known(definition, WORKSPACE, with_late)
    sql = sql.replace("@known_loads", loads).replace("@day", f"DATE '{DAY}'")
    history_types = {**WORKSPACE.sources["inventory_curated.sales"], "_replaced_by": "STRING"}
    known: dict[str, Columns] = {**WORKSPACE.sources, "inventory_curated.sales_history": history_types}
    given = {"inventory_curated.sales": now, "inventory_curated.sales_history": history}
    (row,) = rows(example_sql(replace(definition, sql=sql), given, known, {}))
    return float(row["value"])


NOW = [{k: v for k, v in row.items() if k != "_replaced_by"} for row in HISTORY[1:]]


@pytest.mark.parametrize(
    ("with_late", "loads", "expected"),
    [
        (False, "['first']", 7),  # 2 + 5, as the first file said
        (True, "['first']", 14),  # and the 7 that came late
        (False, "['first', 'second']", 15),  # 3 + 5 + 7: all is known
        (True, "['first', 'second']", 15),
    ],
)
def test_a_value_as_it_was_known(with_late: bool, loads: str, expected: float) -> None:
    assert value(with_late, loads, NOW, HISTORY) == expected


def test_a_file_that_replaced_another_counts_from_when_it_was_known() -> None:
    """A file that is replaced as a whole counts until the load that replaces it is known."""
    history = [line(1, 2, "first", 1, replaced_by="second"), line(2, 9, "second", 2)]
    now = [{k: v for k, v in history[1].items() if k != "_replaced_by"}]
    assert value(False, "['first']", now, history) == 2
    assert value(False, "['first', 'second']", now, history) == 9


def test_the_steps_between_two_reports_add_up() -> None:
    """First the definition, then what came late, then what was corrected: each against the figure before."""
    found = steps(then=7.0, as_defined=6.0, with_late=14.0, now=15.0, files=["late.csv"])
    assert found.parts == {"definition": -1.0, "late": 8.0, "corrections": 1.0}
    assert found.then + sum(found.parts.values()) == 15.0


@pytest.mark.parametrize("text", ["2026-09-08T08:00", "2026-09-08T08:00+00:00", "2026-09-08T10:00+02:00"])
def test_a_time_without_an_offset_is_utc(text: str) -> None:
    assert moment(text) == datetime(2026, 9, 8, 8, tzinfo=UTC)
