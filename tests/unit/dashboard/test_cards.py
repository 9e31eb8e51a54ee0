"""A card is text: its course with a place for each day, and bars as long as their values."""

import re
from base64 import b64decode
from datetime import date, timedelta

import pytest

from cli.texts import speaking
from local.dashboard import cards, tiles
from local.dashboard.rollup import Bar, Point

DAY = date(2026, 10, 5)


def series(*values: float | None) -> list[Point]:
    return [
        Point(DAY + timedelta(days=n), v, None if v is not None else "stale", 1, 100.0) for n, v in enumerate(values)
    ]


def picture(html: str) -> str:
    found = re.search(r"base64,([^\"]+)", html)
    assert found is not None
    return b64decode(found[1]).decode()


def told(html: str) -> list[str]:
    """Return what the places of a chart say."""
    found = re.search(r'data-told="([^"]*)"', html)
    assert found is not None
    return found[1].split("\t")


def test_each_day_says_its_figure_where_it_is_pointed_at_and_a_gap_its_reason() -> None:
    html = cards.plot(series(400.0, None, 500.0), "EUR")
    titles = told(html)
    assert titles[0] == "Mon 5 Oct 2026: €400.0 · Coverage 100 %"
    assert titles[1].startswith("Tue 6 Oct 2026: the last snapshot is too old")
    assert picture(html).count("H200.0V100H100.0z") == 1, "a grey band where there is no value"


def test_a_chart_has_no_element_for_each_day() -> None:
    """A browser checks each element of forty cards with each filter."""
    assert len(re.findall(r"<[a-z]", cards.plot(series(*[1.0] * 42), "days"))) < 16


def test_no_line_is_drawn_across_a_gap_and_a_day_alone_is_a_dot() -> None:
    assert picture(cards.plot(series(1.0, 2.0, None, 4.0, 5.0), "days")).count("<polyline") == 2
    assert "h0.01" in picture(cards.plot(series(1.0, None), "days"))


@pytest.mark.parametrize(("days", "slots"), [(42, 42), (91, 91), (120, 120), (400, 100)])
def test_each_day_has_a_place_up_to_where_points_are_weeks(days: int, slots: int) -> None:
    """Only years of weeks share places."""
    assert cards.plot(series(*[1.0] * days), "days").count("\t") == slots - 1


def test_a_place_of_several_points_says_the_figure_of_each() -> None:
    """121 points in 61 places: no figure is left out, each gap its reason."""
    html = cards.plot(series(1.0, 2.0, None, 4.0, None, None, *[7.0] * 115), "EUR")
    titles = told(html)
    assert [t.partition(": ")[2] for t in titles[0].split("\n")] == ["€1.00 · Coverage 100 %", "€2.00 · Coverage 100 %"]
    assert [t.partition(": ")[0] for t in titles[0].split("\n")] == ["Mon 5 Oct 2026", "Tue 6 Oct 2026"]
    assert "the last snapshot is too old" in titles[1] and "€4.00" in titles[1]
    assert sum(len(t.split("\n")) for t in titles) == 121


def test_a_picture_is_read_when_it_comes_near_the_screen() -> None:
    """Each is a document of its own to the browser; a page has two for each KPI."""
    point = series(1.0, 2.0)
    assert 'loading="lazy"' in cards.plot(point, "days") and 'loading="lazy"' in tiles.sparkline(point)


def test_bars_are_as_long_as_their_values_and_those_below_zero_are_told_apart() -> None:
    html = cards.bars([Bar("LYO", 200.0, None), Bar("PAR", -100.0, None), Bar("NIC", None, "no_demand")], "EUR")
    assert [float(n) for n in re.findall(r"\* ([\d.]+)\)", html)] == [1.0, 0.5, 0.0]
    assert html.count("sf-less") == 1 and "nothing was sold in the window" in html


def test_names_are_not_taken_for_html() -> None:
    html = cards.bars([Bar("<b>A & B</b>", 1.0, None)], "days")
    assert "<b>A" not in html and "&lt;b&gt;A &amp; B" in html


def test_a_card_without_rows_says_so_and_draws_nothing() -> None:
    html = cards.card(cards.Card("x", "X", "days", "n/a", "", "", "kpi?kpi=x", nothing="No row."))
    assert "No row." in html and "sf-plot" not in html


def test_figures_and_dates_are_french_where_the_reader_is() -> None:
    with speaking("fr"):
        html = cards.plot(series(1.5, 2.5, 3.5), "days")
    assert "7 oct." in html and "3,50 jours" in html and "Couverture" in html
