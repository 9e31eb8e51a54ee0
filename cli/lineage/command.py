"""The commands of ``stockflow lineage``."""

import typer

from cli.lineage import emit, show

app = typer.Typer(
    help="Where numbers come from: from a KPI back to files and lines, from a file forward to KPIs.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.command()(show.show)
app.command()(emit.emit)
