"""How the change of a KPI between two days is told: its parts, places, cells and lines."""

from collections.abc import Mapping, Sequence
from typing import Any

from cli import wording
from cli.output import console, print_table
from cli.texts import said
from functions.kpi.definition import Definition

# What people call the parts; of an amount at cost the price of a unit is its cost.
WORDS = {
    "numerator": "the cells' numerators", "denominator": "the cells' denominators", "volume": "volume",
    "price": "price or cost of a unit", "mix_location": "mix of locations", "mix_sku": "mix within locations",
    "new": "cells that are new", "gone": "cells that are gone", "changed": "cells that changed",
    "definition": "another definition", "late": "files that came late", "corrections": "corrections by later files",
}  # fmt: skip
CALLED = {"sku": "SKU", "location_code": "location", "supplier_code": "supplier"}
BY = {"sku": "By SKU", "location_code": "By location", "supplier_code": "By supplier"}
# What files say: column -> how it is called.
LINES = {"file": "file", "line": "line", "business_date": "date", "feed": "feed", "what": "it says"}
FROM_TO = "{title}: {start} on {first}, {end} on {last}"
LATE = "{files} came after that time"
_NOISE = 1e-9


def tell(found: dict[str, Any], definition: Definition) -> None:
    """Print the parts of a change, where it came from, and the files behind it."""
    unit = definition.unit
    values = {name: wording.figure(found[name], unit) for name in ("start", "end")}
    days = {"first": found["from"], "last": found["to"]}
    console().print(f"{said(FROM_TO, title=definition.title, **values, **days)}\n", markup=False)
    _tell_parts(found, unit)
    for column, moved in found["by"].items():
        _tell_moves(column, moved, unit)
    if found["late_files"]:
        told = ", ".join(found["late_files"][:5])
        console().print(f"\n{said(LATE, files=wording.count(len(found['late_files']), 'file'))}: {told}", markup=False)
    _tell_cells(found, definition)
    if found["lines"]:
        rows = [{said(title): line.get(name) for name, title in LINES.items()} for line in found["lines"]]
        print_table(rows, list(rows[0]), f"\n{said('What files say of the first three')}")


def _tell_parts(found: dict[str, Any], unit: str) -> None:
    ordered = sorted(found["parts"].items(), key=lambda pair: -abs(pair[1]))
    told = [*((said(WORDS[name]), amount) for name, amount in ordered), (said("together"), found["change"])]
    part, change = said("part"), said("change")
    print_table([{part: name, change: _signed(amount, unit)} for name, amount in told], [part, change])


def _tell_moves(column: str, moved: list[dict[str, Any]], unit: str) -> None:
    name, change = said(CALLED.get(column, column)), said("change")
    rows = [{name: r["name"], change: _signed(r["change"], unit)} for r in moved[:5]]
    print_table(rows, [name, change], f"\n{said(BY.get(column, column))}")


def _tell_cells(found: dict[str, Any], definition: Definition) -> None:
    """Print the cells that moved most, the grain first, then the change and its parts."""
    rows = [worded(cell, definition.grain) for cell in found["cells"]]
    shown = [{k: _signed(v, definition.unit) if isinstance(v, float) else v for k, v in row.items()} for row in rows]
    print_table(shown, list(dict.fromkeys(name for row in rows for name in row)), f"\n{said('Cells that moved most')}")


def worded(cell: Mapping[str, Any], grain: Sequence[str]) -> dict[str, Any]:
    """Return a cell with the names of its columns and parts in the reader's language."""
    parts = {said(WORDS.get(n, n)): v for n, v in cell.items() if n not in grain and n != "change"}
    return {**{said(CALLED.get(n, n)): cell[n] for n in grain}, said("change"): cell["change"], **parts}


def _signed(value: float, unit: str) -> str:
    """Return a part as the change itself is told; what floating point leaves over is nothing."""
    return wording.signed(0.0 if abs(value) < _NOISE else value, unit)
