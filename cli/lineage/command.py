"""The commands of ``stockflow lineage``."""

import typer

from cli.lazy import Command, lazy_group

COMMANDS = {
    "show": Command(
        "cli.lineage.show",
        "show",
        "Show what something comes from and what comes from it: files, raw, curated, KPIs, reporting.",
    ),
    "emit": Command(
        "cli.lineage.emit",
        "emit",
        "Send what the ledger says as OpenLineage run events: START, and COMPLETE or FAIL, of each stage and each KPI.",
    ),
}
app = typer.Typer(
    cls=lazy_group(COMMANDS),
    help="Where numbers come from: from a KPI back to files and lines, from a file forward to KPIs.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.callback()(lambda: None)
