"""demo: the whole path in one command, on the sample shop's files."""

import os
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from textwrap import shorten
from typing import Annotated, Any

import typer
import yaml

from cli import drop, stack, target, wording
from cli.audit.command import check
from cli.kpi.catalogue import sentence
from cli.loads import COLUMNS
from cli.output import CommandError, console, errors, print_table
from cli.reconciliation import with_superseded
from functions.kpi.definition import Definition
from functions.kpi.headline import Headline, headlines
from functions.kpi.state import read_state
from local import control
from local.environment import variables
from stockflow.services import Services
from stockflow.settings import bundle_root

_REFUSED = """
SELECT l.object, q.line, q.column_name, q.value, q.message
FROM inventory_ops.quarantine AS q
JOIN inventory_ops.loads AS l ON l.load_id = q.load_id
ORDER BY l.object, q.line
"""
_REJECTED = """
SELECT l.object, r.line, r.code, r.message, r.original_text
FROM inventory_ops.rejects AS r
JOIN inventory_ops.loads AS l ON l.load_id = r.load_id
ORDER BY l.object, r.line
"""
_WITHOUT_ROWS = ("rejected", "ignored", "duplicate_content")


def demo(
    samples: Annotated[Path, typer.Option(help="Folder of the files to drop.", exists=True)] = Path("samples"),
    dashboard: Annotated[bool, typer.Option(help="Serve the dashboard too.")] = True,
    leave: Annotated[
        bool, typer.Option("--exit", envvar="DEMO_EXIT", help="Stop everything after printing (or DEMO_EXIT=1).")
    ] = False,
    timeout: Annotated[int, typer.Option(help="Longest time to wait for the files, in seconds.")] = 600,
) -> None:
    """Start the stack unless it runs, drop six weeks of a small shop's files at once, and print the results.

    Some of the files are damaged on purpose; it says which, and what became of them.

    Exit code 1 when a file was not processed, a KPI has no figure, or a row is unaccounted for.

    Examples:

      stockflow demo

      DEMO_EXIT=1 stockflow demo --no-dashboard
    """
    began = time.monotonic()
    running = stack.start(dashboard)
    os.environ.update(variables(running))
    try:
        services = Services.from_env()
        _clock(began, "the stack is up")
        good = _run(services, samples, timeout, began)
        if not leave:
            _farewell(running.url("dashboard") if dashboard else None)
    finally:
        if leave:
            control.down(target.folder())
    raise typer.Exit(0 if good else 1)


def _run(services: Services, samples: Path, timeout: int, began: float) -> bool:
    paths = planned(samples)
    dropped = [drop.upload(services, path, f"{path.parent.name}/{path.name}") for path in paths]
    _clock(began, f"{len(dropped)} files dropped, all at once")
    rows = drop.follow(services, [row["load_id"] for row in dropped], timeout)
    settled = sum(drop.is_settled(r) for r in rows)
    _clock(began, f"{settled} of {len(dropped)} files processed")
    rows = with_superseded(services, rows)
    print_table(rows, [c for c in COLUMNS if c != "load_id"], "\nThe files")
    _refusals(services, rows)
    counted = headlines(services)
    _headlines(counted)
    broken = [asdict(b) for b in check(services)]
    _reconciliation(rows, broken)
    state = read_state(services)
    return settled == len(dropped) and not broken and all(state.stands(definition) for definition, _ in counted)


def planned(samples: Path) -> list[Path]:
    """Return the sample files in the order that ``expected.yaml`` documents, or by name without it.

    Raises:
        CommandError: when there is none.
    """
    plan = samples / "expected.yaml"
    if plan.exists():
        return [samples / entry["path"] for entry in yaml.safe_load(plan.read_text())["files"]]
    found = sorted(p for p in samples.glob("*/*") if p.is_file())
    if not found:
        raise CommandError(f"{samples}/ holds no files to drop: {bundle_root()}/samples does")
    return found


def _clock(began: float, what: str) -> None:
    errors().print(f"{time.monotonic() - began:5.1f} s  {what}")


def _refusals(services: Services, rows: list[dict[str, Any]]) -> None:
    whole = [{**r, "message": _short(r["message"])} for r in rows if r["end_state"] in _WITHOUT_ROWS]
    print_table(whole, ["object", "end_state", "reason_code", "message"], "\nFiles that were not loaded")
    rejected = [{**r, "original_text": _short(r["original_text"])} for r in services.warehouse.query(_REJECTED)]
    print_table(rejected, ["object", "line", "code", "message", "original_text"], "\nLines that could not be read")
    refused = services.warehouse.query(_REFUSED)
    print_table(refused, ["object", "line", "column_name", "value", "message"], "\nRows in quarantine")


def _short(text: str | None) -> str:
    """Return the beginning of a message: `stockflow explain` has all of it."""
    return shorten(text or "", 160, placeholder=" ...")


def _headlines(counted: list[tuple[Definition, Headline]]) -> None:
    out = console()
    out.print("\n[bold]The KPIs[/]")
    for definition, line in counted:
        shown = wording.figure(line.value, definition.unit) if line.value is not None else wording.reason(line.reason)
        out.print(f"\n[bold]{definition.title}[/]: [bold cyan]{shown}[/]" + (f" on {line.day}" if line.day else ""))
        out.print(f"  {sentence(definition, line)}", markup=False)


def _reconciliation(rows: list[dict[str, Any]], broken: list[dict[str, Any]]) -> None:
    if broken:
        print_table(broken, ["load_id", "expected", "found"], "\nThe counts do not reconcile")
        return
    ended = ", ".join(f"{n} {state}" for state, n in sorted(Counter(r["end_state"] for r in rows).items()))
    total = {name: sum(r[name] or 0 for r in rows) for name in ("lines", "rows", "rejects")}
    console().print(
        f"\nThe counts reconcile: {ended}; {total['lines']:,} lines = {total['rows']:,} rows"
        f" + {total['rejects']} rejects, and every row is in the KPIs' tables, superseded or in quarantine."
    )


def _farewell(dashboard: str | None) -> None:
    out = console()
    if dashboard:
        out.print(f"\nDashboard: [bold]{dashboard}[/]")
    out.print("Everything still runs: `stockflow drop FILE --wait` drops a file of yours, `stockflow down` stops it.")
