"""loads release, reject, retry, give-up: what only a person can decide about a load."""

from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any

import typer

from cli import target
from cli.attempts import open_attempts
from cli.loads import find_loads, list_loads, pick
from cli.output import CommandError, console, errors, print_json
from cli.stack import Json
from functions.validate.outcome import Outcome
from functions.validate.publish import publish
from stockflow.events import ObjectRef, StageEvent, announcement, encode
from stockflow.identity import new_run_id
from stockflow.ledger import VISIBLE_SECONDS, StageRecord, next_record
from stockflow.services import Services
from stockflow.waiting import wait_until

app = typer.Typer()
DECIDE_TIMES = 5
ATTEMPT_SECONDS = 540  # no call lives longer
What = Annotated[str, typer.Argument(help="A load id, an object, or the name of a file that was dropped.")]
Stages = dict[str, StageRecord]


def release(what: What, as_json: Json = False) -> None:
    """Let a held load through: its good rows go on to curated and the KPIs, its refused rows stay in quarantine.

    A file that was rejected next to the one before it (far fewer rows or locations) can be released, too.

    Examples:

      stockflow loads release sales_2026-W36.csv
    """
    services = target.services()
    load, stages = _known(services, what)
    judged = _judged(stages, load, "released")
    _decide(judged, Outcome("validated"), stages, services)
    _say(load, "released", f"{judged.rows or 0:,} rows go on", as_json)


def reject(
    what: What,
    reason: Annotated[str, typer.Option("--reason", help="Why, for whoever asks later.")],
    as_json: Json = False,
) -> None:
    """Reject a held load for good: none of its rows count.

    Examples:

      stockflow loads reject sales_2026-W36.csv --reason "sent by mistake"
    """
    services = target.services()
    load, stages = _known(services, what)
    _decide(_judged(stages, load, "rejected"), Outcome("rejected", "rejected_by_a_person", reason), stages, services)
    _say(load, "rejected", "nothing of the file counts", as_json)


def retry(what: What, as_json: Json = False) -> None:
    """Try a load again that was parked after many failed attempts: its file is announced once more.

    Examples:

      stockflow loads retry sales_2026-W36.csv
    """
    services = target.services()
    load, _ = _known(services, what)
    services.publisher.publish(services.settings.landing_topic, *announcement(_object(services, load)))
    _say(load, "announced again", "`stockflow loads` shows how far it is", as_json)


def give_up(what: What, as_json: Json = False) -> None:
    """Reject a file that was parked after many failed attempts, or fails again and again.

    Examples:

      stockflow loads give-up sales_2026-W36.csv
    """
    services = target.services()
    load, stages = _known(services, what)
    if load["state"] not in ("failed", "retrying"):
        raise CommandError(
            f"{load['object']} is {load['state']}: only a load that failed can be given up; "
            f"`stockflow explain {load['object']}` says how it came there"
        )
    record = _given_up(load, stages.get("ingest"), services)
    services.ledger.record(record)
    kinds = ["load.rejected", *(["load.ingested"] if "validate" in stages else [])]
    events = [StageEvent(k, record.feed or "", record.load_id, {}, record.landed_on, record.finished_at) for k in kinds]
    services.publisher.publish_all(services.settings.events_topic, [encode(e) for e in events])
    _say(load, "given up", "nothing of the file counts", as_json)


def _say(load: dict[str, Any], done: str, then: str, as_json: bool) -> None:
    if as_json:
        print_json({"load_id": load["load_id"], "object": load["object"], "done": done})
    else:
        console().print(f"{load['object']}: {done}; {then}")


def _known(services: Services, what: str) -> tuple[dict[str, Any], Stages]:
    load = pick(find_loads(services), what)
    return load, services.ledger.stages(load["load_id"], load["landed_on"])


def _judged(stages: Stages, load: dict[str, Any], wanted: str) -> StageRecord:
    """Return the verdict that a person may overrule.

    Raises:
        CommandError: when the load waits for nobody.
    """
    done, ingested = stages.get("validate"), stages.get("ingest")
    fresh = done is not None and ingested is not None and done.input_record == ingested.record_id
    if done is None or not fresh or not _open_to_a_person(done, wanted):
        raise CommandError(
            f"{load['object']} is {load['state']}: only a held load can be {wanted}; "
            "`stockflow loads --state held` lists them"
        )
    return done


def _open_to_a_person(done: StageRecord, wanted: str) -> bool:
    if done.state == "held":
        return True
    overruled = done.detail.get("compared") or done.reason_code == "rejected_by_a_person"
    return wanted == "released" and done.state == "rejected" and bool(overruled)


def _decide(judged: StageRecord, end: Outcome, stages: Stages, services: Services) -> None:
    """Record a person's decision about the same run, and tell the others.

    A replay of validate that read the ledger before it records its own verdict over the decision: it is decided again
    then, when nobody is at work on the load any more.
    """
    decided: dict[str, Any] = {"state": end.state, "reason_code": end.reason_code, "message": end.message}
    for _ in range(DECIDE_TIMES):
        at = max(services.clock(), judged.finished_at + timedelta(microseconds=1))
        detail = {**judged.detail, "decided": decided}
        record = replace(judged, **decided, finished_at=at, detail=detail)
        services.ledger.record(record)
        publish(record, services, was_let_through="transform" in stages)
        judged = _now(record, services)
        if judged.detail.get("decided") == decided:
            return
    raise CommandError(f"{judged.object} is judged again and again: stop what replays it, then decide")


def _now(record: StageRecord, services: Services) -> StageRecord:
    """Return what the ledger says when it shows the record, and no attempt at the load is open."""
    wait_until(lambda: _latest(record, services).finished_at >= record.finished_at, VISIBLE_SECONDS, 0.5)
    with errors().status("waiting for those who judge it"):
        wait_until(lambda: not _is_judged(record, services), ATTEMPT_SECONDS, 2)
    return _latest(record, services)


def _is_judged(record: StageRecord, services: Services) -> bool:
    return any(row["load_id"] == record.load_id for row in open_attempts("validate", services))


def _latest(record: StageRecord, services: Services) -> StageRecord:
    return services.ledger.stages(record.load_id, record.landed_on)["validate"]


def _object(services: Services, load: dict[str, Any]) -> ObjectRef:
    """Return the landed object of a load, also when it is gone by now: ingest says so."""
    found = services.object_store.stat(load["bucket"], load["object"], load["generation"])
    if found is not None and found.generation == load["generation"]:
        return found
    return ObjectRef(load["bucket"], load["object"], load["generation"], 0, "", load["landed_at"])


def _given_up(load: dict[str, Any], before: StageRecord | None, services: Services) -> StageRecord:
    now = services.clock()
    facts: dict[str, Any] = {
        "state": "rejected", "reason_code": "given_up", "run_id": new_run_id(), "started_at": now, "finished_at": now,
        "message": f"given up by a person: {load['message'] or 'its attempts failed'}"[:4000],
    }  # fmt: skip
    if before is not None:
        return replace(next_record(before, "ingest", **facts), input_record=None, raw_run_id=facts["run_id"])
    return StageRecord(
        load_id=load["load_id"], feed=load["feed"], stage="ingest", stage_version="", bucket=load["bucket"],
        object=load["object"], generation=load["generation"], landed_at=load["landed_at"],
        raw_run_id=facts["run_id"], **facts,
    )  # fmt: skip


app.callback(invoke_without_command=True)(list_loads)
for command in (release, reject, retry, give_up):
    app.command()(command)
