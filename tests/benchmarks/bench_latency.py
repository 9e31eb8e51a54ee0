"""Latency: how long a small file takes from its drop to the KPIs, with a warehouse as slow as BigQuery.

    python -m tests.benchmarks.bench_latency

A proxy between each function and the emulator lets each job take what ``latency.yaml`` says (its own time, where that
is longer). Function processes, KPIs, subscriptions and pauses are those that are deployed. A first file warms the
stack; when its pauses are over, a second one is dropped, and the path of that one is printed: by stage, from the end of
the stage before, with the jobs, the statements within them and the streaming inserts.
"""

import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from stockflow.schema import pipeline
from stockflow.stages import STAGES
from tests.benchmarks.bench_storms import AS_SHIPPED, content, pause_as_deployed
from tests.benchmarks.one_file import through
from tests.benchmarks.slow_warehouse import SlowWarehouse
from tests.chaos.rig import Rig, rig

HEAD = """\
| stage | seconds | jobs | statements | inserts |
|---|---|---|---|---|"""


def drop(made: Rig, number: int) -> dict[str, dict[str, Any]]:
    """Drop a file of sales; return stage -> its first record, when the last stage has one."""
    return through(made, f"sales/latency/{number}.csv", content("sales", number))


def counts(made: Rig) -> dict[str, Counter[str]]:
    """Return function -> how many jobs, statements and inserts it has sent so far."""
    found = {}
    for name, proxy in made.warehouses.items():
        assert isinstance(proxy, SlowWarehouse)
        jobs = proxy.requests["query job"] + proxy.requests["load job"]
        ran = sum(proxy.statements.values())
        found[name] = Counter(jobs=jobs, statements=ran, inserts=proxy.requests["insert"])
    return found


def main() -> None:
    """Print the table."""
    with (
        tempfile.TemporaryDirectory(prefix="latency") as folder,
        rig(Path(folder), 1, 0.0, AS_SHIPPED, SlowWarehouse) as made,
    ):
        pause_as_deployed(made)
        drop(made, 1)
        time.sleep(max(f.get("drain_pause_seconds", 0) for f in pipeline()["functions"].values()))
        before = counts(made)
        records = drop(made, 2)
        print(HEAD)
        _rows(records, before, counts(made))


def _rows(records: dict[str, dict[str, Any]], before: dict[str, Counter[str]], after: dict[str, Counter[str]]) -> None:
    since = landed = records["ingest"]["landed_at"]
    sent = {stage: after[stage] - before[stage] for stage in STAGES}
    for stage in STAGES:
        ended = records[stage]["finished_at"]
        print(_row(stage, (ended - since).total_seconds(), sent[stage]))
        since = ended
    print(_row("drop to KPI", (since - landed).total_seconds(), sum(sent.values(), Counter())))


def _row(name: str, seconds: float, sent: Counter[str]) -> str:
    return f"| {name} | {seconds:.1f} | {sent['jobs']} | {sent['statements']} | {sent['inserts']} |"


if __name__ == "__main__":
    main()
