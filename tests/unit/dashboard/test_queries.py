"""Everything is added up in the warehouse: what the page asks is GoogleSQL at each grain, with the right figures."""

import re
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlglot

from local.dashboard import breakdowns, changed_page, kpi_page, queries, readings, sums
from local.dashboard.breakdowns import Split
from local.dashboard.catalogue import Kpi
from local.dashboard.rollup import MOST_DAYS, Selection, points
from tests.support.corner_shop import DAYS, corner_shop

BASE = ("business_date", "numerator", "denominator", "value", "reason_code", "coverage_pct")
SQL = Path(queries.__file__).parent / "sql"
DAY = date(2026, 10, 5)
ALL = Selection(DAY, DAY)
SOME = Selection(DAY, DAY, frozenset({"LYO"}), frozenset({"Tools"}))
GRAINS = [("sku", "location_code"), ("location_code",), ("category",), ("supplier_code",), ("sku",), ()]
NET_SALES = Kpi("net_sales", "Net sales", "EUR", "", "", "up", "sum", grain=("sku", "location_code"))
STOCK_VALUE = Kpi("stock_value", "Stock value", "EUR", "", "", "none", "sum", grain=("sku", "location_code"))
COLUMNS: dict[str, tuple[str, ...]] = dict.fromkeys(
    ("net_sales", "stock_value"), (*BASE, "sku", "location_code", "category")
)
ALL_DAYS = Selection(DAYS[0], DAYS[-1])
LONG = Selection(DAYS[-1] - timedelta(days=MOST_DAYS), DAYS[-1])


@pytest.fixture(scope="module")
def ask():
    """What a query gives in the corner shop."""
    services = corner_shop()
    return lambda query: services.warehouse.query(query.sql, dict(query.params))


@pytest.mark.parametrize("selection", [ALL, SOME])
@pytest.mark.parametrize("grain", GRAINS)
def test_each_query_parses_at_every_grain_and_takes_the_filters_as_parameters(grain, selection):
    columns = (*BASE, *grain)
    kpi = Kpi("x", "X", "days", "", "", "up", "ratio", grain=grain)
    splits = [s for d in queries.DIMENSIONS if (s := Split(kpi, columns, d, DAY)).known]
    found = [breakdowns.question(splits, selection, 5)] if splits else []
    found += [sums.over_time({"x": columns}, selection), queries.table(kpi, columns, DAY, selection, 5)]
    found += [sums.ranked({"x": columns}, {"x": split}, selection, 5) for split in splits]
    for query in found:
        assert sqlglot.parse_one(query.sql, dialect="bigquery")
        assert "Tools" not in query.sql
        assert {name for name, _ in query.params} == set(re.findall(r"@(\w+)", query.sql))


@pytest.mark.parametrize("grain", GRAINS)
def test_a_filter_leaves_the_text_of_a_question_as_it_is(grain):
    """A warehouse that knows a statement answers sooner."""
    columns = {"x": (*BASE, *grain)}
    assert sums.over_time(columns, ALL).sql == sums.over_time(columns, SOME).sql


def test_the_category_of_a_sku_comes_from_the_product_master():
    assert "inventory_curated.products" in queries.dimension_of("category", (*BASE, "sku"))[1]
    assert queries.dimension_of("category", (*BASE, "category")) == ("k.category", "")
    assert queries.dimension_of("location", (*BASE, "sku")) == (None, "")


@pytest.mark.parametrize("path", sorted(SQL.glob("*.sql")), ids=lambda p: p.stem)
def test_every_sql_file_parses(path):
    assert sqlglot.parse_one(path.read_text(), dialect="bigquery")


@pytest.mark.parametrize("path", sorted(SQL.glob("*.sql")), ids=lambda p: p.stem)
def test_every_sql_file_is_answered_by_a_warehouse(ask, path):
    ask(queries.Query(path.read_text()))


def test_each_rule_that_refused_rows_has_its_newest_example(ask):
    (found,) = ask(queries.Query(queries.text("reasons")))
    assert (found["reason"], found["refused"], found["object"]) == ("quantity_type", 1, "sales/week_36.csv")
    assert (found["line"], found["value"], found["expected"]) == (10, "deux", "a number")


def test_the_share_that_was_accepted_is_known_by_feed_and_day(ask):
    """A file of nine lines, one of them refused; the other file could not be read at all."""
    (found,) = ask(queries.Query(queries.text("by_day")))
    assert (found["feed"], found["rows_delivered"], found["rows_accepted"]) == ("sales", 9, 8)
    assert (found["rows_quarantined"], found["files_rejected"]) == (1, 1)


