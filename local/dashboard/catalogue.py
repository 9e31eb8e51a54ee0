"""What the dashboard needs to know of each KPI, taken from the header of its definition."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True)
class Kpi:
    """One KPI as the dashboard shows it."""

    name: str
    title: str
    unit: str
    meaning: str
    formula: str
    owner: str
    direction: str
    rollup: str

    @classmethod
    def of(cls, name: str, header: Mapping[str, Any]) -> "Kpi":
        """Return the KPI that a definition's header describes."""
        meaning = header.get("meaning") or header.get("description") or ""
        return cls(
            name=name,
            title=str(header.get("title", name)),
            unit=str(header.get("unit", "")),
            meaning=" ".join(str(meaning).split()),
            formula=" ".join(str(header.get("formula", "")).split()),
            owner=str(header.get("owner", "")),
            direction=str(header.get("direction", "none")),
            rollup=str(header.get("rollup", "ratio")),
        )


def load_kpis(uri: str) -> list[Kpi]:
    """Return the KPIs defined at ``uri``, by title."""
    found = []
    for path in sorted(Path(uri).glob("*.sql")):
        header = yaml.safe_load(path.read_text(encoding="utf-8").split("/*", 1)[1].split("*/", 1)[0])
        if header.get("kind", "kpi") == "kpi":
            found.append(Kpi.of(path.stem, header))
    return found
