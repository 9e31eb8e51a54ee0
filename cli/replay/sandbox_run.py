"""Runs stages in this process, in a sandbox: no events, the same functions."""

from collections.abc import Callable, Iterable

from cli.output import CommandError
from cli.replay.choice import Chosen
from cli.replay.send import object_of
from functions.ingest.sweep import waiting
from stockflow.events import StageEvent
from stockflow.ledger import Asked
from stockflow.services import Services
from stockflow.stages import STAGES

ROUNDS = 200


def run_in_sandbox(stage: str, chosen: Iterable[Chosen], services: Services, say: Callable[[str], None]) -> None:
    """Run a stage for these loads, then whatever waits for a later stage, until nothing does.

    Raises:
        CommandError: ``ROUNDS`` rounds were not enough.
    """
    by_feed: dict[str, list[Asked]] = {}
    for c in chosen:
        by_feed.setdefault(c.feed, []).append(Asked(c.load_id, c.before["landed_on"]))
    if stage == "ingest":
        _ingest(list(chosen), services, say)
    else:
        _run(stage, by_feed, services, say)
    for _ in range(ROUNDS):
        left = waiting(services, services.clock())
        if not left:
            return
        earliest = min(left, key=lambda row: STAGES.index(row["stage"]))["stage"]
        todo: dict[str, list[Asked]] = {}
        for row in left:
            if row["stage"] == earliest:
                todo.setdefault(row["feed"], []).append(Asked(row["load_id"], row["landed_on"]))
        _run(earliest, todo, services, say)
    raise CommandError(f"replay did not finish after {ROUNDS} rounds; see `stockflow loads`")


def _ingest(chosen: list[Chosen], services: Services, say: Callable[[str], None]) -> None:
    from functions.ingest.pipeline import ingest

    for number, c in enumerate(chosen, 1):
        say(f"ingest {number} of {len(chosen)}: {c.before['object']}")
        ingest(object_of(c), services)


def _run(stage: str, by_feed: dict[str, list[Asked]], services: Services, say: Callable[[str], None]) -> None:
    for feed, loads in by_feed.items():
        say(f"{stage} of {feed}: {len(loads)} loads")
        if stage == "validate":
            _validate(feed, loads, services)
        elif stage == "transform":
            from functions.transform.drain import drain as transform

            for error in transform(feed, frozenset(loads), services).failed.values():
                raise error
    if stage == "kpi":
        from functions.kpi.drain import drain as refresh

        refresh(frozenset(load for loads in by_feed.values() for load in loads), services)


def _validate(feed: str, loads: list[Asked], services: Services) -> None:
    from functions.validate.run import validate

    for load in loads:
        validate(StageEvent("load.ingested", feed, load.load_id, landed_on=load.landed_on), services)
