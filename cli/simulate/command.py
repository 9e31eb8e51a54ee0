"""simulate: the command."""

from typing import Annotated, Any

import typer

from cli.output import CommandError, console, print_json, print_table
from cli.simulate.model import PER_LOAD, Demand, limit, simulate
from cli.stack import Json

SIZES = (1, 100, 1_000, 10_000, 100_000, 1_000_000)
COLUMNS = ["files_a_day", "files_in_the_hour", "p50", "p95", "p99", "transform_drains", "kpi_drains", "ingest_used",
           "validate_used", "keeps_up"]  # fmt: skip


def simulate_(
    files_per_day: Annotated[int, typer.Option(help="Files of all feeds, on average.")] = 10_000,
    feeds: Annotated[int, typer.Option(help="Feeds that they belong to.")] = 10,
    peak: Annotated[float, typer.Option(help="How many times the day's average the busiest hour has.")] = 4.0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same answer.")] = 1,
    table: Annotated[
        bool, typer.Option("--table", help="The table of docs/scale.md: from 1 to 1,000,000 files.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Simulate the busiest hour of a day: seconds from landing to the KPI, and where it breaks.

    Nothing is asked of any environment: instances, concurrency and pauses are those of pipeline.yaml, service times
    those of cli/simulate/times.yaml, each with its source.

    Examples:

      stockflow simulate --files-per-day 100000

      stockflow simulate --files-per-day 500000 --peak 10

      stockflow simulate --table
    """
    if files_per_day < 1 or feeds < 1 or peak <= 0:
        raise CommandError(f"{files_per_day} files, {feeds} feeds, peak {peak:g}: expected numbers above zero")
    if table:
        print("\n".join(markdown()))
        return
    row = row_of(Demand(files_per_day, feeds, peak, seed))
    limits = {stage: round(limit(stage, peak)) for stage in PER_LOAD}
    if as_json:
        print_json({**row, "limits": limits})
        return
    print_table([row], COLUMNS)
    for stage, most in limits.items():
        console().print(f"{stage} keeps up to {most:,} files a day at this peak")


def row_of(demand: Demand) -> dict[str, Any]:
    """Return one line of the table."""
    found = simulate(demand)
    return {
        "files_a_day": demand.files_per_day, "files_in_the_hour": found.files,
        "p50": round(found.p50), "p95": round(found.p95), "p99": round(found.p99),
        "transform_drains": found.drains["transform"], "kpi_drains": found.drains["kpi"],
        "ingest_used": f"{found.used['ingest']:.1%}", "validate_used": f"{found.used['validate']:.1%}",
        "keeps_up": found.keeps_up,
    }  # fmt: skip


def markdown() -> list[str]:
    """Return the table of docs/scale.md."""
    lines = [f"| {' | '.join(name.replace('_', ' ') for name in COLUMNS)} |", "|---" * len(COLUMNS) + "|"]
    for size in SIZES:
        row = row_of(Demand(size))
        cells = [("yes" if v else "**no**") if isinstance(v, bool) else f"{v:,}" if isinstance(v, int) else v
                 for v in (row[name] for name in COLUMNS)]  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return lines
