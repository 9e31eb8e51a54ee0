"""The catalogue: a page for each feed and each definition of a KPI, with its lineage as a picture, and one list of all.

`stockflow catalog build` makes a site of them; `make site` puts them beside the other pages.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from cli.catalog.measured import DAYS, Measured
from cli.kpi.workspace import open_workspace, project_folder
from cli.lineage.model import build
from cli.lineage.show import drawing
from functions.kpi.catalog import load_definitions
from functions.kpi.definition import Definition
from functions.kpi.graph import reads
from functions.kpi.refresh import views_by_name
from stockflow.contracts import Column, Contract, load_contracts
from stockflow.settings import bundle_root

FOLDER = "catalogue"
PERSONAL = "personal data, not shown"
NOT_ASKED = (
    "Not known here: no environment was asked when this page was made. `stockflow catalog build` asks a "
    "running stack, or the project that `--project` names."
)
_VIEW_BOX = re.compile(r'viewBox="0 0 (\d+) ')


def pages(known: Mapping[str, Measured] | None = None) -> dict[str, str]:
    """Return file name -> text of the catalogue's pages and pictures.

    ``known``: feed -> what an environment knows of it; None when none was asked, which the pages say.
    """
    root = bundle_root()
    contracts = load_contracts(root / "contracts")
    definitions = load_definitions(str(root / "functions" / "kpi" / "definitions"))
    read = reads(definitions, views_by_name("inventory_curated"))
    model = build(open_workspace([], project_folder(), None))
    drawn = {feed: drawing(f"curated.{feed}", model) for feed in contracts}
    drawn |= {f"kpi-{name}": drawing(d.table, model) for name, d in definitions.items()}
    made = {"README.md": _list(contracts, definitions)}
    for feed, contract in contracts.items():
        made[f"{feed}.md"] = _feed(contract, _readers(feed, read), drawn[feed], known[feed] if known else None)
    for name, d in definitions.items():
        feeds = _feeds(name, definitions, read) & contracts.keys()
        made[f"kpi-{name}.md"] = _kpi(d, sorted(feeds), drawn[f"kpi-{name}"])
    return made | {f"lineage/{name}.svg": svg for name, svg in drawn.items()}


def _list(contracts: Mapping[str, Contract], definitions: Mapping[str, Definition]) -> str:
    feeds = [(f"[{f}]({f}.md)", c.description, c.owner, c.version) for f, c in contracts.items()]
    kpis = [
        (f"[{d.title}](kpi-{name}.md)", d.description, d.owner)
        for name, d in sorted(definitions.items())
        if d.kind == "kpi"
    ]
    parts = {
        "## Feeds": _table(("feed", "what it holds", "owner", "version"), feeds),
        "## KPIs": _table(("KPI", "what it says", "owner"), kpis),
    }
    base = [
        (f"[{d.title}](kpi-{name}.md)", d.description) for name, d in sorted(definitions.items()) if d.kind != "kpi"
    ]
    parts["## What KPIs are computed from"] = _table(("table", "what it holds"), base)
    return _page(["# Catalogue", "", "Made from contracts and the headers of KPI definitions."], parts)


def _feed(contract: Contract, readers: Iterable[str], svg: str, known: Measured | None) -> str:
    feed, fresh = contract.feed, contract.fresh_within
    facts = [
        ("tables", f"`inventory_raw.{feed}`, `inventory_curated.{feed}`, `inventory_curated.{feed}_history`"),
        ("business key", ", ".join(f"`{name}`" for name in contract.key)),
        ("owner", contract.owner),
        ("version of the contract", contract.version),
        ("newest file at most", f"{fresh.total_seconds() / 3600:g} hours old" if fresh else "not promised"),
        ("KPIs that read it", ", ".join(f"[{name}](kpi-{name}.md)" for name in readers) or "none"),
    ]
    columns = [
        (f"`{c.name}`", c.physical_type, c.description, _marks(c), ", ".join(c.aliases[:8])) for c in contract.columns
    ]
    rules = [(f"`{r.id}`", r.severity, r.description, r.expected or "") for r in contract.rules]
    parts = {
        "## Columns": _table(("column", "type", "what it holds", "marks", "also called"), columns),
        "## Rules": _table(("rule", "severity", "when it breaks", "expected"), rules),
        "## Sample values": sample_values(contract, known),
        "## Quality": quality(known),
    }
    top = [
        f"# {feed}",
        "",
        contract.description,
        "",
        "[All feeds and KPIs](README.md)",
        "",
        *_table(("fact", "what it is"), facts),
    ]
    return _page([*top, "", *_picture(feed, feed, svg)], parts)


def sample_values(contract: Contract, known: Measured | None) -> list[str]:
    """Return the section with values of each column as the newest file has them; personal data is not shown."""
    if known is None:
        return [NOT_ASKED]
    if not known.samples:
        return [f"No file was let through in the last {DAYS} days."]
    personal = {c.name for c in contract.stated if c.pii}
    rows = [
        (f"`{c.name}`", PERSONAL if c.name in personal else _values(known.samples[c.name])) for c in contract.stated
    ]
    return ["As the newest file has them that was let through.", "", *_table(("column", "values"), rows)]


def _values(values: Iterable[str]) -> str:
    quoted = ", ".join("`" + value.replace("`", "'") + "`" for value in values)
    return quoted or "none in this file"


def quality(known: Measured | None) -> list[str]:
    """Return the section with what was refused of the files of each day, and how many need somebody."""
    if known is None:
        return [NOT_ASKED]
    if not known.days:
        return [f"No file landed in the last {DAYS} days."]
    head = ("landed (UTC)", "files", "records", "refused", "share refused", "held", "rejected", "failed")
    rows = [
        (str(d.landed_on), *(f"{n:,}" for n in (d.files, d.records, d.refused)), f"{d.share:.2%}",
         *(f"{n:,}" for n in (d.held, d.rejected, d.failed)))
        for d in known.days
    ]  # fmt: skip
    return [f"Files of the last {DAYS} days, by the day on which they landed.", "", *_table(head, rows)]


def _kpi(d: Definition, feeds: Iterable[str], svg: str) -> str:
    limits = ", ".join(f"{name} {value:g}" for name, value in sorted(d.thresholds.items()))
    facts = [
        ("table", f"`{d.table}`" + (f", view `inventory_reporting.kpi_{d.name}`" if d.kind == "kpi" else "")),
        ("formula", d.formula),
        ("unit", d.unit),
        ("says", d.meaning),
        ("one row for each", ", ".join(f"`{c}`" for c in ("business_date", *d.grain))),
        ("thresholds", limits),
        ("source", d.source),
        ("owner", d.owner),
        ("version", f"`{d.version}`"),
        ("made of feeds", ", ".join(f"[{feed}]({feed}.md)" for feed in feeds)),
    ]
    top = [f"# {d.title}", "", d.description, "", "[All feeds and KPIs](README.md)", ""]
    top += [
        *_table(("fact", "what it is"), [(name, text) for name, text in facts if text]),
        "",
        *_picture(f"kpi-{d.name}", d.title, svg),
    ]
    return _page(top, {"## Definition": ["```sql", *d.sql.strip().splitlines(), "```"]})


def _picture(name: str, title: str, svg: str) -> list[str]:
    """Return the section with a picture at a size that can be read: wide ones are moved sideways, a click opens one."""
    found = _VIEW_BOX.search(svg)
    style = f"width: {found[1]}px; max-width: none" if found else ""
    image = f'<img src="lineage/{name}.svg" alt="Where {title} comes from, and what comes from it" style="{style}">'
    return [
        "## Lineage",
        "",
        f'<div style="overflow: auto; max-height: 560px" tabindex="0"><a href="lineage/{name}.svg">{image}</a></div>',
    ]


def _feeds(name: str, definitions: Mapping[str, Definition], read: Mapping[str, set[str]]) -> set[str]:
    """Return the feeds (and views) behind a definition: what it reads, and what the definitions that it reads read."""
    tables, ahead = set[str](), [name]
    by_table = {d.table: n for n, d in definitions.items()}
    while ahead:
        found = read.get(ahead.pop(), set()) - tables
        tables |= found
        ahead += [by_table[table] for table in found if table in by_table]
    prefix = "inventory_curated."
    return {t.removeprefix(prefix).removesuffix("_history") for t in tables if t.startswith(prefix)}


def _page(top: Iterable[str], parts: Mapping[str, list[str]]) -> str:
    lines = list(top)
    for title, table in parts.items():
        lines += ["", title, "", *table]
    return "\n".join([*lines, ""])


def _readers(feed: str, read: Mapping[str, set[str]]) -> list[str]:
    tables = {f"inventory_curated.{feed}", f"inventory_curated.{feed}_history"}
    return sorted(name for name, found in read.items() if found & tables)


def _marks(column: Column) -> str:
    marks = {"required": column.required, "key": column.key_position is not None, "personal data": column.pii,
             "computed": column.derived}  # fmt: skip
    return ", ".join(mark for mark, holds in marks.items() if holds)


def _table(head: Sequence[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """Return a Markdown table; what a cell holds is text, whatever signs are in it."""
    first, *others = (f"| {' | '.join(_cell(cell) for cell in line)} |" for line in (head, *rows))
    return [first, "|" + "---|" * len(head), *others]


def _cell(text: str) -> str:
    return " ".join(str(text).split()).replace("|", "\\|").replace("<", "&lt;")
