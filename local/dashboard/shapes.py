"""Drawings that a KPI's own extra columns ask for: ABC classes a Pareto, age buckets stacked bars."""

from collections.abc import Callable, Collection
from typing import Any


def drawing(columns: Collection[str]) -> Callable[..., Any] | None:
    """Return the drawing for these columns, or None when the plain breakdown serves."""
    return None
