"""The commands of ``stockflow catalog``."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import target
from cli.output import CommandError, console, print_json, print_table
from cli.stack import Json

app = typer.Typer(
    help="What the tables mean, for Knowledge Catalog (Dataplex): from contracts and KPI headers.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.callback()
def group() -> None:
    """What the tables mean, for Knowledge Catalog (Dataplex): from contracts and KPI headers."""


Number = Annotated[
    str,
    typer.Option(help="The project's number: gcloud projects describe PROJECT --format='value(projectNumber)'."),
]

Quality = Annotated[
    bool,
    typer.Option("--quality", help="Also how good and fresh each feed is: asks the ledger of the project."),
]


@app.command()
def export(number: Number, quality: Quality = False, as_json: Json = False) -> None:
    """Print the requests that tell the catalogue what each table means; nothing is sent.

    One UpdateEntryRequest of the Dataplex API for each table of a feed (owner, version, freshness) and of a KPI (owner,
    formula, unit, grain). With --quality one more for each feed: which share of the rows was loaded, unreadable,
    quarantined or held back on each of the last 30 days, and how old the newest loaded file is. Terraform makes the
    aspect types (optional.catalog).

    Examples:

      stockflow --project my-project catalog export --number 123456789012

      STOCKFLOW_CLI_PROJECT=my-project stockflow catalog export --number 123456789012 --json

      stockflow --project my-project catalog export --number 123456789012 --quality
    """
    requests = list(_requests(number, quality))
    if as_json:
        print_json(requests)
        return
    rows = [{"table": _table(r), "aspect": r["aspect_keys"][0].rpartition(".")[2], **_data(r)} for r in requests]
    print_table(rows, ["table", "aspect", "owner", "version", "freshness_hours", "freshness", "unit", "grain"])
    console().print(f"\n{len(rows)} requests; nothing was sent (`--json` prints them)")


@app.command()
def publish(
    number: Number,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be sent, and send nothing.")] = False,
    quality: Quality = False,
    as_json: Json = False,
) -> None:
    """Tell Knowledge Catalog what each table means: the requests of `export`, sent.

    It needs the aspect types (Terraform, optional.catalog), `roles/dataplex.catalogEditor`, and credentials
    (`gcloud auth application-default login`). A table that is not there yet is named and left out; the exit code is 1
    when a request was refused. Sent again, it changes nothing.

    Examples:

      STOCKFLOW_CLI_PROJECT=my-project stockflow catalog publish --number 123456789012 --dry-run

      stockflow --project my-project catalog publish --number 123456789012

      stockflow --project my-project catalog publish --number 123456789012 --quality
    """
    from cli.catalog.publish import publish as send

    if dry_run:
        export(number, quality, as_json)
        return
    answers = [answer.shown() for answer in send(list(_requests(number, quality)))]
    counts = Counter(answer["state"] for answer in answers)
    if as_json:
        print_json({"counts": dict(counts), "tables": answers})
    else:
        print_table([a for a in answers if a["state"] != "published"], ["table", "state", "message"])
        console().print(f"{counts['published']} of {len(answers)} tables were told", markup=False)
    if counts["refused"]:
        raise typer.Exit(1)


@app.command()
def build(
    to: Annotated[Path, typer.Option(help="Folder of the site; what is in it is replaced.", file_okay=False)] = Path(
        "build/catalogue"
    ),
    as_json: Json = False,
) -> None:
    """Build the catalogue as a site: each feed, column, rule and KPI, with lineage pictures and a search.

    It is made from this checkout's contracts and definitions, and opens from its folder without a server or a network.
    With a running stack (or --project) each feed has sample values, without personal data, and the share of refused
    rows by day; without one its page says so.

    Examples:

      stockflow catalog build

      stockflow catalog build --to /tmp/catalogue --json
    """
    from cli.catalog.measured import measured
    from cli.catalog.pages import pages
    from cli.catalog.site import build as build_site
    from cli.catalog.site import made

    made(to)
    asked = target.reachable()
    found = pages(measured(target.services()) if asked else None)
    build_site(found, to)
    index = to / "index.html"
    if as_json:
        print_json({"index": str(index), "pages": sorted(n for n in found if n.endswith(".md")), "environment": asked})
    else:
        if not asked:
            console().print("no stack is running: pages have no sample values and no quality (`stockflow up`)")
        console().print(f"open {index}", markup=False, soft_wrap=True)


def _requests(number: str, quality: bool) -> Iterator[dict[str, Any]]:
    from cli.catalog.entries import Catalogue
    from cli.catalog.scores import scores
    from functions.kpi.catalog import load_definitions
    from stockflow.contracts import load_contracts
    from stockflow.settings import Settings, bundle_root

    project = os.environ.get("STOCKFLOW_CLI_PROJECT")
    if not number.isdigit():
        raise CommandError(
            f"--number {number!r} is not a project's number: expected digits such as 123456789012",
            f"`gcloud projects describe {project or 'PROJECT'} --format='value(projectNumber)'` prints it",
        )
    if not project:
        raise CommandError("expected a project: `stockflow --project PROJECT catalog export --number NUMBER`")
    root = bundle_root()
    settings = Settings.from_env({**os.environ, "GOOGLE_CLOUD_PROJECT": project})
    definitions = load_definitions(str(root / "functions" / "kpi" / "definitions"))
    catalogue = Catalogue(settings, number)
    yield from catalogue.requests(load_contracts(root / "contracts"), definitions)
    if quality:
        yield from catalogue.of_quality(scores(target.services()))


def _table(request: dict[str, Any]) -> str:
    dataset, _, table = request["entry"]["name"].partition("/datasets/")[2].partition("/tables/")
    return f"{dataset}.{table}"


def _data(request: dict[str, Any]) -> dict[str, Any]:
    (aspect,) = request["entry"]["aspects"].values()
    found: dict[str, Any] = aspect["data"]
    return found
