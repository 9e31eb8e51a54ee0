"""The ``stockflow`` command."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from cli import audit, deadletters, demo, drop, hold, kpi, loads, logs, package, quarantine, stack, sweep
from cli.doctor.command import doctor
from cli.output import CommandError, errors
from cli.replay.command import replay
from stockflow.errors import StockflowError

app = typer.Typer(
    name="stockflow",
    help="Inventory files to trusted KPIs: run the stack, drop files, see what became of them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in (stack.up, stack.down, stack.status, stack.env, logs.logs, drop.drop, loads.explain,
                audit.audit, doctor, replay, sweep.sweep, demo.demo, package.package):  # fmt: skip
    app.command()(command)
app.add_typer(hold.app, name="loads")
app.add_typer(kpi.app, name="kpi")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(deadletters.app, name="deadletters")


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
    """Run the command; what a person can mend is said in one line, with exit code 1."""
    try:
        app()
    except (CommandError, StockflowError) as error:
        errors().print(f"stockflow: {error}", style="red", markup=False)
        sys.exit(1)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)


if __name__ == "__main__":
    main()
