"""The commands of ``stockflow kpi``."""

import typer

from cli.lazy import Command, lazy_group

COMMANDS = {
    "list": Command("cli.kpi.catalogue", "list_kpis", "List the KPIs with what each says on its newest day."),
    "show": Command(
        "cli.kpi.catalogue",
        "show",
        "Show one KPI: formula, source, owner, what it reads, lineage of its value, its last days.",
    ),
    "why": Command(
        "cli.kpi.why",
        "why",
        "Say why a KPI moved between two days: parts that add up to the change, then cells, files and lines.",
    ),
    "lineage": Command(
        "cli.kpi.lineage",
        "lineage",
        "Show where a column of a KPI comes from: definitions, views, and the columns of the files at the end.",
    ),
    "new": Command(
        "cli.kpi.new", "new", "Write a new definition with a header and a first worked example, and check it."
    ),
    "check": Command(
        "cli.kpi.check",
        "check",
        "Check definitions before they run: header, SQL, columns, joins, worked examples; none of it needs a stack.",
    ),
    "preview": Command(
        "cli.kpi.preview",
        "preview",
        "Show the numbers of a definition on the data of the environment; nothing is written.",
    ),
    "diff": Command(
        "cli.kpi.diff",
        "diff",
        "Compare a changed definition with the published one on the same data: cells that change, largest first.",
    ),
    "publish": Command(
        "cli.kpi.publish",
        "publish",
        "Publish a definition: it is checked, put in the definitions bucket and computed for all dates.",
    ),
    "retire": Command(
        "cli.kpi.retire",
        "retire",
        "Take a published definition back: it is computed no more, and leaves lists, dashboard and reporting.",
    ),
    "history": Command(
        "cli.kpi.publish",
        "history",
        "Show the versions of a definition: when each was published or retired, by whom, and when it was computed.",
    ),
    "rollback": Command(
        "cli.kpi.publish",
        "rollback",
        "Publish an earlier version of a definition again; a retired one comes back as it was.",
    ),
    "refresh": Command(
        "cli.kpi.catalogue",
        "refresh",
        "Compute what is new, changed or failed at once, for all dates, instead of with the next load.",
    ),
}
app = typer.Typer(
    cls=lazy_group(COMMANDS),
    help="The KPIs: what is defined, what each says now, and the way from an idea to a published one.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.callback()(lambda: None)
