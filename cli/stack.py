"""up, down, status, env: the stack of this folder."""

import shlex
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import target
from cli.output import CommandError, console, errors, print_json, print_table
from local.environment import variables
from local.state import PARTS, Stack, StackStatus, read_status, running
from stockflow.errors import StockflowError
from stockflow.settings import bundle_root

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def up(
    foreground: Annotated[bool, typer.Option("--foreground", help="Stay, and stop everything on Ctrl-C.")] = False,
    dashboard: Annotated[bool, typer.Option(help="Serve the dashboard too.")] = True,
    as_json: Json = False,
) -> None:
    """Start the embedded stack: emulators, the four functions, the dashboard.

    A stack that is already running is left as it is. Data of an earlier run is kept.

    Examples:

      stockflow up

      stockflow up --no-dashboard

      STOCKFLOW_STATE=/tmp/other stockflow up      (a second stack beside the first)
    """
    if foreground:
        _stay(dashboard)
        return
    stack = start(dashboard)
    if as_json:
        print_json({"state": "ready", "project": stack.project, "ports": stack.ports})
        return
    console().print(welcome(stack, dashboard), markup=False, soft_wrap=True)


_RUNS = {
    "storage": "Cloud Storage (fake-gcs-server): files land in the bucket {landing}",
    "pubsub": "Pub/Sub (our emulator): hands each file from stage to stage",
    "ingest": "Cloud Run function: decodes a file",
    "validate": "Cloud Run function: judges its rows",
    "transform": "Cloud Run function: merges them into the tables",
    "kpi": "Cloud Run function: computes the days touched",
    "bigquery": "BigQuery (local-bigquery): tables, views and the ledger",
    "dashboard": "the KPIs and the state of the pipeline, in a browser",
}
_FIRST = """Try first:
  stockflow demo            drop six weeks of a small shop's files, and follow them into the KPIs
  stockflow explain FILE    each stage of a file, and why a line was refused
  stockflow kpi list        what each KPI says on its newest day

`stockflow status` shows the parts again; `stockflow down` stops them and keeps the data."""


def welcome(stack: Stack, dashboard: bool) -> str:
    """Return what runs where, and the first three things to try."""
    parts = [(name, stack.url(name), what) for name, what in _RUNS.items() if dashboard or name != "dashboard"]
    lines = [f"  {name:<10} {url:<23} {what.format(landing=stack.landing)}" for name, url, what in parts]
    return "\n".join([f"ready: project {stack.project}, data and logs in {stack.folder}/", *lines, "", _FIRST])


def start(dashboard: bool) -> Stack:
    """Start the stack of the state folder, showing progress, and return it when it is healthy.

    Raises:
        CommandError: which part did not come up, and why; or what contradicts itself: nothing is deleted then.
    """
    from cli.retention.needs import refuse_contradictions
    from local import control
    from local.supervisor import StackError

    refuse_contradictions(bundle_root())
    with errors().status("starting") as spinner:
        try:
            return control.up(target.folder(), dashboard, lambda s: spinner.update(_progress(s)))
        except StackError as error:
            raise CommandError(str(error)) from error


def _stay(dashboard: bool) -> None:
    import signal

    from cli.retention.needs import refuse_contradictions
    from local.state import open_stack
    from local.supervisor import Supervisor

    if running(target.folder()):
        raise CommandError("a stack is already running in this folder: `stockflow down` stops it")
    refuse_contradictions(bundle_root())
    supervisor = Supervisor(open_stack(target.folder()), dashboard)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: supervisor.stop.set())
    errors().print("starting; Ctrl-C stops everything")
    raise typer.Exit(supervisor.run())


def _progress(status: StackStatus) -> str:
    healthy = [p.name for p in status.parts if p.state == "healthy"]
    waiting = [p.name for p in status.parts if p.state != "healthy"]
    return f"{len(healthy)} of {len(PARTS)} parts healthy; waiting for {', '.join(waiting) or 'tables and views'}"