def test_two_kpis_are_asked_for_in_one_query(ask):
    """35, 10 and 77 euros of sales; 80 units at 4 euros lie there each day."""
    cells = sums.found(ask(sums.over_time(COLUMNS, ALL_DAYS)), COLUMNS).cells
    assert [p.value for p in points(cells["net_sales"], "sum")] == [35.0, 10.0, 77.0]
    assert [p.value for p in points(cells["stock_value"], "sum")] == [320.0, 320.0, 320.0]


def test_filters_keep_what_is_chosen(ask):
    chosen = Selection(DAYS[0], DAYS[-1], frozenset({"LYO"}), frozenset({"garden"}))
    cells = sums.found(ask(sums.over_time({"net_sales": COLUMNS["net_sales"]}, chosen)), ["net_sales"]).cells
    assert [(p.value, p.reason) for p in points(cells["net_sales"], "sum")] == [
        (5.0, None),
        (None, "not_computed"),
        (5.0, None),
    ]


def test_of_a_long_time_points_are_weeks_an_amount_is_that_of_an_average_day_and_figures_are_of_the_last_day(ask):
    """A stock is not added up over days: 320 euros lie there on each; 35, 10 and 77 euros are sold."""
    found = sums.found(ask(sums.over_time(COLUMNS, LONG)), COLUMNS)
    sold, stock = (found.course(kpi, "sum") for kpi in ("net_sales", "stock_value"))
    (week,) = sold.drawn
    assert (week.day, week.last) == (DAYS[0], DAYS[-1]) and week.value == pytest.approx(122 / 3)
    assert [p.value for p in stock.drawn] == [320.0]
    assert [(p.day, p.value) for p in sold.days] == [(DAYS[-1], 77.0)]


def test_of_a_long_time_a_ratio_is_that_of_its_weeks_totals(ask):
    """Days on which there is less weigh less."""
    columns = {"net_sales": COLUMNS["net_sales"]}
    days = sums.found(ask(sums.over_time(columns, ALL_DAYS)), columns).cells["net_sales"]
    above, below = sum(c.numerator or 0 for c in days), sum(c.denominator or 0 for c in days)
    (week,) = sums.found(ask(sums.over_time(columns, LONG)), columns).course("net_sales", "ratio").drawn
    assert (week.value, week.rows) == (above / below if below else None, sum(c.rows for c in days))


def test_of_a_long_time_a_day_without_a_value_has_no_part_in_its_week(ask):
    """On the second day Paris sold without an amount: 10 and 24 euros on the others."""
    paris = replace(LONG, locations=frozenset({"PAR"}))
    (week,) = sums.found(ask(sums.over_time(COLUMNS, paris)), COLUMNS).course("net_sales", "sum").drawn
    assert (week.value, week.reason) == (17.0, None)


def test_a_time_of_120_days_is_drawn_by_day(ask):
    days = replace(LONG, start=LONG.start + timedelta(days=1))
    course = sums.found(ask(sums.over_time(COLUMNS, days)), COLUMNS).course("net_sales", "sum")
    assert [p.value for p in course.drawn] == [35.0, 10.0, 77.0]


def ranked(ask, kpi, columns, dimensions, selection, most=9):
    splits = [Split(kpi, columns, dimension, selection.end) for dimension in dimensions]
    return breakdowns.rankings(ask(breakdowns.question(splits, selection, most)), splits)


def test_several_breakdowns_are_one_question_largest_first_and_say_how_many_names_there_are(ask):
    by_place, by_category = ranked(ask, NET_SALES, COLUMNS["net_sales"], ("location", "category"), ALL_DAYS, 1)
    assert [(b.name, b.value) for b in by_place.bars] == [("LYO", 53.0)]
    assert [(b.name, b.value) for b in by_category.bars] == [("tools", 72.0)]
    assert (by_place.names, by_category.names) == (2, 2)


def test_a_name_without_a_value_comes_last_with_its_reason(ask):
    """On the second day Paris sold without an amount."""
    two = Selection(DAYS[0], DAYS[1])
    (found,) = ranked(ask, NET_SALES, COLUMNS["net_sales"], ("location",), two)
    assert [(b.name, b.value, b.reason) for b in found.bars] == [("LYO", 10.0, None), ("PAR", None, "no_price")]


def test_a_breakdown_is_by_the_first_dimension_that_the_kpi_is_known_by():
    kpi, columns = Kpi("x", "X", "days", "", "", "up", "ratio"), (*BASE, "supplier_code")
    found = breakdowns.first_known(kpi, columns, ("location", "supplier"), DAY)
    assert found is not None and found.dimension == "supplier"
    assert breakdowns.first_known(kpi, columns, ("location",), DAY) is None


