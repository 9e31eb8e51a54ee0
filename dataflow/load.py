"""The load of one large file in steps that may each run again, on any machine: plan, read, number, commit.

What a step writes has a name that follows from the run and the part, so a step that is done twice writes the same
once more. Rows count only when the ledger names their run, as for every other load; that record is written last.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from dataflow.reading import Part, put_together, read_part
from dataflow.split import PART_BYTES, Range, Split, split
from functions.ingest.arrival import Arrival, duplicate, end, gone, publish, refuse
from functions.ingest.duplicates import find_neighbour
from functions.ingest.landing import Content, GoneError, check_there, content_md5
from functions.ingest.pipeline import finish
from functions.ingest.raw import StagedRun, load_run
from functions.ingest.readers.arrow import integers
from functions.ingest.readers.decode import decode
from functions.ingest.readers.model import Chunk, Facts, Reject, Target
from functions.ingest.rejects import Rejects
from functions.ingest.staging import WRITING, Staging, arrow_schema, stage
from stockflow.errors import PermanentError, TransientError
from stockflow.events import ObjectRef, object_from_resource
from stockflow.ledger import HANDED_OVER, Asked, StageRecord
from stockflow.points import reached
from stockflow.services import Services

LARGEST = 20_000_000_000  # bytes of a packed file; what it unpacks to is bounded by that (`decode.UNPACKED_TIMES`)
PARQUET = "application/vnd.apache.parquet"


@dataclass(frozen=True)
class Job:
    """What a job is asked for: one generation of an object, as the run of that name; when it began."""

    ref: ObjectRef
    feed: str
    run_id: str
    started: datetime

    def place(self, number: int, kind: str) -> str:
        """Return the name, in the staging bucket, of what a part writes: the same each time."""
        return f"ingest/{self.feed}/{self.ref.load_id}/{self.run_id}/part-{number:05d}.{kind}"


@dataclass(frozen=True)
class Plan:
    """How a file is read: in the ranges of ``how``, or as one part when that is None."""

    job: Job
    content: str
    how: Split | None
    facts: Facts = field(default_factory=Facts)

    @property
    def parts(self) -> int:
        """How many parts there are."""
        return len(self.how.ranges) if self.how else 1


@dataclass(frozen=True)
class Task:
    """One part to be read."""

    plan: Plan
    number: int

    @property
    def range(self) -> Range:
        """Its bytes."""
        assert self.plan.how is not None
        return self.plan.how.ranges[self.number]


@dataclass(frozen=True)
class Done:
    """A part that was read; ``error`` (code, message, facts) when it refuses the file. ``before``: rows in front."""

    task: Task
    rows: int
    part: Part
    error: tuple[str, str, dict[str, Any]] | None = None
    before: int = 0


def job_of(resource: str, run_id: str, services: Services) -> Job:
    """Return the job for an object, given as the JSON of its resource in Cloud Storage.

    Raises:
        ValueError: the text is not such JSON.
    """
    try:
        ref = object_from_resource(json.loads(resource))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"object is {resource!r}: expected the JSON of a Cloud Storage object ({error})") from error
    feed = ref.name.partition("/")[0]
    if feed not in services.contracts:
        raise ValueError(f"object {ref.name!r}: its folder is not a feed; expected one of {sorted(services.contracts)}")
    return Job(ref, feed, run_id, services.clock())


def plan(job: Job, services: Services, part_bytes: int = PART_BYTES) -> Plan | None:
    """Return how the file is read; None when it came to an end that is recorded: gone, a duplicate, refused, done.

    Raises:
        TransientError: what a service could not do now.
    """
    arrival = _arrival(job, services)
    if _ended(arrival):
        return None
    try:
        check_there(job.ref, services)
        content = content_md5(job.ref, services)
        other = None if arrival.loaded else find_neighbour(job.ref, job.feed, content, services)
        if other:
            end(duplicate(arrival, content, other), services)
            return None
        return _cut(arrival, job, content, part_bytes)
    except GoneError as error:
        gone(arrival, error)
    except PermanentError as error:
        refuse(arrival, error)
    return None


def _cut(arrival: Arrival, job: Job, content: str, part_bytes: int) -> Plan:
    source = Content(job.ref, content, arrival.services)
    how = split(source.stream, _target(arrival), arrival.facts, part_bytes)
    source.verify()
    return Plan(job, content, how, arrival.facts if how else Facts())


def read(task: Task, services: Services) -> Done:
    """Read one part: its rows into a staged file, its rejects beside it.

    Raises:
        TransientError: what a service could not do now.
    """
    job, bucket = task.plan.job, services.settings.staging_bucket
    contract, part = services.contract_for(job.feed, job.ref.name), Part()
    staging = Staging(arrow_schema(contract), job.ref.load_id, job.run_id, job.ref.landed_on, job.started)
    error: PermanentError | None = None
    # The first part's rows have their numbers already.
    name = job.place(task.number, "parquet" if task.number == 0 else "read.parquet")
    with Rejects() as rejects:
        with services.object_store.create(bucket, name, PARQUET) as sink:
            chunks = _chunks(task, Target(contract, job.ref.name), part, services)
            try:
                with closing(stage(chunks, staging, sink)) as found:
                    for reject in found:
                        rejects.add(reject)
            except PermanentError as refused:
                error = refused
        with services.object_store.create(
            bucket, job.place(task.number, "rejects.jsonl"), "application/x-ndjson"
        ) as kept:
            for line in rejects.lines():
                kept.write(line.encode())
    return Done(task, staging.rows, part, (error.code, error.message, error.facts) if error else None)


def _chunks(task: Task, target: Target, part: Part, services: Services) -> Iterator[Chunk]:
    ref, how = task.plan.job.ref, task.plan.how
    if how is None:
        return decode(services.object_store.open(ref), target, part.facts, LARGEST, services.settings.memory_bytes)
    at = task.range
    return read_part(services.object_store.open_range(ref, at.start, at.end), at, how, target, part)


def in_order(dones: Sequence[Done]) -> list[Done]:
    """Return the parts of a file in their order, each with the number of rows in front of it.

    Raises:
        TransientError: ``part_missing``: another try of the job reads it.
    """
    ordered = sorted({d.task.number: d for d in dones}.values(), key=lambda d: d.task.number)
    if not ordered or len(ordered) != ordered[0].task.plan.parts:
        raise TransientError("part_missing", f"{len(ordered)} parts of {ordered and ordered[0].task.plan.parts} came")
    before, found = 0, []
    for done in ordered:
        found.append(replace(done, before=before))
        before += done.rows
    return found


def number(done: Done, services: Services) -> Done:
    """Write the staged file again with the numbers that its rows have in the whole file.

    Raises:
        TransientError: what a service could not do now.
    """
    job, place, bucket = done.task.plan.job, done.task.number, services.settings.staging_bucket
    if place == 0 or done.error:
        return done
    with services.object_store.open_random(bucket, job.place(place, "read.parquet")) as source:
        file = parquet.ParquetFile(source)
        schema = arrow_schema(services.contract_for(job.feed, job.ref.name))
        target = services.object_store.create(bucket, job.place(place, "parquet"), PARQUET)
        with target as sink, parquet.ParquetWriter(sink, schema, **WRITING) as writer:
            row = done.before
            for group in range(file.num_row_groups):
                table = file.read_row_group(group)
                writer.write_table(_numbered(table, row, schema))
                row += table.num_rows
    return done


def _numbered(table: pa.Table, before: int, schema: pa.Schema) -> pa.Table:
    numbers = integers(range(before + 1, before + table.num_rows + 1))
    columns = [numbers if name == "_row" else table.column(name) for name in schema.names]
    return pa.Table.from_arrays(columns, schema=schema)


def commit(dones: Sequence[Done], services: Services) -> StageRecord:
    """Load the staged files, keep the rejects, write the record that commits the run, and tell validate.

    Raises:
        TransientError: what a service could not do now.
    """
    ordered = in_order(dones)
    planned = ordered[0].task.plan
    arrival = replace(_arrival(planned.job, services), facts=_facts(ordered))
    if record := _ended(arrival):
        return record
    reached("ingest.began")
    try:
        with Rejects() as rejects:
            for done in ordered:
                _take_rejects(done, rejects, services)
            if planned.how:
                put_together([d.part for d in ordered], arrival.facts, _target(arrival))
            uris = [f"gs://{services.settings.staging_bucket}/{planned.job.place(d.task.number, 'parquet')}"
                    for d in ordered if d.rows]  # fmt: skip
            staged = StagedRun(arrival.contract, planned.job.run_id, tuple(uris), sum(d.rows for d in ordered))
            record = finish(arrival, planned.content, staged, rejects, lambda: load_run(staged, services))
        end(record, services)
    except PermanentError as error:
        return refuse(arrival, error)
    _tidy(ordered, services)
    return record


def _tidy(ordered: Sequence[Done], services: Services) -> None:
    """Remove what only the steps in between needed; where that is cut short, the bucket's own rule does it."""
    for done in ordered:
        for kind in ("read.parquet", "rejects.jsonl"):
            services.object_store.delete(
                services.settings.staging_bucket, done.task.plan.job.place(done.task.number, kind)
            )


