"""The commands of ``stockflow dashboard``."""

import os
from enum import StrEnum
from typing import Annotated

import typer

from cli.dashboard.labels import field, kpi_title, reason_formula, report_name
from cli.dashboard.looker import Report, View, alias, link, subjects
from cli.output import CommandError, print_json, print_table
from cli.spoken import Language, Spoken
from cli.stack import Json
from cli.texts import speaking
from stockflow.settings import Settings

app = typer.Typer(
    help="Reports for people: a link that opens Looker Studio on the reporting views.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


class Mode(StrEnum):
    """How a report is opened."""

    edit = "edit"
    view = "view"


@app.callback()
def group() -> None:
    """Reports for people: a link that opens Looker Studio on the reporting views."""


@app.command("link")
def make_link(
    name: Annotated[str, typer.Option(help="What the report is called.", show_default="Stockflow inventory")] = "",
    template: Annotated[str, typer.Option(help="Id of a report to copy; an empty report if left out.")] = "",
    page: Annotated[str, typer.Option(help="Id of the page to open first.")] = "",
    mode: Annotated[Mode, typer.Option(help="Open it to be edited, or to be read.")] = Mode.edit,
    billing_project: Annotated[str, typer.Option(help="Project that pays for its queries, if another one.")] = "",
    kpi: Annotated[list[str] | None, typer.Option(help="Also the view of this published KPI; can be repeated.")] = None,
    language: Spoken = Language.EN,
    as_json: Json = False,
) -> None:
    """Print a link that opens a Looker Studio report on the project's reporting views, each a data source.

    Nothing is asked and nothing is made: whoever opens the link does so as themselves. docs/looker-studio.md goes from
    there to a shared report. STOCKFLOW_DATASET_PREFIX chooses the environment, where a project has several.

    Examples:

      stockflow --project my-project dashboard link

      stockflow --project my-project dashboard link --template 0f1e2d3c --mode view --name "Inventory of Lyon"

      STOCKFLOW_CLI_PROJECT=my-project stockflow dashboard link --kpi sales_per_unit --json

      stockflow --project my-project dashboard link --language fr
    """
    settings = _settings()
    with speaking(language):
        views = [*subjects(), *(View(f"kpi_{k}", kpi_title(k)) for k in kpi or [])]
        called = name or report_name()
    url = link(Report(called, template, page, mode.value, billing_project), views, settings)
    sources = [{"alias": alias(n), "data_source": v.title, "view": f"{settings.dataset('reporting')}.{v.name}"}
               for n, v in enumerate(views)]  # fmt: skip
    if as_json:
        print_json({"url": url, "project": settings.project, "sources": sources})
        return
    print(url)
    print_table(sources, ["alias", "data_source", "view"], "\nData sources")


@app.command("labels")
def show_labels(
    reasons: Annotated[
        bool, typer.Option("--reasons", help="The formula of a field that says reasons in words.")
    ] = False,
    language: Spoken = Language.EN,
    as_json: Json = False,
) -> None:
    """Print what the fields of each data source are called in a report, in a language; with --reasons, a formula.

    Columns have one name in every language. A template whose fields are called so once gives these names to each report
    that is made of it: docs/looker-studio.md.

    Examples:

      stockflow dashboard labels --language fr

      stockflow dashboard labels --language fr --reasons
    """
    with speaking(language):
        formula = reason_formula()
        rows = [{"data_source": view.title, "column": column, "field": field(column)}
                for view in subjects() for column in view.columns]  # fmt: skip
    if as_json:
        print_json({"fields": rows, "reasons": formula})
    elif reasons:
        print(formula)
    else:
        print_table(rows, ["data_source", "column", "field"])


def _settings() -> Settings:
    project = os.environ.get("STOCKFLOW_CLI_PROJECT", "")
    if not project:
        raise CommandError(
            "Looker Studio reads BigQuery in Google Cloud, not the stack of a laptop (its own dashboard is at "
            "`stockflow status`): name the project, `stockflow --project MY-PROJECT dashboard link`"
        )
    return Settings.from_env({**os.environ, "GOOGLE_CLOUD_PROJECT": project})