def test_a_category_that_only_the_product_master_knows_is_looked_up_there(ask):
    """Also where the master is joined for a filter: it has a column `name`, as products do."""
    plain = (*BASE, "sku", "location_code")
    chosen = Selection(DAYS[0], DAYS[-1], categories=frozenset({"garden", "tools"}))
    for selection in (ALL_DAYS, chosen):
        by_category, by_place = ranked(ask, NET_SALES, plain, ("category", "location"), selection)
        assert [(b.name, b.value) for b in by_category.bars] == [("tools", 72.0), ("garden", 5.0)]
        assert [(b.name, b.value) for b in by_place.bars] == [("LYO", 53.0), ("PAR", 24.0)]


def test_a_day_without_a_value_says_what_most_of_its_rows_say(ask):
    """One row a day is asked for, however many reasons there are; a day that has a value needs none."""
    paris = Selection(DAYS[0], DAYS[-1], frozenset({"PAR"}))
    rows = ask(sums.over_time({"net_sales": COLUMNS["net_sales"]}, paris))
    assert len(rows) == len(DAYS)
    series = points(sums.found(rows, ["net_sales"]).cells["net_sales"], "sum")
    assert [(p.value, p.reason) for p in series] == [(10.0, None), (None, "no_price"), (24.0, None)]


def test_the_table_has_the_largest_rows_with_their_names_and_is_exported_as_csv(ask):
    rows = ask(queries.table(NET_SALES, COLUMNS["net_sales"], DAYS[-1], ALL_DAYS, 2))
    assert [(r["product_name"], r["location_code"], r["value"]) for r in rows] == [
        ("Hammer", "LYO", 48.0),
        ("Hammer", "PAR", 24.0),
    ]
    assert kpi_page.csv_text(rows).splitlines()[1].startswith("Hammer,A,LYO,48.0")


def test_courses_and_largest_names_of_all_kpis_are_one_question(ask):
    """What each of them says when it is asked for alone; a KPI that is not split has a course only."""
    chosen = Selection(DAYS[0], DAYS[1], categories=frozenset({"tools", "garden"}))
    for columns in (COLUMNS, dict.fromkeys(COLUMNS, (*BASE, "sku", "location_code"))):
        split = Split(NET_SALES, columns["net_sales"], "location", DAYS[1])
        rows = ask(sums.ranked(columns, {"net_sales": split}, chosen, 9))
        found = sums.found(rows, columns, {"net_sales": split})
        assert found.cells == sums.found(ask(sums.over_time(columns, chosen)), columns).cells
        assert [p.value for p in points(found.cells["net_sales"], "sum")] == [35.0, 10.0]
        assert found.rankings == {"net_sales": ranked(ask, NET_SALES, columns["net_sales"], ("location",), chosen)[0]}


def test_the_largest_names_of_a_ratio_are_those_of_its_quotient(ask):
    """Four euros a unit everywhere, whatever the stock: a ratio of sums, never a sum of ratios."""
    kpi = Kpi("stock_value", "", "", "", "", "none", "ratio", grain=("sku", "location_code"))
    split = {"stock_value": Split(kpi, COLUMNS["stock_value"], "location", DAYS[0])}
    rows = ask(sums.ranked({"stock_value": COLUMNS["stock_value"]}, split, ALL_DAYS, 1))
    ranking = sums.found(rows, ["stock_value"], split).rankings["stock_value"]
    assert ranking == ranked(ask, kpi, COLUMNS["stock_value"], ("location",), Selection(DAYS[0], DAYS[0]), 1)[0]
    assert ranking.names == 2 and len(ranking.bars) == 1


def test_bounds_and_names_are_those_of_the_tables(ask):
    found = ask(queries.bounds(COLUMNS))
    assert {(row["kpi"], row["first_day"], row["last_day"]) for row in found} == {
        (kpi, DAYS[0], DAYS[-1]) for kpi in COLUMNS
    }
    query = queries.names("location_code", COLUMNS, DAYS[0])
    assert query is not None and [r["name"] for r in ask(query)] == ["LYO", "PAR"]
    assert queries.names("supplier_code", COLUMNS, DAYS[0]) is None


def test_the_largest_movement_comes_first(ask):
    content = readings.Content("p", (STOCK_VALUE, NET_SALES), COLUMNS)
    days = (DAYS[0], DAYS[-1])
    first, second = changed_page.moves(content, ask(sums.moved(content.tables, days)), days)
    assert (first.kpi.name, first.before, first.after, first.good) == ("net_sales", 35.0, 77.0, True)
    assert (first.share, second.share, second.good) == (120.0, 0.0, None)


class Answers:
    """A warehouse that answers each query with fixed rows."""

    def __init__(self, rows):
        self.rows = rows

    def query(self, sql, params=None):
        return self.rows


def test_tables_are_listed_with_their_columns():
    rows = [{"table_name": "gmroi", "column_name": c} for c in ("business_date", "value")]
    assert queries.kpi_tables(Answers(rows)) == {"gmroi": ("business_date", "value")}
