"""The catalogue in the site of `make site`: a page for each feed, made from its contract, and one list of all."""

from collections.abc import Iterable, Mapping, Sequence

from functions.kpi.catalog import load_definitions
from functions.kpi.definition import Definition
from functions.kpi.graph import reads
from functions.kpi.refresh import views_by_name
from stockflow.contracts import Column, Contract, load_contracts
from stockflow.settings import bundle_root

FOLDER = "catalogue"


def pages() -> dict[str, str]:
    """Return file name -> text of the catalogue's pages."""
    root = bundle_root()
    contracts = load_contracts(root / "contracts")
    definitions = load_definitions(str(root / "functions" / "kpi" / "definitions"))
    read = reads(definitions, views_by_name("inventory_curated"))
    made = {f"{feed}.md": _feed(contract, _readers(feed, read)) for feed, contract in contracts.items()}
    return {"README.md": _list(contracts, definitions), **made}


def _list(contracts: Mapping[str, Contract], definitions: Mapping[str, Definition]) -> str:
    feeds = [(f"[{f}]({f}.md)", c.description, c.owner, c.version) for f, c in contracts.items()]
    kpis = [
        (f"[{d.title}](../docs/kpis.md#{name})", d.description, d.owner)
        for name, d in sorted(definitions.items())
        if d.kind == "kpi"
    ]
    parts = {
        "## Feeds": _table(("feed", "what it holds", "owner", "version"), feeds),
        "## KPIs": _table(("KPI", "what it says", "owner"), kpis),
    }
    return _page(["# Catalogue", "", "Made from contracts and KPI headers by `make site`."], parts)


def _feed(contract: Contract, readers: Iterable[str]) -> str:
    feed, fresh = contract.feed, contract.fresh_within
    facts = [
        ("tables", f"`inventory_raw.{feed}`, `inventory_curated.{feed}`, `inventory_curated.{feed}_history`"),
        ("business key", ", ".join(f"`{name}`" for name in contract.key)),
        ("owner", contract.owner),
        ("version of the contract", contract.version),
        ("newest file at most", f"{fresh.total_seconds() / 3600:g} hours old" if fresh else "not promised"),
        ("KPIs that read it", ", ".join(f"[{name}](../docs/kpis.md#{name})" for name in readers) or "none"),
    ]
    columns = [
        (f"`{c.name}`", c.physical_type, c.description, _marks(c), ", ".join(c.aliases[:8])) for c in contract.columns
    ]
    rules = [(f"`{r.id}`", r.severity, r.description, r.expected or "") for r in contract.rules]
    parts = {
        "## Columns": _table(("column", "type", "what it holds", "", "also called"), columns),
        "## Rules": _table(("rule", "severity", "when it breaks", "expected"), rules),
    }
    top = [f"# {feed}", "", contract.description, "", "[All feeds and KPIs](README.md)", "", *_table(("", ""), facts)]
    return _page(top, parts)


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
