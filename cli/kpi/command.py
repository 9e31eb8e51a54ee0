"""The commands of ``stockflow kpi``."""

import typer

from cli.kpi import catalogue, check, diff, lineage, new, preview, publish, why

app = typer.Typer(
    help="The KPIs: what is defined, what each says now, and the way from an idea to a published one.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.command("list")(catalogue.list_kpis)
for command in (catalogue.show, why.why, lineage.lineage, new.new, check.check, preview.preview, diff.diff,
                publish.publish, publish.history, publish.rollback, catalogue.refresh):  # fmt: skip
    app.command()(command)
