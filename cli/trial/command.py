"""try: how a file would be read, and what would be refused."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.drop import guess_feed
from cli.output import CommandError, print_json
from cli.stack import Json
from stockflow.contracts import load_contracts
from stockflow.senders import load_senders
from stockflow.settings import bundle_root

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cli.trial.read import Trial
    from stockflow.contracts import Contract


def try_(
    file: Annotated[Path, typer.Argument(help="The file to look at.", exists=True, dir_okay=False)],
    feed: Annotated[str, typer.Option(help="The feed; guessed from folder, name or headers if left out.")] = "",
    sender: Annotated[str, typer.Option(help="As a file of this sender: what its profile declares holds.")] = "",
    as_json: Json = False,
) -> None:
    """Try a file: how it would be read, which lines would be refused, and why. It needs no stack and loads nothing.

    Exit code 1 when the file would be rejected, held or ignored. What only the warehouse knows (earlier files of the
    sender; whether products, locations, units and exchange rates exist) is checked when the file is dropped.

    Examples:

      stockflow try samples/sales/sales_2026-W36.csv

      stockflow try export.xlsx --feed stock_snapshots

      stockflow try my.csv

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
    feed, why = (feed, "") if feed else _guessed(file, contracts)
    senders = load_senders(bundle_root() / "contracts")
    trial = try_file(file, f"{feed}/{folder}{file.name}", contracts, datetime.now(UTC), senders)
    trial.guessed = why or None
    return trial


def _guessed(file: Path, contracts: "Mapping[str, Contract]") -> tuple[str, str]:
    """Return the feed that the folder or the name says, else that the headers say, and why."""
    try:
        return guess_feed(file, contracts), ""
    except CommandError:
        from cli.trial.guess import feed_by_headers

        return feed_by_headers(file, contracts)
