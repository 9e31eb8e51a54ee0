"""Each KPI costs one query that parses as GoogleSQL, whatever its grain."""

from datetime import date
from pathlib import Path

import pytest
import sqlglot

from local.dashboard import queries

BASE = ("business_date", "numerator", "denominator", "value", "reason_code", "coverage_pct")
SQL = Path(queries.__file__).parent / "sql"


class Answers:
    """A warehouse that answers one query with fixed rows and remembers what it was asked."""

    def __init__(self, rows):
        self.rows, self.asked = rows, []

    def query(self, sql, params=None):
        self.asked.append((sql, params))
        return self.rows


@pytest.mark.parametrize(
    "grain", [("sku", "location_code"), ("location_code",), ("category",), ("supplier_code",), ("sku",), ()]
)
def test_the_query_parses_at_every_grain(grain):
    parsed = sqlglot.parse_one(queries.cube_sql("stockout_rate", (*BASE, *grain)), dialect="bigquery")
    assert {"day", "location", "category", "supplier", "reason"} <= set(parsed.named_selects)


def test_the_category_of_a_sku_comes_from_the_product_master():
    assert "inventory_curated.products" in queries.cube_sql("x", (*BASE, "sku"))
    assert "products" not in queries.cube_sql("x", (*BASE, "category"))


@pytest.mark.parametrize("path", sorted(SQL.glob("*.sql")), ids=lambda p: p.stem)
def test_every_sql_file_parses(path):
    assert sqlglot.parse_one(path.read_text(), dialect="bigquery")


def test_rows_become_cells_and_null_stays_none():
    row = {
        **dict.fromkeys(("category", "supplier", "denominator", "total")),
        **{"day": date(2026, 10, 5), "location": "PARIS", "reason": "no_demand"},
        **{"numerator": 4, "cells": 2, "coverage_sum": 190, "coverage_rows": 2},
    }
    warehouse = Answers([row])
    (found,) = queries.cells(warehouse, "days_of_supply", (*BASE, "location_code"), 90)
    assert (found.numerator, found.denominator, found.total, found.rows) == (4.0, None, None, 2)
    assert warehouse.asked[0][1] == {"days": 90}


def test_tables_are_listed_with_their_columns():
    rows = [{"table_name": "gmroi", "column_name": c} for c in ("business_date", "value")]
    assert queries.kpi_tables(Answers(rows)) == {"gmroi": ("business_date", "value")}
