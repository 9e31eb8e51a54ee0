"""What is generated from the definitions: docs/kpis.md, and warehouse/kpi_*.json, which Terraform reads.

``python -m functions.kpi.pages`` writes them; a test says when they are out of date.
"""

import json
from pathlib import Path
from typing import Any

from functions.kpi.catalog import load_definitions
from functions.kpi.columns import Columns, all_columns, curated_columns
from functions.kpi.definition import Definition
from functions.kpi.graph import column_lineage, in_order, reads
from functions.kpi.refresh import views_by_name, without_horizons
from stockflow.contracts import load_contracts
from stockflow.settings import bundle_root

HEAD = """# KPIs

Generated from `functions/kpi/definitions/*.sql` by `python -m functions.kpi.pages`: do not edit.
How to add one: [adding-a-kpi.md](adding-a-kpi.md).

What all of them have in common:

- every row has `numerator`, `denominator`, `value`, `reason_code` and `coverage_pct`; a value that cannot be computed
  is NULL with a reason (`no_demand`, `no_stock`, `no_cost`, `missing_days`, `missing_sales`, `stale`), never 0;
- a ratio rolls up as SUM(numerator) / SUM(denominator); a stock is added over SKUs and locations, never over dates;
- "today" is the newest business date of the facts, never the clock.
"""


HEAD_IN_FRENCH = """# Les indicateurs en français

Fait de `functions/kpi/definitions/*.sql` par `python -m functions.kpi.pages` : ne pas modifier. La page anglaise
[kpis.md](kpis.md) donne aussi les formules, les seuils et l'origine de chaque chiffre.

`stockflow kpi list --language fr` et `stockflow kpi show NOM --language fr` parlent français ;
le tableau de bord aussi, par le lien *Français* en haut de chaque page.
"""


def generated() -> dict[str, str]:
    """Return path below the repository -> text of each generated file."""
    root = bundle_root()
    definitions = load_definitions(str(root / "functions" / "kpi" / "definitions"))
    views = views_by_name("inventory_curated")
    known = all_columns(definitions, views, curated_columns(load_contracts(root / "contracts")))
    ordered = in_order(definitions, reads(definitions, views))
    return {
        "docs/kpis.fr.md": _page_in_french(ordered),
        "docs/kpis.md": _page(ordered, reads(definitions, views), known),
        "warehouse/kpi_lookbacks.json": _lookbacks(ordered, reads(definitions, without_horizons(views))),
        "warehouse/kpi_tables.json": _tables(ordered, known),
    }


def _page(ordered: list[Definition], read: dict[str, set[str]], known: dict[str, Columns]) -> str:
    kpis = sorted((d for d in ordered if d.kind == "kpi"), key=lambda d: d.title)
    bases = [d for d in ordered if d.kind == "base"]
    rows = [f"| [{d.title}](#{d.name}) | {d.unit} | {_grain(d)} | {_better(d)} | {d.meaning} |" for d in kpis]
    index = "\n".join(["| KPI | unit | one row per | better | says |", "|---|---|---|---|---|", *rows])
    parts = [HEAD, index, "", *(_kpi(d, read[d.name], known) for d in kpis)]
    parts += ["## Base models", "", "Tables that keep the KPIs simple; they are in `inventory_kpi`, too.", ""]
    parts += [_base(d, read[d.name]) for d in bases]
    return "\n".join(parts).rstrip() + "\n"


def _page_in_french(ordered: list[Definition]) -> str:
    known = sorted((d.told_in("fr") for d in ordered), key=lambda d: d.title)
    kpis = [f"## {d.title}\n\n`{d.name}`. {d.description}\n\n> {d.meaning}\n" for d in known if d.kind == "kpi"]
    bases = [f"### {d.title}\n\n`{d.name}`. {d.description}\n" for d in known if d.kind == "base"]
    return "\n".join([HEAD_IN_FRENCH, *kpis, "## Modèles de base\n", *bases])


def _kpi(d: Definition, read: set[str], known: dict[str, Columns]) -> str:
    lines = [
        f"## {d.name}", "", f"**{d.title}.** {d.description}", "",
        f"- formula: {d.formula}", f"- unit: {d.unit}; one row per {_grain(d)}; better: {_better(d)}; "
        f"rolls up as {'a ratio of sums' if d.rollup == 'ratio' else 'a sum on one date'}",
        f"- source: {d.source}; owner: {d.owner}",
    ]  # fmt: skip
    if d.thresholds:
        lines.append(f"- thresholds: {', '.join(f'{k} {v}' for k, v in d.thresholds.items())}")
    own = [c for c in known[d.table] if c not in {"business_date", "category", *d.grain, *_COMMON}]
    if own:
        lines.append(f"- additional columns: {', '.join(own)}")
    lines += [f"- reads: {_names(read)}", f"- value comes from: {_names(column_lineage(d, 'value', known))}", ""]
    return "\n".join(lines)


_COMMON = ("numerator", "denominator", "value", "reason_code", "coverage_pct")


def _base(d: Definition, read: set[str]) -> str:
    lines = [f"### {d.name}", "", f"{d.description}", "", f"- one row per {_grain(d)}; owner: {d.owner}"]
    return "\n".join([*lines, f"- reads: {_names(read)}", ""])


def _grain(d: Definition) -> str:
    return ", ".join([*d.grain, "day"])


def _better(d: Definition) -> str:
    return {"up": "higher", "down": "lower"}.get(d.direction, "depends")


def _names(names: set[str] | list[str]) -> str:
    return ", ".join(f"`{n.removeprefix('inventory_')}`" for n in sorted(names))


def _tables(ordered: list[Definition], known: dict[str, Columns]) -> str:
    tables = {
        d.name: {
            "description": d.description,
            "cluster": list(d.grain[:4]),
            "schema": [{"name": c, "type": t, "mode": "NULLABLE"} for c, t in known[d.table].items()],
        }
        for d in sorted(ordered, key=lambda d: d.name)
    }
    return json.dumps(tables, indent=1, ensure_ascii=False) + "\n"


def _lookbacks(ordered: list[Definition], read: dict[str, set[str]]) -> str:
    """Feed -> how many days a KPI looks back at it at most, and which one: its facts must be kept for longer.

    Also through a table of which each day is made of that day's facts: made anew, it has no more days than they do.
    """
    found: dict[str, dict[str, Any]] = {}
    for feed in sorted(c.feed for c in load_contracts(bundle_root() / "contracts").values() if c.business_date):
        table = f"inventory_curated.{feed}"
        same = {table, *(d.table for d in ordered if table in read[d.name] and d.lookback(table) == 0)}
        far = [(-d.lookback(near), d.name) for d in ordered for near in read[d.name] & same]
        if far:
            days, kpi = min(far)
            found[feed] = {"days": -days, "kpi": kpi}
    return json.dumps(found, indent=1) + "\n"


def main() -> None:
    """Write the generated files."""
    for name, text in generated().items():
        Path(bundle_root() / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
