"""What data sources, fields and reasons of a report are called, in the reader's language. Pure."""

from functools import cache
from typing import Any

import yaml

from cli import wording
from cli.texts import LANGUAGE
from stockflow.settings import bundle_root


def view_title(view: str, title: str) -> str:
    """Return what the data source of a view is called."""
    return str(_french()["views"].get(view, title)) if _is_french() else title


def kpi_title(name: str) -> str:
    """Return what the data source of a published KPI is called."""
    return (
        str(_french()["kpi"]).format(name=name.replace("_", " ")) if _is_french() else f"KPI {name.replace('_', ' ')}"
    )


def report_name() -> str:
    """Return what a report is called that nobody named."""
    return str(_french()["report"]) if _is_french() else "Stockflow inventory"


def field(column: str) -> str:
    """Return what a column is called as a field of a report."""
    plain = column.replace("_", " ")
    return str(_french()["columns"].get(column, plain)) if _is_french() else plain[0].upper() + plain[1:]


def reason_formula() -> str:
    """Return the formula of a field that says ``reason_code`` in words."""
    cases = "\n".join(f"  WHEN {_text(code)} THEN {_text(wording.reason(code))}" for code in wording.REASONS)
    return f"CASE reason_code\n{cases}\n  ELSE reason_code\nEND"


def _text(words: str) -> str:
    return '"' + words.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _is_french() -> bool:
    return LANGUAGE.get() == "fr"


@cache
def _french() -> dict[str, Any]:
    text = (bundle_root() / "warehouse" / "reporting.fr.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)
    return found
