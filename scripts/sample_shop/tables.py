"""Cutting the simulated rows into files."""

from collections.abc import Sequence
from datetime import date, timedelta

from scripts.sample_shop.carriers import (
    PLAIN,
    Dialect,
    Row,
    lines_of,
)
from scripts.sample_shop.dirt import SampleFile


def week(number: int) -> tuple[date, date]:
    """Return the Monday and the Sunday of an ISO week of 2026."""
    monday = date.fromisocalendar(2026, number, 1)
    return monday, monday + timedelta(days=6)


def during(rows: Sequence[Row], first: date, last: date, by: str = "business_date") -> list[Row]:
    """Return the rows dated from ``first`` to ``last``."""
    return [row for row in rows if first <= row[by] <= last]


def table(
    path: str,
    rows: Sequence[Row],
    columns: Sequence[str],
    story: str,
    header: Sequence[str] | None = None,
    dialect: Dialect = PLAIN,
) -> SampleFile:
    return SampleFile(path, header or columns, columns, lines_of(rows, columns, dialect), story=story)
