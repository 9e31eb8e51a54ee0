"""The audit command: which promises are checked, in which order, and how the outcome is said."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated

import typer

from cli import target
from cli.audit import counts
from cli.audit.counts import Break
from cli.audit.letters import dead_letters
from cli.output import console, print_json, print_table
from cli.stack import Json
from stockflow.services import Services


def check(services: Services, deep: bool = False) -> list[Break]:
    """Return one break per promise that does not hold; ``deep`` reads files and contents again."""
    return list(_checks(services, deep))


def _checks(services: Services, deep: bool) -> Iterator[Break]:
    ledger, objects = counts.records(services), counts.landed(services)
    yield from counts.breaks(ledger, objects, services)
    yield from dead_letters(ledger, services)
    if deep:
        from cli.audit import again, statements
        from cli.audit import deep as thorough

        yield from thorough.files(objects, ledger, services)
        yield from thorough.contents(ledger, services)
        yield from statements.current_rows(services)
        yield from again.kpis(services)


def audit(
    deep: Annotated[
        bool, typer.Option("--deep", help="Read the files again, compare contents row by row, recompute KPIs.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Prove promise 1: every landed file has one end state, and every row is accounted for.

    Exit code 1 when it does not hold; each line names the load.

    Examples:

      stockflow audit

      stockflow audit --deep

      stockflow audit --json
    """
    services = target.services()
    broken = check(services, deep)
    states = Counter(r["end_state"] for r in services.warehouse.query(counts._LOADS))
    if as_json:
        print_json({"holds": not broken, "loads": dict(states), "broken": [asdict(b) for b in broken]})
    elif broken:
        print_table([asdict(b) for b in broken], ["load_id", "expected", "found"], "Broken")
    else:
        ended = ", ".join(f"{count} {state}" for state, count in sorted(states.items(), key=str))
        console().print(f"holds: {sum(states.values())} loads ({ended}), every row accounted for")
    if broken:
        raise typer.Exit(1)