def down(
    purge: Annotated[bool, typer.Option("--purge", help="Also delete the stack's data and logs.")] = False,
    as_json: Json = False,
) -> None:
    """Stop the stack and everything it started.

    Examples:

      stockflow down

      stockflow down --purge
    """
    from local import control

    stopped = control.down(target.folder())
    if purge:
        _purge(target.folder())
    if as_json:
        print_json({"stopped": stopped, "purged": purge})
    else:
        console().print("stopped" if stopped else "nothing was running")


def _purge(folder: Path) -> None:
    import shutil

    for name in ("logs", "gcs", "bigquery", "pubsub", "home", "gcloud", "cache"):
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in ("stack.json", "status.json", "provisioned"):
        (folder / name).unlink(missing_ok=True)


def _stale() -> list[dict[str, Any]] | None:
    """Return what older versions made; None when the warehouse does not answer."""
    from cli.stale import stale

    try:
        return stale(target.services())
    except StockflowError:
        return None


def _tell_stale(old: list[dict[str, Any]] | None) -> None:
    from cli.stale import COLUMNS

    if old:
        print_table(old, COLUMNS, "\nMade by an older contract, SQL or code")
        console().print("`stockflow replay --stage STAGE --stale` computes them again")


def _late() -> list[dict[str, Any]] | None:
    """Return the senders whose file is missing; None when the warehouse does not answer, or a profile is wrong."""
    from dataclasses import asdict

    from functions.ingest.expected import expected

    try:
        return [asdict(e) for e in expected(target.services()) if e.hours_late]
    except StockflowError:
        return None


def _tell_late(late: list[dict[str, Any]] | None) -> None:
    if late:
        print_table(
            late, ["sender", "feed", "due_at", "newest", "hours_late"], "\nFiles that did not come on their day"
        )


def _wrong_profiles() -> list[str]:
    """Return what is wrong with senders' profiles, and what that stops."""
    from cli.doctor.profiles import wrong

    return wrong(target.services().settings.contracts_dir)


def _tell_wrong(wrong: list[str]) -> None:
    for told in wrong:
        console().print(f"\n{told}", style="yellow", markup=False)


def status(as_json: Json = False) -> None:
    """Show the parts of the stack (state, address, restarts, age), results of older versions, and what is late.

    Exit code 0 when all parts are healthy. With --project, of a project in the cloud, only the last two.

    Examples:

      stockflow status

      stockflow status --json
    """
    if target.in_the_cloud():
        old, late, wrong = _stale(), _late(), _wrong_profiles()
        if as_json:
            print_json({"stale": old, "late": late, "wrong_profiles": wrong})
            return
        _tell_stale(old)
        _tell_late(late)
        _tell_wrong(wrong)
        return
    folder = target.folder()
    found = read_status(folder)
    if found is None or not running(folder):
        raise CommandError(f"no stack is running in {folder}/: start one with `stockflow up`")
    now = time.time()
    rows = [
        {"part": p.name, "state": p.state, "address": f"127.0.0.1:{p.port}", "restarts": p.restarts,
         "up_seconds": round(now - p.since), "message": p.message}
        for p in found.parts
    ]  # fmt: skip
    old, late = (_stale(), _late()) if found.state == "ready" else (None, None)
    wrong = _wrong_profiles()
    if as_json:
        print_json({"state": found.state, "parts": rows, "stale": old, "late": late, "wrong_profiles": wrong})
    else:
        print_table(rows, ["part", "state", "address", "restarts", "up_seconds", "message"])
        _tell_stale(old)
        _tell_late(late)
        _tell_wrong(wrong)
    if found.state != "ready" or any(p.state != "healthy" for p in found.parts):
        raise typer.Exit(1)


def env(as_json: Json = False) -> None:
    """Print the variables with which any Google client, gcloud or bq talks to the stack.

    Examples:

      eval "$(stockflow env)"

      eval "$(stockflow env)"; gcloud storage cp sales.csv "gs://$STOCKFLOW_LANDING_BUCKET/sales/"
    """
    values = variables(target.stack())
    if as_json:
        print_json(values)
        return
    for name, value in values.items():
        print(f"export {name}={shlex.quote(value)}")
