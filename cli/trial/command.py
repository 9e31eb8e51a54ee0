"""try: how a file would be read, and what would be refused."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.drop import guess_feed
from cli.output import print_json
from cli.stack import Json
from stockflow.contracts import load_contracts
from stockflow.senders import load_senders
from stockflow.settings import bundle_root

if TYPE_CHECKING:
    from cli.trial.read import Trial


def try_(
    file: Annotated[Path, typer.Argument(help="The file to look at.", exists=True, dir_okay=False)],
    feed: Annotated[str, typer.Option(help="The feed; guessed from the folder or the file's name if left out.")] = "",
    sender: Annotated[str, typer.Option(help="As a file of this sender: what its profile declares holds.")] = "",
    as_json: Json = False,
) -> None:
    """Try a file: how it would be read, which lines would be refused, and why. It needs no stack and loads nothing.

    Exit code 1 when the file would be rejected, held or ignored. What only the warehouse knows (earlier files of the
    sender; whether products, locations, units and exchange rates exist) is checked when the file is dropped.

    Examples:

      stockflow try samples/sales/sales_2026-W36.csv

      stockflow try export.xlsx --feed stock_snapshots

      stockflow try my.csv --feed sales --json

      stockflow try my.csv --feed sales --sender acme
    """
    trial = trial_of(file, feed, sender)
    if as_json:
        print_json({**asdict(trial), "passes": trial.passes})
    else:
        from cli.trial.tell import tell

        tell(trial)
    if not trial.passes:
        raise typer.Exit(1)


def trial_of(file: Path, feed: str, sender: str = "") -> "Trial":
    """Return what would become of a file that is dropped now.

    Raises:
        CommandError: when nothing says which feed it is.
    """
    from cli.trial.read import try_file  # pandas and Arrow: half a second that other commands need not wait

    contracts = load_contracts(bundle_root() / "contracts")
    folder = f"{sender}/" if sender else ""
    name = f"{feed or guess_feed(file, contracts)}/{folder}{file.name}"
    return try_file(file, name, contracts, datetime.now(UTC), load_senders(bundle_root() / "contracts"))