def _facts(ordered: Sequence[Done]) -> Facts:
    """Return what is known of the file: noted when it was cut, or while it was read as a whole."""
    planned = ordered[0].task.plan
    found = planned.facts if planned.how else ordered[0].part.facts
    return Facts(found.format, {**found.values, "parts": len(ordered)})


def _take_rejects(done: Done, rejects: Rejects, services: Services) -> None:
    """Add the rejects of a part, and raise what refuses the file because of it."""
    job = done.task.plan.job
    kept = services.object_store.read(services.settings.staging_bucket, job.place(done.task.number, "rejects.jsonl"))
    for line in kept.decode().splitlines():
        rejects.add(Reject(**json.loads(line)))
    if done.error:
        code, message, facts = done.error
        raise PermanentError(code, message, **facts)


def _arrival(job: Job, services: Services) -> Arrival:
    story = services.ledger.story(Asked(job.ref.load_id, job.ref.landed_on), "ingest")
    contract = services.contract_for(job.feed, job.ref.name)
    arrival = Arrival(job.ref, contract, services, job.started, story.stages.get("ingest"), job.run_id)
    if sender := contract.properties.get("sender"):
        arrival.facts.note(sender=sender)
    return arrival


def _target(arrival: Arrival) -> Target:
    return Target(arrival.contract, arrival.ref.name)


def _ended(arrival: Arrival) -> StageRecord | None:
    """Return the record of what this run, or another one since it began, did already; its event is sent again."""
    before = arrival.before
    if before is None or before.state == HANDED_OVER:
        return None
    if before.raw_run_id == arrival.run_id or before.finished_at > arrival.started:
        return publish(before, arrival.services)
    return None
