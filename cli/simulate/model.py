"""The simulation: files arrive by chance, wait for an instance or for a drain, and reach the KPIs."""

import heapq
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import yaml

from stockflow.schema import pipeline
from stockflow.singleflight import burst_end

HOUR = 3_600.0
DAY = 24 * HOUR
PER_LOAD, DRAINED = ("ingest", "validate"), ("transform", "kpi")


@dataclass(frozen=True)
class Demand:
    """What arrives. ``peak`` is how many times the day's average comes in the busiest hour, which is simulated."""

    files_per_day: int
    feeds: int = 10
    peak: float = 4.0
    seed: int = 1

    @property
    def per_second(self) -> float:
        """Files a second in the busiest hour."""
        return self.files_per_day * self.peak / DAY


@dataclass(frozen=True)
class Outcome:
    """How the busiest hour went. Times are seconds from landing to the KPI; ``drains`` counts those of each stage.

    ``used`` is stage -> share of its instances' time that is asked for: above 1 the queue grows without end.
    """

    files: int
    p50: float
    p95: float
    p99: float
    drains: Mapping[str, int]
    used: Mapping[str, float]

    @property
    def keeps_up(self) -> bool:
        """Whether every stage does in an hour what arrives in an hour."""
        return max(self.used.values()) < 1


@cache
def times() -> dict[str, dict[str, Any]]:
    """Return what ``times.yaml`` says."""
    loaded: dict[str, dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "times.yaml").read_text())
    return loaded


def servers(stage: str) -> int:
    """Return how many loads a stage works on at once, at most."""
    function = pipeline()["functions"][stage]
    return int(function["max_instances"] * function["concurrency"])


def limit(stage: str, peak: float) -> float:
    """Return how many files a day a stage can take when ``peak`` times the average comes in the busiest hour."""
    return float(servers(stage) / times()[stage]["seconds"] * DAY / peak)


def simulate(demand: Demand) -> Outcome:
    """Return how the busiest hour goes, from idle instances to the last file's KPI. The same seed gives the same."""
    dice = Random(demand.seed)
    landed = list(_arrivals(demand, dice))
    feeds = [dice.randrange(demand.feeds) for _ in landed]
    ready = landed
    for stage in PER_LOAD:
        ready = _worked_off(stage, ready, dice)
    transformed, transforms = _by_feed(ready, feeds, dice)
    refreshed, refreshes = _drained("kpi", transformed, dice)
    took = sorted(end - start for start, end in zip(landed, refreshed, strict=True))
    used = {stage: demand.per_second * times()[stage]["seconds"] / servers(stage) for stage in PER_LOAD}
    drains = {"transform": transforms, "kpi": refreshes}
    p50, p95, p99 = (_percentile(took, percent) for percent in (50, 95, 99))
    return Outcome(len(took), p50, p95, p99, drains, used)


def _arrivals(demand: Demand, dice: Random) -> Iterator[float]:
    """At least one file: the first comes at once."""
    at = 0.0
    while at < HOUR:
        yield at
        at += dice.expovariate(demand.per_second)


def _service(stage: str, dice: Random) -> float:
    mean, spread = times()[stage]["seconds"], times()[stage]["spread"]
    sigma = math.sqrt(math.log(1 + spread**2))
    return dice.lognormvariate(math.log(mean) - sigma**2 / 2, sigma)


def _worked_off(stage: str, ready: Sequence[float], dice: Random) -> list[float]:
    """Return when each load leaves a stage whose instances work on loads one by one, in the order they come."""
    free: list[float] = []  # when each place that was used so far is free again
    done = [0.0] * len(ready)
    most = servers(stage)
    concurrency = pipeline()["functions"][stage]["concurrency"]
    for number in sorted(range(len(ready)), key=ready.__getitem__):
        start = ready[number]
        if free and free[0] <= start:
            heapq.heappop(free)
        elif len(free) < most:
            start += _service("cold_start", dice) if len(free) % concurrency == 0 else 0.0
        else:
            start = heapq.heappop(free)
        done[number] = start + _service(stage, dice)
        heapq.heappush(free, done[number])
    return done


def _by_feed(ready: Sequence[float], feeds: Sequence[int], dice: Random) -> tuple[list[float], int]:
    done, drains = [0.0] * len(ready), 0
    for feed in sorted(set(feeds)):
        mine = [number for number, of in enumerate(feeds) if of == feed]
        ended, count = _drained("transform", [ready[number] for number in mine], dice)
        drains += count
        for number, end in zip(mine, ended, strict=True):
            done[number] = end
    return done, drains


def _start(ready: Sequence[float], first: int, soonest: float, pause: float) -> float:
    """Return when the drain begins that takes ``ready[first]`` and what is ready until then."""
    last = first
    while True:
        start = max(soonest, ready[first], burst_end(ready[first], ready[last], last - first + 1, pause))
        if last + 1 == len(ready) or ready[last + 1] > start:
            return start
        last += 1


def _drained(stage: str, ready: Sequence[float], dice: Random) -> tuple[list[float], int]:
    """Return when each load leaves a stage that takes all that waits in one drain, and how many drains there were.

    A drain begins when the one before has ended, a pause of ``pipeline.yaml`` after it began, and when the burst is
    over (``singleflight.burst_end``).
    """
    order = sorted(range(len(ready)), key=ready.__getitem__)
    times_ready = [ready[number] for number in order]
    pause = pipeline()["functions"][stage]["drain_pause_seconds"]
    done, drains, taken, free, began = [0.0] * len(ready), 0, 0, 0.0, -math.inf
    while taken < len(order):
        began = _start(times_ready, taken, max(free, began + pause), pause)
        batch = []
        while taken < len(order) and ready[order[taken]] <= began:
            batch.append(order[taken])
            taken += 1
        free = began + _service(stage, dice) + times()[stage]["a_load"] * len(batch)
        drains += 1
        for number in batch:
            done[number] = free
    return done, drains


def _percentile(ordered: Sequence[float], percent: int) -> float:
    return ordered[min(len(ordered) - 1, math.ceil(len(ordered) * percent / 100) - 1)]
