"""retention: how long raw, curated, ledger and files are kept, who says so, and what their end ends."""

from dataclasses import asdict

import typer

from cli.output import console, print_json, print_table
from cli.retention.needs import contradictions_of
from cli.stack import Json
from stockflow.contracts import load_contracts
from stockflow.retention import kept_of
from stockflow.schema import pipeline
from stockflow.settings import bundle_root

# kind -> what nobody can do any more when it ends
ENDS = {
    "landing": "ingest is not replayed; `erase` and refused rows no longer read the file",
    "staging": "validate reads raw instead; receipts and reports are gone",
    "raw": "validate and transform are not replayed: the load stays in curated as it is",
    "curated": "KPIs of these months are removed when they are next computed",
    "quarantine": "refused rows are not listed, exported or released",
    "rejects": "unreadable lines are not listed or exported",
    "ledger": "the load is forgotten: no explain, audit, lineage or replay",
}


def retention(as_json: Json = False) -> None:
    """Print how long raw, curated, ledger and files are kept, who says so, and what ends with them.

    The numbers are those of this checkout: `retention` in pipeline.yaml, and keepFilesDays, keepRawDays and
    keepCuratedDays of the contracts. Terraform applies them in the cloud, `stockflow up` on a laptop. Exit code 1 when
    they contradict each other: something would end before what needs it. Terraform and `stockflow up` refuse them then.

    Examples:

      stockflow retention

      stockflow retention --json
    """
    days, contracts = pipeline()["retention"], load_contracts(bundle_root() / "contracts")
    rows = [
        {
            "kind": kind,
            "where": "all that says nothing else",
            "days": number,
            "said_by": f"pipeline.yaml, retention.{kind}",
        }
        for kind, number in days.items()
    ]
    rows += [asdict(kept) for contract in contracts.values() for kept in kept_of(days, contract)]
    wrong = contradictions_of(bundle_root())
    if as_json:
        print_json({"kept": [{**row, "ends": ENDS.get(row["kind"], "")} for row in rows], "faults": wrong})
    else:
        print_table([{**row, "days": row["days"] or "no limit"} for row in rows], ["kind", "where", "days", "said_by"])
        print_table(
            [{"kind": kind, "ends": what} for kind, what in ENDS.items()], ["kind", "ends"], "\nWhat its end ends"
        )
        for fault in wrong:
            console().print(fault, markup=False, soft_wrap=True)
    if wrong:
        raise typer.Exit(1)
