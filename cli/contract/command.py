"""contract check and new."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from cli.output import CommandError, console, print_json
from cli.stack import Json
from stockflow.contracts import load_contracts
from stockflow.settings import bundle_root

app = typer.Typer(no_args_is_help=True, help="Contracts: check them, or propose one from a file.")


@app.command()
def check(
    file: Annotated[Path | None, typer.Argument(help="A contract; all of them if left out.", dir_okay=False)] = None,
    as_json: Json = False,
) -> None:
    """Check contracts: unknown keys and words, columns that are not there, headers that mean two columns.

    Each fault is reported with file, line and the nearest known key. Of all contracts together: whether what they and
    pipeline.yaml keep contradicts itself (`stockflow retention`). Exit code 1 when there is a fault.

    Examples:

      stockflow contract check

      stockflow contract check contracts/sales.yaml
    """
    from cli.contract.check import check_file
    from cli.retention.needs import kept_faults

    if file is not None and not file.is_file():
        raise CommandError(
            f"{file} is not there: expected the path of a contract such as contracts/sales.yaml; "
            "`stockflow contract new --from FILE` proposes one"
        )
    paths = [file] if file else sorted((bundle_root() / "contracts").glob("*.yaml"))
    faults = [fault for path in paths for fault in check_file(path)]
    faults += kept_faults(bundle_root()) if file is None and not faults else []
    if as_json:
        print_json([asdict(f) for f in faults])
    for fault in () if as_json else faults:
        console().print(f"{fault.file}:{fault.line}: {fault.message}", markup=False, soft_wrap=True)
    if faults:
        raise typer.Exit(1)
    if not as_json:
        console().print(f"{len(paths)} contracts, nothing wrong" if len(paths) > 1 else f"{paths[0]}: nothing wrong")


@app.command()
def new(
    source: Annotated[Path, typer.Option("--from", help="A file of the new feed.", exists=True, dir_okay=False)],
    feed: Annotated[str, typer.Option(help="Name of the feed; made from the file's name if left out.")] = "",
    to: Annotated[Path | None, typer.Option(help="Write it there, such as contracts/; printed if left out.")] = None,
    as_json: Json = False,
) -> None:
    """Propose a contract from a file: names, types, key and dates, each guess with its reason.

    Names and descriptions of columns that other feeds know are taken over.

    Examples:

      stockflow contract new --from prices.csv --feed price_changes

      stockflow contract new --from prices.csv --feed price_changes --to contracts/
    """
    from cli.contract.propose import propose

    proposal = propose(source, feed or _feed(source), load_contracts(bundle_root() / "contracts"))
    if as_json:
        print_json({"feed": proposal.feed, "guesses": proposal.guesses, "contract": proposal.document})
        return
    if to is None:
        print(proposal.text(), end="")
        return
    path = to / f"{proposal.feed}.yaml" if to.is_dir() else to
    if path.exists():
        raise CommandError(
            f"{path} already exists, and a proposal does not replace a contract", f"`stockflow contract check {path}`"
        )
    path.write_text(proposal.text(), encoding="utf-8")
    console().print(f"wrote {path}: review its guesses, then `stockflow contract check {path}`", markup=False)


def _feed(source: Path) -> str:
    from cli.contract.propose import name_of

    return name_of(source.name.partition(".")[0])
