"""The Beam pipeline of one large file. Its steps are those of ``load``; here they become a graph.

Each arrow below that crosses a shuffle is a checkpoint: a step that fails is done again, the ones before it are not.

    plan -> (shuffle) -> read each part -> (group) -> count rows in front -> (shuffle) -> number -> (group) -> commit
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

import apache_beam as beam

from dataflow import load
from stockflow.services import Services
from stockflow.settings import Settings

Variables = Mapping[str, str]


def services_of(variables: Variables) -> Services:
    """Return this process's services of the environment that these variables name, built once."""
    return _services(tuple(sorted(variables.items())))


@cache
def _services(variables: tuple[tuple[str, str], ...]) -> Services:
    return Services(Settings.from_env(dict(variables)))


class _Step(beam.DoFn):  # type: ignore[misc]
    """A step that works with services; they are opened on the worker."""

    def __init__(self, variables: Variables) -> None:
        self._variables = dict(variables)

    @property
    def services(self) -> Services:
        return services_of(self._variables)


class PlanFile(_Step):
    """A job becomes tasks; none when the file was processed already."""

    def __init__(self, variables: Variables, part_bytes: int) -> None:
        super().__init__(variables)
        self._part_bytes = part_bytes

    def process(self, job: load.Job) -> Iterator[load.Task]:
        """Go through the file once."""
        plan = load.plan(job, self.services, self._part_bytes)
        yield from (load.Task(plan, i) for i in range(plan.parts)) if plan else ()


class ReadPart(_Step):
    """A task becomes a staged file and rejects."""

    def process(self, task: load.Task) -> Iterator[tuple[str, load.Done]]:
        """Read one part."""
        yield task.plan.job.run_id, load.read(task, self.services)


class NumberPart(_Step):
    """A staged file gets the numbers of its rows."""

    def process(self, done: load.Done) -> Iterator[tuple[str, load.Done]]:
        """Write one part again."""
        yield done.task.plan.job.run_id, load.number(done, self.services)


class Commit(_Step):
    """All parts become one record in the ledger."""

    def process(self, run: tuple[str, Iterable[load.Done]]) -> Iterator[str]:
        """Load, record, publish; yield the state in which the load is."""
        yield load.commit(list(run[1]), self.services).state


def in_order(run: tuple[str, Iterable[load.Done]]) -> Iterator[load.Done]:
    """Return the parts of a run with the rows in front of each."""
    yield from load.in_order(list(run[1]))


def build(root: Any, job: load.Job, variables: Variables, part_bytes: int) -> Any:
    """Add the steps for one file to a Beam pipeline, and return the state in which the load ends."""
    return (
        root
        | "the file" >> beam.Create([job])
        | "plan" >> beam.ParDo(PlanFile(variables, part_bytes))
        | "spread the parts" >> beam.Reshuffle()
        | "read" >> beam.ParDo(ReadPart(variables))
        | "all parts are read" >> beam.GroupByKey()
        | "count rows in front" >> beam.FlatMap(in_order)
        | "spread them again" >> beam.Reshuffle()
        | "number" >> beam.ParDo(NumberPart(variables))
        | "all parts are numbered" >> beam.GroupByKey()
        | "commit" >> beam.ParDo(Commit(variables))
    )
