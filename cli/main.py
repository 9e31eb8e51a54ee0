"""The ``stockflow`` command."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.lazy import Command, lazy_group
from cli.output import CommandError, errors, told
from cli.patience import Patience
from stockflow.errors import StockflowError

# name -> where it is and what --help says of it (the first line of its own help; a test compares them).
COMMANDS = {
    "up": Command("cli.stack", "up", "Start the embedded stack: emulators, the four functions, the dashboard."),
    "down": Command("cli.stack", "down", "Stop the stack and everything it started."),
    "status": Command(
        "cli.stack",
        "status",
        "Show the parts of the stack (state, address, restarts, age), results of older versions, and what is late.",
    ),
    "env": Command(
        "cli.stack",
        "env",
        "Print the variables with which any Google client, gcloud or bq talks to the stack.",
    ),
    "logs": Command(
        "cli.logs",
        "logs",
        "Print the logs of all parts in order of time; the functions' JSON is rendered as text.",
    ),
    "drop": Command("cli.drop", "drop", "Drop files into the landing bucket, as a store or an ERP job would."),
    "try": Command(
        "cli.trial.command",
        "try_",
        "Try a file: how it would be read, which lines would be refused, and why. It needs no stack and loads nothing.",
    ),
    "receipt": Command(
        "cli.receipt.command",
        "write_receipt",
        "Write the receipt of a file for its sender: a page, the same as JSON, and the refused rows as they were sent.",
    ),
    "explain": Command(
        "cli.loads",
        "explain",
        "Explain everything that happened to a file: each stage, refused lines by rule, the first of them with its "
        "reason.",
    ),
    "audit": Command(
        "cli.audit.command",
        "audit",
        "Prove promise 1: every landed file has one end state, and every row is accounted for.",
    ),
    "doctor": Command(
        "cli.doctor.command",
        "doctor",
        "Compare an environment with pipeline.yaml and the contracts.",
    ),
    "replay": Command(
        "cli.replay.command",
        "replay",
        "Run a stage again for any period, feed or load. Results that stay the same are not touched.",
    ),
    "backfill": Command(
        "cli.backfill.command",
        "backfill",
        "Run a stage again for a long period, day by day: a batch is sent when the one before it has ended.",
    ),
    "sweep": Command(
        "cli.sweep",
        "sweep",
        "Find landed objects without a load and stages that never started or are stuck, and announce them again.",
    ),
    "demo": Command(
        "cli.demo",
        "demo",
        "Start the stack unless it runs, drop six weeks of a small shop's files at once, and print the results.",
    ),
    "cost": Command(
        "cli.cost.command",
        "cost",
        "Compute what files cost a day on Google Cloud, by stage, from the schemas and statements of this checkout.",
    ),
    "simulate": Command(
        "cli.simulate.command",
        "simulate_",
        "Simulate the busiest hour of a day: seconds from landing to the KPI, and where it breaks.",
    ),
    "package": Command(
        "cli.package",
        "package",
        "Build the functions' zips and the DAGs' package: the same commit gives the same bytes, named by content.",
    ),
    "loads": Command("cli.hold", "app", "List the loads: how far each came, and whether its rows add up."),
    "kpi": Command(
        "cli.kpi.command",
        "app",
        "The KPIs: what is defined, what each says now, and the way from an idea to a published one.",
    ),
    "lineage": Command(
        "cli.lineage.command",
        "app",
        "Where numbers come from: from a KPI back to files and lines, from a file forward to KPIs.",
    ),
    "dashboard": Command(
        "cli.dashboard.command",
        "app",
        "Reports for people: a link that opens Looker Studio on the reporting views.",
    ),
    "mcp": Command(
        "cli.mcp.command",
        "mcp",
        "Serve the KPIs to an assistant: the Model Context Protocol on standard input and output. It only reads.",
    ),
    "catalog": Command(
        "cli.catalog.command",
        "app",
        "What the tables mean, for Knowledge Catalog (Dataplex): from contracts and KPI headers.",
    ),
    "access": Command(
        "cli.access.command",
        "access",
        "Print who can read what, and how personal columns look to them: in clear, as NULL, or refused.",
    ),
    "retention": Command(
        "cli.retention.command",
        "retention",
        "Print how long raw, curated, ledger and files are kept, who says so, and what ends with them.",
    ),
    "erase": Command(
        "cli.erase.command", "erase", "Find a person's data in every table and file, and erase it with --for-good."
    ),
    "quarantine": Command("cli.quarantine", "app", "Refused rows: list, show, export to be corrected, release."),
    "contract": Command("cli.contract.command", "app", "Contracts: check them, or propose one from a file."),
    "sender": Command("cli.sender", "app", "Senders: what is declared of their files, and how these were read."),
    "deadletters": Command("cli.deadletters", "app", "Events that were given up: list, show, retry, drop."),
}
app = typer.Typer(
    name="stockflow",
    cls=lazy_group(COMMANDS),
    help="Inventory files to trusted KPIs: run the stack, drop files, see what became of them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def choose(
    project: Annotated[
        str, typer.Option(help="Speak to this Google Cloud project instead of the stack of this folder.")
    ] = "",
    state: Annotated[
        Path | None, typer.Option(help="The stack's folder (.stockflow, or what STOCKFLOW_STATE names).")
    ] = None,
) -> None:
    """Inventory files to trusted KPIs: run the stack, drop files, see what became of them."""
    if state is not None:
        os.environ["STOCKFLOW_STATE"] = str(state)
    if project:
        os.environ["STOCKFLOW_CLI_PROJECT"] = project


def main() -> None:
    """Run the command; what a person can fix is said in one line, with exit code 1."""
    try:
        with Patience():
            app()
    except (CommandError, StockflowError) as error:
        errors().print(f"stockflow: {told(error)}", style="red", markup=False, soft_wrap=True)
        sys.exit(1)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)


if __name__ == "__main__":
    main()
