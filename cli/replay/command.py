"""replay: the command."""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import typer

from cli import target
from cli.output import CommandError, console, print_json, print_table
from cli.replay.choice import EARLIEST, LATEST, Choice, Chosen, choose, moment, with_raw
from cli.replay.follow import follow, repeats, row_counts
from cli.replay.send import is_seekable, publish_again, seek
from cli.stack import Json
from cli.stale import versions_of
from stockflow.services import Services
from stockflow.stages import STAGES

Stage = Literal["ingest", "validate", "transform", "kpi"]
# BigQuery jobs of one load, or of one drain of a feed, as tests/integration/test_replay_jobs.py counts them.
JOBS_A_LOAD = {"ingest": 2, "validate": 2, "transform": 0, "kpi": 0}
JOBS_A_DRAIN = {"transform": 3, "kpi": 4}
DRAIN_LOADS = 500


@dataclass(frozen=True)
class Plan:
    """What a replay would do."""

    choice: Choice
    chosen: list[Chosen]
    by_seek: bool
    repeats: frozenset[str]
    jobs: int
    without_raw: int = 0

    def summary(self) -> dict[str, Any]:
        """Return it as people and programs read it."""
        return {
            "stage": self.choice.stage,
            "loads": len(self.chosen),
            "rows": sum(c.before["rows"] or 0 for c in self.chosen),
            "feeds": dict(sorted(Counter(c.feed for c in self.chosen).items())),
            "by": "seek" if self.by_seek else "publishing the recorded events again",
            "just_done": len(self.repeats),
            "without_raw": self.without_raw,
            "bigquery_jobs_at_most": self.jobs,
        }


def replay(
    stage: Annotated[
        Stage, typer.Option(help="The stage to start with; all later stages follow automatically.")
    ] = "ingest",
    feed: Annotated[list[str] | None, typer.Option(help="Only this feed (may be repeated).")] = None,
    first: Annotated[str, typer.Option("--from", help="A date or time (UTC unless it says otherwise).")] = "",
    last: Annotated[str, typer.Option("--to", help="A date (to its end) or time, inclusive.")] = "",
    by: Annotated[
        Literal["landing", "business"], typer.Option(help="What --from and --to mean: when a file landed, or its rows.")
    ] = "landing",
    load: Annotated[list[str] | None, typer.Option(help="Only this load, or its beginning (may be repeated).")] = None,
    stale: Annotated[bool, typer.Option("--stale", help="Only what an older contract, SQL or code made.")] = False,
    failed: Annotated[bool, typer.Option("--failed", help="Only what this stage refused or never finished.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would run, and stop.")] = False,
    diff: Annotated[
        bool, typer.Option("--diff", help="Run it in a sandbox, beside the live tables, and report what would change.")
    ] = False,
    promote: Annotated[
        bool, typer.Option("--promote", help="With --diff: put the result in place in one step.")
    ] = False,
    wait: Annotated[bool, typer.Option(help="Follow the loads until the KPIs hold them.")] = True,
    timeout: Annotated[int, typer.Option(help="Longest time to wait, in seconds.")] = 900,
    as_json: Json = False,
) -> None:
    """Run a stage again for any period, feed or load. Results that stay the same are not touched.

    Exit code 1 when not every load was processed in time.

    Examples:

      stockflow replay --stage transform

      stockflow replay --stage validate --feed sales --from 2026-10-01 --to 2026-10-31 --by business

      stockflow replay --stage transform --stale --dry-run

      stockflow replay --stage transform --feed sales --diff
    """
    services = target.services()
    choice = Choice(
        stage, tuple(feed or ()), tuple(load or ()), moment(first) if first else EARLIEST,
        moment(last, end=True) if last else LATEST, by, stale, failed,
    )  # fmt: skip
    if promote and not diff:
        raise CommandError("--promote needs --diff: use both")
    if diff:
        from cli.replay.diff import diff_command

        diff_command(choice, promote, services, as_json)
        return
    run(plan_of(choice, services), services, timeout if wait else 0, as_json, dry_run)


