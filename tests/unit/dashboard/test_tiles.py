"""A tile says value, unit, change and trend, and nothing in it can run or ask another host."""

from datetime import date, timedelta

from local.dashboard.rollup import Headline, Point, headline
from local.dashboard.tiles import Tile, svg, tile

DAY = date(2026, 10, 5)
SERIES = [Point(DAY + timedelta(days=i), float(10 + i), None, 1, None) for i in range(9)]


def a_tile(found, series=SERIES, title="Days of supply"):
    return Tile("days_of_supply", title, "days", "How long the stock lasts.", found, series)


def test_a_tile_shows_value_unit_and_change_in_the_tone_of_the_news():
    html = tile(a_tile(headline(SERIES, "down")))
    assert "18.0<small>days</small>" in html
    assert "▲ +63.6 %" in html and "sf-bad" in html


def test_no_value_shows_the_reason_and_never_0():
    html = tile(a_tile(Headline(DAY, None, "no_demand", None, None, None), []))
    assert "n/a" in html and "nothing was sold in the window" in html and ">0<" not in html


def test_a_change_that_rounds_to_nothing_is_no_news():
    html = tile(a_tile(Headline(DAY, 10.0001, None, 10.0, None, False)))
    assert "<b>no change</b>" in html and "sf-flat" in html


def test_names_are_escaped():
    assert "<script>" not in tile(a_tile(headline(SERIES, "up"), title="<script>"))


def test_the_line_breaks_where_there_is_no_value():
    broken = [*SERIES[:3], Point(DAY + timedelta(days=3), None, "stale", 1, None), *SERIES[4:]]
    assert svg(broken).count("<polyline") == 2
    assert svg([]).count("<polyline") == 0


def test_a_constant_series_is_a_line_in_the_middle():
    flat = [Point(DAY + timedelta(days=i), 5.0, None, 1, None) for i in range(3)]
    assert ",22.0" in svg(flat)


def test_a_tile_leads_to_the_kpi_with_the_filters_as_they_are():
    found = Tile("x", "X", "days", "", headline(SERIES, "up"), SERIES, link="kpi?locations=LYO&kpi=x")
    assert '<a href="kpi?locations=LYO&amp;kpi=x" target="_self">X</a>' in tile(found)
