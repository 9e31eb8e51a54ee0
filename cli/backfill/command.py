"""backfill: the command. What it does is in ``steps``; the same code runs in Airflow (``composer/``)."""

import time
from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Literal

import typer

from cli import target
from cli.backfill import cells
from cli.backfill.order import BATCH, IN_FLIGHT, TIMEOUT, Order, Position, order_of
from cli.backfill.report import report
from cli.backfill.steps import World, step
from cli.backfill.world import Environment, days_of
from cli.output import console, errors, print_json, print_table, progress
from cli.replay.command import Stage, estimated_jobs
from cli.stack import Json
from stockflow.identity import new_run_id
from stockflow.services import Services
from stockflow.waiting import polite_pause

Days = list[dict[str, Any]]


def backfill(
    stage: Annotated[
        Stage, typer.Option(help="The stage to start with; all later stages follow automatically.")
    ] = "transform",
    feed: Annotated[list[str] | None, typer.Option(help="Only this feed (may be repeated).")] = None,
    first: Annotated[str, typer.Option("--from", help="A date or time (UTC unless it says otherwise).")] = "",
    last: Annotated[str, typer.Option("--to", help="A date (to its end) or time, inclusive.")] = "",
    by: Annotated[
        Literal["landing", "business"], typer.Option(help="What --from and --to mean: when a file landed, or its rows.")
    ] = "landing",
    batch: Annotated[int, typer.Option(help="Loads that are sent at once, of one landing day.")] = BATCH,
    in_flight: Annotated[int, typer.Option(help="Batches that may be on their way at once.")] = IN_FLIGHT,
    timeout: Annotated[int, typer.Option(help="Seconds until a batch that has not ended stops it.")] = TIMEOUT,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would run, day by day, and stop.")] = False,
    diff: Annotated[bool, typer.Option(help="Report at the end which KPI cells changed.")] = True,
    as_json: Json = False,
) -> None:
    """Run a stage again for a long period, day by day: a batch is sent when the one before it has ended.

    It can be stopped and started again at any time: results that stay the same are not touched, and what ended less
    than 15 minutes ago is left as it is, and so are loads whose raw rows have ended. Exit code 1 when a load failed or
    a batch did not end in time; the report says how to run those days alone.

    Examples:

      stockflow backfill --from 2026-01-01 --to 2026-03-31 --dry-run

      stockflow backfill --feed sales --from 2026-09-01 --to 2026-09-30 --by business --batch 500

      stockflow backfill --stage validate --from 2026-09-02 --to 2026-09-02 --no-diff
    """
    asked = {"stage": stage, "feeds": feed, "from": first, "to": last, "by": by, "batch": batch,
             "in_flight": in_flight, "timeout": timeout}  # fmt: skip
    order, services = order_of(asked), target.services()
    world = Environment(services)
    days = world.days(order)
    if dry_run or not days:
        _tell_plan(order, days, services, as_json)
        return
    told = _run(order, days, services, diff)
    print_json(told) if as_json else _tell(told, services.settings.replay_window_seconds)
    if told["failed_days"] or told["stopped"]:
        raise typer.Exit(1)


def _run(order: Order, days: Days, services: Services, diff: bool) -> dict[str, Any]:
    name = new_run_id()[:8]
    try:
        if diff:
            with errors().status("keeping the KPIs as they are"):
                cells.keep(services, name)
        with progress() as bar:
            matching = sum(d["loads"] for d in days)
            task = bar.add_task("loads replayed", total=matching)
            ended = run(order, days_of(days), Environment(services), lambda p: bar.update(task, completed=p.loads))
        told = report(order, ended, cells.changed(services, name) if diff else None)
        return told | {"left_as_they_are": 0 if ended.stopped else max(0, matching - ended.loads)}
    finally:
        if diff:
            cells.forget(services, name)


def run(
    order: Order,
    days: tuple[date, ...],
    world: World,
    say: Callable[[Position], None],
    wait: Callable[[float], None] = time.sleep,
) -> Position:
    """Take steps until nothing is left, telling each position; ``wait`` gets the seconds between two steps."""
    position = Position(world.now(), days)
    while True:
        began = time.monotonic()
        position = step(order, position, world)
        say(position)
        if position.finished:
            return position
        wait(polite_pause(time.monotonic() - began))


def _tell_plan(order: Order, days: Days, services: Services, as_json: bool) -> None:
    feeds: Counter[str] = Counter()
    for row in days:
        feeds[row["feed"]] += row["loads"]
    by_day = Counter[date]()
    for row in days:
        by_day[row["landed_on"]] += row["loads"]
    batches = sum(-(-loads // order.batch) for loads in by_day.values())
    jobs = estimated_jobs(order.stage, feeds, services)
    if as_json:
        plan = {"stage": order.stage, "loads": feeds.total(), "batches": batches, "bigquery_jobs_at_most": jobs}
        print_json({**plan, "days": days})
    elif not days:
        console().print("no load matches: nothing to run again")
    else:
        print_table(days, ["landed_on", "feed", "loads", "rows"])
        console().print(
            f"{order.stage} of {feeds.total()} loads in {batches} batches, {order.in_flight} on their way at once; "
            f"at most {jobs} BigQuery jobs, later stages included"
        )


def _tell(told: dict[str, Any], window_seconds: int) -> None:
    out = console()
    if told["days"]:
        states = sorted({name for day in told["days"] for name in day} - {"day"})
        print_table(told["days"], ["day", *states])
    if told["kpis"]:
        print_table(told["kpis"], ["kpi", "added", "removed", "changed", "by", "dates"])
    changed = told["kpi_cells_changed"]
    out.print(
        f"{told['loads']} loads ended; " + ("KPIs not compared" if changed is None else f"{changed} KPI cells changed")
    )
    if left := told["left_as_they_are"]:
        out.print(
            f"{left} loads were left as they are: they ended less than {window_seconds / 60:g} minutes ago, or their "
            "raw rows have ended (`stockflow retention`)"
        )
    if told["stopped"]:
        out.print(f"stopped: {told['stopped']}")
    for command in told["run_again"]:
        out.print(f"run again: {command}")
