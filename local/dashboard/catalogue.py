"""What the dashboard shows of each KPI, taken from its definition."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from cli.texts import LANGUAGE
from functions.kpi.definition import Definition

_CLASSES = ("abc_class", "class")


@dataclass(frozen=True)
class Kpi:
    """One KPI as the dashboard shows it; outside ``low`` to ``high`` it wants attention."""

    name: str
    title: str
    unit: str
    meaning: str
    formula: str
    direction: str
    rollup: str
    low: float | None = None
    high: float | None = None
    grain: tuple[str, ...] = ()

    def alarm(self, value: float | None) -> str:
        """Return ``high``, ``low``, or nothing when the value is inside the thresholds."""
        if value is not None and self.high is not None and value > self.high:
            return "high"
        if value is not None and self.low is not None and value < self.low:
            return "low"
        return ""


def shown(definitions: Collection[Definition], columns: dict[str, tuple[str, ...]]) -> tuple[Kpi, ...]:
    """Return the KPIs that have a table: stock first, then what is known of each shelf, SKU, supplier."""
    language = LANGUAGE.get()
    told = (d.told_in(language) for d in definitions)
    ordered = sorted(told, key=lambda d: (d.rollup != "sum", _narrowness(d), d.title))
    return tuple(_kpi(d, columns[d.name]) for d in ordered if d.kind == "kpi" and d.name in columns)


def _narrowness(definition: Definition) -> tuple[bool, int]:
    return "supplier_code" in definition.grain, -len(definition.grain)


def _kpi(d: Definition, columns: Collection[str]) -> Kpi:
    limits = (d.thresholds.get("low"), d.thresholds.get("high"))
    kpi = Kpi(d.name, d.title, d.unit, d.meaning, d.formula, d.direction, d.rollup, *limits, d.grain)
    # Classes have no total of their own: what is counted is how many SKUs are in the first one.
    return replace(kpi, unit="SKUs in class A", rollup="sum") if class_column(columns) else kpi


def class_column(columns: Collection[str]) -> str | None:
    """Return the column with ABC classes of SKUs, if there is one."""
    return next((c for c in _CLASSES if c in columns), None) if "sku" in columns else None
