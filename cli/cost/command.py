"""``stockflow cost``: what a number of files a day costs on Google Cloud, and whether it grows with age."""

from collections import defaultdict
from typing import Annotated

import typer

from cli.cost.lineage import told
from cli.cost.model import Item, Load, bill
from cli.cost.prices import AS_OF
from cli.nearest import hint, nearest
from cli.output import CommandError, console, print_json, print_table
from cli.stack import Json
from stockflow.contracts import load_contracts
from stockflow.settings import bundle_root

VOLUMES = (100, 1_000, 10_000, 100_000)
AGES = (1, 365)


def cost(
    files: Annotated[int, typer.Option(min=1, help="Files a day.")] = 1_000,
    rows: Annotated[int, typer.Option(min=1, help="Rows a file.")] = 1_000,
    days: Annotated[int, typer.Option(min=1, help="Age of the environment in days.")] = 365,
    feed: Annotated[str, typer.Option(help="The feed that all files are of.")] = "sales",
    table: Annotated[bool, typer.Option(help="Compare 100 to 100,000 files a day, on day 1 and on day 365.")] = False,
    as_json: Json = False,
) -> None:
    """Compute what files cost a day on Google Cloud, by stage, from the schemas and statements of this checkout.

    Nothing is asked of any project. KPI scripts are not in it: they depend on your definitions. Lineage is counted in
    events, without a price: none is published for one.

    Examples:

      stockflow cost --files 1000 --rows 1000 --days 365

      stockflow cost --table
    """
    contracts = load_contracts(bundle_root() / "contracts")
    if feed not in contracts:
        near = nearest(feed, contracts) or "sales"
        raise CommandError(f"no feed {feed!r}{hint(feed, contracts)}", f"`stockflow cost --feed {near}`")
    if table:
        found = [compared(count, rows, feed) for count in VOLUMES]
    else:
        items = bill(Load(files, rows, days), contracts[feed])
        found = [*(shown(item, files) for item in items), told(Load(files, rows, days))]
    if as_json:
        print_json(found)
        return
    print_table(found, list(found[0]))
    if not table:
        total = sum(item.dollars for item in items)
        console().print(f"\n{total:.2f} $ a day, {total / files * 1_000:.2f} $ for 1,000 files; list prices of {AS_OF}")


def shown(item: Item, files: int) -> dict[str, str]:
    """Return an item of the bill as a row."""
    return {
        "stage": item.stage, "what": item.what, "quantity": f"{item.quantity:,.0f}",
        "$ a day": f"{item.dollars:.4f}", "$ per 1,000 files": f"{item.dollars / files * 1_000:.4f}",
    }  # fmt: skip


def compared(files: int, rows: int, feed: str) -> dict[str, str]:
    """Return, for so many files a day, dollars for 1,000 files: work on day 1 and day 365, and what is kept."""
    contract = load_contracts(bundle_root() / "contracts")[feed]
    parts: dict[str, float] = defaultdict(float)
    for age in AGES:
        for item in bill(Load(files, rows, age), contract):
            kept = "kept" if item.stage == "storage" or "kept" in item.what else "work"
            parts[f"{kept}, day {age}"] += item.dollars / files * 1_000
    ratio = parts["work, day 365"] / parts["work, day 1"]
    return {
        "files a day": f"{files:,}",
        **{k: f"{v:.3f}" for k, v in sorted(parts.items())},
        "work, ratio": f"{ratio:.2f}",
    }