def plan_of(choice: Choice, services: Services) -> Plan:
    """Return what a replay of that choice would do."""
    found = choose(choice, services)
    chosen = with_raw(choice.stage, found, services)
    return Plan(
        choice,
        chosen,
        is_seekable(choice, chosen, services),
        repeats(choice, chosen, versions_of(choice.stage, services), services),
        estimated_jobs(choice.stage, Counter(c.feed for c in chosen), services),
        len(found) - len(chosen),
    )


def estimated_jobs(stage: str, feeds: Mapping[str, int], services: Services) -> int:
    """Return how many BigQuery jobs a replay costs at most, all later stages included, if drains are full."""
    from functions.kpi.catalog import read_catalog

    if not feeds:
        return 0
    following = STAGES[STAGES.index(stage) :]
    loads, drains = sum(feeds.values()), sum(-(-n // DRAIN_LOADS) for n in feeds.values())
    kpis = len(read_catalog(services.settings.definitions_uri, services).definitions)
    per_load = sum(JOBS_A_LOAD[s] for s in following) * loads
    transforms = JOBS_A_DRAIN["transform"] * drains if "transform" in following else 0
    return per_load + transforms + (JOBS_A_DRAIN["kpi"] + kpis) * len(feeds)


def _tell(plan: Plan) -> None:
    s, out = plan.summary(), console()
    if plan.without_raw:
        out.print(
            f"{plan.without_raw} loads stay as they are: their raw rows have ended (`stockflow retention`); to state "
            "them again, drop the files again"
        )
    if not plan.chosen:
        out.print("no load matches: nothing to replay" if not plan.without_raw else "nothing to replay")
        return
    feeds = ", ".join(f"{feed} {count}" for feed, count in s["feeds"].items())
    out.print(f"{s['stage']} of {s['loads']} loads ({feeds}), {s['rows']:,} rows, by {s['by']}")
    out.print(f"at most {s['bigquery_jobs_at_most']} BigQuery jobs, later stages included")
    if s["just_done"]:
        out.print(f"{s['just_done']} of them ended minutes ago at this version: the functions skip those")


def run(plan: Plan, services: Services, timeout: float, as_json: bool, dry_run: bool = False) -> None:
    """Send a replay on its way and follow it for ``timeout`` seconds (0: not at all); say what came of it.

    Raises:
        typer.Exit: with code 1, when not every load was processed in time.
    """
    if dry_run or not plan.chosen:
        print_json(plan.summary()) if as_json else _tell(plan)
        return
    began, choice = time.monotonic(), plan.choice
    if not as_json:
        _tell(plan)
    marks = {c.load_id: _mark(c, plan.repeats) for c in plan.chosen}
    if plan.by_seek:
        seek(choice, services)
    else:
        publish_again(choice.stage, plan.chosen, services)
    if not timeout:
        print_json(plan.summary()) if as_json else console().print("sent: `stockflow loads` shows the progress")
        return
    settled, records = follow(choice.stage, marks, services, timeout)
    was = row_counts(c.done for c in plan.chosen)
    now = row_counts(records.get(c.load_id, {}).get(choice.stage) for c in plan.chosen)
    rows = [{"": "before", **was}, {"": "now", **now}]
    seconds = round(time.monotonic() - began, 1)
    if as_json:
        print_json({**plan.summary(), "settled": len(settled), "before": was, "now": now, "seconds": seconds})
    else:
        print_table(rows, ["", "loads", "rows", "refused"])
        console().print(f"{len(settled)} of {len(marks)} loads processed in {seconds:g} s")
    if len(settled) < len(marks):
        raise typer.Exit(1)


def _mark(chosen: Chosen, repeated: frozenset[str]) -> str | None:
    if chosen.done is None or chosen.load_id in repeated:
        return None
    return str(chosen.done["record_id"])
